"""Are predicted stars and their 80 % intervals honest for people the model has never met?

``python benchmarks/star_intervals.py --data FOLDER [--facts TABLE] [--seed 0,1,2] [--json OUT]``:
a fifth of the people is kept out of training, another fifth for each seed (up to five); each is
folded in from the first 1, 3, 5, 10, 20 and 50 ratings in time order, and the next 20 are
predicted. One row per length, all seeds' people together: RMSE, coverage and width of the interval,
and the mean width of a rival with one margin for everyone, around the same predictions, that covers
as many.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ml.evaluation_ratings import constant_width  # noqa: E402  needs the path above
from ml.models._star_intervals import star_grid  # noqa: E402
from ml.models.bayesian_mf import BayesianMF  # noqa: E402
from ml.runs import Source  # noqa: E402
from ml.types import Histories, Interactions, ItemFeatures  # noqa: E402

LENGTHS = (1, 3, 5, 10, 20, 50)
N_TRUTHS = 20
LEVEL = 0.8
People = list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]


def main() -> int:
    """Fit, fold in, print and write."""
    top = argparse.ArgumentParser(description=__doc__)
    top.add_argument("--data", type=Path, required=True)
    top.add_argument("--facts", type=Path)
    top.add_argument("--seed", type=fifths, default=[0, 1, 2], help="of 0 to 4, comma-separated")
    top.add_argument("--json", type=Path)
    options = top.parse_args()
    cache = Path("var") / "text" / f"{options.data.resolve().name}.npz"
    source = Source(options.data, facts=options.facts, text_cache=cache if options.facts else None)
    data, features = source.load(ordered_only=False)
    found: dict[int, list[People]] = {length: [] for length in LENGTHS}
    for seed in options.seed:
        for length, people in one_fifth(data.interactions, features, seed=seed).items():
            found[length].append(people)
    grid = star_grid(data.interactions.rating)
    records = [measure(length, people, grid) for length, people in found.items()]
    for record in records:
        print("  ".join(f"{name} {value:.4g}" for name, value in record.items()))
    if options.json:
        content = {"dataset": data.name, "protocol": "fold-in", "seeds": options.seed}
        lines = json.dumps(content | {"model": BayesianMF.name, "lengths": records}, indent=1)
        options.json.write_text(lines + "\n", encoding="utf-8")
    return 0


def fifths(text: str) -> list[int]:
    """Which fifths of the people."""
    try:
        found = sorted({int(part) for part in text.split(",")})
    except ValueError:
        found = []
    if not found or not set(found) <= set(range(5)):
        raise argparse.ArgumentTypeError(f"{text!r}: some of 0,1,2,3,4")
    return found


def one_fifth(
    events: Interactions, features: ItemFeatures | None, *, seed: int
) -> dict[int, People]:
    """Everything predicted of one fifth of the people, by length of the known history."""
    people = np.random.default_rng(0).permutation(events.n_users)
    held = np.sort(people[seed::5])
    is_held = np.isin(events.user_index, held)
    model = BayesianMF().fit(events.select(~is_held), seed=seed, features=features)
    everyone = Histories.from_interactions(events.select(is_held), users=held)
    found = {}
    for length in LENGTHS:
        known = np.flatnonzero(np.diff(everyone.indptr) > length)
        found[length] = [person(model, everyone, int(i), length) for i in known]
        print(f"fifth {seed}: {len(known)} people after {length} ratings", flush=True)
    return found


def measure(length: int, fifths: list[People], grid: NDArray[np.float64]) -> dict[str, float]:
    """One row of the table."""
    parts = [part for people in fifths for part in people]
    truth, mean, low, high = (np.concatenate(list(column)) for column in zip(*parts, strict=True))
    error = np.abs(mean - truth)
    inside = (truth >= low - 1e-6) & (truth <= high + 1e-6)
    return {
        "length": length,
        "n_people": len(parts),
        "n_ratings": len(truth),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "coverage": float(inside.mean()),
        "width": float((high - low).mean()),
        "constant_width": constant_width(mean, truth, grid, coverage=float(inside.mean())),
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
