"""Which model version is served: promotion and rollback are one transaction each."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ml.artifacts import ArtifactError, read_manifest
from recommendations.models import ModelVersion
from recommendations.services.gate import GateVerdict, gate_check
from recommendations.services.vectors import vectors_drop, vectors_drop_others, vectors_write
from recommendations.snapshot import load_serving
from recommendations.training_data import TrainingData

Status = ModelVersion.Status
# Twice what every process takes to notice a promotion (recommendations.watch).
NOTICED_AFTER = timedelta(seconds=5)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


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


def version_register(folder: Path, *, kind: str = "hybrid") -> ModelVersion:
    """Takes in a model made elsewhere as a CANDIDATE: its files are copied, nothing is judged.

    Raises PromotionError where the folder holds no model, or one that is registered already.
    """
    try:
        manifest = read_manifest(folder)
    except ArtifactError as error:
        raise PromotionError(f"{folder} cannot be taken in: {error}.") from error
    name = str(manifest.metadata.get("version") or folder.name)
    # It comes from a file that somebody sent: it must not lead out of the folder of models.
    if not _NAME.fullmatch(name):
        raise PromotionError(
            f"{name!r} is no name for a version: letters and digits, then also . - and _."
        )
    target = Path(settings.MODELS_DIR) / name
    if target.exists() or ModelVersion.objects.filter(version=name).exists():
        raise PromotionError(f"There is a model version named {name} already.")
    arriving = target.with_name(f".{name}-arriving")
    shutil.rmtree(arriving, ignore_errors=True)
    shutil.copytree(folder, arriving)
    arriving.rename(target)
    return ModelVersion.objects.create(
        kind=kind,
        version=name,
        path=name,
        manifest_sha256=manifest.sha256,
        data_fingerprint=str(manifest.metadata.get("data_fingerprint", ""))[:64],
        note="Made elsewhere.",
    )


def version_admit(version: ModelVersion, *, data: TrainingData | None = None) -> GateVerdict:
    """Passes ``version`` through the gate and writes down what it found.

    A version that is refused is FAILED from then on. Raises PromotionError with the reasons.
    """
    verdict = gate_check(version, data=data)
    version.metrics = {**version.metrics, "gate": verdict.to_json()}
    if verdict.is_passed:
        version.save(update_fields=["metrics"])
        return verdict
    version.status, version.note = Status.FAILED, verdict.reason
    version.save(update_fields=["metrics", "status", "note"])
    raise PromotionError(f"{version.version} was refused by the gate: {verdict.reason}")


def model_promote(version: ModelVersion, *, is_admitted: bool = False) -> ModelVersion:
    """Makes ``version`` the active one of its kind and retires the one before.

    One that was never served passes the gate first, unless it ``is_admitted`` just now; one that
    was served before has its files read and checked. Running processes notice within seconds.
    Raises PromotionError; what was active then stays active.
    """
    if version.status == Status.CANDIDATE and not is_admitted:
        version_admit(version)
    try:
        serving = load_serving(version)
    except ArtifactError as error:
        raise PromotionError(f"{version.version} cannot be served: {error}") from error
    # Its item vectors stand beside those being served before anybody is told to use them.
    if not version.item_vectors.exists():
        vectors_write(version, serving)
    with transaction.atomic():
        # Every promotion of a kind queues on the same rows, so two at once end with one active.
        locked = _locked(version.kind)
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


def vectors_tidy() -> int:
    """Removes item vectors of versions that are not served any more; how many rows.

    Not at the promotion: for a few seconds some processes still read the version before.
    """
    noticed = timezone.now() - NOTICED_AFTER
    served = ModelVersion.objects.filter(status=Status.ACTIVE, activated_at__lt=noticed)
    return sum(vectors_drop_others(version) for version in served)


def _locked(kind: str) -> list[ModelVersion]:
    """All versions of a kind, taken in one order: who takes some first waits in a circle."""
    return list(ModelVersion.objects.select_for_update().filter(kind=kind).order_by("pk"))


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
        _locked(kind)
        if active is not None:
            # Not to be promoted again by the next rollback: it goes behind all others.
            ModelVersion.objects.filter(pk=active.pk).update(
                status=Status.RETIRED, activated_at=None
            )
        model_promote(before)
    return before


def versions_prune(*, kind: str = "hybrid") -> int:
    """Deletes all but the newest versions, files included; how many.

    Refused ones are counted apart: a row of bad candidates must not push out what can be gone
    back to.
    """
    others = ModelVersion.objects.filter(kind=kind).exclude(status=Status.ACTIVE)
    kept = settings.MODEL_KEEP_VERSIONS
    usable = others.exclude(status=Status.FAILED).order_by("-created_at")
    refused = others.filter(status=Status.FAILED).order_by("-created_at")
    old = [*usable[kept:], *refused[kept:]]
    for version in old:
        # Files first: a row without files would be a version that cannot be served.
        shutil.rmtree(Path(settings.MODELS_DIR) / version.path, ignore_errors=True)
        vectors_drop([version.pk])
        version.delete()
    return len(old)
