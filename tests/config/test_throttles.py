"""The API's limits count with Redis, and go on counting without it."""

from __future__ import annotations

import uuid

import pytest
from django.core.cache import caches

from config.cache import DisposableCache
from config.throttles import VisitorThrottle

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
    caches["process"].clear()  # as another worker, which has counted nothing
    assert statuses(client, 2) == [200, 429]


def test_without_redis_the_process_counts(client, three_a_minute, settings):
    settings.CACHES = {
        **settings.CACHES,
        "disposable": {**settings.CACHES["disposable"], "LOCATION": "redis://127.0.0.1:1"},
    }
    DisposableCache._asleep_until = 0.0
    assert statuses(client) == [200, 200, 200, 429, 429]
    DisposableCache._asleep_until = 0.0
