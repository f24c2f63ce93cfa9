"""Are predicted stars and their 80 % intervals honest for people the model has never met?

``python benchmarks/star_intervals.py --data FOLDER [--facts TABLE] [--json OUT]``: a fifth of the
people is kept out of training; each is folded in from the first 1, 3, 5, 10, 20 and 50 ratings in
time order, and the next 20 are predicted. One row per length: RMSE, coverage and width of the
interval, and the mean width of a rival with one margin for everyone, around the same predictions,
that covers as many.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ml.evaluation_ratings import constant_width  # noqa: E402  needs the path above
from ml.models.bayesian_mf import BayesianMF  # noqa: E402
from ml.runs import Source  # noqa: E402
from ml.types import Histories  # noqa: E402

LENGTHS = (1, 3, 5, 10, 20, 50)
N_TRUTHS = 20
LEVEL = 0.8


def main() -> int:
    """Fit, fold in, print and write."""
    top = argparse.ArgumentParser(description=__doc__)
    top.add_argument("--data", type=Path, required=True)
    top.add_argument("--facts", type=Path)
    top.add_argument("--seed", type=int, default=0)
    top.add_argument("--json", type=Path)
    options = top.parse_args()
    cache = Path("var") / "text" / f"{options.data.resolve().name}.npz"
    source = Source(options.data, facts=options.facts, text_cache=cache if options.facts else None)
    data, features = source.load(ordered_only=False)
    events = data.interactions
    people = np.random.default_rng(options.seed).permutation(events.n_users)
    held = np.sort(people[: events.n_users // 5])
    is_held = np.isin(events.user_index, held)
    model = BayesianMF().fit(events.select(~is_held), seed=options.seed, features=features)
    everyone = Histories.from_interactions(events.select(is_held), users=held)
    records = [measure(model, everyone, length) for length in LENGTHS]
    for record in records:
        print("  ".join(f"{name} {value:.4g}" for name, value in record.items()))
    if options.json:
        content = {"dataset": data.name, "protocol": "fold-in", "seed": options.seed}
        lines = json.dumps(content | {"model": model.name, "lengths": records}, indent=1)
        options.json.write_text(lines + "\n", encoding="utf-8")
    return 0


def measure(model: BayesianMF, everyone: Histories, length: int) -> dict[str, float]:
    """One row of the table."""
    known = np.flatnonzero(np.diff(everyone.indptr) > length)
    parts = [person(model, everyone, int(i), length) for i in known]
    truth, mean, low, high = (np.concatenate(list(column)) for column in zip(*parts, strict=True))
    error = np.abs(mean - truth)
    inside = (truth >= low - 1e-6) & (truth <= high + 1e-6)
    return {
        "length": length,
        "n_people": len(known),
        "n_ratings": len(truth),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "coverage": float(inside.mean()),
        "width": float((high - low).mean()),
        "constant_width": constant_width(mean, truth, model.grid, coverage=float(inside.mean())),
    }


def person(
    model: BayesianMF, everyone: Histories, i: int, length: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(truth, mean, low, high) of one person's next ratings."""
    first = int(everyone.indptr[i])
    cut = first + length
    later = slice(cut, min(int(everyone.indptr[i + 1]), cut + N_TRUTHS))
    shown = Histories.from_lists(
        [everyone.item_index[first:cut].tolist()], ratings=[everyone.rating[first:cut].tolist()]
    )
    interval = model.predict_interval_for(shown, everyone.item_index[later], level=LEVEL)
    return everyone.rating[later], *(part[0] for part in interval)


if __name__ == "__main__":
    sys.exit(main())
