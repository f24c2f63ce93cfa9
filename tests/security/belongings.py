"""One row of everything that a person can have, found in the models themselves."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connection, models
from model_bakery import baker
from pgvector.django import HalfVectorField, VectorField

from accounts.models import User
from catalog.models import Movie
from feedback.imports.matching import Reason
from tests.security.addresses import KEY, UUID_KEY

#: Stands in every text of the owner's rows.
MARK = "owners-secret"
OTHERS_APPS = {"admin", "contenttypes", "auth", "sessions", "sites"}
#: What a row needs beside its owner to be a row at all.
FILL: dict[str, dict[str, Any]] = {
    "accounts.User": {"email": "owner@films.example"},
    "feedback.Rating": {"stars": "4.5"},
    "feedback.Reaction": {"kind": "like"},
    "accounts.TasteSettings": {"surprise": 0.5, "diversity": 0, "era": 0, "length": 0},
    "feedback.ImportFilm": {"reason": Reason.BY_HAND.value},
    "mfa.Authenticator": {"type": "totp", "data": {"secret": MARK}},
    "usersessions.UserSession": {"ip": "203.0.113.7"},
}


def belongings(owner: User, film: Movie) -> list[models.Model]:
    """One row of everything that belongs to a person, directly or through another such row."""
    made: dict[type[models.Model], models.Model] = {User: owner, Movie: film}
    waiting = [m for m in apps.get_models() if _may_belong(m)]
    while ready := [m for m in waiting if _is_reached(m, made)]:
        for model in ready:
            waiting.remove(model)
            made[model] = row_of(model, made)
    return [row for model, row in made.items() if model is not Movie]


def state(rows: list[models.Model]) -> dict[str, str]:
    """By table a digest of each of these rows as it stands in the database now; one query."""
    parts, keys = [], []
    for row in rows:
        meta = type(row)._meta
        parts.append(
            f"SELECT '{meta.db_table}', coalesce(max(md5(t::text)), '')"  # noqa: S608 - our tables
            f' FROM "{meta.db_table}" t WHERE {meta.pk.column} = %s'
        )
        keys.append(row.pk)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), keys)
        return dict(cursor.fetchall())


def _may_belong(model: type[models.Model]) -> bool:
    is_ours = model._meta.app_label not in OTHERS_APPS
    return is_ours and model not in (User, Movie) and not model._meta.proxy


def _is_reached(model: type[models.Model], made: dict[Any, models.Model]) -> bool:
    """Through a key that leads to the owner; films belong to nobody."""
    return any(
        isinstance(field, models.ForeignKey)
        and field.related_model in made
        and field.related_model is not Movie
        for field in model._meta.get_fields()
    )


def row_of(model: type[models.Model], made: dict[Any, models.Model]) -> models.Model:
    """One of its rows, which leads to those already ``made``."""
    given: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and field.related_model in made:
            given[field.name] = made[field.related_model]
        elif isinstance(field, HalfVectorField | VectorField):
            given[field.name] = [0.5] * (field.dimensions or 4)
        elif field.primary_key and isinstance(field, models.UUIDField):
            given[field.name] = UUID_KEY
        elif field.primary_key and isinstance(field, models.IntegerField):
            given[field.name] = KEY
        elif isinstance(field, models.CharField | models.TextField) and not (
            field.choices or field.null or field.primary_key
        ):
            given[field.name] = MARK[: field.max_length or None]
    # An older model may lack a field.
    known = {field.name for field in model._meta.concrete_fields}
    fill = FILL.get(model._meta.label, {})
    return baker.make(model, **given | {name: fill[name] for name in fill.keys() & known})
