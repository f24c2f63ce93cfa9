"""From a quiz or a few words to what someone is in the mood for.

The result is an :class:`Intent`: weights over genres (positive wanted, negative unwanted), and
optional limits on length and era. The tables below are the whole of it: plain, few, and open to
argument; ``genre_cosine`` ranks films by the cosine with their genres.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ml.intent_tables import (
    CALM,
    CONTENT_TYPES,
    ERA_WORDS,
    GENRE_ALIASES,
    INTENSE,
    INTENSITY_WORDS,
    MOOD_GENRES,
    MOOD_WORDS,
    NEGATIONS,
    TIME_WORDS,
)
from ml.types import FloatArray

CHOSEN_GENRE = 2.0  # a named genre outweighs everything that a mood implies
INTENSITY_STEP = 0.5
REFUSED = -1.5  # "not scary" weighs more than "scary" would: a no is a no
RUNTIME_SLACK_MIN = 15.0  # how softly the limits on length fall off
ERA_SLACK_YEARS = 5.0
WORD = re.compile(r"[a-z0-9']+(?:-[a-z0-9']+)*")


class Mood(StrEnum):
    """What the quiz asks first."""

    HAPPY = "happy"
    SAD = "sad"
    RELAXED = "relaxed"
    TENSE = "tense"
    ROMANTIC = "romantic"
    SCARED = "scared"
    ADVENTUROUS = "adventurous"
    THOUGHTFUL = "thoughtful"
    CURIOUS = "curious"
    NOSTALGIC = "nostalgic"
    INSPIRED = "inspired"
    DARK = "dark"


class ContentType(StrEnum):
    """What kind of film."""

    ANY = "any"
    LIVE_ACTION = "live_action"
    ANIMATED = "animated"
    DOCUMENTARY = "documentary"
    FAMILY = "family"


class TimeBudget(StrEnum):
    """How long it may take."""

    ANY = "any"
    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"


class Intensity(StrEnum):
    """How much it may ask of the viewer."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


RUNTIMES: dict[TimeBudget, tuple[float, float] | None] = {
    TimeBudget.ANY: None,
    TimeBudget.SHORT: (0.0, 95.0),
    TimeBudget.MEDIUM: (85.0, 125.0),
    TimeBudget.LONG: (120.0, 600.0),
}
INTENSITY_SIGN = {Intensity.LOW: -1.0, Intensity.MEDIUM: 0.0, Intensity.HIGH: 1.0}


@dataclass(frozen=True, slots=True)
class QuizAnswers:
    """The five questions; each may be left open (no mood: any will do)."""

    mood: Mood | None = None
    content_type: ContentType = ContentType.ANY
    time: TimeBudget = TimeBudget.ANY
    genres: tuple[str, ...] = ()
    intensity: Intensity = Intensity.MEDIUM


@dataclass(frozen=True, slots=True)
class Intent:
    """What is wanted now. ``runtime_min`` and ``years`` are (least, most) or None (no matter).

    ``understood`` lists the words that were used, so that a page can show them as chips.
    """

    genres: Mapping[str, float] = field(default_factory=dict)
    runtime_min: tuple[float, float] | None = None
    years: tuple[float, float] | None = None
    understood: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said that could rank a film."""
        has_genre = any(self.genres.values())
        return not has_genre and self.runtime_min is None and self.years is None

    def vector(self, genre_names: Sequence[str]) -> FloatArray:
        """float32[n_genres] in the order of ``genre_names``; both spellings of a genre count."""
        known = [self.genres.get(canonical_genre(name), 0.0) for name in genre_names]
        return np.array(known, dtype=np.float32)


def canonical_genre(name: str) -> str:
    """One spelling for the genres of MovieLens and TMDB ("Science Fiction" -> "sci-fi")."""
    plain = name.strip().lower()
    return GENRE_ALIASES.get(plain, plain)


def one_hot(answers: QuizAnswers, genre_names: Sequence[str]) -> FloatArray:
    """The five answers as a 0/1 vector: moods, content types, times, genres, intensities in turn.

    What a classifier on quiz answers takes; the ranking uses :func:`intent_from_quiz`.
    """
    wanted = {canonical_genre(genre) for genre in answers.genres}
    bits = [
        *(mood is answers.mood for mood in Mood),
        *(kind is answers.content_type for kind in ContentType),
        *(time is answers.time for time in TimeBudget),
        *(canonical_genre(name) in wanted for name in genre_names),
        *(level is answers.intensity for level in Intensity),
    ]
    return np.array(bits, dtype=np.float32)


def intent_from_quiz(answers: QuizAnswers) -> Intent:
    """Adds up what each answer says about genres; limits the length by the time."""
    weights = _summed(
        MOOD_GENRES[answers.mood.value] if answers.mood else {},
        CONTENT_TYPES[answers.content_type.value],
        {canonical_genre(genre): CHOSEN_GENRE for genre in answers.genres},
        _intensity_weights(INTENSITY_SIGN[answers.intensity]),
    )
    years = (0.0, 1999.0) if answers.mood is Mood.NOSTALGIC else None
    return Intent(genres=weights, runtime_min=RUNTIMES[answers.time], years=years)


def intent_from_words(text: str) -> Intent:
    """What free words say: moods, genres, lengths, eras; "not", "no" and the like refuse.

    Words that mean nothing here are ignored; ``understood`` tells which were used. A negation
    holds for the next word that is understood ("not too scary" refuses the scary).
    """
    words = WORD.findall(text.lower().replace("sci fi", "sci-fi"))
    found: list[Mapping[str, float]] = []
    understood: list[str] = []
    runtime = years = None
    refusing = False
    for word in words:
        if word in NEGATIONS:
            refusing = True
            continue
        meaning = _genres_of(word)
        if meaning is not None:
            found.append(_refused(meaning) if refusing else meaning)
        elif word in TIME_WORDS and not refusing:
            runtime = RUNTIMES[TimeBudget(TIME_WORDS[word])]
        elif word in ERA_WORDS and not refusing:
            years = ERA_WORDS[word]
        else:
            continue
        understood.append(f"not {word}" if refusing else word)
        refusing = False
    return Intent(
        genres=_summed(*found), runtime_min=runtime, years=years, understood=tuple(understood)
    )


def runtime_fit(intent: Intent, runtime_min: NDArray[np.floating]) -> FloatArray:
    """float32[n] in 0..1: 1 inside the wanted length, falling softly outside; unknown is 1."""
    return _range_fit(intent.runtime_min, runtime_min, RUNTIME_SLACK_MIN)


def era_fit(intent: Intent, year: NDArray[np.floating]) -> FloatArray:
    """float32[n] in 0..1: 1 inside the wanted era, falling softly outside; unknown is 1."""
    return _range_fit(intent.years, year, ERA_SLACK_YEARS)


def _range_fit(
    limits: tuple[float, float] | None, values: NDArray[np.floating], slack: float
) -> FloatArray:
    if limits is None:
        return np.ones(len(values), dtype=np.float32)
    outside = np.maximum(np.maximum(limits[0] - values, values - limits[1]), 0.0)
    # An unknown length or year is no reason to hide a film.
    return np.where(np.isnan(outside), 1.0, np.exp(-outside / slack)).astype(np.float32)


def _genres_of(word: str) -> Mapping[str, float] | None:
    genre = canonical_genre(word)
    if genre in INTENSE or genre in CALM or genre in GENRE_ALIASES.values():
        return {genre: CHOSEN_GENRE}
    if word in MOOD_WORDS:
        return MOOD_GENRES[MOOD_WORDS[word]]
    if word in CONTENT_TYPES and CONTENT_TYPES[word]:
        return CONTENT_TYPES[word]
    if word in INTENSITY_WORDS:
        return _intensity_weights(INTENSITY_SIGN[Intensity(INTENSITY_WORDS[word])])
    return None


def _refused(meaning: Mapping[str, float]) -> dict[str, float]:
    """The opposite: what was wanted is refused; what was unwanted is not therefore wanted."""
    return {genre: REFUSED * weight for genre, weight in meaning.items() if weight > 0}


def _intensity_weights(sign: float) -> dict[str, float]:
    weights = dict.fromkeys(INTENSE, INTENSITY_STEP * sign)
    weights.update(dict.fromkeys(CALM, -INTENSITY_STEP * sign))
    return {genre: weight for genre, weight in weights.items() if weight}


def _summed(*tables: Mapping[str, float]) -> dict[str, float]:
    total: dict[str, float] = {}
    for genre, weight in _items(tables):
        total[genre] = total.get(genre, 0.0) + weight
    return total


def _items(tables: Iterable[Mapping[str, float]]) -> Iterable[tuple[str, float]]:
    for table in tables:
        yield from table.items()
