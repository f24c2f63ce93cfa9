"""What each source adds to a blend, on validation: the curve of what was tried.

``python benchmarks/tried.py --data FOLDER [--only NAME]`` fits the sources of a protocol's blend
and takes them in one by one, always the one that helps most, weights chosen anew each time. Writes
benchmarks/results/tried.json, which docs/benchmarks.md shows.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ml.data import load_ratings  # noqa: E402  needs the path above
from ml.models.hybrid import Part  # noqa: E402
from ml.protocols import tasks_of  # noqa: E402
from ml.recipes import HYBRID_PARTS  # noqa: E402
from ml.shelf import FittedOnce  # noqa: E402
from ml.tuning import Candidates, collect, search_weights, stacked  # noqa: E402

OUT = ROOT / "benchmarks" / "results" / "tried.json"
LEAST_GAIN = 1e-4  # of NDCG: below it the curve ends
BASELINE = Part("ease", "ease", 1.0, {})


@dataclass(frozen=True, slots=True)
class Curve:
    """One protocol on one data set, on at most ``max_rows`` of each seed's validation people."""

    dataset: str
    protocol: str
    seeds: tuple[int, ...]
    max_rows: int = 3000


CURVES = (
    Curve("ml-100k", "ms-100k", (1,)),
    Curve("ml-1m", "strong", (7,)),
    Curve("ml-1m", "ratio-811", (1,), max_rows=1500),
    Curve("ml-1m", "last-out", (1,), max_rows=600),
)


def main() -> int:
    """Measure every curve whose name contains the given text; keep the others."""
    top = argparse.ArgumentParser(description=__doc__)
    top.add_argument("--data", type=Path, required=True, help="folder with the MovieLens folders")
    top.add_argument("--only", default="", help="curves whose name contains this")
    options = top.parse_args()
    found = json.loads(OUT.read_text()) if OUT.is_file() else []
    for curve in CURVES:
        if options.only in f"{curve.dataset}--{curve.protocol}":
            key = (curve.dataset, curve.protocol)
            found = [row for row in found if (row["dataset"], row["protocol"]) != key]
            for row in measure(curve, options.data / curve.dataset):
                print(json.dumps(row), flush=True)
                found.append(row)
            OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def measure(curve: Curve, folder: Path) -> Iterator[dict[str, object]]:
    """The baseline, every source alone, then the growing blend."""
    (task,) = tasks_of([curve.protocol])
    data = load_ratings(folder, ordered_only=task.needs_order)
    parts = [BASELINE, *HYBRID_PARTS[curve.protocol]]
    candidates = []
    for seed in curve.seeds:
        valid = task.build(data, seed, "valid")
        fit = FittedOnce()
        models = []
        for part in parts:
            print(f"{curve.protocol} seed {seed}: {part.label}", flush=True)
            models.append(fit(part.model, part.params, valid.train, seed=seed, features=None))
        candidates.append(collect(models, valid, max_rows=curve.max_rows, seed=seed))
    pool = stacked(candidates)
    head: dict[str, object] = {
        "dataset": curve.dataset,
        "protocol": curve.protocol,
        "seeds": list(curve.seeds),
    }
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    head |= {"measure": f"ndcg@{task.k}", "n_rows": len(pool.n_truth), "date": today}
    labels = [part.label for part in parts]
    for i, label in enumerate(labels):
        value = pool.ndcg(np.eye(len(labels))[i], task.k)
        yield head | {"step": "alone", "source": label, "value": round(value, 5)}
    for step, (label, value) in enumerate(growing(pool, labels, k=task.k), start=1):
        yield head | {"step": f"blend of {step}", "source": f"+ {label}", "value": round(value, 5)}


def growing(pool: Candidates, labels: list[str], *, k: int) -> Iterator[tuple[str, float]]:
    """Sources in the order in which they help most, with the blend's NDCG@k after each.

    Each search begins at the weights found before it, with the newcomer at a tenth.
    """
    chosen: list[int] = []
    weights, best = np.zeros(0), 0.0
    while len(chosen) < len(labels):
        tries = []
        for i in (i for i in range(len(labels)) if i not in chosen):
            start = np.append(0.9 * weights, 0.1)
            found = search_weights(replace(pool, z=pool.z[[*chosen, i]]), k=k, start=start)
            tries.append((found[1], i, found[0]))
        value, i, found_weights = max(tries, key=lambda tried: tried[0])
        if value < best + LEAST_GAIN:
            return
        chosen.append(i)
        weights, best = found_weights, value
        yield labels[i], value


if __name__ == "__main__":
    sys.exit(main())
