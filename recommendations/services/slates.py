"""The log of what was shown: without it nobody can say later whether it was good."""

from __future__ import annotations

import logging
import uuid
from dataclasses import asdict
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, transaction

from accounts.models import User
from feedback.models import Impression, Slate
from recommendations.ranked import RankedFilm, RankedList

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
            **({"answers": ranked.answers} if ranked.answers else {}),
        },
        "films": [
            {
                "movie_id": film.movie_id,
                "source": film.source,
                "score": film.score,
                "propensity": film.propensity,
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
    slate = Slate(
        request_id=request_id,
        user=user if isinstance(user, User) else None,
        surface=surface,
        policy=ranked.source,
        model_version=ranked.model_version,
        fallback=ranked.fallback,
        context=parts["context"],
    )
    impressions = [
        Impression(slate=slate, position=position, **film)
        for position, film in enumerate(parts["films"])
    ]
    try:
        with transaction.atomic():
            slate.save(force_insert=True)
            Impression.objects.bulk_create(impressions)
    except DatabaseError:
        logger.exception("The slate %s could not be logged", request_id)


def _reason(film: RankedFilm) -> dict:
    said = "".join(part.text for part in film.reason)
    return {
        **({"said": said} if said else {}),
        "baseline": film.baseline,
        "evidence": [asdict(part) for part in film.evidence[:MAX_EVIDENCE]],
    }
