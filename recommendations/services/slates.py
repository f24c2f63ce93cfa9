"""The log of what was shown: without it nobody can say later whether it was good."""

from __future__ import annotations

import logging
import uuid
from contextlib import nullcontext
from typing import Any

import orjson
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import User
from accounts.prepared import prepared_cursor
from feedback.models import Impression, Slate
from recommendations.experiments.models import Assignment, Exposure
from recommendations.ranked import RankedFilm, RankedList
from recommendations.trial import Trial

logger = logging.getLogger(__name__)

MAX_EVIDENCE = 5  # parts of the evidence that an impression keeps


def slate_parts(ranked: RankedList) -> dict[str, Any]:
    """``context`` of the slate and ``films``: the fields of each impression but its position."""
    return {
        "context": {
            "generation": ranked.generation,
            "n_history": ranked.n_history,
            "is_stored": ranked.is_stored,
            "counts": ranked.counts,
            # What the dashboard's latency and errors by source are counted from.
            "stages_ms": {stage: round(ms, 3) for stage, ms in ranked.stages_ms.items()},
            "skipped": ranked.skipped,
            **ranked.context,
            **({"answers": ranked.answers} if ranked.answers else {}),
        },
        "films": [
            {
                "movie_id": film.movie_id,
                "source": film.source,
                "score": film.score,
                "propensity": film.propensity,
                "team": film.team,
                "reason": _reason(film),
            }
            for film in ranked.films
        ],
    }


def slate_log(
    ranked: RankedList, *, user: User | AnonymousUser, surface: str, request_id: uuid.UUID
) -> None:
    """Writes the slate and its impressions. A failing log never costs anybody their list."""
    parts = slate_parts(ranked)
    films = [{"position": place, **film} for place, film in enumerate(parts["films"])]
    slate = {
        "request_id": request_id,
        "user_id": user.pk if isinstance(user, User) else None,
        "surface": surface,
        "policy": ranked.policy or ranked.source,
        "model_version": ranked.model_version,
        "fallback": ranked.fallback,
        "context": orjson.dumps(parts["context"]).decode(),
        "now": timezone.now(),
        "films": orjson.dumps(films).decode(),
    }
    try:
        # One statement is a transaction of its own; within another it must not spoil that one.
        is_alone = ranked.trial is None and not connection.in_atomic_block
        with nullcontext() if is_alone else transaction.atomic():
            with prepared_cursor() as cursor:
                cursor.execute(_LOG_SQL, slate)
            if ranked.trial is not None and isinstance(user, User):
                exposure_log(ranked, ranked.trial, user=user, request_id=request_id)
    except DatabaseError:
        logger.exception("The slate %s could not be logged", request_id)


def exposure_log(ranked: RankedList, trial: Trial, *, user: User, request_id: uuid.UUID) -> None:
    """The list was shown under an experiment: the person's first one in it assigns them."""
    Assignment.objects.bulk_create(
        [Assignment(experiment_id=trial.experiment_id, user=user, arm=trial.arm)],
        ignore_conflicts=True,
    )
    Exposure.objects.create(
        experiment_id=trial.experiment_id,
        user=user,
        request_id=request_id,
        arm=trial.arm,
        is_filled=bool(ranked.fallback),
    )


# Slate and impressions in one round trip, whose commit does not wait for the disk: the answer would
# wait with it. A crash of the machine (not of a process) can take the slates of its last half
# second along (docs/adr/0010), never a part of one.
_LOG_SQL = """
    WITH commit AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
    slate AS (
        INSERT INTO feedback_slate
            (request_id, user_id, surface, policy, model_version, fallback, context, created_at)
        SELECT %(request_id)s, %(user_id)s::bigint, %(surface)s, %(policy)s, %(model_version)s,
            %(fallback)s, %(context)s::jsonb, %(now)s
        FROM commit
        RETURNING request_id
    )
    INSERT INTO feedback_impression
        (slate_id, movie_id, position, source, score, propensity, team, reason)
    SELECT slate.request_id, film.*
    FROM slate, jsonb_to_recordset(%(films)s::jsonb) AS film (
        movie_id bigint, position smallint, source varchar, score float8, propensity float8,
        team varchar, reason jsonb
    )
"""


def slate_extend(
    ranked: RankedList, *, user: User | AnonymousUser, surface: str, request_id: uuid.UUID
) -> dict[int, int] | None:
    """Positions by film id in the slate that a page was shown as, for the list it shows now.

    A page that fetches its list again is one slate still: films that are new on it get the next
    positions. None where there is no such slate of this person's.
    """
    if not isinstance(user, User):
        return None
    try:
        with transaction.atomic():
            slate = (
                Slate.objects.select_for_update()
                .filter(request_id=request_id, user=user, surface=surface)
                .first()
            )
            if slate is None:
                return None
            shown = slate.impressions.values_list("movie_id", "position")
            known = dict(shown)
            after = max(known.values(), default=-1) + 1
            new = [f for f in slate_parts(ranked)["films"] if f["movie_id"] not in known]
            added = [
                Impression(slate=slate, position=after + i, **film) for i, film in enumerate(new)
            ]
            Impression.objects.bulk_create(added)
    except DatabaseError:
        logger.exception("The slate %s could not be extended", request_id)
        return {}
    return known | {film["movie_id"]: after + i for i, film in enumerate(new)}


def _reason(film: RankedFilm) -> dict:
    said = "".join(part.text for part in film.reason)
    return {
        **({"said": said} if said else {}),
        "baseline": film.baseline,
        "terms": {part.name: part.contribution for part in film.terms},
        "evidence": [
            {"movie_id": part.movie_id, "contribution": part.contribution, "share": part.share}
            for part in film.evidence[:MAX_EVIDENCE]
        ],
    }
