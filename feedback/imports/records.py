"""What readers give: rows about films, and notes about what was left aside."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class Verb(StrEnum):
    """What a row says of a film, or of the person."""

    RATE = "rate"
    SEEN = "seen"
    LIKE = "like"
    DISLIKE = "dislike"
    NEVER = "never"
    NOT_TONIGHT = "not_tonight"
    MUTED = "muted"
    WATCHLIST = "watchlist"
    DIARY = "diary"
    LIST = "list"
    PASS = "pass"  # noqa: S105 - a verb, no password
    QUIZ = "quiz"
    TASTE = "taste"


@dataclass(frozen=True)
class FilmRef:
    """A film as a file names it. ``ids`` are (source, value) as in ``catalog.ExternalId``.

    The source "site" is our own id, from an export of this very installation.
    """

    title: str = ""
    year: int | None = None
    ids: tuple[tuple[str, str], ...] = ()
    original_title: str = ""
    directors: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Equal for rows that name the film alike."""
        said = repr((self.title.casefold(), self.year, self.ids))
        return hashlib.sha256(said.encode(errors="replace")).hexdigest()


@dataclass(frozen=True)
class Effect:
    """One thing said. Times are aware; ``day`` is a viewing's date, in nobody's time zone."""

    verb: Verb
    at: datetime | None = None
    stars: str = ""
    day: date | None = None
    is_rewatch: bool = False
    note: str = ""
    list_name: str = ""
    list_note: str = ""
    position: int | None = None
    changed_at: datetime | None = None
    expires_at: datetime | None = None
    values: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Only what is set."""
        row: dict[str, Any] = {"verb": self.verb.value}
        for name in ("stars", "note", "list_name", "list_note", "position", "values"):
            value = getattr(self, name)
            if value not in ("", None):
                row[name] = value
        for name in ("at", "day", "changed_at", "expires_at"):
            if (value := getattr(self, name)) is not None:
                row[name] = value.isoformat()
        if self.is_rewatch:
            row["is_rewatch"] = True
        return row

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Effect:
        """What :meth:`to_json` wrote."""
        times: dict[str, Any] = {
            name: datetime.fromisoformat(row[name])
            for name in ("at", "changed_at", "expires_at")
            if name in row
        }
        plain: dict[str, Any] = {
            name: row[name]
            for name in (
                *("stars", "note", "list_name", "list_note", "position"),
                *("values", "is_rewatch"),
            )
            if name in row
        }
        day = date.fromisoformat(row["day"]) if "day" in row else None
        return cls(verb=Verb(row["verb"]), day=day, **times, **plain)


@dataclass(frozen=True)
class SourceRow:
    """One row of a file. Without a film it is about the person."""

    section: str
    effects: tuple[Effect, ...]
    film: FilmRef | None = None


@dataclass
class Reading:
    """A file being read: whose it is, its rows (an iterator), notes that grow while it is read."""

    source: str
    rows: Iterator[SourceRow]
    notes: list[str] = field(default_factory=list)
