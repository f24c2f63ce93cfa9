"""What the figures of `sparse` owe to the films that are to be found: the same lists, three truths.

``python benchmarks/sparse_truth.py --data FOLDER``: all liked films but the first ten (the
protocol), a random fifth of the liked films with the others left out of the list, and the same
fifth with the others ranked among the candidates, where they count as mistakes. Writes
benchmarks/results/sparse_truth.json, which docs/benchmarks.md shows.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import sparse

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ml.data import Dataset, load_ratings  # noqa: E402  needs the path above
from ml.evaluation import recommend_all  # noqa: E402
from ml.metrics import ndcg_at_k  # noqa: E402
from ml.protocols_users import sparse_history  # noqa: E402
from ml.recipes import recipe_of  # noqa: E402
from ml.shelf import FittedOnce  # noqa: E402
from ml.split import RankingSplit  # noqa: E402

OUT = ROOT / "benchmarks" / "results" / "sparse_truth.json"
DATASET = "ml-latest-small"
MODELS = ("popularity", "lightgcn", "edlae")
LENGTHS = (1, 3, 5, 10)
SEEDS = (1, 2, 3)
SHARE = 0.2


def main() -> int:
    """Measure, print, write."""
    top = argparse.ArgumentParser(description=__doc__)
    top.add_argument("--data", type=Path, required=True, help="folder with the MovieLens folders")
    options = top.parse_args()
    data = load_ratings(options.data / DATASET)
    found: dict[tuple[str, str, int], list[float]] = {}
    for seed in SEEDS:
        for key, value in measure(data, seed):
            found.setdefault(key, []).append(value)
    rows = [
        {"truth": truth, "model": model}
        | {f"{n} known": round(float(np.mean(found[truth, model, n])), 5) for n in LENGTHS}
        for truth, model in dict.fromkeys((truth, model) for truth, model, _ in found)
    ]
    for row in rows:
        print(json.dumps(row), flush=True)
    OUT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


def measure(data: Dataset, seed: int) -> Iterator[tuple[tuple[str, str, int], float]]:
    """((truth, model, length), NDCG@10) of one draw of people."""
    fit = FittedOnce()
    for length in LENGTHS:
        for truth, split in truths(sparse_history(data, seed=seed, length=length), seed):
            for label in MODELS:
                recipe = recipe_of(label, "sparse")
                model = fit(recipe.model, recipe.params, split.train, seed=seed, features=None)
                lists = recommend_all(model, split, depth=10)
                yield (truth, label, length), float(ndcg_at_k(lists, split.truth, 10).mean())


def truths(split: RankingSplit, seed: int) -> Iterator[tuple[str, RankingSplit]]:
    """The protocol's own question, and the two others about the same people."""
    yield "all but the first ten", split
    rng = np.random.default_rng(seed)
    rest, kept = split.truth.copy(), split.truth.copy()
    for i in range(rest.shape[0]):
        row = slice(rest.indptr[i], rest.indptr[i + 1])
        size = row.stop - row.start
        n_liked = size + 10  # the first ten, shown or not, belong to what the person likes
        chosen = rng.permutation(size) < max(1, round(SHARE * n_liked))
        rest.data[row], kept.data[row] = ~chosen, chosen
    rest.eliminate_zeros()
    kept.eliminate_zeros()
    none = sparse.csr_matrix(split.truth.shape, dtype=np.bool_)
    barred = none if split.exclude is None else split.exclude
    yield "a fifth, others left out", replace(split, truth=kept, exclude=(barred + rest).tocsr())
    yield "a fifth, others among", replace(split, truth=kept, exclude=None)


if __name__ == "__main__":
    sys.exit(main())
