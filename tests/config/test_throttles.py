"""The API's limits count with Redis, and go on counting without it."""

from __future__ import annotations

import time
import uuid

import pytest
from django.core.cache import caches

from config import throttles
from config.cache import DisposableCache
from config.throttles import ProcessCounts, VisitorThrottle

pytestmark = pytest.mark.django_db


@pytest.fixture
def three_a_minute(monkeypatch):
    """Three requests a minute for an address that no other test has."""
    monkeypatch.setattr(VisitorThrottle, "rate", "3/min", raising=False)
    ident = uuid.uuid4().hex
    monkeypatch.setattr(VisitorThrottle, "get_ident", lambda *_args: ident)


def statuses(client, n=5):
    return [client.get("/api/v1/genres/").status_code for _ in range(n)]


def test_beyond_the_limit_is_refused_with_a_time_to_wait(client, three_a_minute):
    assert statuses(client) == [200, 200, 200, 429, 429]
    answer = client.get("/api/v1/genres/")
    assert 0 < int(answer["Retry-After"]) <= 60
    assert answer.json()["error"]["code"] == "throttled"


def test_workers_share_what_they_count(client, three_a_minute):
    assert statuses(client, 2) == [200, 200]
    throttles._own_counts = ProcessCounts()  # as another worker, which has counted nothing
    assert statuses(client, 2) == [200, 429]


def test_without_redis_the_process_counts(client, three_a_minute, settings):
    settings.CACHES = {
        **settings.CACHES,
        "disposable": {**settings.CACHES["disposable"], "LOCATION": "redis://127.0.0.1:1"},
    }
    DisposableCache._asleep_until = 0.0
    assert statuses(client) == [200, 200, 200, 429, 429]
    DisposableCache._asleep_until = 0.0


def test_a_window_ends_and_begins_anew():
    shared, own, key = caches["disposable"], ProcessCounts(), uuid.uuid4().hex
    for counts in (shared, own):
        n, left_s = counts.count(key, window_s=0.3)
        assert n == 1
        assert 0 < left_s < 0.301
        n, still_left_s = counts.count(key, window_s=0.3)
        assert n == 2
        assert still_left_s <= left_s
        time.sleep(still_left_s + 0.05)
        assert counts.count(key, window_s=0.3)[0] == 1


def test_a_process_forgets_windows_that_ended_before_those_that_go_on(monkeypatch):
    monkeypatch.setattr(throttles, "MAX_KEPT", 3)
    own = ProcessCounts()
    own.count("long", window_s=60)
    for name in ("a", "b"):
        own.count(name, window_s=0.01)
    time.sleep(0.05)
    own.count("new", window_s=60)  # no room: what ended goes
    assert own.count("long", window_s=60)[0] == 2
    for name in ("more", "and more"):
        own.count(name, window_s=60)
    assert own.count("long", window_s=60)[0] <= 3  # never more kept than allowed
    assert len(own._windows) <= 3
