"""The nearest films to a vector: by the index, exactly, and by a web process' rounded table."""

import json
from dataclasses import replace

import numpy as np
import pytest
from django.db import connection, transaction
from pgvector import HalfVector

from catalog.conditions import films_meeting
from catalog.embeddings import nearest, rough
from catalog.embeddings.models import EncoderSpace, MovieEmbedding
from catalog.intent import Chip, Kind
from catalog.models import Movie
from catalog.scope import Scope
from ml.compiled import ROUGH, load_kernels

pytestmark = pytest.mark.django_db


@pytest.fixture
def many(make_movie):
    """600 films on a circle, every third a thriller; vectors of the default encoder's size."""
    space = EncoderSpace.objects.create(encoder="all-MiniLM-L6-v2", dim=384, is_active=True)
    movies = Movie.objects.bulk_create(
        [
            Movie(title=f"Film {i}", title_normalized=f"film {i}", year=1950 + i % 70)
            for i in range(600)
        ]
    )
    thriller = make_movie("The thriller", 2000, "Thriller").genres.get()
    Movie.genres.through.objects.bulk_create(
        Movie.genres.through(movie=movie, genre=thriller) for movie in movies[::3]
    )
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(600, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    MovieEmbedding.objects.bulk_create(
        MovieEmbedding(movie=movie, encoder=space.encoder, text_sha256="", vector=HalfVector(v))
        for movie, v in zip(movies, vectors.astype(np.float16), strict=True)
    )
    return space, movies, vectors


def test_a_scan_of_everything_shows_nothing_hidden_and_looks_on_where_most_is(many):
    space, _, vectors = many

    def found() -> tuple[int, ...]:
        return nearest.nearest_films(vectors[0], space, n=200).movie_ids

    everything = found()
    assert len(everything) == 200
    Movie.objects.filter(pk__in=everything[:20]).update(is_hidden=True)
    assert found() == everything[20:]
    Movie.objects.filter(pk__in=everything[:150]).update(is_hidden=True)
    assert len(found()) == 200
    assert not set(found()) & set(everything[:150])


def test_a_filtered_scan_uses_the_index_and_returns_every_row_asked_for(many):
    space, movies, vectors = many
    films = films_meeting([Chip(Kind.GENRE, "Thriller"), Chip(Kind.YEARS, "1950-2019")])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(nearest.scan_settings(n=20))
        sql, params = nearest.nearest_sql(vectors[0], space, films=films, n=20)
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        plan = json.dumps(cursor.fetchone()[0])
    assert "catalog_hnsw_minilm_m24" in plan
    found = nearest.nearest_meeting(vectors[0], space, films=films, n=20)
    assert len(found.movie_ids) == 20
    assert set(found.movie_ids) <= {movie.pk for movie in movies[::3]}
    assert list(found.similarity) == sorted(found.similarity, reverse=True)


def test_the_index_agrees_with_the_exact_answer(many):
    space, movies, vectors = many
    ids = [movie.pk for movie in movies]
    exact = nearest.nearest_among(vectors[7], space, movie_ids=ids, n=20)
    order = np.argsort(-(vectors @ vectors[7]), kind="stable")[:20]
    assert exact.movie_ids[0] == movies[7].pk
    assert len(set(exact.movie_ids) & {ids[i] for i in order}) >= 19  # halves round
    for found in (
        nearest.nearest_films(vectors[7], space, n=20),
        nearest.nearest_meeting(vectors[7], space, films=Movie.objects.visible(), n=20),
    ):
        assert len(set(found.movie_ids) & set(exact.movie_ids)) >= 19


@pytest.fixture
def table(many):
    """The rounded vectors, as a web process keeps them."""
    load_kernels(ROUGH)
    rough.follow_vectors(many[0])
    yield rough.rough_vectors(many[0])
    rough.forget_vectors()


def test_rounded_vectors_choose_what_the_exact_answer_has(many, table):
    space, movies, vectors = many
    assert table.movie_ids.tolist() == [movie.pk for movie in movies]
    thrillers = np.array([movie.pk for movie in movies[::3]])
    for among in (None, thrillers, thrillers[:30], thrillers[:0]):
        ids = table.movie_ids if among is None else among
        exact = nearest.nearest_among(vectors[7], space, movie_ids=ids, n=50)
        found = nearest.nearest_of_rough(vectors[7], space, table, among=among, also=[], n=50)
        assert found == replace(exact, hidden=frozenset())
    # Twice a vector is as near as it.
    once, twice = table.nearest(vectors[7], n=40), table.nearest(2 * vectors[7], n=40)
    assert once[0].tolist() == twice[0].tolist()
    assert np.allclose(once[1], twice[1], atol=1e-6)


def test_films_beyond_the_first_are_told_to_some_thousandths(many, table, monkeypatch):
    monkeypatch.setattr(nearest, "EXACT_FIRST", 20)
    space, movies, vectors = many
    ids = table.movie_ids
    exact = nearest.nearest_among(vectors[7], space, movie_ids=ids, n=len(ids)).as_dict()
    far = [movies[at].pk for at in np.argsort(vectors @ vectors[7])[:3]]
    also = sorted([*far, movies[7].pk, 999_999_999])  # one that has no vector
    found = nearest.nearest_of_rough(vectors[7], space, table, among=None, also=also, n=200)
    assert found.movie_ids[:20] == tuple(exact)[:20]
    assert found.similarity[:20] == tuple(exact.values())[:20]
    assert len(found.movie_ids) == 203
    assert set(found.movie_ids[200:]) == set(far)
    assert found.similarity == tuple(sorted(found.similarity, reverse=True))
    told = np.array(list(found.as_dict().values()))
    assert np.abs(told - [exact[pk] for pk in found.movie_ids]).max() < 0.005


def test_what_words_found_is_compared_as_well(many, table):
    space, movies, vectors = many
    far = [movies[at].pk for at in np.argsort(vectors @ vectors[0])[:3]]
    found = nearest.nearest_of_rough(vectors[0], space, table, among=None, also=far, n=10)
    assert len(found.movie_ids) == 13
    assert found.movie_ids[-3:] == tuple(reversed(far))
    assert list(found.similarity) == sorted(found.similarity, reverse=True)


def test_hidden_films_are_told_with_the_nearest(many, table):
    space, movies, vectors = many
    hidden = frozenset(movie.pk for movie in movies[:5])
    Movie.objects.filter(pk__in=hidden).update(is_hidden=True)
    found = nearest.nearest_of_rough(vectors[0], space, table, among=None, also=[], n=10)
    assert found.hidden == hidden
    assert len(found.movie_ids) == 10
    assert list(found.similarity) == sorted(found.similarity, reverse=True)


def test_the_table_follows_what_is_written_and_the_encoder(many, table, monkeypatch):
    space, movies, vectors = many
    rough.follow_vectors(space)
    assert rough.rough_vectors(space) is table  # just read
    monkeypatch.setattr(rough, "REREAD_S", 0.0)
    rough.follow_vectors(space)
    assert rough.rough_vectors(space) is table  # nothing was written
    MovieEmbedding.objects.filter(movie=movies[0]).update(vector=HalfVector(vectors[1]))
    # Postgres counts what is written when its transaction ends, which here is never.
    monkeypatch.setattr(rough, "rows_written", lambda tables: -1)
    rough.follow_vectors(space)
    again = rough.rough_vectors(space)
    assert np.array_equal(again.head.codes[0], again.head.codes[1])
    other = EncoderSpace(encoder="another", dim=384)
    assert rough.rough_vectors(other) is None
    rough.follow_vectors(other)
    assert rough.rough_vectors(space) is None
    assert len(rough.rough_vectors(other).movie_ids) == 0
    rough.follow_vectors(None)
    assert rough.rough_vectors(other) is None


def test_a_catalogue_too_large_for_the_table_is_left_to_the_index(many, monkeypatch):
    space, movies, vectors = many
    load_kernels(ROUGH)
    monkeypatch.setattr(rough, "MAX_FILMS", 100)
    rough.follow_vectors(space)
    assert rough.rough_vectors(space) is None
    scope = Scope(())
    assert movies[7].pk in scope.nearest(vectors[7], space, 20).movie_ids


@pytest.mark.parametrize("has_table", [True, False])
def test_a_scope_finds_its_nearest_films_with_the_table_and_without(many, request, has_table):
    space, movies, vectors = many
    if has_table:
        request.getfixturevalue("table")
    order = np.argsort(vectors @ vectors[0])[:200]
    far = np.sort([movies[at].pk for at in order])
    chips = (Chip(Kind.YEARS, "2050-"),)
    Movie.objects.filter(pk__in=far.tolist()).update(year=2060)
    scope = Scope(chips, known=far)
    found = scope.nearest(vectors[0], space, 200, also=[movies[0].pk, int(far[0])])
    assert set(found.movie_ids) == set(far.tolist())  # the nearest film of all is out of scope
