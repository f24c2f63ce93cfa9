"""Which blend serves people who come back? The blend before, the one of today, LambdaMART over it.

``python benchmarks/returning.py --data FOLDER --out FILE.json``: weights are chosen on validation
people (events more than an hour after the one before), figures are of other people: NDCG@10 and
@100 and HR@10 with 95 % intervals, and the paired gains over the blend before. ``--prequential``
adds the product's own task: the model frozen at the 90 % quantile of time, each later event after
a pause predicted from all before it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ml.data import Dataset, load_ratings  # noqa: E402  needs the path above
from ml.evaluation import HOUR_S, Result, compare, last_times, measure  # noqa: E402
from ml.models.base import Recommender  # noqa: E402
from ml.models.hybrid import Hybrid, Part  # noqa: E402
from ml.models.registry import create  # noqa: E402
from ml.protocols_return import returning  # noqa: E402
from ml.protocols_time import prequential  # noqa: E402
from ml.split import RankingSplit  # noqa: E402
from ml.tuning import Candidates, collect, search_weights, stacked  # noqa: E402
from ml.types import Interactions  # noqa: E402
from recommendations.sources import LIKED, Tier, sources_of  # noqa: E402

SEED = 7
K = 100
SMALL = 250  # test people below whom three draws of validation people choose
METRICS = ("ndcg@10", "ndcg@100", "hit@10")
TODAY = {s.name: (s.model, s.params) for s in sources_of(Tier.BLEND)}
BEFORE = {
    "ease": ("edlae", {"l2": 200.0, "n_kept": 400, "min_rating": LIKED}),
    "item_item": TODAY["item_item"],
    "als": TODAY["als"],
    "popularity": TODAY["popularity"],
}
# Every model is fitted once, whichever blend it is for.
POOL = {**TODAY, "ease": BEFORE["ease"]}


def main() -> None:
    """Prints the tables; ``--out`` keeps them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prequential", action="store_true")
    parser.add_argument("--lambdamart", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    data = _well_known(load_ratings(options.data))
    test = returning(data, seed=SEED, part="test")
    weights = _weights(data, test)
    for label, chosen in weights.items():
        print(f"weights of {label}: {chosen}", flush=True)
    tasks = {"returning": test}
    if options.prequential:
        tasks["prequential, after a pause"] = _after_a_pause(prequential(data, part="test"))
    report: dict[str, Any] = {"data": data.name, "weights": weights, "tasks": {}}
    for task, split in tasks.items():
        report["tasks"][task] = _measured(split, weights, is_learned=options.lambdamart)
    if options.out:
        options.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _well_known(data: Dataset, *, min_ratings: int = 3) -> Dataset:
    """Without the films that training leaves out."""
    events = data.interactions
    count = np.bincount(events.item_index, minlength=events.n_items)
    kept = np.flatnonzero(count >= min_ratings)
    place = np.full(events.n_items, -1, dtype=np.int32)
    place[kept] = np.arange(len(kept))
    rest = events.select(count[events.item_index] >= min_ratings)
    return replace(
        data, interactions=replace(rest, item_index=place[rest.item_index], n_items=len(kept))
    )


def _weights(data: Dataset, test: RankingSplit) -> dict[str, dict[str, float]]:
    """Both blends' weights, chosen on the same validation people."""
    is_test = np.isin(data.interactions.user_index, test.group)
    rest = replace(data, interactions=data.interactions.select(~is_test))
    n_draws = 1 if len(np.unique(test.group)) >= SMALL else 3
    draws = []
    for i in range(n_draws):
        valid = returning(rest, seed=SEED + i, part="valid")
        draws.append(collect(list(_fit(valid.train).values()), valid, seed=SEED))
    everything = stacked(draws)
    labels = list(POOL)
    found = {}
    for name, parts in (("before", BEFORE), ("today", TODAY)):
        at = [labels.index(label) for label in parts]
        own = Candidates(
            everything.z[at], everything.is_real, everything.is_truth, everything.n_truth
        )
        chosen, _ = search_weights(own, k=K)
        found[name] = {k: round(w, 4) for k, w in zip(parts, chosen.tolist(), strict=True) if w}
    return found


def _fit(train: Interactions) -> dict[str, Recommender]:
    return {k: create(name, params).fit(train, seed=SEED) for k, (name, params) in POOL.items()}


def _after_a_pause(split: RankingSplit) -> RankingSplit:
    """Only the rows whose event came more than an hour after the one before."""
    times = split.truth_timestamp
    assert times is not None  # noqa: S101 - prequential rows have exactly one truth
    rows = np.flatnonzero(times - last_times(split) > HOUR_S)
    return replace(
        split,
        histories=split.histories.select(rows),
        truth=split.truth[rows],
        user_index=split.user_index[rows],
        group=split.group[rows],
        truth_timestamp=times[rows],
    )


def _measured(
    split: RankingSplit, weights: dict[str, dict[str, float]], *, is_learned: bool
) -> dict:
    """Prints a line per model as it comes: the learner takes longer than all others."""
    n_people = len(np.unique(split.group))
    print(f"\n{split.protocol}: {len(split)} events of {n_people} people, {split.sha256[:12]}")
    told: dict = {"n_rows": len(split), "n_people": n_people, "split_sha256": split.sha256}
    fitted = _fit(split.train)
    models: dict[str, Callable[[], Recommender]] = {
        name: partial(Hybrid.of, {label: fitted[label] for label in own}, own)
        for name, own in weights.items()
    }
    models["popularity"] = partial(fitted.__getitem__, "popularity")
    if is_learned:
        models["lambdamart"] = partial(_learned, split, weights["today"])
    before = None
    for name, fit in models.items():
        result = measure(fit, split, label=name)
        before = before or result
        told[name] = _figures(result, before)
        cells = [f"{m} {v[0]:+.4f} [{v[1]:+.4f}, {v[2]:+.4f}]" for m, v in told[name].items()]
        print(f"{name:<11} {'  '.join(cells)}", flush=True)
    return told


def _learned(split: RankingSplit, weights: dict[str, float]) -> Recommender:
    """LambdaMART over the pool of today's blend."""
    parts = [
        asdict(Part(label, model, weights.get(label, 0.0), params))
        for label, (model, params) in TODAY.items()
    ]
    return create("lambdamart", {"parts": parts}).fit(split.train, seed=SEED)


def _figures(result: Result, before: Result) -> dict[str, list[float]]:
    """Mean and interval of each measure, and of its paired gain over the blend before."""
    own = {}
    for metric in METRICS:
        value = result.metrics[metric]
        own[metric] = [round(v, 4) for v in (value.mean, value.lo, value.hi)]
        if result is not before:
            gain = compare(result, before, metric)
            own[f"{metric} over before"] = [round(v, 4) for v in (gain.mean, gain.lo, gain.hi)]
    return own


if __name__ == "__main__":
    main()
