"""What the dials cost in accuracy: measured with every training, shown beside the dials.

For the test people of the training (nobody chose anything by them): NDCG of the list that each
position gives, against the list with all dials at neutral. The curve is part of the version's
metrics; pages read it from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from catalog.shelf import film_facts
from ml import metrics
from ml.dials import STEP, Dials
from ml.evaluation import batch_exclude
from ml.idmap import IdMap
from ml.models.hybrid import Hybrid
from ml.retrieval import top_k
from ml.shortlist import LIST_FILMS, NEUTRAL, shortlists
from ml.split import RankingSplit
from recommendations.reranking import POOL_FILMS, Vectors, pool_of
from recommendations.strengths import SERVED
from recommendations.visits import NOTHING_SHOWN

MAX_PEOPLE = 100  # a tenth of a second each; their mean is steady to about a hundredth
NAMES = ("surprise", "diversity", "era", "length")
POSITIONS = {
    name: tuple(
        float(at) for at in np.arange(0.0 if name == "diversity" else -1.0, 1.0 + STEP / 2, STEP)
    )
    for name in NAMES
}


def dial_costs(hybrid: Hybrid, split: RankingSplit, items: IdMap) -> dict[str, Any]:
    """``{"n_people", "ndcg", "cost": {dial: {position: share of NDCG that is lost}}}``.

    Negative costs occur: a dial may happen to suit people.
    """
    rows = np.arange(min(MAX_PEOPLE, len(split)))
    histories = split.histories.select(rows)
    exclude = batch_exclude(split, histories, rows)
    best = top_k(hybrid.score(histories), POOL_FILMS, exclude=exclude)
    vectors = Vectors(hybrid, items)
    asked = [(name, at) for name in NAMES for at in POSITIONS[name] if at]
    positions = [NEUTRAL, *(Dials(**{name: at}) for name, at in asked)]
    shown = np.full((len(positions), len(rows), LIST_FILMS), -1, dtype=np.int32)
    liked_of = [histories.item_index[histories.row(i)] for i in range(len(rows))]
    facts = film_facts(
        int(pk)
        for part in (best.item_index[best.item_index >= 0], *liked_of)
        for pk in items.id(part)
    )
    for i in range(len(rows)):
        index = best.item_index[i][best.item_index[i] >= 0]
        pool = pool_of(
            best.score[i][: len(index)],
            [int(pk) for pk in items.id(index)],
            [(int(pk), 1.0) for pk in items.id(liked_of[i])],
            shown=NOTHING_SHOWN,
            facts=facts,
            vectors=vectors,
        )
        for place, found in enumerate(shortlists(pool, SERVED, positions)):
            listed = index[found.order[:LIST_FILMS]]
            shown[place, i, : len(listed)] = listed
    truth = split.truth[rows]
    ndcg = [float(metrics.ndcg_at_k(lists, truth, LIST_FILMS).mean()) for lists in shown]
    cost: dict[str, dict[str, float]] = {name: {"0.0": 0.0} for name in NAMES}
    for (name, at), value in zip(asked, ndcg[1:], strict=True):
        cost[name][str(at)] = 1.0 - value / ndcg[0] if ndcg[0] else 0.0
    return {"n_people": len(rows), "ndcg": ndcg[0], "cost": cost}


def costs_of(dials: Dials, measured: Mapping[str, Any]) -> dict[str, float] | None:
    """The share of accuracy that each turned dial costs on its own; None where nothing is measured.

    Not added up: together dials cost anything from a third to twice the sum (benchmarks/dials.py).
    """
    curves = measured.get("cost")
    if not curves:
        return None
    found = {}
    for name in NAMES:
        at = float(getattr(dials, name))
        if not at:
            continue
        if str(at) not in curves.get(name, {}):
            return None
        found[name] = float(curves[name][str(at)])
    return found
