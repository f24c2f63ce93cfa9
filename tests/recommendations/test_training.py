"""Training ends in a served model, or in a reason why not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from feedback.models import Rating
from recommendations import policy
from recommendations.models import ModelVersion, TrainingRun
from recommendations.services import training
from recommendations.services.lease import TrainingBusyError, run_start
from recommendations.services.registry import PromotionError, model_promote, model_rollback
from recommendations.snapshot import current_snapshot, forget_snapshot
from recommendations.training_data import NoTrainingDataError, training_data

Status = ModelVersion.Status


def test_training_promotes_a_model_that_beats_popularity(trained):
    version = ModelVersion.objects.get()
    assert version.status == Status.ACTIVE
    models = version.metrics["models"]
    assert models["hybrid"]["ndcg@10"]["mean"] > models["popularity"]["ndcg@10"]["mean"]
    assert version.metrics["n_users"] == 12
    assert set(version.metrics["weights"]) == set(policy.blend_parts())
    run = TrainingRun.objects.get()
    assert (run.status, run.progress, run.model_version) == (TrainingRun.Status.DONE, 1.0, version)
    assert "Measuring on the test people" in run.log


def test_the_artifact_has_a_manifest_and_no_pickle(trained, settings):
    folder = Path(settings.MODELS_DIR) / ModelVersion.objects.get().path
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["metadata"]["movie_ids"] == sorted(m.pk for m in trained.all_films)
    assert all(len(entry["sha256"]) == 64 for entry in manifest["arrays"].values())
    assert {path.suffix for path in folder.iterdir()} == {".npy", ".json"}
    for path in folder.glob("*.npy"):
        np.load(path, allow_pickle=False)


def test_unchanged_data_is_skipped_and_force_trains(trained):
    assert training.train().status == TrainingRun.Status.SKIPPED
    assert ModelVersion.objects.count() == 1
    assert training.train(is_forced=True).status == TrainingRun.Status.DONE
    assert list(ModelVersion.objects.order_by("pk").values_list("status", flat=True)) == [
        Status.RETIRED,
        Status.ACTIVE,
    ]


def test_a_model_no_better_than_popularity_is_refused_and_the_active_one_stays(
    trained, monkeypatch
):
    champion = ModelVersion.objects.get()
    monkeypatch.setattr(policy, "blend_parts", lambda: {"popularity": ("popularity", {})})
    run = training.train(is_forced=True)
    assert run.status == TrainingRun.Status.REFUSED
    assert "does not beat popularity" in run.error
    assert run.model_version.status == Status.FAILED
    assert current_snapshot().version == champion.version
    with pytest.raises(PromotionError, match="refused by the gate"):
        model_promote(run.model_version)
    with pytest.raises(CommandError, match="gate refused"):
        call_command("train", "--force")


def test_a_recipe_behind_the_one_being_served_is_refused(trained):
    """On people whom no model saw; the served recipe is fitted beside the new one."""
    verdict = policy.policy_measure(training_data(), lambda _stage, _share: None)
    assert "champion" in verdict.metrics["models"]
    assert verdict.refusal == ""
    weak = verdict.results["hybrid"]
    weaker = {name: 0.8 * figures for name, figures in weak.per_row.items()}
    results = {**verdict.results, "hybrid": replace(weak, per_row=weaker)}
    refusal = policy.recipe_refusal(results)
    assert refusal.startswith("Its weights are worse than those being served: ndcg@100 -")
    assert "on 12 held-out people" in refusal
    del results["champion"]
    assert policy.recipe_refusal(results) == ""


@pytest.mark.parametrize(("enough", "n_fits"), [(5, 1), (10_000, policy.SMALL_DRAWS + 1)])
def test_where_people_are_enough_one_fit_serves_the_choice_and_the_test(
    trained, monkeypatch, enough, n_fits
):
    fitted_on = []

    def counting(interactions, data):
        fitted_on.append(set(interactions.user_index.tolist()))
        return fit(interactions, data)

    fit = policy._fit
    monkeypatch.setattr(policy, "_fit", counting)
    monkeypatch.setattr(policy, "ENOUGH_PEOPLE", enough)
    data = training_data()
    verdict = policy.policy_measure(data, lambda _stage, _share: None)
    assert len(fitted_on) == n_fits
    test, validations = policy._splits(data.dataset, n_draws=policy.SMALL_DRAWS)
    for valid in validations:
        assert set(test.group).isdisjoint(valid.group)
    for people in fitted_on:
        assert people.isdisjoint(test.group)
    assert verdict.metrics["n_users"] == len(set(test.group))


def test_one_training_at_a_time_and_a_dead_one_gives_up_its_lease(trained):
    run = run_start(kind=training.KIND, trigger="test")
    with pytest.raises(TrainingBusyError):
        training.train(is_forced=True)
    TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=5))
    assert training.train(is_forced=True).status == TrainingRun.Status.DONE
    run.refresh_from_db()
    assert run.status == TrainingRun.Status.FAILED
    assert "ended without a word" in run.error


def test_nothing_to_learn_from_is_a_sentence_and_a_closed_run(db):
    with pytest.raises(NoTrainingDataError, match="import_movielens"):
        training.train()
    assert TrainingRun.objects.get().status == TrainingRun.Status.FAILED
    with pytest.raises(CommandError, match="no ratings to learn from"):
        call_command("train")


def test_rollback_goes_back_and_not_forth(trained):
    first = ModelVersion.objects.get()
    Rating.objects.all()[0].delete()
    training.train()
    second = ModelVersion.objects.get(status=Status.ACTIVE)
    assert current_snapshot().version == second.version
    assert model_rollback().pk == first.pk
    assert current_snapshot().version == first.version
    with pytest.raises(PromotionError, match="no earlier version"):
        model_rollback()
    model_promote(second)
    assert current_snapshot().version == second.version


def test_a_damaged_model_is_not_promoted_and_serving_goes_on_with_the_one_before(trained, settings):
    first = ModelVersion.objects.get()
    training.train(is_forced=True)
    second = ModelVersion.objects.get(status=Status.ACTIVE)
    victim = next((Path(settings.MODELS_DIR) / second.path).glob("*table*.npy"))
    data = bytearray(victim.read_bytes())
    data[-1] ^= 0xFF
    victim.write_bytes(bytes(data))
    forget_snapshot()
    assert current_snapshot().version == first.version
    with pytest.raises(PromotionError, match="damaged"):
        model_promote(second)


def test_only_the_newest_versions_are_kept(trained, settings):
    for _ in range(settings.MODEL_KEEP_VERSIONS + 1):
        training.train(is_forced=True)
    folders = {path.name for path in Path(settings.MODELS_DIR).iterdir()}
    assert folders == set(ModelVersion.objects.values_list("path", flat=True))
    assert len(folders) == settings.MODEL_KEEP_VERSIONS + 1  # and the active one
