"""Models on disk: damage is noticed and named, and a failed save changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.artifacts import (
    MANIFEST_NAME,
    ArtifactError,
    load_artifact,
    read_manifest,
    save_artifact,
)
from ml.models.base import Recommender
from ml.models.ease import Ease
from ml.models.hybrid import Hybrid
from ml.models.registry import create
from ml.types import Histories
from tests.ml.data import two_tastes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = create("ease", {"l2": 5.0}).fit(two_tastes())
    save_artifact(model, tmp_path / "model", metadata={"trained_on": "made data"})
    return tmp_path / "model"


def table_file(folder: Path) -> Path:
    return folder / read_manifest(folder).arrays["table"].file


def edit_manifest(folder: Path, **changes: Any) -> None:
    path = folder / MANIFEST_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_manifest_describes_every_file(folder: Path) -> None:
    manifest = read_manifest(folder)
    assert manifest.model == "ease"
    assert manifest.params["l2"] == 5.0
    assert manifest.arrays["table"].shape == (50, 50)
    assert manifest.arrays["table"].dtype == "<f4"
    assert {p.name for p in folder.iterdir()} == {
        MANIFEST_NAME,
        *(entry.file for entry in manifest.arrays.values()),
    }


def test_arrays_are_mapped_read_only(folder: Path) -> None:
    model, _ = load_artifact(folder)
    assert isinstance(model, Ease)
    assert isinstance(model.table, np.ndarray)
    assert not model.table.flags.writeable
    in_memory, _ = load_artifact(folder, mmap=False)
    people = Histories.from_lists([[1, 2]])
    assert np.array_equal(in_memory.score(people), model.score(people))


def test_no_file_can_be_unpickled_code(folder: Path) -> None:
    for path in folder.glob("*.npy"):
        assert not np.load(path, allow_pickle=False).dtype.hasobject


def test_one_flipped_bit_is_noticed(folder: Path) -> None:
    path = table_file(folder)
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ArtifactError, match="damaged"):
        load_artifact(folder)
    load_artifact(folder, verify=False)


def test_cut_file_is_noticed_without_reading_it(folder: Path) -> None:
    path = table_file(folder)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ArtifactError, match="bytes, the manifest says"):
        load_artifact(folder, verify=False)


def test_missing_file_is_named(folder: Path) -> None:
    table_file(folder).unlink()
    with pytest.raises(ArtifactError, match=r"table\.npy is missing"):
        load_artifact(folder)


def test_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="holds no model"):
        load_artifact(tmp_path)


def test_manifest_that_is_no_manifest(folder: Path) -> None:
    (folder / MANIFEST_NAME).write_text("{")
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_artifact(folder)
    (folder / MANIFEST_NAME).write_text("[1]")
    with pytest.raises(ArtifactError, match="not a manifest"):
        load_artifact(folder)


@pytest.mark.parametrize(
    "changes",
    [{"params": {"l2": 6.0}}, {"model": "als"}, {"metadata": {}}],
    ids=["params", "model", "metadata"],
)
def test_changed_manifest_is_noticed(folder: Path, changes: dict[str, Any]) -> None:
    edit_manifest(folder, **changes)
    with pytest.raises(ArtifactError, match="was changed"):
        load_artifact(folder)


def test_array_of_another_shape_is_noticed(folder: Path) -> None:
    other = np.zeros((50, 50), dtype=np.float32)
    np.save(table_file(folder), other.reshape(25, 100))
    with pytest.raises(ArtifactError, match="the manifest says"):
        load_artifact(folder, verify=False)


def test_failed_save_keeps_the_earlier_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_manifest(folder)
    model = create("ease", {"l2": 7.0}).fit(two_tastes())

    def full_disk(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ml.artifacts.np.lib.format.write_array", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_artifact(model, folder, metadata={})
    assert read_manifest(folder) == before
    assert [p.name for p in folder.parent.iterdir()] == ["model"]


def test_metadata_that_is_no_json_is_refused(folder: Path) -> None:
    model = create("popularity").fit(two_tastes())
    with pytest.raises(ArtifactError, match="JSON"):
        save_artifact(model, folder, metadata={"x": object()})
    assert read_manifest(folder).model == "ease"


def test_saving_again_replaces(folder: Path) -> None:
    save_artifact(create("popularity").fit(two_tastes()), folder, metadata={"second": True})
    _, manifest = load_artifact(folder)
    assert manifest.model == "popularity"
    assert [p.name for p in folder.parent.iterdir()] == ["model"]


def test_same_model_same_content_hash(tmp_path: Path) -> None:
    model = create("ease", {"l2": 5.0}).fit(two_tastes())
    first = save_artifact(model, tmp_path / "a", metadata={})
    second = save_artifact(model, tmp_path / "b", metadata={})
    assert first.sha256 == second.sha256 != ""


def test_a_table_that_two_sources_share_is_kept_and_mapped_once(tmp_path: Path) -> None:
    interactions = two_tastes()
    table = Ease(l2=5.0).fit(interactions)
    recent = table.with_history(decay=0.5, floor=0.0)
    other = Ease(l2=50.0).fit(interactions)
    models: dict[str, Recommender] = {"ease": table, "recent": recent, "other": other}
    blend = Hybrid.of(models, dict.fromkeys(models, 1 / 3))
    folder = tmp_path / "blend"
    manifest = save_artifact(blend, folder, metadata={})
    files = {label: manifest.arrays[f"{label}.table"].file for label in models}
    assert files["ease"] == files["recent"] != files["other"]
    assert {path.name for path in folder.glob("*.npy")} == {
        entry.file for entry in manifest.arrays.values()
    }
    loaded, _ = load_artifact(folder)
    assert isinstance(loaded, Hybrid)
    tables = {
        label: model.table for label, model in loaded.models.items() if isinstance(model, Ease)
    }
    assert np.shares_memory(tables["ease"], tables["recent"])
    assert not np.shares_memory(tables["ease"], tables["other"])
    people = Histories.from_interactions(interactions)
    assert np.array_equal(loaded.score(people), blend.score(people))
    (folder / files["recent"]).write_bytes(b"x")
    with pytest.raises(ArtifactError, match=files["recent"]):
        load_artifact(folder)
