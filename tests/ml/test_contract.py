"""The one contract of every recommender, tested on every registered model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.artifacts import load_artifact, save_artifact
from ml.models.base import LinearRecommender, Recommender
from ml.models.registry import MODELS, UnknownModelError, create, model_class
from ml.retrieval import history_mask
from ml.types import Histories, Interactions
from tests.ml.data import checkerboard, histories, interactions, item_features, two_tastes

EDLAE = {"label": "edlae", "model": "edlae", "weight": 1.0, "params": {"l2": 5.0}}
# Settings that make a model quick and apt for 80 people and 50 films.
SMALL: dict[str, dict[str, Any]] = {
    "als": {"n_factors": 8, "n_epochs": 8},
    "ease": {"l2": 5.0},
    "edlae": {"l2": 5.0},
    # Eighty people are too few to learn one last event each from: a hidden fifth is steadier.
    "hgb_ranker": {"parts": [EDLAE], "n_trees": 10, "target": "hidden"},
    "lambdamart": {"parts": [EDLAE], "n_trees": 10, "target": "hidden"},
    "kernel_ridge": {"l2": 0.5},
    "lightgcn": {"n_factors": 8, "n_epochs": 20},
    "sequential": {"n_factors": 16, "length": 10, "n_negatives": 20, "n_epochs": 40}
    | {"learning_rate": 0.03, "patience": 9, "dropout": 0.0},
    "vae": {"n_hidden": 32, "n_latent": 8, "batch_size": 16, "dropout": 0.2, "learning_rate": 0.01},
    "two_tower": {"n_factors": 16, "n_epochs": 20},
    "cold_map": {"base_params": {"n_factors": 8, "n_epochs": 8}},
    "hybrid": {
        "parts": [
            {"label": "edlae", "model": "edlae", "weight": 0.6, "params": {"l2": 5.0}},
            {"label": "als", "model": "als", "weight": 0.4, "params": {"n_factors": 8}},
            {"label": "popular", "model": "popularity", "weight": 0.1},
        ]
    },
}
# Variants that take other paths through the same class.
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("item_item", {"kind": "pearson", "min_common": 1, "shrinkage": 5.0}),
    ("ease", {"l2": 5.0, "n_kept": 20, "decay": 0.8, "floor": 0.02}),
    ("edlae", {"l2": 5.0, "half_life_days": 100.0, "min_rating": 4.0, "alpha": 1.0}),
    ("edlae", {"l2": 5.0, "reach": 5.0}),
    ("als", {"n_factors": 8, "decay": 0.9, "floor": 0.1}),
    ("cold_map", {"base": "edlae", "base_params": {"l2": 5.0}, "boost": 2.0}),
    ("genre_cosine", {"decay": 0.8, "floor": 0.02}),
    ("graph_filter", {"n_factors": 5, "sharpen": 0.0, "decay": 0.9}),
    ("kernel_ridge", {"l2": 0.5, "n_landmarks": 40}),
    ("lightgcn", {"n_factors": 8, "n_epochs": 20, "loss": "bpr", "edge_dropout": 0.2}),
    ("slit", {"l2": 1.0, "memories": [[0.5, 0.0], [0.95, 0.05]]}),
    ("slit", {"l2": 1.0, "memories": [[0.5, 0.0], [0.95, 0.05]], "n_kept": 20}),
    ("transition", {"n_kept": 5}),
    ("popularity", {"half_life_days": 30.0}),
    ("popularity", {"window_days": 60.0}),
]
CASES = [(name, SMALL.get(name, {})) for name in MODELS] + VARIANTS
IDS = [*MODELS, *(f"{name}-variant{i}" for i, (name, _) in enumerate(VARIANTS))]

N_ITEMS = 50


def fit(name: str, params: dict[str, Any], events: Interactions | None = None) -> Recommender:
    events = two_tastes() if events is None else events
    return create(name, params).fit(events, seed=11, features=item_features(events.n_items))


@pytest.fixture(params=CASES, ids=IDS, scope="module")
def case(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return request.param


@pytest.fixture(scope="module")
def model(case: tuple[str, dict[str, Any]]) -> Recommender:
    return fit(*case)


@pytest.fixture(scope="module")
def people() -> Histories:
    """Three known people, one with films that no model can know, one with nothing at all."""
    known = histories(two_tastes(), [0, 1, 7])
    rows = [known.item_index[known.row(i)].tolist() for i in range(3)]
    return Histories.from_lists([*rows, [-1, 3, N_ITEMS + 5, 4], []])


def test_scores_have_one_row_per_person_and_no_nan(model: Recommender, people: Histories) -> None:
    scores = model.score(people)
    assert scores.shape == (5, N_ITEMS)
    assert scores.dtype == np.float32
    assert not np.isnan(scores).any()
    assert not np.isposinf(scores).any()
    assert np.isfinite(scores[:3]).any(axis=1).all()


def test_unknown_films_in_a_history_are_ignored(model: Recommender) -> None:
    with_unknown = model.score(Histories.from_lists([[3, 4, -1], [3, 4, N_ITEMS]]))
    assert np.array_equal(with_unknown[0], with_unknown[1])


def test_empty_history_has_no_opinion_unless_impersonal(model: Recommender) -> None:
    scores = model.score(Histories.from_lists([[], [-1]]))
    if model.is_personal:
        assert np.isneginf(scores).all()
    else:
        assert np.isfinite(scores).any(axis=1).all()
        assert np.array_equal(scores[0], scores[1])


def test_nobody_asked_nothing_answered(model: Recommender) -> None:
    nobody = Histories.from_lists([])
    assert model.score(nobody).shape == (0, N_ITEMS)
    assert model.recommend(nobody, 3).item_index.shape == (0, 3)


def test_recommendations_leave_out_the_excluded(model: Recommender, people: Histories) -> None:
    known = people.select([0, 1, 2])
    mask = history_mask(known, N_ITEMS)
    best = model.recommend(known, 10, exclude=mask)
    assert best.item_index.shape == (3, 10)
    for i in range(3):
        own = set(known.item_index[known.row(i)].tolist())
        assert own.isdisjoint(best.item_index[i].tolist())
    assert (np.diff(best.score, axis=1)[np.isfinite(best.score[:, 1:])] <= 0).all()


def test_asking_for_more_than_the_catalogue_pads(model: Recommender, people: Histories) -> None:
    best = model.recommend(people.select([0]), N_ITEMS + 7)
    assert best.item_index.shape == (1, N_ITEMS + 7)
    real = best.item_index[0][best.item_index[0] >= 0]
    assert len(set(real.tolist())) == len(real) <= N_ITEMS
    assert (best.item_index[0, -7:] == -1).all()
    assert np.isneginf(best.score[0, -7:]).all()


def test_one_person_scores_alike_alone_and_in_a_crowd(
    model: Recommender, people: Histories
) -> None:
    together = model.score(people)
    for i in range(len(people)):
        alone = model.score(people.select([i]))[0]
        assert np.array_equal(np.isfinite(alone), np.isfinite(together[i]))
        finite = np.isfinite(alone)
        assert np.allclose(alone[finite], together[i][finite], rtol=1e-4, atol=1e-5)


def test_saved_and_loaded_model_is_bit_equal(
    model: Recommender, people: Histories, tmp_path: Path
) -> None:
    written = save_artifact(model, tmp_path / "model", metadata={"why": "test"})
    loaded, manifest = load_artifact(tmp_path / "model")
    assert manifest == written
    assert manifest.metadata == {"why": "test"}
    assert type(loaded) is type(model)
    assert loaded.params() == model.params()
    assert np.array_equal(loaded.score(people), model.score(people))


def test_same_seed_same_model(
    case: tuple[str, dict[str, Any]], model: Recommender, people: Histories
) -> None:
    again = fit(*case)
    assert again.to_arrays().keys() == model.to_arrays().keys()
    assert np.array_equal(again.score(people), model.score(people))


def test_contributions_and_baseline_sum_to_the_score(model: Recommender, people: Histories) -> None:
    if not isinstance(model, LinearRecommender):
        assert not hasattr(model, "contributions")
        return
    items = np.arange(N_ITEMS)
    signed = Histories.from_lists([[0, 1, 30, 5]], weights=[[1.0, 0.5, -1.0, 0.3]])
    for person in (people.select([0]), people.select([3]), signed):
        score = model.score(person)[0]
        parts = model.contributions(person, items)
        assert parts.shape == (len(person.item_index), N_ITEMS)
        total = parts.sum(axis=0) + model.baseline(person, items)
        finite = np.isfinite(score)
        assert finite.any()
        error = np.abs(total - score)[finite].max()
        assert error <= 2e-6 * max(1.0, float(np.abs(score[finite]).max()))


def test_people_of_a_taste_get_films_of_that_taste(
    case: tuple[str, dict[str, Any]], model: Recommender
) -> None:
    if not model.is_personal:
        assert case[0] in {"popularity", "trending"}
        return
    own_share = []
    half = (N_ITEMS - 2) // 2
    for taste in (0, 1):
        films = taste * half + np.arange(8)
        shown = Histories.from_lists([films.tolist()])
        best = model.recommend(shown, 10, exclude=history_mask(shown, N_ITEMS)).item_index[0]
        best = best[best >= 0]
        own_share.append(np.mean(best // half == taste))
    assert np.mean(own_share) >= 0.7


DEGENERATE = {
    "no events": interactions([], n_users=3, n_items=4),
    "no users": interactions([], n_users=0, n_items=4),
    "no films": interactions([], n_users=2, n_items=0),
    "one user": interactions([(0, 1, 5.0, 10), (0, 2, 4.0, 20)], n_users=1, n_items=4),
    "one event": interactions([(0, 1, 5.0, 10)], n_users=1, n_items=2),
}


@pytest.mark.parametrize("events", DEGENERATE.values(), ids=DEGENERATE.keys())
def test_tiny_data_does_not_crash(
    case: tuple[str, dict[str, Any]], events: Interactions, tmp_path: Path
) -> None:
    model = fit(*case, events)
    people = Histories.from_lists([[], [0], [1, 2]])
    scores = model.score(people)
    assert scores.shape == (3, events.n_items)
    assert not np.isnan(scores).any()
    assert model.recommend(people, 3).item_index.shape == (3, 3)
    save_artifact(model, tmp_path / "model", metadata={})
    loaded, _ = load_artifact(tmp_path / "model")
    assert np.array_equal(loaded.score(people), scores)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("als", {"n_factors": 16, "l2": 0.001}),
        ("item_item", {"n_neighbors": 40}),
        ("ease", {}),
        ("graph_filter", {"n_factors": 2, "sharpen": 0.0}),
        ("kernel_ridge", {}),
        ("lightgcn", {"n_factors": 16, "loss": "softmax", "n_epochs": 60}),
    ],
)
def test_checkerboard_is_solved(name: str, params: dict[str, Any]) -> None:
    events = checkerboard()
    model = create(name, params).fit(events, seed=1)
    people = histories(events, list(range(events.n_users)))
    best = model.recommend(people, 1, exclude=history_mask(people, events.n_items))
    assert best.item_index[:, 0].tolist() == list(range(events.n_users))


def test_unknown_model_name_lists_the_known() -> None:
    with pytest.raises(UnknownModelError, match="known: als, "):
        model_class("esae")


def test_importing_ml_loads_no_heavy_library() -> None:
    code = (
        "import sys, ml.artifacts, ml.models.registry, ml.models.hybrid, ml.models.als\n"
        "heavy = {'torch', 'lightgbm', 'implicit', 'numba', 'sklearn', 'django'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
