"""Models that know films by what they are: known answers on facts that the tests make up."""

from __future__ import annotations

import numpy as np
import pytest

from ml.intent import Mood, QuizAnswers, intent_from_quiz
from ml.models.cold_map import ColdMap
from ml.models.genre_cosine import GenreCosine
from ml.models.genre_neighbors import GenreNeighbors
from ml.models.logistic import Logistic
from ml.models.registry import create
from ml.models.semantic import Semantic
from ml.types import Histories, Interactions, ItemFeatures
from tests.ml.data import interactions, item_features, two_tastes

FILMS = ItemFeatures(
    n_items=5,
    genres=np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], dtype=np.float32),
    genre_names=("Comedy", "Romance", "Horror"),
    text=np.array([[3, 1, 0], [3, 2, 0], [3, 0, 1], [3, -1, 1], [0, 0, 0]], dtype=np.float32),
)
EVENTS = interactions([(0, 0, 5.0, 1), (0, 1, 4.0, 2), (1, 0, 5.0, 3)], n_users=2, n_items=5)


def test_genre_cosine_ranks_by_the_angle_to_the_intent() -> None:
    model = GenreCosine().fit(EVENTS, features=FILMS)
    scores = model.score_intents(np.array([[1.0, 0.0, -1.0]]))[0]
    assert scores[:4] == pytest.approx([np.sqrt(0.5), 0.5, 0.0, -np.sqrt(0.5)])
    assert np.isneginf(scores[4])


def test_a_quiz_leads_to_its_films() -> None:
    model = GenreCosine().fit(EVENTS, features=FILMS)
    for mood, best in ((Mood.HAPPY, 0), (Mood.SCARED, 3)):
        intent = intent_from_quiz(QuizAnswers(mood)).vector(FILMS.genre_names)
        assert int(np.nanargmax(model.score_intents(intent[None])[0])) == best


def test_an_empty_intent_has_no_opinion() -> None:
    model = GenreCosine().fit(EVENTS, features=FILMS)
    assert np.isneginf(model.score_intents(np.zeros((1, 3)))).all()


def test_genre_neighbors_prefers_the_better_known_of_equals() -> None:
    genres = np.ones((4, 1), dtype=np.float32)
    events = interactions([(u, 2, 5.0, u) for u in range(5)], n_users=5, n_items=4)
    features = ItemFeatures(n_items=4, genres=genres, genre_names=("Drama",))
    model = GenreNeighbors(n_neighbors=2).fit(events, features=features)
    best = model.recommend(Histories.from_lists([[0]]), 2).item_index[0]
    assert best[0] == 2
    assert 0 not in best.tolist()


def test_semantic_subtracts_what_all_films_share() -> None:
    model = Semantic().fit(EVENTS, features=FILMS)
    scores = model.score(Histories.from_lists([[0]]))[0]
    # Raw cosines of film 0 are .99, .84 and .76; only the centred ones tell like from unlike.
    assert scores[1] > 0.8
    assert scores[2] < 0.0
    assert scores[3] < 0.0
    assert np.isneginf(scores[4])


def test_a_text_query_finds_its_film() -> None:
    model = Semantic().fit(EVENTS, features=FILMS)
    assert FILMS.text is not None
    assert model.score_texts(FILMS.text[:4])[:, :4].argmax(axis=1).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["genre_cosine", "genre_neighbors", "semantic", "cold_map"])
def test_missing_facts_are_an_error_not_a_guess(name: str) -> None:
    with pytest.raises(ValueError, match="needs"):
        create(name).fit(EVENTS, features=None)


def test_logistic_prefers_the_taste_of_the_history_and_carries_to_new_films() -> None:
    model = Logistic(n_text=4).fit(two_tastes(), seed=1, features=item_features())
    for taste in (0, 1):
        history = Histories.from_lists([(taste * 24 + np.arange(6)).tolist()])
        scores = model.score(history)[0]
        same, other = scores[taste * 24 : taste * 24 + 24], scores[(1 - taste) * 24 :][:24]
        assert same.mean() > other.mean() + 0.5
    assert np.isfinite(scores[48:]).all()


def test_the_map_places_a_new_film_with_those_it_resembles() -> None:
    hidden = np.array([3, 30])
    events = two_tastes()
    train = events.select(~np.isin(events.item_index, hidden))
    for base in ("als", "edlae"):
        params = {"n_factors": 8} if base == "als" else {"l2": 5.0}
        model = ColdMap(base=base, base_params=params).fit(train, seed=1, features=item_features())
        first = model.score(Histories.from_lists([[0, 1, 2, 4, 5]]))[0]
        second = model.score(Histories.from_lists([[26, 27, 28, 29, 31]]))[0]
        assert first[3] > first[30]
        assert second[30] > second[3]


def test_boost_moves_new_films_only() -> None:
    events = two_tastes()
    train = events.select(events.item_index != 3)
    history = Histories.from_lists([[0, 1, 2]])
    plain, boosted = (
        ColdMap(base_params={"n_factors": 8}, boost=b)
        .fit(train, seed=1, features=item_features())
        .score(history)[0]
        for b in (1.0, 2.5)
    )
    assert boosted[3] == pytest.approx(2.5 * plain[3], rel=1e-5)
    warm = np.unique(train.item_index)
    assert np.array_equal(plain[warm], boosted[warm])


def test_only_cold_leaves_films_with_ratings_out() -> None:
    train: Interactions = two_tastes()
    model = ColdMap(base_params={"n_factors": 8}, only_cold=True)
    model.fit(train, seed=1, features=item_features())
    scores = model.score(Histories.from_lists([[0, 1]]))[0]
    assert np.isfinite(scores).nonzero()[0].tolist() == [48, 49]
