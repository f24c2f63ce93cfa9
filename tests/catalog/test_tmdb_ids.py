"""TMDB's ids are the same with a shelf and without, and new ones are noticed."""

from __future__ import annotations

import pytest
from django.db import connection

from catalog.models import ExternalId
from catalog.shelf import forget_shelf, look_for_changes
from catalog.tmdb_ids import prepare_tmdb_ids, tmdb_ids

pytestmark = pytest.mark.django_db


def look_after_commit() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT 1")
    assert look_for_changes() is not None


@pytest.fixture(autouse=True)
def no_shelf_left():
    forget_shelf()
    yield
    forget_shelf()


def name(movie, value: str, source=ExternalId.Source.TMDB) -> None:
    ExternalId.objects.create(movie=movie, source=source, value=value)


def test_the_first_of_a_film_with_and_without_a_shelf(make_movie, django_assert_num_queries):
    heat, none, two = (make_movie(title) for title in ("Heat", "None", "Two"))
    name(heat, "949")
    name(none, "tt7", ExternalId.Source.IMDB)
    name(two, "20")
    name(two, "10")
    wanted = [two.pk, none.pk, heat.pk, 999_999]
    expected = {heat.pk: 949, two.pk: 20}
    with django_assert_num_queries(1):
        assert tmdb_ids(wanted) == expected
    look_after_commit()
    prepare_tmdb_ids()
    with django_assert_num_queries(0):
        assert tmdb_ids(wanted) == expected
        assert tmdb_ids([]) == {}


@pytest.mark.django_db(transaction=True)
def test_a_new_one_is_noticed(make_movie):
    film = make_movie("Heat")
    look_after_commit()
    assert tmdb_ids([film.pk]) == {}
    name(film, "949")
    look_after_commit()
    assert tmdb_ids([film.pk]) == {film.pk: 949}


def test_a_catalogue_without_any(make_movie):
    film = make_movie("Heat")
    assert tmdb_ids([film.pk]) == {}
    look_after_commit()
    assert tmdb_ids([film.pk]) == {}
