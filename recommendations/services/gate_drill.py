"""Models that must never be served, made from the one that is: the gate's own test."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.utils import timezone
from numpy.typing import NDArray
from scipy import sparse

from ml.artifacts import load_artifact, read_manifest, save_artifact
from ml.models.hybrid import Hybrid
from ml.models.item_to_item import ItemToItem
from ml.models.popularity import Popularity
from recommendations.models import ModelVersion
from recommendations.services.gate import golden_slate
from recommendations.services.registry import PromotionError, model_promote, version_register
from recommendations.training_data import training_data

SEED = 5


class NothingToSpoilError(Exception):
    """No model is being served; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One bad model at the gate; ``reason`` is empty where it was let through."""

    name: str
    reason: str
    took_s: float


def gate_drill() -> list[Attempt]:
    """Tries to promote five bad models; rows and files of all are gone afterwards.

    What is being served stays served, unless the gate is broken: then the champion is put back.
    """
    champion = ModelVersion.objects.filter(kind="hybrid", status=ModelVersion.Status.ACTIVE).first()
    if champion is None:
        raise NothingToSpoilError("No model is being served. Train one: manage.py train_model.")
    return [_attempt(name, make, champion) for name, make in SPOILERS.items()]


def _attempt(name: str, make: Callable[[Path, Path], None], champion: ModelVersion) -> Attempt:
    bad = f"drill-{secrets.token_hex(4)}"
    started = time.monotonic()
    reason = ""
    with tempfile.TemporaryDirectory(prefix="marquee-gate-") as elsewhere:
        try:
            make(Path(settings.MODELS_DIR) / champion.path, Path(elsewhere) / bad)
            version = version_register(Path(elsewhere) / bad)
            try:
                model_promote(version)
            except PromotionError as error:
                reason = str(error)
        finally:
            ModelVersion.objects.filter(version=bad).delete()
            if not reason:
                model_promote(champion)
            shutil.rmtree(Path(settings.MODELS_DIR) / bad, ignore_errors=True)
    return Attempt(name=name, reason=reason, took_s=time.monotonic() - started)


def _saved(model: Hybrid, folder: Path, metadata: dict[str, Any]) -> None:
    """Files in perfect order, golden slate included: only the model is bad."""
    golden = {"golden": golden_slate(model), "version": folder.name}
    save_artifact(model, folder, metadata={**metadata, **golden})


def _shuffled_map(source: Path, folder: Path) -> None:
    """Every film in another film's place: the best of scores, for the wrong films."""
    model, manifest = load_artifact(source)
    place = np.random.default_rng(SEED).permutation(model.n_items)
    assert isinstance(model, Hybrid)  # noqa: S101 - what is served is one
    for part in model.models.values():
        if isinstance(part, ItemToItem) and sparse.issparse(part.table):
            part.table = sparse.csr_matrix(part.table[place][:, place])
    moved = {name: _moved(array, place) for name, array in model.to_arrays().items()}
    _saved(Hybrid.from_arrays(moved, model.params()), folder, manifest.metadata)


def _moved(array: NDArray, place: NDArray[np.intp]) -> NDArray:
    """An array with an entry, row or column per film, its films in other places."""
    moved = np.array(array)
    if moved.ndim and len(moved) == len(place):
        moved = moved[place]
    if moved.ndim == 2 and moved.shape[1] == len(place):
        moved = moved[:, place]
    return moved


def _only_popular(source: Path, folder: Path) -> None:
    """The same films for everybody."""
    manifest = read_manifest(source)
    data = training_data()
    popular = Popularity(min_rating=4.0).fit(data.dataset.interactions)
    metadata = {
        **manifest.metadata,
        "movie_ids": data.items.ids.tolist(),
        "items_fingerprint": data.items.fingerprint,
        "data_read_at": data.read_at.isoformat(),
    }
    _saved(Hybrid.of({"popularity": popular}, {"popularity": 1.0}), folder, metadata)


def _stale(source: Path, folder: Path) -> None:
    """The champion itself, as it would be had it learned a month before."""
    model, manifest = load_artifact(source)
    known = manifest.metadata.get("data_read_at")  # a model that no training made has none
    read_at = datetime.fromisoformat(known).astimezone(UTC) if known else timezone.now()
    old = {"data_read_at": (read_at - timedelta(days=30)).isoformat()}
    assert isinstance(model, Hybrid)  # noqa: S101 - what is served is one
    _saved(model, folder, {**manifest.metadata, **old})


def _not_a_number(source: Path, folder: Path) -> None:
    """One weight lost to a division by zero."""
    model, manifest = load_artifact(source)
    arrays = {name: np.array(array) for name, array in model.to_arrays().items()}
    victim = next(name for name, array in arrays.items() if array.dtype.kind == "f" and array.size)
    arrays[victim].flat[arrays[victim].size // 2] = np.nan
    _saved(Hybrid.from_arrays(arrays, model.params()), folder, manifest.metadata)


def _corrupt_file(source: Path, folder: Path) -> None:
    """One bit of one file, as a failing disk turns it."""
    model, manifest = load_artifact(source)
    assert isinstance(model, Hybrid)  # noqa: S101 - what is served is one
    _saved(model, folder, manifest.metadata)
    victim = max(folder.glob("*.npy"), key=lambda path: path.stat().st_size)
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(bytes(content))


SPOILERS: dict[str, Callable[[Path, Path], None]] = {
    "shuffled map of films": _shuffled_map,
    "popularity only": _only_popular,
    "stale": _stale,
    "not-a-number": _not_a_number,
    "corrupt file": _corrupt_file,
}
