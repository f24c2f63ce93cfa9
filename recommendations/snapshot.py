"""The models that are being served: immutable objects, swapped by one assignment.

The policy's version is loaded when it becomes active; versions of other sources are loaded when
somebody first asks for them. Whatever is asked for by name comes as a :class:`Serving`: model,
films and version of one artifact, which are never mixed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import F

from ml.artifacts import ArtifactError, load_model
from ml.idmap import IdMap
from ml.models.base import Recommender
from ml.models.by_stars import ByStars
from ml.models.hybrid import Hybrid
from ml.models.rating_base import RatingPredictor
from recommendations.models import ModelVersion
from recommendations.sources import (
    HYBRID,
    SourceNotTrainedError,
    Tier,
    source_named,
    sources_of,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Serving:
    """One source as it is served: a fitted model, its films, and the version both belong to."""

    source: str
    model: Recommender
    items: IdMap
    version: str
    version_id: int
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """The active version of the policy, and which versions of other sources stood beside it.

    Readers hold a reference and never see two versions of one source at once.
    """

    version_id: int
    version: str
    hybrid: Hybrid
    items: IdMap
    # Active versions of the other sources, the newest first that can stand in for it behind it.
    others: Mapping[str, tuple[ModelVersion, ...]] = field(default_factory=dict)

    def serving(self, name: str) -> Serving:
        """The source ``name`` with its version.

        Raises UnknownSourceError, and SourceNotTrainedError (with what to do) for one that has no
        version that can be read.
        """
        source = source_named(name)
        if source.tier is Tier.POLICY:
            return self._own(source.name, self.hybrid)
        if source.name in self.hybrid.models:
            return self._own(source.name, self.hybrid.models[source.name])
        for version in self.others.get(source.name, ()):
            found = _loaded(version)
            if found is not None:
                return found
        raise SourceNotTrainedError(
            f"The source {source.name} is not trained yet. "
            f"Train it: manage.py train --sources {source.name}."
        )

    def _own(self, name: str, model: Recommender) -> Serving:
        return Serving(name, model, self.items, self.version, self.version_id)

    def source(self, name: str) -> Recommender:
        """The model of :meth:`serving`."""
        return self.serving(name).model

    @property
    def source_names(self) -> tuple[str, ...]:
        """The sources that can be asked for now: those that are trained."""
        trained = {HYBRID, *self.hybrid.models, *self.others}
        return tuple(source.name for source in sources_of(*Tier) if source.name in trained)


_current: Snapshot | None = None
_before: Snapshot | None = None
# Loaded versions of sources beside the policy, by primary key.
_others: dict[int, Serving] = {}
# Versions whose files were damaged when this process looked: not tried again at every request.
_broken: set[int] = set()
_is_watched = False


def load_snapshot(version: ModelVersion) -> Snapshot:
    """Reads and checks a version of the policy. Raises ArtifactError."""
    served = load_serving(version)
    if not isinstance(served.model, Hybrid):
        raise ArtifactError(f"{version.path} holds a {served.model.name}, not a hybrid")
    return Snapshot(version.pk, version.version, served.model, served.items)


def load_serving(version: ModelVersion) -> Serving:
    """Reads and checks a version's files. Raises ArtifactError.

    A model that predicts stars is served as a list by them.
    """
    model, manifest = load_model(Path(settings.MODELS_DIR) / version.path)
    if manifest.sha256 != version.manifest_sha256:
        raise ArtifactError(f"{version.path} is not the model that was registered")
    if isinstance(model, RatingPredictor):
        model = ByStars(model)
    try:
        items = IdMap(manifest.metadata["movie_ids"])
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{version.path} has no usable map of films ({error})") from error
    if len(items) != model.n_items:
        raise ArtifactError(f"{version.path} names {len(items)} films for {model.n_items} columns")
    return Serving(version.kind, model, items, version.version, version.pk, manifest.metadata)


def served_version() -> str:
    """The policy's version that this process read last, without looking anew: for log lines."""
    return _current.version if _current is not None else ""


def current_snapshot() -> Snapshot | None:
    """The models that are being served; None where nothing was trained.

    In a web process one thread keeps them (:mod:`recommendations.watch`) and this is a bare read:
    no query, no lock, no waiting for files. Elsewhere one small query finds the active versions.
    """
    return _current if _is_watched else look_for_snapshot()


def look_for_snapshot(*, is_forced: bool = False) -> Snapshot | None:
    """Reads which versions are active, loads the policy where it is another one, and swaps it in.

    A damaged version is skipped for the newest retired one that still reads: serving goes on and
    the log says so. ``is_forced`` reads the files again even of the version that is served.
    """
    global _current, _before  # noqa: PLW0603 - one reference assignment is the whole swap
    standing = _standing()
    others = {name: tuple(versions) for name, versions in standing.items() if name != HYBRID}
    for version in standing.get(HYBRID, ()):
        snapshot = _current
        if snapshot is None or snapshot.version_id != version.pk or is_forced:
            snapshot = None if is_forced else _kept(version)
            snapshot = snapshot or _load_policy(version)
            if snapshot is None:
                continue
            _before = _current
        if snapshot.others != others:
            snapshot = replace(snapshot, others=others)
        _current = snapshot
        return snapshot
    _current = None
    return None


def _kept(version: ModelVersion) -> Snapshot | None:
    """The version served before this one, still mapped: going back to it reads no file."""
    before = _before
    return before if before is not None and before.version_id == version.pk else None


def _standing() -> dict[str, list[ModelVersion]]:
    """By kind: the active version, then retired ones, the last active first; a few of each."""
    found: dict[str, list[ModelVersion]] = {}
    versions = (
        ModelVersion.objects.filter(
            status__in=[ModelVersion.Status.ACTIVE, ModelVersion.Status.RETIRED]
        )
        .defer("metrics", "note")
        # One that was rolled back from has no time, and is the last to stand in.
        .order_by("status", F("activated_at").desc(nulls_last=True))
    )
    for version in versions:
        of_kind = found.setdefault(version.kind, [])
        if len(of_kind) < settings.MODEL_KEEP_VERSIONS:
            of_kind.append(version)
    return found


def _load_policy(version: ModelVersion) -> Snapshot | None:
    if version.pk in _broken:
        return None
    try:
        snapshot = load_snapshot(version)
    except ArtifactError as error:
        _broken.add(version.pk)
        logger.error("Model %s cannot be served: %s", version.version, error)
        return None
    logger.info("Serving model %s", version.version)
    return snapshot


def _loaded(version: ModelVersion) -> Serving | None:
    if version.pk in _broken:
        return None
    if version.pk not in _others:
        try:
            found = load_serving(version)
        except ArtifactError as error:
            _broken.add(version.pk)
            logger.error("Model %s cannot be served: %s", version.version, error)
            return None
        for old in [pk for pk, serving in _others.items() if serving.source == version.kind]:
            _others.pop(old, None)
        _others[version.pk] = found
        logger.info("Serving %s by model %s", version.kind, version.version)
    return _others[version.pk]


def reload_snapshot() -> Snapshot | None:
    """Reads the files of the active versions once more; readers keep the old ones meanwhile."""
    _broken.clear()
    _others.clear()
    return look_for_snapshot(is_forced=True)


def keep_watched(is_watched: bool) -> None:
    """Says that somebody else calls ``look_for_snapshot`` from now on (or no longer)."""
    global _is_watched  # noqa: PLW0603 - set once at the start of a web process
    _is_watched = is_watched


def forget_snapshot() -> None:
    """As in a process that has just started (tests)."""
    global _current, _before  # noqa: PLW0603 - see above
    _current = _before = None
    _others.clear()
    _broken.clear()
