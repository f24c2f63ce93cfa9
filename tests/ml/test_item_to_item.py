"""The ways to a score of an item-to-item table give the same numbers, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from ml import compiled
from ml.models.item_item import ItemItem
from ml.models.item_to_item import table_to_arrays
from ml.models.slit import Slit
from ml.types import Histories

N_ITEMS = 300


@pytest.fixture(scope="module")
def model() -> ItemItem:
    rng = np.random.default_rng(5)
    table = sparse.random(
        N_ITEMS, N_ITEMS, density=0.05, format="csr", dtype=np.float32, random_state=rng
    )
    arrays = {
        "table_data": table.data - np.float32(0.5),
        "table_indices": table.indices,
        "table_indptr": table.indptr,
        "seen": rng.random(N_ITEMS) < 0.9,
    }
    return ItemItem.from_arrays(arrays, ItemItem().params())


@pytest.mark.parametrize("n_people", [2, 63, 64, 200])
def test_many_people_at_once_get_what_each_gets_alone(model: ItemItem, n_people: int) -> None:
    rng = np.random.default_rng(n_people)
    films = [rng.choice(N_ITEMS, rng.integers(0, 60), replace=False) for _ in range(n_people)]
    films[1] = np.array([-1, 7, N_ITEMS + 3, 2])  # unknown films say nothing
    people = Histories.from_lists(
        [own.tolist() for own in films],
        weights=[rng.normal(size=len(own)).tolist() for own in films],
    )
    together = model.score(people)
    alone = np.concatenate([model.score(people.select([i])) for i in range(n_people)])
    np.testing.assert_array_equal(together, alone)
    assert np.isfinite(together).any()


@pytest.fixture(params=["plain", "compiled"])
def way(request, monkeypatch) -> str:
    """In a process that has not loaded the kernels, and in one that has."""
    monkeypatch.setattr(compiled, "_loaded", {})
    if request.param == "compiled":
        compiled.load_kernels(compiled.ITEM_TO_ITEM)
    return request.param


@pytest.mark.parametrize("memories", [None, ((0.8, 0.03),), ((1.0, 0.0), (0.5, 0.1))])
def test_each_events_part_adds_up_to_the_score_either_way(model: ItemItem, way, memories) -> None:
    rng = np.random.default_rng(3)
    table = model.table
    asked: ItemItem | Slit = model
    if memories is not None:
        rows = sparse.vstack([table] * len(memories), format="csr")
        asked = Slit.from_arrays(
            {**table_to_arrays(rows), "seen": model.seen}, {**Slit().params(), "memories": memories}
        )
    films = [*rng.choice(N_ITEMS, 40, replace=False).tolist(), -1, N_ITEMS + 2]
    rng.shuffle(films)
    one = Histories.from_lists([films])
    candidates = np.flatnonzero(model.seen)[::7]
    score = asked.score(one)[0, candidates]
    parts = asked.contributions(one, candidates)
    assert parts.shape == (42, len(candidates))
    unknown = np.isin(films, [-1, N_ITEMS + 2])
    assert not parts[unknown].any()
    np.testing.assert_allclose(parts.sum(axis=0), score, atol=1e-5)
    # Asked again, they say the same.
    assert np.array_equal(asked.contributions(one, candidates), parts)
    assert np.array_equal(asked.score(one)[0, candidates], score)


def test_a_history_of_unknown_films_alone_has_no_parts(model: ItemItem, way) -> None:
    nobody = Histories.from_lists([[-1, N_ITEMS]])
    assert not model.contributions(nobody, np.arange(5)).any()
    assert np.isneginf(model.score(nobody)).all()


def test_kernels_change_no_number(model: ItemItem, monkeypatch) -> None:
    rng = np.random.default_rng(9)
    events = rng.choice(N_ITEMS, 60, replace=False).tolist()
    films = np.arange(N_ITEMS)
    found = []
    for loaded in (False, True):
        one = Histories.from_lists([events])  # which remembers what it was asked
        monkeypatch.setattr(compiled, "_loaded", {})
        if loaded:
            compiled.load_kernels(compiled.ITEM_TO_ITEM)
        found.append((model.score(one), model.contributions(one, films)))
    for plain, fast in zip(*found, strict=True):
        assert np.array_equal(plain, fast)


def test_models_that_share_a_table_say_what_each_says_alone(model: ItemItem) -> None:
    rng = np.random.default_rng(4)
    events, films = rng.choice(N_ITEMS, 30, replace=False).tolist(), np.arange(0, N_ITEMS, 3)
    recent = model.with_history(decay=0.8, floor=0.0)
    arrays = model.to_arrays()
    other = ItemItem.from_arrays({**arrays, "table_data": arrays["table_data"] * 2}, model.params())
    together = Histories.from_lists([events])
    for asked in (model, recent, other, model):
        alone = asked.contributions(Histories.from_lists([events]), films)
        assert np.array_equal(asked.contributions(together, films), alone)


def test_one_person_selected_is_the_same_history() -> None:
    one = Histories.from_lists([[1, 2]])
    made = one.derived("what", object)
    assert one.select([0]).derived("what", object) is made
    two = Histories.from_lists([[1, 2], [3]])
    assert two.select([1]).item_index.tolist() == [3]
    assert one.select([0, 0]).indptr.tolist() == [0, 2, 4]
