"""One film: ask TMDB, and keep the answer in Postgres before anything else happens.

An answer that is kept is never asked for again, even if the process is killed the moment after.
"""

from __future__ import annotations

import enum
import hashlib
import json
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from catalog.models import DataSource, ExternalId, FieldSource
from catalog.services.films import field_sources_record
from catalog.tmdb.client import TmdbClient
from catalog.tmdb.errors import BadAnswerError, BusyError, NotFoundError
from catalog.tmdb.lookup import Found, LookUp, Method, UnsureError
from catalog.tmdb.models import EnrichmentState
from catalog.tmdb.selection import DueFilm

Status = EnrichmentState.Status
# A film that TMDB lacks today may be there in a month.
ASK_AGAIN_AFTER = timedelta(days=30)
FIRST_RETRY_AFTER = timedelta(hours=1)
MAX_RETRY_AFTER = timedelta(days=7)


class Outcome(enum.StrEnum):
    """What came of asking."""

    ENRICHED = "enriched"
    UNCHANGED = "unchanged"
    NOT_FOUND = "not_found"
    UNSURE = "unsure"
    FAILED = "failed"


class Fetcher:
    """Used by several threads at once; each has its own database connection."""

    def __init__(self, client: TmdbClient, *, region: str, now: Callable[[], datetime]) -> None:
        self._client = client
        self._look_up = LookUp(client, region=region, owner_of=_owner_of)
        self._now = now

    def fetch(self, due: DueFilm, *, is_last_turn: bool = True) -> Outcome:
        """Ask for one film and keep what came; a failure is noted only on its last turn.

        Raises what concerns all films: a refused key, an open breaker, an outage.
        """
        try:
            found = self._look_up.find(due)
        except NotFoundError as error:
            return self._left(due, Status.NOT_FOUND, str(error))
        except UnsureError as error:
            return self._left(due, Status.UNSURE, str(error))
        except (BadAnswerError, BusyError) as error:
            return self._failed(due, str(error)) if is_last_turn else Outcome.FAILED
        return self._keep(due, found)

    def close(self) -> None:
        """Close this thread's connection to TMDB."""
        self._client.close()

    def _keep(self, due: DueFilm, found: Found) -> Outcome:
        known = {
            "tmdb_id": found.tmdb_id,
            "method": found.method,
            "confidence": found.confidence,
            "etag": found.details.etag,
            "reason": "",
            "tries": 0,
            "fetched_at": self._now(),
            "next_try_at": None,
        }
        if found.details.data is None:
            _save(due.movie_id, status=Status.DONE, **known)
            return Outcome.UNCHANGED
        body = json.dumps(found.details.data, sort_keys=True).encode()
        known["sha256"] = hashlib.sha256(body).hexdigest()
        if known["sha256"] == due.sha256:
            _save(due.movie_id, status=Status.DONE, **known)
            return Outcome.UNCHANGED
        with transaction.atomic():
            if reason := _link(due, found):
                return self._left(due, Status.UNSURE, reason)
            _save(due.movie_id, status=Status.FETCHED, payload=zlib.compress(body), **known)
        return Outcome.ENRICHED

    def _left(self, due: DueFilm, status: EnrichmentState.Status, reason: str) -> Outcome:
        _save(
            due.movie_id,
            status=status,
            reason=reason[:300],
            tries=due.tries + 1,
            next_try_at=self._now() + ASK_AGAIN_AFTER,
        )
        return Outcome(status.value)

    def _failed(self, due: DueFilm, reason: str) -> Outcome:
        pause = min(FIRST_RETRY_AFTER * 2 ** min(due.tries, 10), MAX_RETRY_AFTER)
        _save(
            due.movie_id,
            status=Status.FAILED,
            reason=reason[:300],
            tries=due.tries + 1,
            next_try_at=self._now() + pause,
        )
        return Outcome.FAILED


def _save(movie_id: int, **values: Any) -> None:
    """One statement: insert, or update exactly these columns."""
    EnrichmentState.objects.bulk_create(
        [EnrichmentState(movie_id=movie_id, **values)],
        update_conflicts=True,
        unique_fields=["movie"],
        update_fields=sorted(values),
    )


def _owner_of(tmdb_id: int) -> int | None:
    return (
        ExternalId.objects.filter(source=ExternalId.Source.TMDB, value=str(tmdb_id))
        .values_list("movie_id", flat=True)
        .first()
    )


def _link(due: DueFilm, found: Found) -> str:
    """Note the TMDB id as the film's; a reason where that cannot be."""
    tmdb = ExternalId.Source.TMDB
    if found.method == Method.LINK:
        return ""
    value = str(found.tmdb_id)
    link, _ = ExternalId.objects.get_or_create(
        source=tmdb, value=value, defaults={"movie_id": due.movie_id}
    )
    if link.movie_id != due.movie_id:
        return f"TMDB {value} is film {link.movie_id} already"
    if due.tmdb_id is not None:
        # The link we had leads nowhere. An editor's stays beside the new one; a data set's goes,
        # and must not come back with its next import.
        by_editor = FieldSource.objects.filter(
            movie_id=due.movie_id, field=tmdb, source=DataSource.EDITOR
        )
        if not by_editor.exists():
            ExternalId.objects.filter(
                movie_id=due.movie_id, source=tmdb, value=str(due.tmdb_id)
            ).delete()
            field_sources_record([(due.movie_id, str(tmdb))], source=DataSource.TMDB)
    return ""
