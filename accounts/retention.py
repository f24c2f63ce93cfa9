"""Rows around accounts that have had their time: expired sessions and cache rows."""

from __future__ import annotations

from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone
from psycopg import sql

# So many in one statement: no lock is held for long.
BATCH = 1000


def accounts_tidy(*, now: datetime | None = None) -> dict[str, int]:
    """Deletes what is over; how many of each kind."""
    now = now or timezone.now()
    return {
        "sessions": _sessions(now),
        "user_sessions": _orphaned_user_sessions(),
        "cache": _cache_rows(now),
    }


def _sessions(now: datetime) -> int:
    n_gone = 0
    while True:
        over = list(
            Session.objects.filter(expire_date__lt=now).values_list("pk", flat=True)[:BATCH]
        )
        if not over:
            return n_gone
        # Asked again: one that was prolonged since stays.
        n_gone += Session.objects.filter(pk__in=over, expire_date__lt=now).delete()[0]


def _orphaned_user_sessions() -> int:
    """The list of a person's devices, without those whose session is gone."""
    living = Session.objects.filter(pk=OuterRef("session_key"))
    return UserSession.objects.filter(~Exists(living)).delete()[0]


def _cache_rows(now: datetime) -> int:
    """Of the cache in Postgres; others forget by themselves."""
    cache = caches["default"]
    if not isinstance(cache, DatabaseCache):
        return 0
    statement = sql.SQL(
        "DELETE FROM {table} WHERE cache_key IN "
        "(SELECT cache_key FROM {table} WHERE expires < %s LIMIT %s)"
    ).format(table=sql.Identifier(cache._table))  # type: ignore[attr-defined]  # its own name
    n_gone = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(statement, [now, BATCH])
            n_gone += cursor.rowcount
            if cursor.rowcount < BATCH:
                return n_gone
