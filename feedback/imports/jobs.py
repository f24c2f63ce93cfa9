"""Imports as a worker does them: read, match, wait for the person, write; or take all of it back.

Every batch is one transaction with its heartbeat. A worker that is killed loses the batch it was
at; the next one goes on behind the last that was committed (:mod:`feedback.work`).
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import TypeVar

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from feedback.imports.effects import Effects
from feedback.imports.entries import Entries, Key, Value, entries_write
from feedback.imports.errors import ImportFileError
from feedback.imports.matching import films_match
from feedback.imports.models import ImportChange, ImportFile, ImportFilm, ImportJob, ImportRow
from feedback.imports.reading import read_upload
from feedback.imports.records import FilmRef, SourceRow
from feedback.services import locked
from feedback.work import (
    LeaseLostError,
    WorkCancelledError,
    WorkStatus,
    beat,
    claim,
    finish,
    is_given_up,
)

logger = logging.getLogger(__name__)

Phase = ImportJob.Phase
State = ImportFilm.State

READ_BATCH = 1000
# A title in doubt costs a search of some 20 ms: a batch stays far below a lease.
MATCH_BATCH = 100
APPLY_BATCH = 2000
UNDO_BATCH = 2000
#: Films whose rows can be written.
KNOWN = (State.FOUND, State.CHOSEN)
T = TypeVar("T")


def import_run(pk: uuid.UUID | str) -> ImportJob | None:
    """Does what the import waits for; None where it is over, gone, or somebody else is at it."""
    job = claim(ImportJob, pk, now=timezone.now())
    if job is None:
        return None
    if is_given_up(job):
        _fail(job, _("Given up: it stopped its worker several times. Try a part of the file."))
        return job
    try:
        _WORK[Phase(job.phase)](job)
    except ImportFileError as error:
        _fail(job, str(error))
    except WorkCancelledError:
        import_stop(job)
    except LeaseLostError:
        logger.info("Import %s went to another worker", job.pk)
    except BaseException:
        # Whoever comes next need not wait for the lease to end.
        ImportJob.objects.filter(pk=job.pk, lease_key=job.lease_key).update(
            lease_until=timezone.now()
        )
        raise
    return job


def import_stop(job: ImportJob) -> bool:
    """Ends work under way where it is: what was written stays, and can be taken back."""
    if job.phase in (Phase.READ, Phase.MATCH):
        with transaction.atomic():
            is_ours = finish(job, WorkStatus.CANCELLED)
            if is_ours:
                _forget_contents(job)
        return is_ours
    if job.phase == Phase.APPLY:
        said = _("Stopped. What was written so far stays until you take it back.")
        return finish(job, WorkStatus.READY, said)
    said = _("Stopped. Some of it was taken back already.")
    return finish(job, WorkStatus.DONE, said)


def _fail(job: ImportJob, message: str) -> None:
    """A file that cannot be read leaves its sentence; what was half written can be undone."""
    with transaction.atomic():
        if finish(job, WorkStatus.FAILED, message) and job.phase in (Phase.READ, Phase.MATCH):
            _forget_contents(job)


def _forget_contents(job: ImportJob) -> None:
    ImportFile.objects.filter(job=job).delete()
    ImportRow.objects.filter(job=job).delete()
    ImportFilm.objects.filter(job=job).delete()


# --- reading ---------------------------------------------------------------------------------


def _read(job: ImportJob) -> None:
    content = ImportFile.objects.values_list("content", flat=True).get(job=job)
    reading = read_upload(bytes(content), job.filename)
    n_held = job.rows.aggregate(last=Max("number"))["last"] or 0
    oldest_at: datetime | None = None
    number = 0
    for batch in _batches(reading.rows, READ_BATCH):
        times = [effect.at for row in batch for effect in row.effects if effect.at]
        oldest_at = min([*times, *([oldest_at] if oldest_at else [])], default=None)
        first = number + 1
        number += len(batch)
        if number <= n_held:
            continue  # read before its worker was killed
        with transaction.atomic():
            beat(job, done=number, source=reading.source)
            _keep_rows(job, batch, first=first)
    if not number:
        raise ImportFileError(
            _("There is no row in this file that says anything about a film.")
            + "".join(f" {note}" for note in reading.notes[:3])
        )
    with transaction.atomic():
        beat(
            job,
            phase=Phase.MATCH,
            source=reading.source,
            notes=reading.notes[:20],
            oldest_at=oldest_at,
            done=0,
            total=job.films.count(),
        )
        ImportFile.objects.filter(job=job).delete()
    _match(job)


def _keep_rows(job: ImportJob, batch: list[SourceRow], *, first: int) -> None:
    refs = {row.film.key: row.film for row in batch if row.film is not None}
    ImportFilm.objects.bulk_create(
        (
            ImportFilm(
                job=job,
                key=key,
                title=ref.title,
                original_title=ref.original_title,
                year=ref.year,
                ids=[list(pair) for pair in ref.ids],
                directors=list(ref.directors[:10]),
            )
            for key, ref in refs.items()
        ),
        ignore_conflicts=True,
    )
    films = dict(job.films.filter(key__in=refs).values_list("key", "pk"))
    ImportRow.objects.bulk_create(
        (
            ImportRow(
                job=job,
                film_id=films[row.film.key] if row.film else None,
                number=number,
                section=row.section[-60:],
                effects=[effect.to_json() for effect in row.effects],
            )
            for number, row in enumerate(batch, start=first)
        ),
        ignore_conflicts=True,
    )


def _batches(rows: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(rows, size)):
        yield batch


# --- matching --------------------------------------------------------------------------------


def _match(job: ImportJob) -> None:
    while films := list(job.films.filter(state=State.PENDING).order_by("pk")[:MATCH_BATCH]):
        matches = films_match([ref_of(film) for film in films])
        for film, match in zip(films, matches, strict=True):
            film.state, film.reason = match.state, match.reason.value
            film.movie_id, film.confidence = match.movie_id, match.confidence
            film.candidate_ids = list(match.candidate_ids)
        with transaction.atomic():
            beat(job, done=job.done + len(films))
            ImportFilm.objects.bulk_update(
                films, ["state", "reason", "movie", "confidence", "candidate_ids"]
            )
    finish(job, WorkStatus.READY, preview=_preview(job))


def ref_of(film: ImportFilm) -> FilmRef:
    """The film as its file named it."""
    return FilmRef(
        title=film.title,
        year=film.year,
        ids=tuple((source, value) for source, value in film.ids),
        original_title=film.original_title,
        directors=tuple(film.directors),
    )


def _preview(job: ImportJob) -> dict[str, int]:
    """What writing would change, by kind: the same code as writing, which then writes nothing."""
    entries = Entries(job.user)
    effects = Effects(job, entries, is_dry=True)
    rows = waiting_rows(job).select_related("film").order_by("number")
    for batch in _batches(rows.iterator(chunk_size=APPLY_BATCH), APPLY_BATCH):
        beat(job)
        effects.apply((row, _movie_id(row)) for row in batch)
    return dict(_counts(entries.changed()) + effects.refused)


def _movie_id(row: ImportRow) -> int:
    return (row.film.movie_id or 0) if row.film else 0


def _counts(changed: list[tuple[Key, Value, Value]]) -> Counter[str]:
    """How many of each kind, and how many films."""
    counts: Counter[str] = Counter()
    for key, before, after in changed:
        name = key.key if key.entity == "reaction" else key.entity
        counts[f"{name}_changed" if before and after else name] += 1
    return counts


# --- writing ---------------------------------------------------------------------------------


def waiting_rows(job: ImportJob) -> QuerySet[ImportRow]:
    """Rows that can be written and were not."""
    is_known = Q(
        film__state__in=KNOWN, film__movie__isnull=False, film__movie__is_hidden=False
    ) | Q(film__isnull=True)
    return ImportRow.objects.filter(is_known, job=job, is_applied=False)


def _apply(job: ImportJob) -> None:
    while True:
        with transaction.atomic():
            person = locked(job.user)
            rows = list(waiting_rows(job).select_related("film").order_by("number")[:APPLY_BATCH])
            if not rows:
                break
            entries = Entries(person)
            effects = Effects(job, entries, is_dry=False)
            effects.apply((row, _movie_id(row)) for row in rows)
            changed = entries.changed()
            counts = Counter(job.changed) + _counts(changed) + effects.refused
            beat(job, done=job.done + len(rows), changed=dict(counts))
            _write(person, changed)
            ImportChange.objects.bulk_create(
                ImportChange(
                    job=job,
                    entity=key.entity,
                    movie_id_value=key.movie_id,
                    key=key.key,
                    before=before,
                    after=after,
                )
                for key, before, after in changed
            )
            ImportRow.objects.filter(pk__in=[row.pk for row in rows]).update(is_applied=True)
    finish(job, WorkStatus.DONE)


def _write(person: User, changed: list[tuple[Key, Value, Value]]) -> None:
    n_written = entries_write(person, changed)
    if n_written:
        User.objects.filter(pk=person.pk).update(
            feedback_generation=F("feedback_generation") + n_written
        )


# --- taking back -----------------------------------------------------------------------------


def _undo(job: ImportJob) -> None:
    while True:
        with transaction.atomic():
            person = locked(job.user)
            changes = list(job.changes.order_by("-pk")[:UNDO_BATCH])
            if not changes:
                break
            entries = Entries(person)
            entries.load(change.movie_id_value for change in changes if change.movie_id_value)
            entries.load_self()
            for change in changes:
                key = Key(change.entity, change.movie_id_value, change.key)
                if _is_untouched(key.entity, entries.get(key), change.after):
                    entries.put(key, change.before)
            beat(job, done=job.done + len(changes))
            _write(person, entries.changed())
            ImportChange.objects.filter(pk__in=[change.pk for change in changes]).delete()
    job.rows.update(is_applied=False)
    finish(job, WorkStatus.UNDONE, changed={})


def _is_untouched(entity: str, now: Value, left: Value) -> bool:
    """Still as the import left it. Where a film stands in a list is no change of what was said."""
    if entity == "list_item" and now and left:
        return now["note"] == left["note"]
    return now == left


_WORK = {Phase.READ: _read, Phase.MATCH: _match, Phase.APPLY: _apply, Phase.UNDO: _undo}
