"""What has had its time: "not tonight" of yesterday, and slates that nobody asks about any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from feedback.models import Reaction, Slate

BATCH = 1000


def feedback_expire(*, now: datetime | None = None) -> dict[str, int]:
    """Deletes what is over; how many of each kind."""
    now = now or timezone.now()
    return {
        "not_tonight": _not_tonight(now),
        "slates": _slates(now - timedelta(days=settings.SLATE_KEEP_DAYS)),
    }


def _not_tonight(now: datetime) -> int:
    """Whose film may come back gets a new list: the stored one was made without it."""
    with transaction.atomic():
        over = Reaction.objects.filter(kind=Reaction.Kind.NOT_TONIGHT, expires_at__lte=now)
        people = set(over.values_list("user_id", flat=True))
        n_gone, _ = over.delete()
        User.objects.filter(pk__in=people).update(feedback_generation=F("feedback_generation") + 1)
    return n_gone


def _slates(before: datetime) -> int:
    """In batches, so that no lock is held for long. Interactions keep the slates' ids."""
    n_gone = 0
    while True:
        old = list(
            Slate.objects.filter(created_at__lt=before)
            .order_by("created_at")
            .values_list("pk", flat=True)[:BATCH]
        )
        if not old:
            return n_gone
        Slate.objects.filter(pk__in=old).delete()
        n_gone += len(old)
