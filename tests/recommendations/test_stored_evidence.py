"""The evidence of a stored list comes back as it went in."""

from dataclasses import replace

import pytest

from recommendations.ranked import EvidencePart, FeaturePart, RankedFilm, SourcePart, TermPart
from recommendations.stored_evidence import packed, unpacked

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
        packed(films),
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


def test_bytes_that_are_no_list_are_refused():
    with pytest.raises(Exception, match="[Hh]eader"):
        unpacked(b"no list at all", movie_ids=[1], scores=[1.0], source="hybrid")
