"""Ids and positions."""

from __future__ import annotations

import numpy as np
import pytest

from ml.idmap import IdMap

FEW, CLOSE, FAR = [3, 5, 9], range(2, 6000, 3), range(0, 2_000_000, 1000)


@pytest.mark.parametrize("ids", [FEW, CLOSE, FAR, [], range(-5, 3000)])
def test_every_id_has_its_position_and_no_other_has_one(ids) -> None:
    known = IdMap(np.array(ids, dtype=np.int64))
    asked = np.concatenate(
        [known.ids, known.ids + 1, [-1, -(2**62), 2**62, 2**63 - 1]], dtype=np.int64
    )
    place = {pk: at for at, pk in enumerate(ids)}
    found = known.index(asked)
    assert found.dtype == np.int32
    assert found.tolist() == [place.get(pk, -1) for pk in asked.tolist()]
    assert np.array_equal(known.index(asked), found)  # and again, by the table
    assert known.index([]).tolist() == []
