"""What TMDB says is checked field by field, and a film is never guessed in silence."""

from __future__ import annotations

import pytest

from catalog.tmdb.answers import read_film
from catalog.tmdb.client import APPENDED
from catalog.tmdb.errors import BadAnswerError, NotFoundError
from catalog.tmdb.fake.records import Records
from catalog.tmdb.lookup import UnsureError, choose
from catalog.tmdb.mapping import genres_of
from catalog.tmdb.selection import DueFilm
from tests.catalog.tmdb_world import row


def answer(**values):
    data = Records([row(7)]).movie(7, set(APPENDED.split(",")))
    assert data is not None
    return {**data, **values}


def test_a_whole_answer_is_read():
    data = Records(
        [row(7, collection="The Sevens", watch_providers={"US": {"flatrate": ["Chan"]}})]
    ).movie(7, set(APPENDED.split(",")))
    film = read_film(data, tmdb_id=7, region="US")
    assert (film.title, film.runtime_min, film.certification) == ("Film 7", 101, "PG-13")
    assert film.countries == ("FR", "BE")
    assert [(part.name, part.role) for part in film.parts] == [
        ("Eva Frey", "director"),
        ("Anna Bell", "cast"),
        ("Carl Dorn", "cast"),
    ]
    assert film.franchise is not None
    assert film.franchise[1] == "The Sevens"
    assert film.watch_providers == {"US": {"flatrate": ["Chan"]}}
    assert read_film(data, tmdb_id=7, region="DE").certification is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "7"),
        ("id", 8),
        ("id", True),
        ("title", ["Film"]),
        ("title", ""),
        ("runtime", "101"),
        ("release_date", "someday"),
        ("genres", {"id": 1}),
        ("genres", ["Drama"]),
        ("keywords", []),
        ("credits", {"cast": [{"name": 3}]}),
        ("vote_average", "7"),
        ("belongs_to_collection", "x"),
    ],
)
def test_a_wrong_type_is_refused_by_name(field, value):
    with pytest.raises(BadAnswerError):
        read_film(answer(**{field: value}), tmdb_id=7, region="US")


def test_what_tmdb_does_not_know_stays_unknown():
    film = read_film(
        answer(
            runtime=0,
            overview="",
            tagline=None,
            imdb_id="nonsense",
            poster_path="https://evil.example/x.jpg",
            backdrop_path="/../../x.jpg",
            release_date="",
        ),
        tmdb_id=7,
        region="US",
    )
    assert (film.runtime_min, film.synopsis, film.tagline, film.imdb_id) == (None,) * 4
    assert (film.poster_path, film.backdrop_path, film.released_on) == (None,) * 3


def test_text_that_postgres_refuses_is_cleaned():
    film = read_film(answer(overview="a\0b\ud800c"), tmdb_id=7, region="US")
    assert film.synopsis == "abc"


def test_genres_become_ours():
    assert genres_of(["Family", "Science Fiction", "TV Movie", "History"], ["film noir"]) == (
        "Children",
        "Sci-Fi",
        "Film-Noir",
    )


def due(**values):
    return DueFilm(
        **{
            "movie_id": 1,
            "title": "Heat",
            "original_title": "",
            "titles_normalized": ("heat",),
            "year": 1995,
            "tmdb_id": None,
            "imdb_id": None,
            **values,
        }
    )


def hit(tmdb_id, title, released, original=""):
    return {"id": tmdb_id, "title": title, "original_title": original, "release_date": released}


def test_the_same_title_and_year_is_the_film():
    results = [hit(1, "Heat", "1986-01-01"), hit(2, "Heat", "1995-12-15")]
    found = choose(due(), results)
    assert (found.tmdb_id, found.confidence) == (2, 0.95)


def test_a_year_apart_and_a_letter_apart_are_less_sure():
    assert choose(due(), [hit(2, "Heat", "1996-01-01")]).confidence == 0.85
    film = due(title="Amelie of Montmartre", titles_normalized=("amelie of montmartre",))
    assert choose(film, [hit(3, "Amélie of Montmartr", "1995-01-01")]).confidence == 0.8


def test_two_films_of_the_same_title_and_year_are_left():
    results = [hit(1, "Heat", "1995-01-01"), hit(2, "Heat", "1995-12-15")]
    with pytest.raises(UnsureError, match="TMDB 1, 2"):
        choose(due(), results)


def test_other_films_are_left():
    with pytest.raises(UnsureError, match="none is it for certain"):
        choose(due(), [hit(1, "Heat", "1986-01-01"), hit(2, "White Heat", "1995-01-01")])
    with pytest.raises(NotFoundError):
        choose(due(), [])
