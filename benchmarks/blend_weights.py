"""Are weights chosen on three draws of validation people better than on one? (ADR 3)

``python benchmarks/blend_weights.py --data FOLDER`` draws test people with several seeds, chooses
the blend's weights on the rest in both ways, and prints NDCG@100 on the test people.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ml import metrics  # noqa: E402  needs the path above
from ml.data import Dataset, load_ratings  # noqa: E402
from ml.evaluation import recommend_all  # noqa: E402
from ml.models.base import Recommender  # noqa: E402
from ml.models.hybrid import Hybrid  # noqa: E402
from ml.models.registry import create  # noqa: E402
from ml.protocols_users import strong  # noqa: E402
from ml.split import RankingSplit  # noqa: E402
from ml.tuning import Candidates, collect, search_weights, stacked  # noqa: E402
from ml.types import Interactions  # noqa: E402

# The sources that recommendations.services.training fits.
SOURCES: dict[str, tuple[str, dict]] = {
    "ease": ("edlae", {"l2": 200.0, "n_kept": 400, "min_rating": 4.0}),
    "item_item": ("item_item", {"n_neighbors": 100, "shrinkage": 20.0, "min_rating": 4.0}),
    "als": ("als", {"n_factors": 64, "n_epochs": 12, "min_rating": 4.0}),
    "popularity": ("popularity", {"min_rating": 4.0}),
}
DRAWS = 3
K = 100


def main() -> None:
    """Prints one row per draw of test people and the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5, help="draws of test people")
    options = parser.parse_args()
    data = _well_known(load_ratings(options.data))
    rows = []
    print(f"{'seed':>4} {'people':>6} {'best part':>10} {'one draw':>9} {'three':>7}")
    for seed in range(7, 7 + options.seeds):
        n_people, row = _compare(data, seed)
        rows.append(row)
        print(f"{seed:>4} {n_people:>6} {row[0]:>10.4f} {row[1]:>9.4f} {row[2]:>7.4f}", flush=True)
    mean = np.mean(rows, axis=0)
    print(f"mean        {mean[0]:>10.4f} {mean[1]:>9.4f} {mean[2]:>7.4f}")
    gain = np.array(rows)[:, 2] - np.array(rows)[:, 1]
    print(f"three - one: {gain.mean():+.4f} +- {gain.std(ddof=1) / np.sqrt(len(gain)):.4f} (s.e.)")


def _well_known(data: Dataset, *, min_ratings: int = 3) -> Dataset:
    """Without the films that training leaves out."""
    events = data.interactions
    count = np.bincount(events.item_index, minlength=events.n_items)
    return replace(data, interactions=events.select(count[events.item_index] >= min_ratings))


def _compare(data: Dataset, seed: int) -> tuple[int, tuple[float, float, float]]:
    test = strong(data, seed=seed, part="test")
    is_test = np.isin(data.interactions.user_index, test.group)
    rest = replace(data, interactions=data.interactions.select(~is_test))
    draws = [_candidates(strong(rest, seed=seed + i, part="valid")) for i in range(DRAWS)]
    models = _fit(test.train)
    parts = [_quality(model, test) for model in models.values()]
    blends = []
    for chosen_on in (draws[0], stacked(draws)):
        weights, _ = search_weights(chosen_on, k=K)
        named = dict(zip(models, weights.tolist(), strict=True))
        blends.append(_quality(Hybrid.of(models, named), test))
    return len(test), (max(parts), blends[0], blends[1])


def _fit(train: Interactions) -> dict[str, Recommender]:
    return {label: create(name, params).fit(train) for label, (name, params) in SOURCES.items()}


def _candidates(valid: RankingSplit) -> Candidates:
    return collect(list(_fit(valid.train).values()), valid)


def _quality(model: Recommender, split: RankingSplit) -> float:
    found = recommend_all(model, split, depth=K)
    return float(metrics.ndcg_at_k(found, split.truth, K).mean())


if __name__ == "__main__":
    main()
