"""Rows around accounts that are over go, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.core.management import call_command
from django.utils import timezone

from accounts.retention import accounts_tidy

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept_in_postgres(settings):
    """The cache as production has it."""
    settings.CACHES = {
        **settings.CACHES,
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "marquee_cache",
        },
    }
    call_command("createcachetable")


def session(days: int, **said: str) -> SessionStore:
    made = SessionStore()
    made.update(said)
    made.save()
    expires = timezone.now() + timedelta(days=days)
    Session.objects.filter(pk=made.session_key).update(expire_date=expires)
    return made


def test_what_is_over_goes_and_what_is_not_stays(ada, kept_in_postgres):
    old, new = session(-1), session(1)
    for made in (old, new):
        UserSession.objects.create(user=ada, ip="127.0.0.1", session_key=made.session_key)
    caches["default"].set("for-long", 1, timeout=3600)
    caches["default"].set("for-a-moment", 1, timeout=60)
    later = timezone.now() + timedelta(minutes=5)
    assert accounts_tidy(now=later) == {"sessions": 1, "user_sessions": 1, "cache": 1}
    assert [s.pk for s in Session.objects.all()] == [new.session_key]
    assert [s.session_key for s in UserSession.objects.all()] == [new.session_key]
    assert caches["default"].get("for-long") == 1
    assert accounts_tidy(now=later) == {"sessions": 0, "user_sessions": 0, "cache": 0}


def test_many_go_in_batches(monkeypatch, kept_in_postgres):
    monkeypatch.setattr("accounts.retention.BATCH", 3)
    for number in range(8):
        session(-1)
        caches["default"].set(f"over-{number}", 1, timeout=60)
    later = timezone.now() + timedelta(minutes=5)
    assert accounts_tidy(now=later) == {"sessions": 8, "user_sessions": 0, "cache": 8}


def test_a_cache_elsewhere_is_left_alone():
    assert accounts_tidy()["cache"] == 0
