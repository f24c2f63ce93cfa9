"""Searches that stand in line are read meanwhile, and their vectors are made together."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory

from catalog import reading, search_line
from catalog.embeddings import encoders
from catalog.embeddings.encoders import QueryVectors
from catalog.hybrid import search
from catalog.reading import read_locally
from catalog.search_line import read_ahead
from catalog.services.embeddings import films_embed
from catalog.shelf import forget_shelf, look_for_changes
from config.overload import OverloadMiddleware
from ml.text import HashingEncoder

SPACE = "hashing-64"


class Counting(HashingEncoder):
    """Notes what it is given together."""

    def __init__(self) -> None:
        super().__init__(64)
        self.passes: list[list[str]] = []

    def encode(self, texts):
        self.passes.append(list(texts))
        return super().encode(texts)


@pytest.fixture
def encoder(make_movie, monkeypatch):
    """A catalogue with a shelf, and vectors of queries that were not asked for yet."""
    make_movie("Heat", 1995, "Crime", synopsis="A detective hunts a gang of robbers.")
    make_movie("Amelie", 2001, "Comedy", synopsis="A shy waitress does good.")
    films_embed(HashingEncoder(64))
    counting, vectors = Counting(), QueryVectors()
    monkeypatch.setattr(encoders, "query_encoder", lambda name: counting)
    monkeypatch.setattr(search_line, "query_vectors", vectors)
    monkeypatch.setattr("catalog.hybrid.query_vectors", vectors)
    assert vectors.get("warm", encoder=SPACE, wait_s=20.0) is not None
    counting.passes.clear()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
    forget_shelf()
    assert look_for_changes().space.encoder == SPACE
    yield counting
    forget_shelf()


def announced(query: str, path: str = "/search/") -> int:
    """How many texts wait once a request was looked at in line."""
    read_ahead(RequestFactory().get(f"{path}?{query}"))
    return search_line.query_vectors._encoders[SPACE].n_waiting


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/search/", "/api/v1/search/"])
def test_what_was_announced_is_encoded_with_the_next(encoder, path):
    texts = ("a gang of robbers", "a shy waitress", "comedies about waitresses")
    for n, text in enumerate(texts, 1):
        assert announced(f"q={text}", path) == n
    search("somebody else")
    assert encoder.passes == [["somebody else", *texts[:2], "waitresses"]]
    for text in texts:
        search(text)
    assert len(encoder.passes) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "q=",
        "q=%3F%3F%3F",
        "q=a+film+like+Heat",  # Postgres knows which one
        "q=french+comedies",  # conditions alone
    ],
)
def test_what_needs_no_vector_or_a_look_at_postgres_is_left_to_its_turn(
    encoder, query, django_assert_num_queries
):
    with django_assert_num_queries(0):
        assert announced(query) == 0


@pytest.mark.django_db
def test_other_requests_are_left_alone(encoder):
    assert announced("q=a+gang+of+robbers", "/browse/") == 0
    read_ahead(RequestFactory().post("/search/?q=a+gang+of+robbers"))
    assert announced("q=", "/search/") == 0
    forget_shelf()  # as in a process that has none yet
    assert announced("q=a+gang+of+robbers") == 0


@pytest.mark.django_db
def test_chips_are_not_read_once_more(encoder):
    assert announced("q=comedies+about+waitresses&understood=1") == 1
    search("else", chips=())
    assert encoder.passes == [["else", "comedies about waitresses"]]


@pytest.mark.django_db
def test_what_was_read_in_line_serves_its_request_alone(encoder):
    announced("q=comedies+about+waitresses")
    kept = reading._ahead.reading
    assert read_locally("comedies about waitresses") is kept
    again = read_locally("comedies about waitresses")
    assert again == kept
    assert again is not kept
    announced("q=comedies+about+waitresses")
    assert read_locally("a shy waitress").raw == "a shy waitress"


@pytest.mark.django_db(transaction=True)
def test_searches_in_line_share_a_pass(encoder):
    may_go = threading.Event()

    def view(request):
        assert may_go.wait(timeout=30)
        return HttpResponse(len(search(request.GET["q"]).found))

    middleware = OverloadMiddleware(view)  # one has a turn, as by default
    answers: list[HttpResponse] = []

    def ask(text: str) -> None:
        try:
            answers.append(middleware(RequestFactory().get("/search/", {"q": text})))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(f"a story of {n}",)) for n in range(5)]
    threads[0].start()
    until(lambda: middleware.gate.n_inside == 1)
    for thread in threads[1:]:
        thread.start()
    until(lambda: search_line.query_vectors._encoders[SPACE].n_waiting == 4)
    may_go.set()
    for thread in threads:
        thread.join(timeout=30)
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"2")] * 5
    assert [len(texts) for texts in encoder.passes] == [5]


def until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
