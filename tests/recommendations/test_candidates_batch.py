"""Everybody's candidates at once are those that each source gives one by one."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.made import made_interactions
from ml.models.hybrid import Hybrid
from ml.models.registry import create
from ml.retrieval import history_mask
from ml.types import Histories
from recommendations.services import candidates_batch
from recommendations.services.candidates_batch import best_films, candidates_for_all

SOURCES = {
    "edlae": {"n_kept": 15},
    "item_item": {"n_neighbors": 12},
    "slit": {"n_kept": 15, "memories": [[0.5, 0.0], [0.95, 0.05]]},
    "als": {"n_factors": 8, "n_epochs": 3},
    "transition": {},
    "popularity": {},
    "ease": {},
}


@pytest.fixture(scope="module")
def events():
    return made_interactions(300, 80, 6000, seed=1)


@pytest.fixture(scope="module")
def people(events):
    histories = Histories.from_interactions(events)
    return Histories.from_lists([histories.item_index[histories.row(i)] for i in range(200)] + [[]])


def assert_same_films(model, people, found, *, n_items):
    """The films that the model recommends; they may only swap where scores are equal but for
    rounding."""
    wanted = model.recommend(people, 20, exclude=history_mask(people, n_items))
    some = np.isfinite(wanted.score)
    assert np.array_equal(some, np.isfinite(found.score))
    assert some.any()
    assert np.allclose(wanted.score[some], found.score[some], rtol=1e-4, atol=1e-5)
    swapped = (wanted.item_index != found.item_index) & some
    scores = model.score(people)
    rows = np.repeat(np.arange(len(people)), swapped.sum(axis=1))
    assert np.allclose(
        scores[rows, wanted.item_index[swapped]],
        scores[rows, found.item_index[swapped]],
        rtol=1e-4,
        atol=1e-5,
    )
    assert swapped.mean() < 0.05


@pytest.mark.parametrize("name", SOURCES)
def test_the_best_films_are_the_same(events, people, name, monkeypatch):
    monkeypatch.setattr(candidates_batch, "BATCH", 64)
    model = create(name, SOURCES[name]).fit(events)
    found = best_films(model, people, k=20)
    assert_same_films(model, people, found, n_items=events.n_items)


def test_two_sources_of_one_table_are_asked_together(events, people):
    settings = {
        "edlae_recent": {"n_kept": 15, "decay": 0.8, "floor": 0.02},
        "edlae": {"n_kept": 15},
        "edlae_latest": {"n_kept": 15, "decay": 0.5, "floor": 0.1},
        "other": {"n_kept": 15, "l2": 5.0, "decay": 0.8, "floor": 0.02},
    }
    models = {label: create("edlae", own).fit(events) for label, own in settings.items()}
    found = candidates_for_all(Hybrid.of(models, dict.fromkeys(models, 0.25)), people, k=20)
    assert set(found.took_s) == {"edlae + edlae_recent", "edlae_latest", "other"}
    for label, model in models.items():
        assert_same_films(model, people, found.best[label], n_items=events.n_items)


def test_who_knows_nothing_gets_nothing_personal_and_nobody_what_they_know(events, people):
    models = {name: create(name, SOURCES[name]).fit(events) for name in ("edlae", "als")}
    hybrid = Hybrid.of(models, {"edlae": 0.5, "als": 0.0})
    found = candidates_for_all(hybrid, people, k=10)
    assert set(found.best) == {"edlae"}  # a source without a weight is not asked
    assert found.took_s["edlae"] > 0
    best = found.best["edlae"].item_index
    assert (best[-1] == -1).all()
    known = history_mask(people, events.n_items).toarray()
    for person in range(len(people)):
        own = best[person][best[person] >= 0]
        assert not known[person, own].any()
