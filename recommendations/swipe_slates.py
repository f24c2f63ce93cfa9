"""What of a deal was really shown.

After every answer the rest of the deck is dealt anew, so most cards of a deal are never seen. The
deal travels to the client as a signed receipt; the client names the positions that it turned up,
and only those become impressions, each once.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.db import DatabaseError, transaction

from accounts.models import User
from feedback.models import Impression, Slate
from recommendations.ranked import RankedList
from recommendations.services.slates import slate_parts
from recommendations.swipe import SURFACE

logger = logging.getLogger(__name__)

SALT = "recommendations.swipe"
# Cards turned up offline are told of when the network is back; after a week nobody learns from it.
MAX_AGE_S = 7 * 24 * 3600
MAX_RECEIPT = 20_000  # characters; fifty cards with their evidence need some 6,000


def receipt_for(ranked: RankedList, *, user: User | AnonymousUser, request_id: uuid.UUID) -> str:
    """The deal, signed: nobody can invent what they were shown."""
    return signing.dumps(
        {
            "id": str(request_id),
            "user": user.pk if isinstance(user, User) else None,
            "policy": ranked.source,
            "model": ranked.model_version,
            "fallback": ranked.fallback,
            **slate_parts(ranked),
        },
        salt=SALT,
        compress=True,
    )


def shown_log(receipt: str, positions: Iterable[int], *, user: User | AnonymousUser) -> int:
    """Logs the cards at these positions as shown; how many were new.

    0 for a receipt that is forged, too old, or somebody else's; a failing log costs nobody a card.
    """
    deal = _read(receipt)
    if deal is None or deal["user"] not in {None, user.pk if isinstance(user, User) else None}:
        return 0
    wanted = sorted({p for p in positions if 0 <= p < len(deal["films"])})
    if not wanted:
        return 0
    try:
        return _write(deal, wanted, user=user)
    except DatabaseError:
        logger.exception("The cards of the deal %s could not be logged", deal["id"])
        return 0


@transaction.atomic
def _write(deal: dict[str, Any], positions: list[int], *, user: User | AnonymousUser) -> int:
    slate, _made = Slate.objects.get_or_create(
        request_id=uuid.UUID(deal["id"]),
        defaults={
            "user": user if isinstance(user, User) else None,
            "surface": SURFACE,
            "policy": deal["policy"],
            "model_version": deal["model"],
            "fallback": deal["fallback"],
            "context": deal["context"],
        },
    )
    before = slate.impressions.count()
    Impression.objects.bulk_create(
        [
            Impression(slate=slate, position=position, **deal["films"][position])
            for position in positions
        ],
        ignore_conflicts=True,
    )
    return slate.impressions.count() - before


def _read(receipt: str) -> dict[str, Any] | None:
    if len(receipt) > MAX_RECEIPT:
        return None
    try:
        deal = signing.loads(receipt, salt=SALT, max_age=MAX_AGE_S)
    except signing.BadSignature:  # expired ones are among them
        return None
    return deal if isinstance(deal, dict) else None
