"""The shelf says what the database says, and notices what is written."""

from __future__ import annotations

from time import monotonic

import numpy as np
import pytest
from django.db import connection, transaction

from catalog import shelf
from catalog.conditions import films_meeting, ids_meeting
from catalog.facts import read_facts
from catalog.hybrid import search
from catalog.intent import Chip, Kind
from catalog.models import Credit, Dataset, Genre, Movie, Person
from catalog.search import search_films
from catalog.services.search_terms import search_terms_rebuild
from catalog.shelf import current_shelf, forget_shelf, look_for_changes, most_rated
from catalog.shelf_keeper import ShelfKeeper
from catalog.titles import trigrams
from catalog.words import films_by_title_grams, films_by_words
from ml import compiled
from ml.compiled import POSTINGS, RETRIEVAL, load_kernels


@pytest.fixture(autouse=True)
def no_shelf_left():
    forget_shelf()
    yield
    forget_shelf()


@pytest.fixture
def films(db) -> list[Movie]:
    drama, comedy = (Genre.objects.create(name=n, slug=n.lower()) for n in ("Drama", "Comedy"))
    made = []
    for i in range(6):
        film = Movie(title=f"Film {i}", year=1990 + i, runtime_min=90 + i, rating_count=10 * i)
        film.save()
        film.genres.set([drama] if i % 2 else [drama, comedy])
        made.append(film)
    Movie.objects.filter(pk=made[0].pk).update(year=None, runtime_min=None)
    return made


def look_after_commit() -> shelf.Shelf | None:
    """A look once the counts are known: within 10 s of a commit, or when a session is told to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT 1")
    return look_for_changes()


def test_facts_of_some_films_are_those_of_all(films):
    everything = read_facts()
    wanted = [films[3].pk, films[0].pk, 999_999_999, films[2].pk]
    own, whole = read_facts(wanted).select(wanted), everything.select(wanted)
    for name in ("year", "runtime", "popularity", "genres"):
        assert np.array_equal(getattr(own, name), getattr(whole, name), equal_nan=name != "genres")
    assert np.isnan(own.year[1])
    assert own.year[0] == 1993
    assert own.popularity.tolist() == [30.0, 0.0, 0.0, 20.0]
    assert own.genres.sum(axis=1).tolist() == [1, 2, 0, 2]
    assert everything.multi_hot([films[2].pk]).sum() == 2


def test_facts_of_an_empty_catalogue_know_nothing(db):
    own = read_facts().select([1, 2])
    assert np.isnan(own.year).all()
    assert own.genres.shape == (2, Genre.objects.count())


def test_what_is_on_the_shelf_costs_no_query(films, django_assert_num_queries):
    look_for_changes()
    ids = [film.pk for film in films]
    with django_assert_num_queries(0):
        cards = shelf.movies_for_cards(ids)
        names = {pk: movie.genre_names for pk, movie in cards.items()}
        assert shelf.film_titles(ids) == {film.pk: film.title for film in films}
        assert shelf.film_facts(ids).select(ids).popularity.tolist() == [0, 10, 20, 30, 40, 50]
        assert not shelf.audience_is_simulated()
        assert shelf.search_space() is None
    assert list(cards) == ids
    assert names[ids[1]] == ["Drama"]


@pytest.mark.parametrize("has_shelf", [True, False])
def test_what_a_card_says_is_what_the_film_says(films, has_shelf, django_assert_num_queries):
    Movie.objects.filter(pk=films[3].pk).update(is_hidden=True)
    Movie.objects.filter(pk=films[4].pk).update(countries=["DK", "AT"], poster_digest="abc")
    if has_shelf:
        look_for_changes()
        shelf.current_shelf().cards.pop(films[1].pk)  # as one of the many that few people rated
    ids = [film.pk for film in films]
    with django_assert_num_queries(1):
        cards = shelf.films_for_cards(ids)
    assert sorted(cards) == sorted(set(ids) - {films[3].pk})
    for movie in Movie.objects.in_order(list(cards)):
        for name in ("title", "year", "genre_names", "year_and_genre", "poster_version"):
            assert getattr(cards[movie.pk], name) == getattr(movie, name)
    assert cards[films[4].pk].rating_count == 40
    with django_assert_num_queries(0 if has_shelf else 1):
        assert shelf.films_for_cards(ids[:2]) == {pk: cards[pk] for pk in ids[:2]}


@pytest.mark.parametrize(
    "chips",
    [
        [Chip(Kind.GENRE, "Comedy")],
        [Chip(Kind.GENRE, "Comedy", True)],
        [Chip(Kind.GENRE, "Comedy|Drama"), Chip(Kind.YEARS, "1992-1994")],
        [Chip(Kind.GENRE, "Nothing called so")],
        [Chip(Kind.GENRE, "Nothing called so", True)],
        [Chip(Kind.YEARS, "-1993"), Chip(Kind.RUNTIME, "92-")],
        [Chip(Kind.MORE, "Comedy")],
        [Chip(Kind.LANGUAGE, "fr")],
        [Chip(Kind.LANGUAGE, "fr", True), Chip(Kind.GENRE, "Comedy")],
        [Chip(Kind.COUNTRY, "IT")],
        [Chip(Kind.COUNTRY, "IT", True)],
        [Chip(Kind.COUNTRY, "XX"), Chip(Kind.LANGUAGE, "xx")],
        [Chip(Kind.CERTIFICATION, "PG")],
        [Chip(Kind.CERTIFICATION, "PG"), Chip(Kind.COUNTRY, "IT", True)],
        [Chip(Kind.CERTIFICATION, "nothing called so")],
        [Chip(Kind.PERSON, "Ann One")],
        [Chip(Kind.PERSON, "Ann One", True), Chip(Kind.GENRE, "Comedy")],
        [Chip(Kind.PERSON, "Nobody")],
    ],
)
def test_the_shelf_meets_conditions_as_the_database_does(films, chips, django_assert_num_queries):
    assert ids_meeting(chips) is None  # no shelf yet
    Movie.objects.filter(pk__in=[film.pk for film in films[::2]]).update(
        language="fr", countries=["FR", "IT"]
    )
    Movie.objects.filter(pk=films[1].pk).update(language="it", countries=["IT"])
    Movie.objects.filter(pk=films[0].pk).update(certification="R")
    Movie.objects.filter(pk=films[2].pk).update(certification="G")
    Movie.objects.filter(pk=films[3].pk).update(certification="PG")
    for person in (Person.objects.create(name="Ann One", tmdb_id=n) for n in (1, 2)):
        for film in films[:3]:
            Credit.objects.create(movie=film, person=person, role=Credit.Role.CAST)
    look_for_changes()
    ids_meeting(chips)  # the first to ask for an origin reads them
    with django_assert_num_queries(sum(chip.kind is Kind.PERSON for chip in chips)):
        found = ids_meeting(chips)
    assert found.tolist() == sorted(films_meeting(chips).values_list("pk", flat=True))


@pytest.mark.parametrize("text", ["", "film"])
def test_a_certification_is_never_some_seconds_old(films, text):
    search_terms_rebuild()
    Movie.objects.filter(pk__in=[films[2].pk, films[3].pk]).update(certification="PG")
    look_for_changes()
    chips = [Chip(Kind.CERTIFICATION, "PG")]

    def found() -> set[int]:
        return {film.movie_id for film in search(text, chips=chips).found}

    assert found() == {films[2].pk, films[3].pk}
    Movie.objects.filter(pk=films[3].pk).update(certification="R")  # and nobody has looked since
    assert found() == {films[2].pk}


def test_a_card_on_the_shelf_is_the_one_that_its_query_reads(films, django_assert_num_queries):
    ids = [film.pk for film in films]
    read = shelf.films_for_cards(ids)
    look_for_changes()
    with django_assert_num_queries(0):
        assert shelf.films_for_cards(ids) == read


def test_the_most_rated_of_some_are_those_that_the_database_names(films, django_assert_num_queries):
    hidden = films[2]
    Movie.objects.filter(pk=hidden.pk).update(is_hidden=True)
    ids = np.array(sorted(film.pk for film in films))
    assert most_rated(ids, 3) is None  # no shelf yet
    look_for_changes()
    ranked = Movie.objects.visible().order_by("-rating_count", "pk").values_list("pk", flat=True)
    for n in (1, 3, len(ids) - 1, len(ids) + 5):
        with django_assert_num_queries(1):
            found = most_rated(ids, n)
        assert found == list(ranked[:n])
    assert most_rated(ids[:0], 3) == []
    assert most_rated(np.array([*ids, ids[-1] + 1000]), 3) is None  # one that it has not read


@pytest.mark.django_db(transaction=True)
def test_a_look_notices_films_genres_and_datasets(films):
    first = look_after_commit()
    assert look_after_commit() is first
    Movie.objects.filter(pk=films[1].pk).update(title="Renamed", year=2020)
    second = look_after_commit()
    assert second is not first
    assert shelf.movies_for_cards([films[1].pk])[films[1].pk].title == "Renamed"
    assert second.facts.select([films[1].pk]).year.tolist() == [2020]
    films[1].genres.clear()
    assert look_after_commit().facts.multi_hot([films[1].pk]).sum() == 0
    Dataset.objects.create(slug="made", name="Made", id_source="movielens", is_simulated=True)
    look_after_commit()
    assert shelf.audience_is_simulated()


def test_a_film_that_came_later_is_found_all_the_same(films, django_assert_num_queries):
    look_for_changes()
    late = Movie(title="Late", year=2024, rating_count=3)
    late.save()
    assert shelf.movies_for_cards([late.pk])[late.pk].title == "Late"
    assert shelf.film_titles([late.pk]) == {late.pk: "Late"}
    assert shelf.rating_counts([late.pk, films[1].pk]) == {late.pk: 3, films[1].pk: 10}


@pytest.mark.django_db(transaction=True)
def test_hidden_films_are_asked_for_every_time(films):
    look_after_commit()
    ids = [film.pk for film in films]
    Movie.objects.filter(pk=films[2].pk).update(is_hidden=True)
    assert films[2].pk not in shelf.rating_counts(ids)
    assert len(shelf.rating_counts(ids)) == 5
    look_after_commit()
    assert films[2].pk not in shelf.movies_for_cards(ids)
    assert shelf.film_titles(ids)[films[2].pk] == films[2].title


def test_an_old_shelf_is_not_used(films, monkeypatch, django_assert_num_queries):
    look_for_changes()
    monkeypatch.setattr(shelf, "MAX_AGE_S", 0.0)
    assert current_shelf() is None
    with django_assert_num_queries(2):
        assert len(shelf.movies_for_cards([films[1].pk])) == 1


def test_a_full_shelf_begins_anew(films, monkeypatch):
    look_for_changes().cards.clear()
    monkeypatch.setattr(shelf, "MAX_CARDS", 2)
    for film in films:
        assert shelf.movies_for_cards([film.pk])[film.pk].title == film.title
    assert len(current_shelf().cards) <= 3


def test_search_finds_the_same_with_and_without_a_shelf(films, django_assert_num_queries):
    for film, text in zip(films, ("harbour", "harbour winter", "glass", "", "", ""), strict=True):
        film.synopsis = text
        film.save()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE catalog_movie SET search_vector = setweight(to_tsvector('english', synopsis),"
            " 'D')"
        )
    search_terms_rebuild()
    asked = "winter in the harbour"
    plain = films_by_words(asked, n=10)
    grams = ["fil", "ilm", "lm ", "m 3"]
    titles = films_by_title_grams(grams, n=3)
    look_for_changes()
    films_by_title_grams(grams, n=3)
    for _ in range(2):
        kept = films_by_words(asked, n=10)
        assert kept[0].tolist() == plain[0].tolist()
        assert kept[1].tolist() == plain[1].tolist()
    assert len(plain[0]) == 2
    with django_assert_num_queries(0):
        assert films_by_title_grams(grams, n=3) == titles
        films_by_words(asked, n=10)
    with django_assert_num_queries(2):  # what the word is to Postgres, and its films
        films_by_words("winter in the sanatorium", n=10)


def test_compiled_sums_over_lists_are_those_of_numpy(films, monkeypatch):
    search_terms_rebuild()
    grams = trigrams("film 4 of a shelf")
    monkeypatch.setattr(compiled, "_loaded", {})
    plain = films_by_words("film shelf", n=10), films_by_title_grams(grams, n=4)
    load_kernels(POSTINGS)
    load_kernels(RETRIEVAL)
    words, titles = films_by_words("film shelf", n=10), films_by_title_grams(grams, n=4)
    assert [part.tolist() for part in words] == [part.tolist() for part in plain[0]]
    assert titles == plain[1]
    assert titles[0]


def test_titles_that_were_looked_at_are_not_read_again_but_for_what_was_hidden(films):
    search_terms_rebuild()
    asked = "filmm 4"  # begins no title: those are read each time
    plain = search_films(asked, titles_only=True)
    assert len(plain) == len(films)
    look_for_changes()
    found = [search_films(asked, titles_only=True) for _ in range(2)]
    assert found == [plain, plain]
    kept = current_shelf().title_rows
    assert kept.keys() == {film.pk for film in films}
    kept[films[2].pk] = kept[films[2].pk]._replace(rating_count=10**9)  # it is this that is used
    assert search_films(asked, titles_only=True)[0].movie_id == films[2].pk
    Movie.objects.filter(pk=films[2].pk).update(is_hidden=True)
    without = [hit for hit in plain if hit.movie_id != films[2].pk]
    assert search_films(asked, titles_only=True) == without
    everything = search_films(asked, titles_only=True, include_hidden=True)
    assert {hit.movie_id for hit in everything} == {film.pk for film in films}
    assert search_films(asked, titles_only=True) == without


@pytest.mark.django_db(transaction=True)
def test_the_keeper_sees_what_others_commit():
    with transaction.atomic():
        film = Movie(title="First", year=2001)
        film.save()
    keeper = ShelfKeeper(look_every_s=0.02, rest_s=0.0)
    keeper.start()
    try:
        before = current_shelf()
        assert before.facts.select([film.pk]).year.tolist() == [2001]
        Movie.objects.filter(pk=film.pk).update(year=2002)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT 1")
        while current_shelf() is before:
            keeper._stopping.wait(0.02)
        assert current_shelf().facts.select([film.pk]).year.tolist() == [2002]
    finally:
        keeper.stop()
    assert current_shelf() is None


@pytest.mark.django_db(transaction=True)
def test_the_keeper_outlives_whatever_a_step_meets():
    seen = []

    def follow() -> None:
        seen.append(1)
        raise ValueError("nobody thought of this")

    keeper = ShelfKeeper(look_every_s=0.01, rest_s=0.0, follow=follow)
    keeper.start()
    try:
        ends = monotonic() + 20
        while len(seen) < 4 and monotonic() < ends:
            keeper._stopping.wait(0.02)
        assert len(seen) >= 4
        assert current_shelf() is not None
    finally:
        keeper.stop()
