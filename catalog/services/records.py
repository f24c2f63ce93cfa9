"""What a source says about a film, before it is compared with what we know."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.models import Credit, ExternalId


@dataclass(frozen=True)
class CreditRecord:
    """One person's part in a film, in billing order."""

    name: str
    role: Credit.Role
    character: str = ""


@dataclass(frozen=True)
class FilmRecord:
    """A film as one source tells it. ``None`` means that the source does not say.

    ``external_ids`` holds (source, value) pairs, the source's own id first: films are matched in
    that order.
    """

    external_ids: tuple[tuple[ExternalId.Source, str], ...]
    title: str
    year: int | None = None
    original_title: str | None = None
    alternative_titles: tuple[str, ...] | None = None
    runtime_min: int | None = None
    language: str | None = None
    countries: tuple[str, ...] | None = None
    certification: str | None = None
    tagline: str | None = None
    synopsis: str | None = None
    poster_path: str | None = None
    backdrop_path: str | None = None
    genres: tuple[str, ...] | None = None
    keywords: tuple[str, ...] | None = None
    credits: tuple[CreditRecord, ...] | None = None


@dataclass(frozen=True)
class UpsertReport:
    """What an upsert did. ``merged``: records that turned out to be a film of an earlier record."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    merged: int = 0
    # Ids that could not be given to a film because another film has them.
    conflicts: tuple[str, ...] = ()
    changed_ids: frozenset[int] = frozenset()

    @property
    def changed(self) -> int:
        """Films that were written."""
        return self.created + self.updated

    def plus(self, other: UpsertReport) -> UpsertReport:
        """Both together."""
        return UpsertReport(
            created=self.created + other.created,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            merged=self.merged + other.merged,
            conflicts=self.conflicts + other.conflicts,
            changed_ids=self.changed_ids | other.changed_ids,
        )
