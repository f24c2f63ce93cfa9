"""The model that is being served: an immutable object, swapped by one assignment."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from ml.artifacts import ArtifactError, load_artifact
from ml.idmap import IdMap
from ml.models.base import Recommender
from ml.models.hybrid import Hybrid
from recommendations.models import ModelVersion

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """A loaded model version. Readers hold a reference and never see two versions at once."""

    version_id: int
    version: str
    hybrid: Hybrid
    items: IdMap

    def source(self, name: str) -> Recommender:
        """``hybrid`` or one of its parts; KeyError for anything else."""
        return self.hybrid if name == "hybrid" else self.hybrid.models[name]

    @property
    def source_names(self) -> tuple[str, ...]:
        """What ``source`` takes."""
        return ("hybrid", *self.hybrid.models)


_current: Snapshot | None = None
# Versions whose files were damaged when this process looked: not tried again at every request.
_broken: set[int] = set()


def load_snapshot(version: ModelVersion) -> Snapshot:
    """Reads and checks a version's files. Raises ArtifactError."""
    model, manifest = load_artifact(Path(settings.MODELS_DIR) / version.path)
    if manifest.sha256 != version.manifest_sha256:
        raise ArtifactError(f"{version.path} is not the model that was registered")
    if not isinstance(model, Hybrid):
        raise ArtifactError(f"{version.path} holds a {model.name}, not a hybrid")
    try:
        items = IdMap(manifest.metadata["movie_ids"])
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{version.path} has no usable map of films ({error})") from error
    if len(items) != model.n_items:
        raise ArtifactError(f"{version.path} names {len(items)} films for {model.n_items} columns")
    return Snapshot(version_id=version.pk, version=version.version, hybrid=model, items=items)


def current_snapshot() -> Snapshot | None:
    """The active version, at the price of one small query; None where nothing was trained.

    A damaged version is skipped for the newest retired one that still reads: serving goes on and
    the log says so.
    """
    global _current  # noqa: PLW0603 - one reference assignment is the whole swap
    versions = list(
        ModelVersion.objects.filter(
            kind="hybrid", status__in=[ModelVersion.Status.ACTIVE, ModelVersion.Status.RETIRED]
        ).order_by("status", "-activated_at")[: settings.MODEL_KEEP_VERSIONS]
    )
    for version in versions:
        snapshot = _current
        if snapshot is not None and snapshot.version_id == version.pk:
            return snapshot
        if version.pk in _broken:
            continue
        try:
            _current = load_snapshot(version)
        except ArtifactError:
            _broken.add(version.pk)
            logger.exception("Model %s cannot be served", version.version)
            continue
        logger.info("Serving model %s", version.version)
        return _current
    return None


def forget_snapshot() -> None:
    """Reads the files again at the next request (the reload endpoint, and tests)."""
    global _current  # noqa: PLW0603 - see above
    _current = None
    _broken.clear()
