"""Walks over the URL map: whose rows can somebody else reach, and what does looking change?

Each request is asked inside a savepoint that is taken back: whoever logs out, or deletes something
of their own, on one address is there again on the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction
from django.test import Client

from tests.security.addresses import KEY, UUID_KEY, addresses
from tests.security.belongings import MARK, state

#: A page that looks at the method at all tells a form from the rest: the others say no more.
PAGE_METHODS = ("get", "post")
API_METHODS = (*PAGE_METHODS, "put", "patch", "delete")
APIS = ("/api/", "/_allauth/")
#: Tables that looking writes, and says so: that somebody was here, and what they were shown.
NOTED_BY_LOOKING = {
    *("django_session", "feedback_slate", "feedback_impression"),
    *("catalog_llmcall", "recommendations_recommendation", "marquee_cache"),
    *("recommendations_assignment", "recommendations_exposure"),
}
#: What a client might say to be taken for the owner, or to have their rows acted on.
NAMING: dict[str, str | int] = {"user": KEY, "user_id": KEY, "id": KEY, "slate": str(UUID_KEY)}
BODY: dict[str, Any] = {
    **NAMING,
    **{"name": "taken", "display_name": "taken", "stars": 4, "kind": "like", "note": "taken"},
    **{"on": "1", "movie_id": KEY, "request_id": str(UUID_KEY), "watched_on": "2026-01-02"},
}
# Statements that change no row; everything else is looked into.
_HARMLESS = ("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK", "SET ", "SHOW", "EXPLAIN")


@dataclass(frozen=True)
class Finding:
    """Something that must not be: who asked what, and what came of it."""

    who: str
    method: str
    path: str
    what: str


def walk_others(clients: dict[str, Client], own: Iterable[models.Model]) -> list[Finding]:
    """What these people can read of the owner's rows or change in them, and what breaks."""
    rows = list(own)
    before = state(rows)
    found = []
    for who, client in clients.items():
        for path in addresses():
            for method in API_METHODS if path.startswith(APIS) else PAGE_METHODS:
                with _asked(client, method, path) as (answer, has_written):
                    if MARK in answer.content.decode(errors="replace"):
                        found.append(Finding(who, method, path, "reads the owner's texts"))
                    if answer.status_code >= 500:
                        found.append(Finding(who, method, path, f"breaks: {answer.status_code}"))
                    changed = _changed(before, lambda: state(rows)) if has_written else []
                found += [Finding(who, method, path, f"changes {table}") for table in changed]
    return found


def walk_looking(clients: dict[str, Client]) -> list[Finding]:
    """Addresses that change a row of the database when they are only looked at."""
    found = []
    before = fingerprints()
    for who, client in clients.items():
        for path in addresses():
            with _asked(client, "get", path) as (_answer, has_written):
                changed = _changed(before, fingerprints) if has_written else []
            found += [Finding(who, "get", path, f"changes {table}") for table in changed]
    return found


def fingerprints() -> dict[str, str]:
    """By table a digest of all its rows, of those that looking must leave alone."""
    tables = {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and model._meta.db_table not in NOTED_BY_LOOKING
    }
    parts = [
        f"SELECT '{table}', coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')"  # noqa: S608 - our tables
        f' FROM "{table}" t'
        for table in sorted(tables)
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())


def _changed(before: dict[str, str], look: Callable[[], dict[str, str]]) -> list[str]:
    now = look()
    return [table for table in now if now[table] != before[table]]


@contextmanager
def _asked(client: Client, method: str, path: str) -> Iterator[tuple[Any, bool]]:
    """The answer, and whether anything was written; undone when the block ends."""
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    statements: list[str] = []

    def note(execute: Any, sql: Any, *rest: Any) -> Any:
        statements.append(str(sql).lstrip(" \n(").upper())
        return execute(sql, *rest)

    with transaction.atomic():
        with connection.execute_wrapper(note):
            answer = _ask(client, method, path)
        yield answer, any(not text.startswith(_HARMLESS) for text in statements)
        transaction.set_rollback(True)
    client.cookies.clear()
    client.cookies.load(cookies)


def _ask(client: Client, method: str, path: str) -> Any:
    answer: Any
    if method == "get":
        answer = client.get(path, NAMING, secure=True)
    elif method == "post" and not path.startswith(APIS):
        answer = client.post(path, BODY, secure=True)
    else:
        send = getattr(client, method)
        answer = send(path, BODY, content_type="application/json", secure=True)
    if answer.streaming:
        answer.content = b"".join(answer.streaming_content)
    return answer
