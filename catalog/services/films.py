"""Bringing what a source says about films into the catalogue.

Every value remembers where it came from; a stronger source is never overwritten by a weaker one,
and nothing is written that is already so: a second run changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from catalog.models import (
    NORMALIZED_FIELDS,
    TITLE_FIELDS,
    DataSource,
    ExternalId,
    FieldSource,
    Movie,
)
from catalog.services.matching import Matcher
from catalog.services.records import FilmRecord, UpsertReport
from catalog.services.relations import credits_set, genres_set, keywords_set

BATCH = 1000
STRENGTH = {source: rank for rank, source in enumerate(DataSource.values)}
# Columns of Movie that sources fill; the names of FilmRecord's fields are the same.
PLAIN_FIELDS = (
    *("title", "original_title", "alternative_titles", "year", "runtime_min", "language"),
    *("countries", "certification", "tagline", "synopsis", "poster_path", "backdrop_path"),
)
# What these sources only fill in where nobody else has said it, however strong they are: ratings
# are about the films of MovieLens, whose titles, years and genres people and models go by.
FILLS_ONLY = {DataSource.TMDB: frozenset({"title", "original_title", "year", "genres"})}
RELATIONS: dict[str, Callable[[dict[int, Any]], set[int]]] = {
    "genres": genres_set,
    "keywords": keywords_set,
    "credits": credits_set,
}


def upsert_films(
    records: Iterable[FilmRecord],
    *,
    source: DataSource,
    on_progress: Callable[[int], None] | None = None,
) -> UpsertReport:
    """Create and update films; the caller's transaction makes it all or nothing.

    Of several records of one film the first counts; the others only add their ids.
    ``on_progress`` gets the number of records done so far.
    """
    report = UpsertReport()
    seen: set[int] = set()
    done = 0
    for batch in _batches(records):
        with transaction.atomic():
            report = report.plus(_Batch(batch, source=source, seen=seen).run())
        done += len(batch)
        if on_progress:
            on_progress(done)
    return report


def field_sources_record(
    pairs: Iterable[tuple[int, str]], *, source: DataSource
) -> list[FieldSource]:
    """Note that these (film id, field) pairs now come from ``source``."""
    return FieldSource.objects.bulk_create(
        [FieldSource(movie_id=pk, field=name, source=source) for pk, name in sorted(pairs)],
        batch_size=5000,
        update_conflicts=True,
        unique_fields=["movie", "field"],
        update_fields=["source", "updated_at"],
    )


def _batches(records: Iterable[FilmRecord]) -> Iterator[list[FilmRecord]]:
    batch: list[FilmRecord] = []
    for record in records:
        batch.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


class _Batch:
    """One batch of records on its way into the database; ``seen`` are the films of earlier ones."""

    def __init__(
        self, records: Sequence[FilmRecord], *, source: DataSource, seen: set[int]
    ) -> None:
        self.records = records
        self.source = source
        self.seen = seen
        self.matcher = Matcher(records)
        self.provenance: dict[int, dict[str, str]] = defaultdict(dict)
        rows = FieldSource.objects.filter(movie_id__in=self.matcher.movies)
        for movie_id, name, known in rows.values_list("movie_id", "field", "source"):
            self.provenance[movie_id][name] = known
        self.created: list[Movie] = []
        self.changed: dict[int, set[str]] = defaultdict(set)
        self.new_ids: list[ExternalId] = []
        self.moved_ids: list[tuple[int, str, str]] = []
        self.notes: set[tuple[int, str]] = set()
        self.conflicts: list[str] = []
        self.compared: list[int] = []
        self.merged = 0

    def run(self) -> UpsertReport:
        """Compare, then write the differences."""
        spare = _new_movie_ids()
        relations: dict[str, dict[int, Any]] = {name: {} for name in RELATIONS}
        for record in self.records:
            movie_id = self.matcher.find(record)
            if movie_id in self.seen:
                self._plan_ids(record, self.matcher.movies[movie_id], is_merged=True)
                self.merged += 1
                continue
            if movie_id is None:
                movie = Movie(pk=next(spare))
                self.created.append(movie)
            else:
                movie = self.matcher.movies[movie_id]
            self.seen.add(movie.pk)
            self.compared.append(movie.pk)
            self._plan_fields(record, movie)
            self._plan_ids(record, movie, is_merged=False)
            for name, wanted in relations.items():
                value = getattr(record, name)
                if value is not None and self._may_write(movie.pk, name):
                    wanted[movie.pk] = value
        self._write(relations)
        return self._report()

    def _may_write(self, movie_id: int, name: str) -> bool:
        known = self.provenance[movie_id].get(name)
        if known is not None and name in FILLS_ONLY.get(self.source, ()):
            return known == self.source
        return known is None or STRENGTH[self.source] >= STRENGTH[known]

    def _plan_fields(self, record: FilmRecord, movie: Movie) -> None:
        for name in PLAIN_FIELDS:
            value = getattr(record, name)
            if value is None or not self._may_write(movie.pk, name):
                continue
            is_unsourced = name not in self.provenance[movie.pk]
            if name in FILLS_ONLY.get(self.source, ()) and is_unsourced and getattr(movie, name):
                continue
            value = list(value) if isinstance(value, tuple) else value
            if getattr(movie, name) != value:
                setattr(movie, name, value)
                self.changed[movie.pk].add(name)
                self.notes.add((movie.pk, name))
        if self.changed[movie.pk] & TITLE_FIELDS:
            movie.normalize_titles()
            self.changed[movie.pk] |= set(NORMALIZED_FIELDS)

    def _plan_ids(self, record: FilmRecord, movie: Movie, *, is_merged: bool) -> None:
        """Own ids are added; a link to others replaces the film's former link of that kind.

        A merged record brings only its own id: the film's links are those of its first record.
        """
        pairs = record.external_ids[:1] if is_merged else record.external_ids
        for place, (kind, value) in enumerate(pairs):
            owner = self.matcher.owner.get((kind, value))
            if owner == movie.pk or (place and not self._may_write(movie.pk, kind)):
                continue
            if owner is not None:
                self.conflicts.append(f"{kind} {value} of {record.title!r} is film {owner}'s")
                continue
            former = self.matcher.ids[movie.pk].get(kind)
            if place and former and STRENGTH[self.source] < STRENGTH[DataSource.MOVIELENS]:
                continue
            if place and former:
                self.moved_ids.append((movie.pk, kind, value))
            else:
                self.new_ids.append(ExternalId(movie_id=movie.pk, source=kind, value=value))
            self.changed[movie.pk].add(f"id:{kind}")
        self.matcher.remember(record, movie)

    def _write(self, relations: dict[str, dict[int, Any]]) -> None:
        Movie.objects.bulk_create(self.created, batch_size=BATCH)
        new = {movie.pk for movie in self.created}
        columns = {
            pk: {name for name in names if not name.startswith("id:")}
            for pk, names in self.changed.items()
            if pk not in new
        }
        updated = [self.matcher.movies[pk] for pk, names in columns.items() if names]
        if updated:
            written = set().union(*columns.values()) | {"updated_at"}
            now = timezone.now()
            for movie in updated:
                movie.updated_at = now
            Movie.objects.bulk_update(updated, sorted(written), batch_size=500)
        for pk, kind, value in self.moved_ids:
            ExternalId.objects.filter(movie_id=pk, source=kind).delete()
            self.new_ids.append(ExternalId(movie_id=pk, source=kind, value=value))
        ExternalId.objects.bulk_create(self.new_ids, batch_size=5000)
        for name, wanted in relations.items():
            for pk in RELATIONS[name](wanted):
                self.changed[pk].add(name)
                self.notes.add((pk, name))
        field_sources_record(self.notes, source=self.source)

    def _report(self) -> UpsertReport:
        new = {movie.pk for movie in self.created}
        changed = {pk for pk, names in self.changed.items() if names} | new
        updated = [pk for pk in self.compared if pk in changed and pk not in new]
        return UpsertReport(
            created=len(new),
            updated=len(updated),
            unchanged=len(self.compared) - len(new) - len(updated),
            merged=self.merged,
            conflicts=tuple(self.conflicts),
            changed_ids=frozenset(changed),
        )


def _new_movie_ids() -> Iterator[int]:
    """Ids from the table's own sequence, so that relations can be planned before the rows exist."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence('catalog_movie', 'id')) "
                "FROM generate_series(1, 100)"
            )
            ids = [row[0] for row in cursor.fetchall()]
        yield from ids
