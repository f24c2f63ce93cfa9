"""The ways to a score of an item-to-item table give the same numbers, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from ml.models.item_item import ItemItem
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
