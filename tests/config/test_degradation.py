"""What still works when Redis or Postgres is down, and how fast."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from types import SimpleNamespace

import psycopg
import pytest
from django.core.cache import caches
from django.db import InterfaceError, OperationalError
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import Client
from django.urls import reverse

from catalog.models import Movie
from config import faults
from config.cache import DisposableCache
from config.embedded import redis_server
from config.embedded.pids import read_record
from feedback.models import Rating

QUICK_S = 2.0


@pytest.fixture
def own_redis(tmp_path, settings):
    """A Redis of the test's own, in place of the cache's; it may be killed or stopped."""
    folder = tmp_path / "redis"
    url = redis_server.start(folder)
    settings.REDIS_URL = url
    settings.CACHES = {
        **settings.CACHES,
        "disposable": {**settings.CACHES["disposable"], "LOCATION": url},
    }
    DisposableCache._asleep_until = 0.0
    yield SimpleNamespace(pid=read_record(folder / "server.json").pid)
    redis_server.stop(folder)
    DisposableCache._asleep_until = 0.0


@pytest.fixture(params=["killed", "hung"])
def redis_gone(own_redis, request):
    """Redis was there and is now dead, or alive without ever answering."""
    caches["disposable"].set("seen", "before")
    assert caches["disposable"].get("seen") == "before"
    os.kill(own_redis.pid, {"killed": signal.SIGKILL, "hung": signal.SIGSTOP}[request.param])
    yield request.param
    if request.param == "hung":
        os.kill(own_redis.pid, signal.SIGCONT)


def timed(call):
    """The answer, which must be there within two seconds."""
    started_at = time.monotonic()
    answer = call()
    took_s = time.monotonic() - started_at
    assert took_s < QUICK_S, f"took {took_s:.2f} s"
    return answer


def test_the_cache_is_empty_at_once_and_sleeps_after_the_first_timeout(redis_gone):
    cache = caches["disposable"]
    assert timed(lambda: cache.get("seen", "nothing")) == "nothing"
    started_at = time.monotonic()
    for number in range(50):
        assert cache.get(f"seen {number}") is None
        cache.set(f"seen {number}", 1)
    assert time.monotonic() - started_at < 0.2
    assert cache.get_many(["seen"]) == {}
    assert cache.add("lock", 1) is True
    assert cache.delete("seen") is False


@pytest.mark.django_db
def test_readyz_stays_ready_and_says_that_redis_is_down(redis_gone, client):
    answer = timed(lambda: client.get("/readyz"))
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "postgres": "ok", "redis": "down"}


PAGES = ("home", "catalog:browse", "account_login")


@pytest.fixture
def warm(db, client):
    """Modules and templates are read: only Redis may make the pages slow."""
    for name in PAGES:
        client.get(reverse(name))


def test_people_browse_and_log_in_without_redis(warm, redis_gone, client, django_user_model):
    django_user_model.objects.create_user("ann@films.example", "a long password")
    for name in PAGES:
        assert timed(lambda name=name: client.get(reverse(name))).status_code == 200
    login = timed(
        lambda: client.post(
            reverse("account_login"),
            {"login": "ann@films.example", "password": "a long password"},
        )
    )
    assert login.status_code == 302
    assert "_auth_user_id" in client.session


@pytest.mark.django_db
def test_a_film_is_rated_without_redis(redis_gone, client, django_user_model):
    person = django_user_model.objects.create_user("ann@films.example")
    movie = Movie.objects.create(title="One film", year=1999)
    client.force_login(person)
    answer = timed(
        lambda: client.post(
            reverse("feedback:rate", args=[movie.pk]),
            {"stars": "4.5", "event_id": str(uuid.uuid4()), "next": "/"},
        )
    )
    assert answer.status_code == 302
    assert [str(rating.stars) for rating in Rating.objects.filter(user=person)] == ["4.5"]


@pytest.fixture
def postgres_gone(db, monkeypatch):
    """Every new connection is refused, as when the server is down."""

    def refuse(*_: object, **__: object):
        raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr(DatabaseWrapper, "get_new_connection", refuse)


def in_fresh_thread(call):
    """Run where no database connection is open yet, as in a web server's new thread."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(call()))
    thread.start()
    thread.join(timeout=10)
    return answers[0]


def test_without_postgres_livez_is_fine_and_readyz_is_not(postgres_gone):
    client = Client(raise_request_exception=False)
    assert in_fresh_thread(lambda: client.get("/livez")).status_code == 200
    ready = in_fresh_thread(lambda: client.get("/readyz"))
    assert ready.status_code == 503
    assert ready.json()["postgres"] == "down"


@pytest.mark.parametrize("name", ["home", "catalog:browse", "feedback:ratings"])
def test_without_postgres_every_page_is_a_plain_503(postgres_gone, name):
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "a-session-that-must-be-looked-up"
    answer = in_fresh_thread(lambda: client.get(reverse(name)))
    assert answer.status_code == 503
    assert answer["Retry-After"] == "10"
    assert answer["Cache-Control"] == "no-store"
    text = answer.content.decode()
    assert "cannot reach its database" in text
    assert "Traceback" not in text
    assert "psycopg" not in text


def test_without_postgres_the_api_answers_in_its_own_shape(postgres_gone):
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "a-session-that-must-be-looked-up"
    answer = in_fresh_thread(lambda: client.get("/api/v1/me/ratings/"))
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "unavailable"


def with_cause(sqlstate: str | None) -> OperationalError:
    """Django's error as psycopg's cause makes it."""
    cause = psycopg.OperationalError("as Postgres says")
    cause.sqlstate = sqlstate
    error = OperationalError("as Django says")
    error.__cause__ = cause
    return error


def test_only_lost_connections_count_as_a_database_that_is_away():
    away = [None, "08006", "57P01", "57P03", "53300"]
    assert [faults.is_database_away(with_cause(code)) for code in away] == [True] * 5
    # A deadlock, a full disk, a cancelled statement: the database is there.
    there = ["40P01", "53100", "57014"]
    assert [faults.is_database_away(with_cause(code)) for code in there] == [False] * 3
    assert faults.is_database_away(InterfaceError("connection already closed"))
    assert not faults.is_database_away(ValueError("a bug"))


def test_a_bug_is_a_plain_500(monkeypatch):
    def broken(*_: object, **__: object):
        raise ValueError("secret detail")

    monkeypatch.setattr("config.middleware.PersonalPagesMiddleware.__call__", broken)
    answer = Client(raise_request_exception=False).get("/about/")
    assert answer.status_code == 500
    assert "secret detail" not in answer.content.decode()
    assert "Traceback" not in answer.content.decode()
