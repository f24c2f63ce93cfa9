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
_is_watched = False


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
    """The model that is being served; None where nothing was trained.

    In a web process one thread keeps it (:mod:`recommendations.watch`) and this is a bare read: no
    query, no lock, no waiting for files. Elsewhere one small query finds the active version.
    """
    return _current if _is_watched else look_for_snapshot()


def look_for_snapshot(*, is_forced: bool = False) -> Snapshot | None:
    """Reads which version is active, loads it where it is another one, and swaps it in.

    A damaged version is skipped for the newest retired one that still reads: serving goes on and
    the log says so. ``is_forced`` reads the files again even of the version that is served.
    """
    global _current  # noqa: PLW0603 - one reference assignment is the whole swap
    versions = list(
        ModelVersion.objects.filter(
            kind="hybrid", status__in=[ModelVersion.Status.ACTIVE, ModelVersion.Status.RETIRED]
        ).order_by("status", "-activated_at")[: settings.MODEL_KEEP_VERSIONS]
    )
    for version in versions:
        snapshot = _current
        if snapshot is not None and snapshot.version_id == version.pk and not is_forced:
            return snapshot
        if version.pk in _broken:
            continue
        try:
            loaded = load_snapshot(version)
        except ArtifactError:
            _broken.add(version.pk)
            logger.exception("Model %s cannot be served", version.version)
            continue
        _current = loaded
        logger.info("Serving model %s", version.version)
        return loaded
    _current = None
    return None


def reload_snapshot() -> Snapshot | None:
    """Reads the files of the active version once more; readers keep the old ones meanwhile."""
    _broken.clear()
    return look_for_snapshot(is_forced=True)


def keep_watched(is_watched: bool) -> None:
    """Says that somebody else calls ``look_for_snapshot`` from now on (or no longer)."""
    global _is_watched  # noqa: PLW0603 - set once at the start of a web process
    _is_watched = is_watched


def forget_snapshot() -> None:
    """As in a process that has just started (tests)."""
    global _current  # noqa: PLW0603 - see above
    _current = None
    _broken.clear()
