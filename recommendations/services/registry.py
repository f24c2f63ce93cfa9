"""Which model version is served: promotion and rollback are one transaction each."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ml.artifacts import ArtifactError
from recommendations.models import ModelVersion
from recommendations.snapshot import load_snapshot

Status = ModelVersion.Status


class PromotionError(Exception):
    """The version cannot be served; the message says why. What was active stays active."""


def version_named(name: str) -> ModelVersion:
    """The version of that name; ModelVersion.DoesNotExist names those that there are."""
    try:
        return ModelVersion.objects.get(version=name)
    except ModelVersion.DoesNotExist:
        known = ", ".join(
            ModelVersion.objects.order_by("-created_at").values_list("version", flat=True)[:10]
        )
        raise ModelVersion.DoesNotExist(
            f"There is no model version {name!r}. Known: {known or 'none was trained yet'}."
        ) from None


def model_promote(version: ModelVersion) -> ModelVersion:
    """Makes ``version`` the active one of its kind and retires the one before.

    Its files are read and checked first. Web and worker processes notice at their next request.
    """
    try:
        load_snapshot(version)
    except ArtifactError as error:
        raise PromotionError(f"{version.version} cannot be served: {error}") from error
    with transaction.atomic():
        # Every promotion of a kind queues on the same rows, so two at once end with one active.
        locked = list(ModelVersion.objects.select_for_update().filter(kind=version.kind))
        standing = {v.pk: v.status for v in locked}
        if standing.get(version.pk) == Status.FAILED:
            raise PromotionError(f"{version.version} was refused by the gate: {version.note}")
        ModelVersion.objects.filter(kind=version.kind, status=Status.ACTIVE).exclude(
            pk=version.pk
        ).update(status=Status.RETIRED)
        version.status = Status.ACTIVE
        version.activated_at = timezone.now()
        version.save(update_fields=["status", "activated_at"])
    return version


def model_rollback(*, kind: str = "hybrid") -> ModelVersion:
    """Back to the version that was active before. Raises PromotionError where there is none."""
    active = ModelVersion.objects.filter(kind=kind, status=Status.ACTIVE).first()
    before = (
        ModelVersion.objects.filter(kind=kind, status=Status.RETIRED, activated_at__isnull=False)
        .order_by("-activated_at")
        .first()
    )
    if before is None:
        raise PromotionError("There is no earlier version to go back to.")
    with transaction.atomic():
        if active is not None:
            # Not to be promoted again by the next rollback: it goes behind all others.
            ModelVersion.objects.filter(pk=active.pk).update(
                status=Status.RETIRED, activated_at=None
            )
        model_promote(before)
    return before


def versions_prune(*, kind: str = "hybrid") -> int:
    """Deletes all but the newest versions, files included; how many."""
    old = list(
        ModelVersion.objects.filter(kind=kind)
        .exclude(status=Status.ACTIVE)
        .order_by("-created_at")[settings.MODEL_KEEP_VERSIONS :]
    )
    for version in old:
        # Files first: a row without files would be a version that cannot be served.
        shutil.rmtree(Path(settings.MODELS_DIR) / version.path, ignore_errors=True)
        version.delete()
    return len(old)
