"""The gate lets no bad model through, and says why."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from ml.artifacts import load_artifact, save_artifact
from ml.idmap import IdMap
from ml.models.hybrid import Hybrid
from ml.models.item_item import ItemItem
from recommendations.models import ModelVersion
from recommendations.services import gate_drill
from recommendations.services.gate import gate_check, golden_slate
from recommendations.services.registry import PromotionError, version_register
from recommendations.services.remapped import Remapped
from recommendations.services.training import train
from recommendations.snapshot import current_snapshot
from recommendations.training_data import training_data

Status = ModelVersion.Status

REASONS = {
    "shuffled map of films": "does not beat popularity",
    "popularity only": "does not beat popularity",
    "stale": "It is stale",
    "not-a-number": "not-a-number",
    "corrupt file": "damaged",
}


def champion():
    return ModelVersion.objects.get(status=Status.ACTIVE)


def folder_of(version, settings):
    return Path(settings.MODELS_DIR) / version.path


@pytest.mark.parametrize("name", list(gate_drill.SPOILERS))
def test_a_bad_model_made_elsewhere_is_refused_with_its_reason(trained, settings, tmp_path, name):
    before = champion()
    folder = tmp_path / "elsewhere"
    gate_drill.SPOILERS[name](folder_of(before, settings), folder)
    with pytest.raises(CommandError) as refused:
        call_command("promote_model", "--from", str(folder))
    assert REASONS[name] in str(refused.value)
    assert refused.value.returncode == 1
    version = ModelVersion.objects.get(version="elsewhere")
    assert version.status == Status.FAILED
    assert REASONS[name] in version.note
    assert version.metrics["gate"]["is_passed"] is False
    assert champion() == before
    assert current_snapshot().version == before.version


def test_check_gate_prints_five_of_five_and_leaves_nothing_behind(trained, settings):
    before = sorted(p.name for p in Path(settings.MODELS_DIR).iterdir())
    out = io.StringIO()
    call_command("check_gate", stdout=out)
    assert "Refused: 5 of 5" in out.getvalue()
    said = " ".join(out.getvalue().replace("│", " ").split())
    for word in ("stale", "popularity", "not-a-number", "damaged"):
        assert word in said
    assert ModelVersion.objects.count() == 1
    assert sorted(p.name for p in Path(settings.MODELS_DIR).iterdir()) == before


def test_check_gate_fails_where_a_bad_model_is_let_through(trained, monkeypatch):
    before = champion()

    def harmless(source, folder):
        model, manifest = load_artifact(source)
        gate_drill._saved(model, folder, manifest.metadata)  # noqa: SLF001 - the champion's twin

    monkeypatch.setitem(gate_drill.SPOILERS, "stale", harmless)
    with pytest.raises(CommandError, match="let a bad model through"):
        call_command("check_gate", stdout=io.StringIO())
    assert champion() == before


def test_a_good_model_made_elsewhere_is_served(trained, settings, tmp_path):
    before = champion()
    twin = tmp_path / "twin"
    model, manifest = load_artifact(folder_of(before, settings))
    save_artifact(model, twin, metadata={**manifest.metadata, "version": "twin"})
    call_command("promote_model", "--from", str(twin), stdout=io.StringIO())
    assert current_snapshot().version == "twin"
    metrics = champion().metrics["gate"]
    assert metrics["is_passed"]
    assert metrics["n_users"] == 12
    assert metrics["gains"]["champion"]["mean"] == 0
    assert metrics["gains"]["popularity"]["mean"] > 0
    assert set(metrics["models"]) == {"candidate", "champion", "popularity"}
    assert metrics["slices"]


def test_a_trained_version_keeps_what_the_gate_measured_on_its_files(trained):
    gate = champion().metrics["gate"]
    assert [check["name"] for check in gate["checks"]] == [
        *("files", "films map", "fresh data", "numbers", "golden slate"),
        *("popularity", "coverage"),
    ]
    assert gate["models"]["candidate"]["ndcg@100"]["mean"] > 0.5


def test_figures_in_the_manifest_change_nothing(trained, settings, tmp_path):
    folder = tmp_path / "boaster"
    gate_drill.SPOILERS["popularity only"](folder_of(champion(), settings), folder)
    model, manifest = load_artifact(folder)
    claims = {"metrics": {"models": {"hybrid": {"ndcg@100": {"mean": 0.99}}}}}
    save_artifact(model, folder, metadata={**manifest.metadata, **claims})
    with pytest.raises(CommandError, match="does not beat popularity"):
        call_command("promote_model", "--from", str(folder))


def test_a_version_worse_than_the_champion_is_refused(trained, settings, tmp_path):
    """Better than popularity is not enough: only a tenth of the neighbours are left."""
    folder = tmp_path / "weak"
    model, manifest = load_artifact(folder_of(champion(), settings))
    data = training_data()
    rng = np.random.default_rng(0)
    few = data.dataset.interactions.select(rng.random(len(data.dataset.interactions)) < 0.05)
    weak = ItemItem(min_common=1, shrinkage=0.0).fit(few)
    weak = Hybrid.of({"item_item": weak}, {"item_item": 1.0})
    golden = {"golden": golden_slate(weak), "version": "weak"}
    save_artifact(weak, folder, metadata={**manifest.metadata, **golden})
    verdict = gate_check(version_register(folder))
    failed = {check.name for check in verdict.checks if not check.is_passed}
    assert "champion" in failed
    assert "worse than the model being served" in verdict.reason
    assert champion().version != "weak"


def test_a_golden_slate_that_is_not_reproduced_is_refused(trained, settings, tmp_path):
    folder = tmp_path / "changed"
    model, manifest = load_artifact(folder_of(champion(), settings))
    golden = manifest.metadata["golden"]
    golden[0]["scores"][0] += 0.5
    save_artifact(model, folder, metadata={**manifest.metadata, "golden": golden, "version": "x"})
    verdict = gate_check(version_register(folder))
    assert "golden slate" in verdict.reason


def test_a_map_of_unsorted_or_other_films_is_refused(trained, settings, tmp_path):
    model, manifest = load_artifact(folder_of(champion(), settings))
    ids = manifest.metadata["movie_ids"]
    other = [pk + 1_000_000 for pk in ids]
    bad_maps = {
        "no usable map of films": {"movie_ids": ids[::-1]},
        "not the one it was trained with": {"movie_ids": other},
        "catalogue has only 0": {
            "movie_ids": other,
            "items_fingerprint": IdMap.of(other).fingerprint,
        },
    }
    for i, (said, bad) in enumerate(bad_maps.items()):
        folder = tmp_path / f"bad-{i}"
        metadata = {**manifest.metadata, **bad, "version": folder.name}
        save_artifact(model, folder, metadata=metadata)
        verdict = gate_check(version_register(folder))
        assert said in verdict.reason


@pytest.mark.parametrize("name", ["..", ".hidden", "a/b", ""])
def test_a_name_that_leads_elsewhere_is_no_name(trained, settings, tmp_path, name):
    folder = tmp_path / "..x"
    model, manifest = load_artifact(folder_of(champion(), settings))
    save_artifact(model, folder, metadata={**manifest.metadata, "version": name})
    with pytest.raises(PromotionError, match="is no name"):
        version_register(folder)
    assert ModelVersion.objects.count() == 1


def test_what_is_no_model_or_there_already_is_not_taken_in(trained, settings, tmp_path):
    version = champion()
    for folder in (tmp_path / "nothing", folder_of(version, settings)):
        with pytest.raises(CommandError):
            call_command("promote_model", "--from", str(folder))
    assert list(ModelVersion.objects.all()) == [version]


def test_a_remapped_model_gives_its_own_answers_in_other_positions(trained):
    data = training_data()
    snapshot = current_snapshot()
    wider = IdMap.of([*snapshot.items.ids.tolist(), 10**9])
    there = Remapped(snapshot.hybrid, snapshot.items, to=wider)
    assert there.n_items == len(data.items) + 1
    golden = golden_slate(snapshot.hybrid)
    assert [row["items"] for row in golden_slate(there)] != []
    scores = there.score(_histories(wider, snapshot.items.ids[:3]))
    own = snapshot.hybrid.score(_histories(snapshot.items, snapshot.items.ids[:3]))
    assert np.array_equal(scores[:, :-1], own)
    assert np.isneginf(scores[:, -1]).all()
    assert len(golden) == 4


def _histories(items, movie_ids):
    from ml.types import Histories

    return Histories.from_lists([items.index(movie_ids)])


def test_retention_counts_refused_versions_apart(trained, settings):
    settings.MODEL_KEEP_VERSIONS = 2
    served = champion()
    for i in range(3):
        ModelVersion.objects.create(version=f"bad-{i}", path=f"bad-{i}", status=Status.FAILED)
    train(is_forced=True)
    assert ModelVersion.objects.filter(pk=served.pk, status=Status.RETIRED).exists()
    assert ModelVersion.objects.filter(status=Status.FAILED).count() == 2
