"""Forgetting a person: everything that names them goes, and it is looked whether it went."""

from __future__ import annotations

import logging
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.db import transaction
from django.utils import timezone

from accounts.deletion import deletions_due, session_keys_of
from accounts.models import ErasureReceipt, User
from accounts.tombstones import digest_of, people_to_forget_again, tombstone_set
from feedback.models import Rating, Reaction
from recommendations.models import ModelVersion
from recommendations.services.traces import Subject, traces_of
from recommendations.services.unlearning import prove, remember
from recommendations.services.vectors import vectors_drop
from recommendations.training_data import LIVE_USER_OFFSET

logger = logging.getLogger(__name__)

Status = ModelVersion.Status


def person_forget(
    user: User, *, requested_at: datetime | None = None, is_proved: bool = False
) -> ErasureReceipt:
    """Deletes a person with all that is theirs, leaves a tombstone, looks for traces, and says so.

    ``is_proved`` adds the comparison of item weights with a refit, which takes some seconds. The
    tombstone is written first: what a crash leaves half done is finished by the next run.
    """
    now = timezone.now()
    digest, subject = digest_of(user), Subject.of(user)
    learned = (
        Rating.objects.filter(user=user).exists() or Reaction.objects.filter(user=user).exists()
    )
    before = remember(user) if is_proved else None
    tombstone_set(digest, at=now)
    with transaction.atomic():
        person = ContentType.objects.get_for_model(User)
        LogEntry.objects.filter(content_type=person, object_id=str(user.pk)).delete()
        Session.objects.filter(session_key__in=session_keys_of(user.pk)).delete()
        _n_rows, by_table = User.objects.get(pk=user.pk).delete()
    _caches_clear()
    n_builds = _feature_builds_drop(subject.user_id)
    report: dict[str, Any] = {
        "rows": dict(sorted(by_table.items())),
        "feature_builds": n_builds,
        "traces": {trace.where: trace.n for trace in traces_of(subject)},
        "to_be_trained_anew": _models_of_before(now) if learned else [],
    }
    if before is not None:
        proof = prove(before)
        report["proof"] = {
            "events": proof.n_events,
            "films": proof.n_films,
            "ease": proof.ease,
            "item_item": proof.item_item,
            "is_exact": proof.is_exact,
        }
    receipt = ErasureReceipt.objects.create(
        digest=digest,
        requested_at=requested_at,
        erased_at=now,
        report=report,
        is_in_models=learned,
    )
    logger.info("Forgot a person; receipt %s", receipt.pk)
    return receipt


def deletions_run(*, now: datetime | None = None) -> int:
    """Forgets everybody whose grace period is over; how many."""
    due = deletions_due(now=now or timezone.now())
    for request in due:
        person_forget(request.user, requested_at=request.requested_at)
    versions_forget()
    return len(due)


def tombstones_replay(path: Path | None = None) -> list[ErasureReceipt]:
    """Forgets again whom a restored backup brought back."""
    return [person_forget(user) for user in people_to_forget_again(path)]


def is_retraining_due(since: datetime) -> bool:
    """Somebody whom models had learned from was forgotten since."""
    return ErasureReceipt.objects.filter(is_in_models=True, erased_at__gt=since).exists()


def versions_forget() -> int:
    """Deletes versions that learned from the forgotten, once a newer one is served; how many."""
    last = ErasureReceipt.objects.filter(is_in_models=True).order_by("-erased_at").first()
    if last is None:
        return 0
    newer = ModelVersion.objects.filter(status=Status.ACTIVE, created_at__gt=last.erased_at)
    old = ModelVersion.objects.filter(
        kind__in=newer.values("kind"), created_at__lte=last.erased_at
    ).exclude(status=Status.ACTIVE)
    versions = list(old)
    for version in versions:
        shutil.rmtree(Path(settings.MODELS_DIR) / version.path, ignore_errors=True)
        vectors_drop([version.pk])
        version.delete()
    return len(versions)


def _models_of_before(now: datetime) -> list[str]:
    versions = ModelVersion.objects.filter(created_at__lte=now).order_by("kind", "-created_at")
    return list(versions.values_list("version", flat=True))


def _caches_clear() -> None:
    """Login limits and the like, which may name people by address; everybody's begin anew."""
    caches["default"].clear()
    caches["disposable"].clear()


def _feature_builds_drop(user_id: int) -> int:
    """Builds of the feature store with a row of the person; the next one is made without."""
    n_dropped = 0
    for table in sorted(Path(settings.FEATURES_DIR).glob("*/user_features.parquet")):
        mine = pl.scan_parquet(table).filter(pl.col("user_key") == LIVE_USER_OFFSET + user_id)
        if mine.select(pl.len()).collect().item():
            shutil.rmtree(table.parent)
            n_dropped += 1
    return n_dropped
