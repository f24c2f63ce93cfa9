"""Putting a fitted model among the versions: what every kind of training ends in."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from ml.artifacts import save_artifact
from recommendations.models import ModelVersion
from recommendations.training_data import TrainingData


def version_write(
    model: Any,
    data: TrainingData,
    *,
    kind: str,
    metadata: dict[str, Any],
    metrics: dict[str, Any],
    note: str = "",
) -> ModelVersion:
    """Writes the files, then the row, a candidate: a row never names files that are not there.

    ``metadata`` goes into the manifest beside what every version says of itself; ``metrics`` and
    ``note`` into the row.
    """
    now = timezone.now()
    # Two trainings in one second (tests, or two machines) still get two names.
    version = f"{kind}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    manifest = save_artifact(
        model,
        Path(settings.MODELS_DIR) / version,
        metadata={
            "version": version,
            "created_at": now.isoformat(),
            "movie_ids": data.items.ids.tolist(),
            "items_fingerprint": data.items.fingerprint,
            "data_fingerprint": data.fingerprint,
            **metadata,
        },
    )
    return ModelVersion.objects.create(
        kind=kind,
        version=version,
        path=version,
        manifest_sha256=manifest.sha256,
        data_fingerprint=data.fingerprint,
        metrics=metrics,
        note=note,
    )
