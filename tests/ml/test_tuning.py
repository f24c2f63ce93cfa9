"""Blend weights: the search finds what is better, on the scores that the blend itself uses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml import shelf
from ml.evaluation import evaluate, recommend_all
from ml.metrics import ndcg_at_k
from ml.models.hybrid import Hybrid, Part
from ml.models.lambdamart import LambdaMart
from ml.models.registry import create
from ml.protocols import tasks_of
from ml.protocols_time import last_out
from ml.protocols_users import strong
from ml.recipes import Recipe, fit_recipe, recipe_of
from ml.shelf import FittedOnce
from ml.tuning import Candidates, collect, search_weights, tune_hybrid
from ml.types import Histories, ItemFeatures
from tests.ml.data import dataset, two_tastes

DATA = dataset(two_tastes(n_users=150, n_items=30))
PARTS = (
    Part("edlae", "edlae", 1.0, {"l2": 5.0}),
    Part("popular", "popularity", 1.0),
    Part("als", "als", 1.0, {"n_factors": 4, "n_epochs": 4}),
)


@pytest.mark.parametrize("build", [strong, last_out], ids=["many to find", "one to find"])
def test_the_search_judges_a_blend_exactly_as_it_will_be_measured(build: object) -> None:
    split = build(DATA, seed=3, part="valid")  # type: ignore[operator]
    models = {p.label: create(p.model, p.params).fit(split.train) for p in PARTS}
    weights = np.array([0.5, 0.2, 0.3])
    blend = Hybrid.of(models, dict(zip(models, weights.tolist(), strict=True)))
    measured = ndcg_at_k(recommend_all(blend, split, depth=10), split.truth, 10).mean()
    judged = collect(list(models.values()), split).ndcg(weights, 10)
    assert judged == pytest.approx(measured, abs=1e-6)


def test_search_finds_the_informative_source_among_noise() -> None:
    rng = np.random.default_rng(1)
    is_truth = np.zeros((300, 40), dtype=np.bool_)
    is_truth[np.arange(300), rng.integers(0, 40, 300)] = True
    half = np.where(is_truth, 1.0, 0.0)
    z = np.stack(
        [half + rng.normal(size=half.shape) for _ in range(2)] + [rng.normal(size=half.shape)]
    )
    candidates = Candidates(
        z.astype(np.float32), np.ones_like(is_truth), is_truth, np.ones(300, dtype=np.int64)
    )
    weights, found = search_weights(candidates)
    assert weights.sum() == pytest.approx(1)
    assert min(weights[:2]) > 3 * weights[2]
    assert found >= max(candidates.ndcg(np.eye(3)[s], 10) for s in range(3))
    _, from_there = search_weights(candidates, start=np.array([0.0, 0.0, 2.0]))
    assert from_there > candidates.ndcg(np.array([0.0, 0.0, 1.0]), 10)


def test_tuned_blend_is_at_least_as_good_as_its_parts_on_validation() -> None:
    valid = strong(DATA, seed=3, part="valid")
    blend = tune_hybrid(PARTS, valid, seed=1)
    assert sum(part.weight for part in blend.parts) == pytest.approx(1)
    best = evaluate(blend, valid, seed=1).metrics["ndcg@10"].mean
    for part in PARTS:
        alone = evaluate(create(part.model, part.params), valid, seed=1)
        assert best >= alone.metrics["ndcg@10"].mean - 1e-9


def test_rows_are_drawn_by_seed() -> None:
    valid = strong(DATA, seed=3, part="valid")
    models = [create("popularity").fit(valid.train)]
    few = collect(models, valid, max_rows=5, seed=1)
    assert few.is_truth.shape[0] == 5
    assert np.array_equal(few.z, collect(models, valid, max_rows=5, seed=1).z)


def test_a_model_is_fitted_once_per_training_set_and_settings() -> None:
    events = two_tastes()
    fit = FittedOnce()
    first = fit("edlae", {"l2": 5.0}, events, seed=1, features=None)
    again = fit("edlae", {"l2": 5.0, "dropout": 0.5}, events, seed=1, features=None)
    assert again is first  # the settings are the same once defaults are filled in
    assert fit.saved_s > 0
    others = [
        fit("edlae", {"l2": 6.0}, events, seed=1, features=None),
        fit("edlae", {"l2": 5.0}, events, seed=2, features=None),
        fit("edlae", {"l2": 5.0}, events.select(np.arange(50)), seed=1, features=None),
    ]
    assert all(model is not first for model in others)


def test_what_was_dear_to_fit_is_on_the_shelf_of_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "WORTH_KEEPING_S", 0.0)
    events, histories = two_tastes(), Histories.from_lists([[1, 2]])
    first = FittedOnce(tmp_path)("edlae", {"l2": 5.0}, events, seed=1, features=None)
    later = FittedOnce(tmp_path)
    again = later("edlae", {"l2": 5.0}, events, seed=1, features=None)
    assert later.saved_s > 0
    assert np.array_equal(first.score(histories), again.score(histories))
    later("edlae", {"l2": 5.0}, events, seed=1, features=ItemFeatures(n_items=events.n_items))
    assert len(list(tmp_path.iterdir())) == 2  # other facts are another model


def test_what_is_quick_to_fit_is_not_kept_on_disk(tmp_path: Path) -> None:
    FittedOnce(tmp_path)("popularity", {}, two_tastes(), seed=1, features=None)
    assert not list(tmp_path.iterdir())


def test_a_ranker_takes_the_sources_that_were_fitted_beside_it() -> None:
    events, fit = two_tastes(), FittedOnce()
    source = fit("edlae", {"l2": 5.0}, events, seed=1, features=None)
    parts = [{"label": "own", "model": "edlae", "weight": 1.0, "params": {"l2": 5.0}}]
    ranker = fit("lambdamart", {"parts": parts, "n_trees": 5}, events, seed=1, features=None)
    assert isinstance(ranker, LambdaMart)
    assert ranker.models["own"] is source


def test_a_blend_with_a_name_has_its_parts_tuned_or_not() -> None:
    recipe = recipe_of("hybrid-sasrec", "last-out")
    labels = {part.label for part in recipe.parts}
    assert {"sasrec", "moments"} <= labels
    assert {part.label for part in Hybrid(**recipe.params).parts} == labels


def test_a_part_that_is_in_a_blend_twice_shares_its_weight_with_its_earlier_self() -> None:
    valid, split = (strong(DATA, seed=3, part=part) for part in ("valid", "test"))
    (task,) = tasks_of(["strong"])
    once = Recipe("once", "hybrid", parts=PARTS)
    names = tuple(part.label for part in PARTS)
    fit = FittedOnce()
    plain = fit_recipe(once, split, task, [valid], seed=1, fit=fit)
    both = fit_recipe(replace(once, twice=names), split, task, [valid], seed=1, fit=fit)
    assert isinstance(plain, Hybrid)
    assert isinstance(both, Hybrid)
    weights = {part.label: part.weight for part in both.parts}
    for part in plain.parts:
        now, earlier = both.models[part.label], both.models[f"{part.label}-earlier"]
        assert now is plain.models[part.label]
        assert earlier is fit(part.model, part.params, valid.train, seed=1, features=None)
        assert weights[part.label] == weights[f"{part.label}-earlier"] == part.weight / 2


def test_weights_are_chosen_on_all_draws_and_the_first_draw_is_kept() -> None:
    valid = strong(DATA, seed=3, part="valid")
    once = tune_hybrid(PARTS, valid, seed=1)
    twice = tune_hybrid(PARTS, [valid, valid], seed=1)
    assert [p.weight for p in once.parts] == pytest.approx([p.weight for p in twice.parts])
