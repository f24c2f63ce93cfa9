"""The evidence of a stored list comes back as it went in."""

from dataclasses import replace

import numpy as np
import pytest

from recommendations.evidence_columns import (
    columns_of,
    films_of,
    linear_columns,
    packed,
    unpacked,
)
from recommendations.ranked import EvidencePart, FeaturePart, RankedFilm, SourcePart, TermPart

LINEAR = RankedFilm(
    movie_id=2**40,
    source="hybrid",
    score=1.5000000000000002,
    baseline=-0.1,
    evidence=(EvidencePart(7, 1.1, 0.75), EvidencePart(2**53 - 1, -1e-300, 0.0)),
    other=0.5,
    by_source=(SourcePart("als", 1.0), SourcePart("Wörter → Film", 0.5)),
    terms=(TermPart("genres", -0.25, -0.1),),
    genre_match=0.125,
)
LEARNED = RankedFilm(
    movie_id=3,
    source="hybrid",
    score=-2.0,
    features=(FeaturePart("als", float("inf"), -2.0), FeaturePart("age", 3.0, 0.25)),
)
BARE = RankedFilm(movie_id=4, source="hybrid", score=0.0)


def back(films, n=None):
    n = len(films) if n is None else n
    return unpacked(
        packed(columns_of(films)),
        movie_ids=[film.movie_id for film in films[:n]],
        scores=[film.score for film in films[:n]],
        source="hybrid",
    )


@pytest.mark.parametrize(
    "films",
    [
        (),
        (BARE,),
        (LINEAR, BARE, LEARNED, LINEAR),
        (BARE, replace(LEARNED, terms=(TermPart("variety", 1e300, 1.0),))),
    ],
)
def test_every_number_and_name_comes_back(films):
    assert back(films) == films


def test_the_first_films_alone():
    films = (LINEAR, LEARNED, BARE, LINEAR)
    assert [back(films, n) for n in range(5)] == [films[:n] for n in range(5)]


def test_sums_over_a_history_become_the_films_they_are_of():
    films = films_of(
        linear_columns(
            baseline=np.array([0.5, -0.5]),
            other=np.array([0.0, 0.25]),
            genre_match=np.array([0.75, 1.0]),
            events=(
                np.array([[7, 8], [8, 7]]),
                np.array([[2.0, 0.0], [1.0, -1.0]]),
                np.array([[0.8, 0.0], [0.9, -0.9]]),
            ),
            by_source={"als": np.array([1.0, 0.0]), "re-ranking": np.array([1.5, -0.25])},
            terms={
                "variety": (np.array([0.0, -0.125]), np.array([0.0, -0.1])),
                "genres": (np.array([0.25, 0.0]), np.array([0.1, 0.0])),
            },
        ),
        movie_ids=[1, 2],
        scores=[2.75, -0.375],
        source="hybrid",
    )
    assert films == (
        RankedFilm(
            *(1, "hybrid", 2.75, 0.5, (EvidencePart(7, 2.0, 0.8),)),
            by_source=(SourcePart("als", 1.0), SourcePart("re-ranking", 1.5)),
            terms=(TermPart("genres", 0.25, 0.1),),
            genre_match=0.75,
        ),
        RankedFilm(
            *(2, "hybrid", -0.375, -0.5, (EvidencePart(8, 1.0, 0.9), EvidencePart(7, -1.0, -0.9))),
            other=0.25,
            by_source=(SourcePart("als", 0.0), SourcePart("re-ranking", -0.25)),
            terms=(TermPart("variety", -0.125, -0.1),),
            genre_match=1.0,
        ),
    )


def test_a_history_of_nothing_has_no_parts():
    nothing = np.zeros((1, 0))
    films = films_of(
        linear_columns(
            baseline=np.array([0.5]),
            other=np.zeros(1),
            genre_match=None,
            events=(nothing.astype(np.int64), nothing, nothing),
            by_source={},
            terms={},
        ),
        movie_ids=[1],
        scores=[0.5],
        source="popular",
    )
    assert films == (RankedFilm(1, "popular", 0.5, 0.5),)


def test_bytes_that_are_no_list_are_refused():
    with pytest.raises(Exception, match="[Hh]eader"):
        unpacked(b"no list at all", movie_ids=[1], scores=[1.0], source="hybrid")
