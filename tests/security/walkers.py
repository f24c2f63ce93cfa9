"""Walks over the URL map: whose rows can somebody else reach, and what does looking change?

Both find their addresses and the rows that belong to people by themselves, so that a page or a
table that is added later is walked too.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from model_bakery import baker

from accounts.models import User
from catalog.models import Movie

#: Every row of the owner has this key, so one address per pattern reaches whatever it can name.
KEY = 4242
UUID_KEY = uuid.UUID(int=KEY)
#: Stands in every text of the owner's rows.
MARK = "owners-secret"
OTHERS_APPS = {"admin", "contenttypes", "auth", "sessions", "sites"}
#: What a row needs beside its owner to be a row at all.
FILL: dict[str, dict[str, Any]] = {
    "feedback.Rating": {"stars": "4.5"},
    "feedback.Reaction": {"kind": "like"},
    "accounts.TasteSettings": {"surprise": 0.5, "diversity": 0, "era": 0, "length": 0},
    "mfa.Authenticator": {"type": "totp", "data": {"secret": MARK}},
    "usersessions.UserSession": {"ip": "203.0.113.7"},
}
#: Looking writes these, and says so: that somebody was here, and what they were shown.
NOTED_BY_LOOKING = {
    *("django_session", "usersessions_usersession", "feedback_slate", "feedback_impression"),
    *("catalog_llmcall", "recommendations_recommendation", "marquee_cache"),
    *("recommendations_assignment", "recommendations_exposure"),
}
#: Refusals by the frame itself, before any view has looked at a row.
REFUSED = {401, 405}
BODY = {"name": "taken", "stars": 4, "kind": "like", "note": "taken", "on": "1", "movie_id": KEY}
_SAMPLES = {"int": [str(KEY)], "uuid": [str(UUID_KEY)], "path": ["sample/part"]}
_TEXT = [str(KEY)]


@dataclass(frozen=True)
class Finding:
    """Something that must not be: who asked what, and what came of it."""

    who: str
    method: str
    path: str
    what: str


def patterns(found: URLResolver, before: str = "") -> Iterator[str]:
    """Every pattern of a URL map, as text."""
    for entry in found.url_patterns:
        text = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, text)
        elif isinstance(entry, URLPattern):
            yield text


def addresses(urlconf: str | None = None) -> list[str]:
    """Addresses in which the owner's keys stand wherever a pattern takes one."""
    made: set[str] = set()
    for pattern in patterns(get_resolver(urlconf)):
        texts = [re.sub(r"\(\?P<\w+>[^)]*\)", str(KEY), pattern)]
        texts[0] = re.sub(r"\\Z|\(\?:\.\*\)|\\|\^|\$", "", texts[0])
        while match := re.search(r"<(?:(\w+):)?\w+>", texts[0]):
            kind = match.group(1) or "str"
            samples = _SAMPLES.get(kind, _TEXT)
            texts = [
                text[: m.start()] + value + text[m.end() :]
                for text in texts
                for value in samples
                if (m := re.search(r"<(?:\w+:)?\w+>", text))
            ]
        made.update(f"/{text}" for text in texts)
    return sorted(made)


# --- other people's rows ------------------------------------------------------------------------


def belongings(owner: User, film: Movie) -> list[models.Model]:
    """One row of everything that belongs to a person, directly or through another such row."""
    made: dict[type[models.Model], models.Model] = {User: owner, Movie: film}
    own: list[models.Model] = []
    waiting = [m for m in apps.get_models() if _may_belong(m)]
    while True:
        ready = [m for m in waiting if _owner_fields(m) and _is_reached(m, made)]
        if not ready:
            return own
        for model in ready:
            waiting.remove(model)
            made[model] = _make(model, made)
            own.append(made[model])


def _may_belong(model: type[models.Model]) -> bool:
    is_ours = model._meta.app_label not in OTHERS_APPS
    return is_ours and model not in (User, Movie) and not model._meta.proxy


def _owner_fields(model: type[models.Model]) -> list[models.ForeignKey]:
    return [f for f in model._meta.get_fields() if isinstance(f, models.ForeignKey)]


def _is_reached(model: type[models.Model], made: dict[Any, models.Model]) -> bool:
    """Through a key that leads to the owner; films belong to nobody."""
    return any(
        field.related_model in made and field.related_model is not Movie
        for field in _owner_fields(model)
    )


def _make(model: type[models.Model], made: dict[Any, models.Model]) -> models.Model:
    given: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and field.related_model in made:
            given[field.name] = made[field.related_model]
        elif field.primary_key and isinstance(field, models.UUIDField):
            given[field.name] = UUID_KEY
        elif field.primary_key and isinstance(field, models.IntegerField):
            given[field.name] = KEY
        elif isinstance(field, models.CharField | models.TextField) and not (
            field.choices or field.null or field.primary_key
        ):
            given[field.name] = MARK[: field.max_length or None]
    label = f"{model._meta.app_label}.{model.__name__}"
    return baker.make(model, **given | FILL.get(label, {}))


def walk_others(
    clients: dict[str, Client], own: Iterable[models.Model], *, urlconf: str | None = None
) -> list[Finding]:
    """What people who are not the owner can read of the owner's rows or change in them."""
    rows = list(own)
    before = _state(rows)
    found = []
    for who, client in clients.items():
        for path in addresses(urlconf):
            for method in ("get", "post", "put", "patch", "delete"):
                answer = _ask(client, method, path)
                if answer.status_code in REFUSED:
                    continue  # nothing was done, so there is nothing to look for
                if MARK in answer.content.decode(errors="replace"):
                    found.append(Finding(who, method, path, "reads the owner's texts"))
                if (now := _state(rows)) != before:
                    found.append(Finding(who, method, path, "changes the owner's rows"))
                    before = now
    return found


def _ask(client: Client, method: str, path: str) -> Any:
    if path.startswith("/api/") and method != "get":
        return getattr(client, method)(path, BODY, content_type="application/json", secure=True)
    if method in ("put", "patch"):
        return getattr(client, method)(path, BODY, content_type="application/json", secure=True)
    answer = getattr(client, method)(path, BODY if method != "get" else {}, secure=True)
    if getattr(answer, "streaming", False):
        answer.content = b"".join(answer.streaming_content)
    return answer


def _state(rows: list[models.Model]) -> list[Any]:
    return [list(type(row)._base_manager.filter(pk=row.pk).values()) for row in rows]


# --- looking changes nothing --------------------------------------------------------------------


def walk_looking(client: Client, *, urlconf: str | None = None) -> list[Finding]:
    """Addresses that change a row of the database when they are only looked at."""
    found = []
    before = fingerprints()
    for path in addresses(urlconf):
        _ask(client, "get", path)
        now = fingerprints()
        found += [
            Finding("", "get", path, f"changes {table}")
            for table in now
            if now[table] != before[table]
        ]
        before = now
    return found


def fingerprints() -> dict[str, str]:
    """By table a digest of all its rows, of those that looking must leave alone."""
    tables = [
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and model._meta.db_table not in NOTED_BY_LOOKING
    ]
    parts = [
        f"SELECT '{table}', coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')"  # noqa: S608 - names of our tables
        f' FROM "{table}" t'
        for table in sorted(set(tables))
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())
