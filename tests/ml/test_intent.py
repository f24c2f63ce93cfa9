"""What the quiz and free words mean: known answers, and nothing that moves the wrong way."""

from __future__ import annotations

import numpy as np
import pytest

from ml.intent import (
    ContentType,
    Intensity,
    Intent,
    Mood,
    QuizAnswers,
    TimeBudget,
    canonical_genre,
    era_fit,
    intent_from_quiz,
    intent_from_words,
    one_hot,
    runtime_fit,
)
from ml.intent_tables import CALM, CONTENT_TYPES, INTENSE, MOOD_GENRES, MOOD_WORDS

GENRES = ("Action", "Children's", "Comedy", "Drama", "Horror", "Science Fiction", "Thriller")


def test_every_answer_has_its_table() -> None:
    assert {mood.value for mood in Mood} == set(MOOD_GENRES)
    assert {kind.value for kind in ContentType} == set(CONTENT_TYPES)
    assert set(MOOD_WORDS.values()) <= set(MOOD_GENRES)


def test_a_happy_quiz_wants_comedy_and_refuses_horror() -> None:
    vector = intent_from_quiz(QuizAnswers(Mood.HAPPY)).vector(GENRES)
    assert GENRES[int(vector.argmax())] == "Comedy"
    assert GENRES[int(vector.argmin())] == "Horror"


@pytest.mark.parametrize("mood", list(Mood))
@pytest.mark.parametrize("genre", ["Horror", "Science Fiction", "Documentary", "Western"])
def test_a_named_genre_outweighs_the_mood(mood: Mood, genre: str) -> None:
    without = intent_from_quiz(QuizAnswers(mood)).genres
    with_it = intent_from_quiz(QuizAnswers(mood, genres=(genre,))).genres
    name = canonical_genre(genre)
    assert with_it[name] == pytest.approx(without.get(name, 0.0) + 2.0)
    if without.get(name, 0.0) >= 0:
        assert max(with_it, key=lambda g: with_it[g]) == name


@pytest.mark.parametrize("mood", list(Mood))
def test_intensity_is_monotone(mood: Mood) -> None:
    levels = [intent_from_quiz(QuizAnswers(mood, intensity=i)).genres for i in Intensity]
    for lower, higher in zip(levels, levels[1:], strict=False):
        assert all(lower.get(g, 0.0) < higher.get(g, 0.0) for g in INTENSE)
        assert all(lower.get(g, 0.0) > higher.get(g, 0.0) for g in CALM)


def test_the_content_type_moves_its_genre() -> None:
    plain = intent_from_quiz(QuizAnswers(Mood.CURIOUS)).genres
    drawn = intent_from_quiz(QuizAnswers(Mood.CURIOUS, content_type=ContentType.ANIMATED)).genres
    live = intent_from_quiz(QuizAnswers(Mood.CURIOUS, content_type=ContentType.LIVE_ACTION)).genres
    values = [live["animation"], plain.get("animation", 0.0), drawn["animation"]]
    assert values == sorted(values)
    assert len(set(values)) == 3


def test_time_limits_the_length_softly_and_unknown_lengths_pass() -> None:
    short = intent_from_quiz(QuizAnswers(Mood.SAD, time=TimeBudget.SHORT))
    fit = runtime_fit(short, np.array([80.0, 95.0, 110.0, 180.0, np.nan]))
    assert fit[0] == fit[1] == fit[4] == 1.0
    assert 1.0 > fit[2] > fit[3] > 0.0
    anything = intent_from_quiz(QuizAnswers(Mood.SAD))
    assert runtime_fit(anything, np.array([10.0, 500.0])).tolist() == [1.0, 1.0]


def test_both_spellings_of_a_genre_mean_the_same() -> None:
    intent = intent_from_words("sci fi for the kids")
    assert intent.vector(["Sci-Fi", "Children"]).tolist() == [2.0, 2.0]
    assert intent.vector(["Science Fiction", "Children's"]).tolist() == [2.0, 2.0]


def test_words_are_understood_and_told() -> None:
    intent = intent_from_words("Something funny and short from the 90s, not scary please")
    assert intent.understood == ("funny", "short", "90s", "not scary")
    assert intent.genres["comedy"] == 1.0
    assert intent.genres["horror"] == pytest.approx(-0.5 - 1.5)
    assert intent.runtime_min == (0.0, 95.0)
    assert intent.years == (1990.0, 1999.0)


def test_a_refusal_never_becomes_a_wish() -> None:
    intent = intent_from_words("not scary")
    assert all(weight < 0 for weight in intent.genres.values())
    assert intent.genres["horror"] == -1.5


def test_words_without_meaning_are_an_empty_intent() -> None:
    intent = intent_from_words("qwertz 12345 the of")
    assert intent == Intent(genres={}, understood=())
    assert intent.is_empty
    assert not intent.vector(GENRES).any()


def test_an_era_falls_off_on_both_sides() -> None:
    fit = era_fit(intent_from_words("80s"), np.array([1960.0, 1978.0, 1985.0, 1992.0, np.nan]))
    assert fit[2] == fit[4] == 1.0
    assert fit[0] < fit[1] < 1.0
    assert fit[3] < 1.0


def test_one_hot_has_one_bit_per_question_and_the_chosen_genres() -> None:
    answers = QuizAnswers(Mood.DARK, ContentType.ANY, TimeBudget.LONG, ("Horror", "sci-fi"))
    bits = one_hot(answers, GENRES)
    assert len(bits) == len(Mood) + len(ContentType) + len(TimeBudget) + len(GENRES) + 3
    assert bits.sum() == 4 + 2
    assert set(bits.tolist()) == {0.0, 1.0}
