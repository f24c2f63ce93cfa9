"""What an export holds, section by section, as rows that are written to JSON and CSV.

Sections that a re-import understands have names and fields of their own. Whatever else points to
the person, in any app, is found by its foreign key and written as it stands: a table added later is
in the export without anybody thinking of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import TasteSettings, User
from catalog.models import ExternalId, Movie
from feedback.imports.entries import taste_value
from feedback.models import (
    DiaryEntry,
    FilmList,
    Impression,
    Interaction,
    QuizSession,
    Rating,
    Reaction,
    Slate,
    WatchlistEntry,
)
from feedback.portable import SITE

Row = dict[str, Any]
_CHUNK = 2000
#: Never exported: what opens the account, and bytes that are no statement about anybody.
SECRET_FIELDS = frozenset(
    {
        *("password", "visitor_key", "lease_key", "session_key", "share_key", "content"),
        "digest",  # of API tokens
        "data",  # of mfa.Authenticator: seeds and keys
    }
)


@dataclass(frozen=True)
class Section:
    """``rows`` is read once, lazily."""

    name: str
    about: Any
    rows: Callable[[User], Iterator[Row]]


class Films:
    """Films as exports name them: title, year, everybody's ids; looked up in batches."""

    def __init__(self) -> None:
        self._known: dict[int, Row] = {}

    def look_up(self, movie_ids: set[int]) -> None:
        """Reads those that are not known yet; two queries."""
        wanted = movie_ids - self._known.keys()
        if not wanted:
            return
        ids: dict[int, Row] = {pk: {SITE: pk} for pk in wanted}
        for movie_id, source, value in ExternalId.objects.filter(movie_id__in=wanted).values_list(
            "movie_id", "source", "value"
        ):
            ids[movie_id][source] = value
        films = Movie.objects.filter(pk__in=wanted)
        for pk, title, original, year in films.values_list("pk", "title", "original_title", "year"):
            self._known[pk] = {"title": title, "year": year, "ids": ids[pk]}
            if original and original != title:
                self._known[pk]["original_title"] = original

    def __getitem__(self, movie_id: int) -> Row:
        return self._known[movie_id]


def _with_films(
    rows: models.QuerySet, make: Callable[[Any, Row], Row], films: Films
) -> Iterator[Row]:
    batch: list[Any] = []
    for row in rows.iterator(chunk_size=_CHUNK):
        batch.append(row)
        if len(batch) == _CHUNK:
            yield from _made(batch, make, films)
            batch = []
    yield from _made(batch, make, films)


def _made(batch: list[Any], make: Callable[[Any, Row], Row], films: Films) -> Iterator[Row]:
    films.look_up({row.movie_id for row in batch})
    for row in batch:
        yield make(row, films[row.movie_id])


def _iso(at: Any) -> str | None:
    return at.isoformat() if at else None


def sections() -> list[Section]:
    """Every section, those that a re-import reads first."""
    films = Films()

    def ratings(user: User) -> Iterator[Row]:
        return _with_films(
            Rating.objects.filter(user=user).order_by("updated_at", "pk"),
            lambda row, film: {
                "film": film,
                "stars": str(row.stars),
                "rated_at": _iso(row.created_at),
                "changed_at": _iso(row.updated_at),
            },
            films,
        )

    def reactions(user: User) -> Iterator[Row]:
        return _with_films(
            Reaction.objects.filter(user=user).order_by("created_at", "pk"),
            lambda row, film: {
                "film": film,
                "kind": row.kind,
                "at": _iso(row.created_at),
                "until": _iso(row.expires_at),
            },
            films,
        )

    def watchlist(user: User) -> Iterator[Row]:
        return _with_films(
            WatchlistEntry.objects.filter(user=user).order_by("created_at", "pk"),
            lambda row, film: {"film": film, "added_at": _iso(row.created_at)},
            films,
        )

    def diary(user: User) -> Iterator[Row]:
        return _with_films(
            DiaryEntry.objects.filter(user=user).order_by("watched_on", "pk"),
            lambda row, film: {
                "film": film,
                "watched_on": _iso(row.watched_on),
                "is_rewatch": row.is_rewatch,
                "note": row.note,
                "written_at": _iso(row.created_at),
            },
            films,
        )

    def lists(user: User) -> Iterator[Row]:
        for film_list in FilmList.objects.filter(user=user).order_by("created_at", "pk"):
            items = film_list.items.order_by("position", "pk")
            yield {
                "name": film_list.name,
                "note": film_list.note,
                "made_at": _iso(film_list.created_at),
                "changed_at": _iso(film_list.updated_at),
                "is_shared": bool(film_list.share_key),
                "films": list(
                    _with_films(
                        items,
                        lambda row, film: {
                            "film": film,
                            "note": row.note,
                            "added_at": _iso(row.created_at),
                        },
                        films,
                    )
                ),
            }

    def log(user: User) -> Iterator[Row]:
        return _with_films(
            Interaction.objects.filter(user=user).order_by("pk"),
            lambda row, film: {
                "film": film,
                "kind": row.kind,
                "value": row.value,
                "surface": row.surface,
                "at": _iso(row.created_at),
            },
            films,
        )

    def shown(user: User) -> Iterator[Row]:
        rows = (
            Impression.objects.filter(slate__user=user)
            .select_related("slate")
            .order_by("slate__created_at", "position")
        )
        return _with_films(
            rows,
            lambda row, film: {
                "film": film,
                "at": _iso(row.slate.created_at),
                "surface": row.slate.surface,
                "policy": row.slate.policy,
                "model_version": row.slate.model_version,
                "position": row.position,
                "source": row.source,
                "score": row.score,
                "reason": row.reason,
            },
            films,
        )

    return [
        Section("taste", _("Your dials and limits."), _taste),
        Section("ratings", _("Your stars."), ratings),
        Section("reactions", _("Likes, dislikes, seen, never, not to learn from."), reactions),
        Section("watchlist", _("Films that you want to watch."), watchlist),
        Section("diary", _("Your viewings, with notes."), diary),
        Section("lists", _("Your lists and their films, in order."), lists),
        Section("quiz", _("What you answered in the quiz."), _quizzes),
        Section("log", _("Everything you did, as it happened."), log),
        Section("shown", _("The films you were shown, where, and why."), shown),
        Section("account", _("Your account."), _account),
        Section("other", _("Every other row that names you, table by table."), _other),
    ]


def _taste(user: User) -> Iterator[Row]:
    taste = TasteSettings.objects.filter(user=user).first()
    if taste is not None:
        yield taste_value(taste)


def _quizzes(user: User) -> Iterator[Row]:
    for quiz in QuizSession.objects.filter(user=user).order_by("created_at", "pk"):
        yield {"answers": quiz.answers, "at": _iso(quiz.created_at)}


def _account(user: User) -> Iterator[Row]:
    yield _plain(user)


#: Tables with sections of their own.
_TOLD = {
    *(Rating, Reaction, WatchlistEntry, DiaryEntry, FilmList, QuizSession, Interaction),
    *(Slate, TasteSettings, User),
}


def _other(user: User) -> Iterator[Row]:
    """Rows of all other tables with a foreign key to people, without secrets."""
    for model in apps.get_models():
        if model in _TOLD:
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and field.related_model is User:
                rows = model._default_manager.filter(**{field.name: user}).order_by("pk")
                for row in rows.iterator(chunk_size=_CHUNK):
                    yield {"table": model._meta.label, "by": field.name, **_plain(row)}


def _plain(row: models.Model) -> Row:
    """Every field that is no secret, as JSON knows it."""
    found: Row = {}
    for field in row._meta.concrete_fields:
        if field.name in SECRET_FIELDS or isinstance(field, models.BinaryField):
            continue
        value = getattr(row, field.attname)
        is_json = value is None or isinstance(value, bool | int | float | str | list | dict)
        found[field.attname] = value if is_json else str(value)
    return found
