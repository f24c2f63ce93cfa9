"""The bundled starter catalogue and its simulated audience; needs no database."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from catalog.starter import (
    GENRES,
    StarterCatalogueError,
    StarterFilm,
    load_starter_films,
)
from catalog.starter.audience import (
    REFERENCE_TIMESTAMP,
    SOURCE,
    SimulatedRatings,
    simulate_audience,
)


@pytest.fixture(scope="module")
def films() -> list[StarterFilm]:
    return load_starter_films()


@pytest.fixture(scope="module")
def ratings(films: list[StarterFilm]) -> SimulatedRatings:
    return simulate_audience(films)


# --- the films -----------------------------------------------------------------------------------


def test_catalogue_is_large_and_sorted(films: list[StarterFilm]) -> None:
    assert len(films) >= 520
    assert [(f.year, f.slug) for f in films] == sorted((f.year, f.slug) for f in films)


@pytest.mark.parametrize("name", ["slug", "imdb_id", "tmdb_id", "movielens_id"])
def test_ids_are_unique(films: list[StarterFilm], name: str) -> None:
    values = [value for film in films if (value := getattr(film, name)) is not None]
    assert len(values) > 500
    assert len(set(values)) == len(values)


def test_every_decade_from_the_1900s_is_there(films: list[StarterFilm]) -> None:
    decades = Counter(film.decade for film in films)
    assert set(decades) == set(range(1900, 2030, 10))
    assert min(decades.values()) >= 5


def test_many_countries_and_languages(films: list[StarterFilm]) -> None:
    assert len({country for film in films for country in film.countries}) >= 40
    assert len({film.language for film in films}) >= 25


def test_every_genre_has_a_dozen_films(films: list[StarterFilm]) -> None:
    counts = Counter(genre for film in films for genre in film.genres)
    assert set(counts) == GENRES
    assert min(counts.values()) >= 12


def test_synopses_are_two_sentences_of_their_own(films: list[StarterFilm]) -> None:
    for film in films:
        ends = film.synopsis.count(". ") + film.synopsis.count("? ") + film.synopsis.count("! ")
        assert ends == 1, film.slug
        assert 25 <= len(film.synopsis.split()) <= 60, film.slug
    assert len({film.synopsis for film in films}) == len(films)


def test_features_run_for_hours_and_only_known_shorts_are_short(films: list[StarterFilm]) -> None:
    # Shoah and Sátántangó and Les Vampires are the three beyond four hours.
    assert {f.slug for f in films if f.runtime > 240} == {
        "les-vampires-1915",
        "shoah-1985",
        "satantango-1994",
    }
    assert all(film.year < 1970 for film in films if film.runtime < 60)


def test_well_known_facts(films: list[StarterFilm]) -> None:
    heat = next(film for film in films if film.imdb_id == "tt0113277")
    assert (heat.title, heat.year, heat.runtime) == ("Heat", 1995, 170)
    assert heat.directors == ("Michael Mann",)
    assert (heat.tmdb_id, heat.movielens_id, heat.certification) == (949, 6, "R")


# --- broken files --------------------------------------------------------------------------------


def _line(film: StarterFilm, **changes: object) -> str:
    return json.dumps({name: getattr(film, name) for name in film.__slots__} | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"year": "1995"}, r"films-x\.jsonl, line 2: field 'year' must be a whole number"),
        ({"runtime": 0}, r"line 2: field 'runtime' must be a whole number from 1 to 900"),
        ({"genres": ["Noir"]}, r"line 2: field 'genres' has an entry"),
        ({"genres": []}, r"line 2: field 'genres' must be a list"),
        ({"countries": ["us"]}, r"line 2: field 'countries' has an entry"),
        ({"imdb_id": "113277"}, r"line 2: field 'imdb_id' must be an IMDb id"),
        ({"synopsis": "One sentence only."}, r"line 2: field 'synopsis' must be exactly two"),
        ({"keywords": ["a", "b"]}, r"line 2: field 'keywords' must be a list of 3 to 6"),
        ({"certification": "X"}, r"line 2: field 'certification' must be a US certificate"),
        ({"poster": "x"}, r"line 2: field 'poster' is unknown"),
        ({}, r"line 2: field 'slug' repeats .* of films-x\.jsonl, line 1"),
    ],
)
def test_broken_line_is_named_with_its_field(
    films: list[StarterFilm], tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    path = tmp_path / "films-x.jsonl"
    path.write_text(f"{_line(films[0])}\n{_line(films[0], **changes)}\n", encoding="utf-8")
    with pytest.raises(StarterCatalogueError, match=message):
        load_starter_films([path])


def test_missing_field_and_broken_json_are_named(films: list[StarterFilm], tmp_path: Path) -> None:
    path = tmp_path / "films-x.jsonl"
    raw = json.loads(_line(films[0]))
    del raw["title"]
    path.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(StarterCatalogueError, match="line 1: field 'title' is missing"):
        load_starter_films([path])
    path.write_text(f"{_line(films[0])}\n{{broken\n", encoding="utf-8")
    with pytest.raises(StarterCatalogueError, match="line 2: not valid JSON"):
        load_starter_films([path])


def test_a_good_line_reads_back(films: list[StarterFilm], tmp_path: Path) -> None:
    path = tmp_path / "films-x.jsonl"
    path.write_text(_line(films[0]), encoding="utf-8")
    assert load_starter_films([path]) == [films[0]]


# --- the audience --------------------------------------------------------------------------------


def test_audience_is_the_same_for_the_same_seed(
    films: list[StarterFilm], ratings: SimulatedRatings
) -> None:
    again = simulate_audience(films)
    for name in ("user_index", "item_index", "rating", "timestamp"):
        np.testing.assert_array_equal(getattr(again, name), getattr(ratings, name))
    other = simulate_audience(films, seed=1)
    assert len(other) != len(ratings) or not np.array_equal(other.rating, ratings.rating)


def test_ratings_look_like_a_film_sites(ratings: SimulatedRatings) -> None:
    assert SOURCE == "simulated"
    assert 60_000 <= len(ratings) <= 120_000
    values, counts = np.unique(ratings.rating, return_counts=True)
    assert set(values) == {0.5 * step for step in range(1, 11)}
    assert values[counts.argmax()] == 4.0
    assert 3.4 <= ratings.rating.mean() <= 3.65
    assert 0.85 <= ratings.rating.std() <= 1.15


def test_nobody_rates_a_film_twice(ratings: SimulatedRatings) -> None:
    pairs = ratings.user_index * ratings.n_items + ratings.item_index
    assert np.unique(pairs).size == len(ratings)
    assert ratings.item_index.min() == 0
    assert ratings.item_index.max() == ratings.n_items - 1


def test_activity_and_fame_have_long_tails(ratings: SimulatedRatings) -> None:
    per_user = np.bincount(ratings.user_index, minlength=ratings.n_users)
    assert per_user.min() >= 20
    assert per_user.max() >= 4 * np.median(per_user)
    per_item = np.sort(np.bincount(ratings.item_index, minlength=ratings.n_items))[::-1]
    assert per_item[: ratings.n_items // 10].sum() > 0.2 * len(ratings)
    assert per_item[0] > 4 * np.median(per_item)


def test_times_come_in_sessions_over_years_before_the_reference(
    films: list[StarterFilm], ratings: SimulatedRatings
) -> None:
    assert ratings.timestamp.dtype == np.int64
    assert ratings.timestamp.max() < REFERENCE_TIMESTAMP
    assert np.ptp(ratings.timestamp) > 4 * 365 * 86_400
    same_user = np.diff(ratings.user_index) == 0
    gaps = np.diff(ratings.timestamp)[same_user]
    assert gaps.min() >= 0
    assert 0.7 < np.mean(gaps < 3600) < 0.97
    shifted = simulate_audience(films, reference_timestamp=REFERENCE_TIMESTAMP - 1000)
    np.testing.assert_array_equal(shifted.timestamp + 1000, ratings.timestamp)


def test_too_few_films_are_refused(films: list[StarterFilm]) -> None:
    with pytest.raises(ValueError, match="need 50 films"):
        simulate_audience(films[:10])


def _recall_at_20(scores: npt.NDArray[np.float64], held: npt.NDArray[np.bool_]) -> float:
    """Mean over users of (held-out films in the first 20) / (held-out films)."""
    top = np.argpartition(-scores, 20, axis=1)[:, :20]
    hits = np.take_along_axis(held, top, axis=1).sum(axis=1)
    return float(np.mean(hits / held.sum(axis=1)))


def test_taste_is_learnable_ease_beats_popularity(ratings: SimulatedRatings) -> None:
    """EASE (Steck 2019) on the films liked; a fifth of each user's liked films are held out."""
    shape = (ratings.n_users, ratings.n_items)
    liked = np.zeros(shape, dtype=bool)
    liked[ratings.user_index, ratings.item_index] = ratings.rating >= 4.0
    held = liked & (np.random.default_rng(5).uniform(size=shape) < 0.2)
    judged = held.any(axis=1)
    train = (liked & ~held).astype(np.float64)

    inverse = np.linalg.inv(train.T @ train + 200.0 * np.eye(ratings.n_items))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    ease = np.where(train > 0, -np.inf, train @ weights)
    popularity = np.where(train > 0, -np.inf, train.sum(axis=0))

    recall_ease = _recall_at_20(ease[judged], held[judged])
    recall_popularity = _recall_at_20(popularity[judged], held[judged])
    assert recall_ease > 1.4 * recall_popularity, (recall_ease, recall_popularity)
