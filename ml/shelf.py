"""Fitted models kept and shared: within a run, and on disk from one run to the next."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from ml.artifacts import load_artifact, save_artifact
from ml.models._pool_ranker import PoolRanker
from ml.models.base import Recommender
from ml.models.registry import create
from ml.types import Interactions, ItemFeatures

WORTH_KEEPING_S = 20.0  # quicker fits are repeated rather than kept on disk


class FittedOnce:
    """Fits each model once per training set, so that a blend or a ranker shares its sources with
    the models measured beside it. ``features`` must be the same throughout.

    With a ``folder`` what took WORTH_KEEPING_S is kept there as an artifact, so that a run that
    was interrupted goes on with the neural sources it has. The key is the settings, the seed and
    the content of the training set and the films' facts, not the code: empty the folder after a
    change to a model. ``saved_s`` adds up what the fits took that were not repeated.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.saved_s = 0.0
        self._shelf: dict[str, tuple[Recommender, float]] = {}
        self._facts: tuple[ItemFeatures | None, str] = (None, "")

    def __call__(
        self,
        name: str,
        params: dict[str, Any],
        train: Interactions,
        *,
        seed: int,
        features: ItemFeatures | None,
    ) -> Recommender:
        """The fitted model; ``params`` as for :func:`ml.models.registry.create`."""
        model = create(name, params)
        if isinstance(model, PoolRanker):
            model.fit_source = self
        key = self._key(model, train, seed=seed, features=features)
        found = self._shelf.get(key) or self._from_disk(key)
        if found is None:
            started, saved = time.perf_counter(), self.saved_s
            fitted = model.fit(train, seed=seed, features=features)
            # A ranker's sources that were on the shelf cost what they cost when fitted.
            seconds = time.perf_counter() - started + self.saved_s - saved
            self._shelf[key] = fitted, seconds
            if self.folder is not None and seconds >= WORTH_KEEPING_S:
                save_artifact(fitted, self.folder / key, metadata={"fit_s": seconds})
            return fitted
        self._shelf[key] = found
        self.saved_s += found[1]
        return found[0]

    def _from_disk(self, key: str) -> tuple[Recommender, float] | None:
        if self.folder is None or not (self.folder / key).is_dir():
            return None
        model, manifest = load_artifact(self.folder / key)
        return model, float(manifest.metadata["fit_s"])

    def _key(
        self, model: Recommender, train: Interactions, *, seed: int, features: ItemFeatures | None
    ) -> str:
        settings = json.dumps(model.params(), sort_keys=True)
        if features is not self._facts[0]:
            self._facts = features, facts_fingerprint(features)
        content = f"{settings} {seed} {fingerprint(train)} {self._facts[1]}"
        return f"{model.name}-{hashlib.sha256(content.encode()).hexdigest()[:32]}"


def fingerprint(events: Interactions) -> str:
    """sha256 of the events: the same training set gives the same."""
    digest = hashlib.sha256(f"{events.n_users} {events.n_items}".encode())
    for name in ("user_index", "item_index", "rating", "timestamp"):
        digest.update(np.ascontiguousarray(getattr(events, name)).tobytes())
    return digest.hexdigest()


def facts_fingerprint(features: ItemFeatures | None) -> str:
    """sha256 of the films' facts; empty without any."""
    if features is None:
        return ""
    digest = hashlib.sha256(json.dumps([features.n_items, features.genre_names]).encode())
    for array in (features.genres, features.year, features.text):
        digest.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
    digest.update(json.dumps(features.tags, sort_keys=True).encode())
    return digest.hexdigest()
