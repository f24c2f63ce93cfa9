"""The dials' guarantee: each measure is monotone in its own dial wherever the others stand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ml.dials import DialBoard, Dials, Traits
from ml.reranking import cosine_similarity

STOPS = np.arange(-1, 1.01, 0.25)
LOWEST = {"surprise": -1, "era": -1, "length": -1, "diversity": 0}


def board(seed: int, n: int = 120, k: int = 12) -> DialBoard:
    rng = np.random.default_rng(seed)
    year = rng.integers(1930, 2024, n).astype(float)
    year[::7] = np.nan
    traits = Traits(
        surprise=rng.random(n),
        year=year,
        runtime=rng.normal(110, 20, n),
        similarity=cosine_similarity(rng.normal(size=(n, 5))),
    )
    return DialBoard(rng.normal(size=n), traits, k)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", LOWEST)
def test_every_dial_is_monotone_wherever_the_others_stand(seed: int, name: str) -> None:
    lists = board(seed)
    others = [other for other in LOWEST if other != name]
    for values in itertools.product([0, 0.5, 1], repeat=3):
        fixed = dict(zip(others, values, strict=True))
        stops = STOPS[LOWEST[name] <= STOPS]
        measured = [lists.turn(Dials(**fixed, **{name: s})).measures[name] for s in stops]
        assert np.all(np.diff(measured) >= -1e-9), (fixed, measured)


@pytest.mark.parametrize("seed", range(5))
def test_all_dials_at_zero_is_the_untouched_list(seed: int) -> None:
    lists = board(seed)
    answer = lists.turn(Dials())
    assert answer.order.tolist() == np.argsort(-lists.relevance, kind="stable")[:12].tolist()
    assert answer.cost == 0.0
    assert answer.kept == 1.0
    assert answer.measures == answer.before


@pytest.mark.parametrize("name", LOWEST)
def test_every_dial_moves_its_measure_and_prints_its_cost(name: str) -> None:
    lists = board(4)
    full = lists.turn(Dials(**{name: 1.0}))
    assert full.measures[name] > full.before[name]
    assert full.cost > 0
    assert full.kept < 1
    assert len(set(full.order.tolist())) == 12


def test_one_trait_alone_gives_the_best_of_all_lists() -> None:
    lists = board(5)
    answer = lists.turn(Dials(era=0.5))
    adjusted = lists.relevance + 2.0 * 0.5 * lists.trait[1]
    assert sorted(answer.order.tolist()) == sorted(np.argsort(-adjusted)[:12].tolist())


def test_a_dial_without_its_trait_has_no_effect() -> None:
    rng = np.random.default_rng(0)
    lists = DialBoard(rng.normal(size=40), Traits(year=rng.random(40)), 5)
    assert lists.turn(Dials(length=1.0, diversity=1.0)).order.tolist() == (
        lists.turn(Dials()).order.tolist()
    )


def test_positions_outside_the_dial_are_refused() -> None:
    with pytest.raises(ValueError, match="era"):
        Dials(era=1.5)
    with pytest.raises(ValueError, match="diversity"):
        Dials(diversity=-0.25)
