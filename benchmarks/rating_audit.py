"""Do the stars' figures of Bayesian MF hold? Attempts to break them, on the published splits.

``python benchmarks/rating_audit.py --data FOLDER [--sets ml-100k,ml-latest-small,ml-1m]`` fits, on
the splits of the protocol ``rating``:

* ``means``: the person's mean and the film's, shrunk; no model at all;
* ``plain``: the same chain without side information, to be compared with published Bayesian MF;
* ``who rated``: with who rated what, taken from the training rows, and no facts about films;
* ``alone``: the same from a file that holds the training rows and nothing else, read anew, people
  and films matched by their ids: what isn't in the file cannot leak;
* ``full``: with the films' genres and years too, as the table has it;
* ``facts of others``: the same with each film given another film's facts;
* ``shuffled``: ``full`` on training stars shuffled within each person. Who rated what stays, the
  stars say nothing: a figure below ``means`` would show that something else tells them.

Writes benchmarks/results/rating_audit.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ml.data import Dataset, load_ratings  # noqa: E402  needs the path above
from ml.evaluation_ratings import rating_tasks  # noqa: E402
from ml.items import load_item_features  # noqa: E402
from ml.models.bayesian_mf import BayesianMF  # noqa: E402
from ml.split import RatingSplit  # noqa: E402
from ml.types import FloatArray, Interactions, ItemFeatures  # noqa: E402

OUT = ROOT / "benchmarks" / "results" / "rating_audit.json"
SHRINKAGE = 5.0  # ratings that a mean leans on the overall one by
Predict = Callable[[RatingSplit], NDArray[np.floating]]


def main() -> int:
    """Measure every variant on every set; print and write as it goes."""
    top = argparse.ArgumentParser(description=__doc__)
    top.add_argument("--data", type=Path, required=True, help="folder with the MovieLens folders")
    top.add_argument("--sets", default="ml-100k,ml-latest-small,ml-1m")
    top.add_argument("--variants", default="", help="of these only, comma-separated")
    top.add_argument("--folds", type=int, default=5, help="at most this many folds of a set")
    options = top.parse_args()
    records = json.loads(OUT.read_text()) if OUT.is_file() else []
    for name in options.sets.split(","):
        wanted = [v for v in options.variants.split(",") if v]
        for record in audit(options.data / name, options.folds, wanted):
            same = (record["dataset"], record["variant"])
            records = [r for r in records if (r["dataset"], r["variant"]) != same]
            records.append(record)
            OUT.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    return 0


def audit(folder: Path, n_folds: int, wanted: list[str]) -> Iterator[dict[str, object]]:
    """One record per variant (all, or the ``wanted``) on one data set."""
    data = load_ratings(folder)
    features = load_item_features(folder, data.items)
    splits = rating_tasks(folder, data, seed=0)[:n_folds]
    variants: dict[str, Predict] = {
        "means": lambda split: means(split),
        "plain": lambda split: fitted(split.train, split.test, None, rank=0),
        "who rated": lambda split: fitted(split.train, split.test, None),
        "alone": lambda split: alone(data, split),
        "full": lambda split: fitted(split.train, split.test, features),
        "facts of others": lambda split: fitted(split.train, split.test, mixed_up(features)),
        "shuffled": lambda split: fitted(shuffled(split.train), split.test, features),
    }
    for variant, predict in variants.items():
        if wanted and variant not in wanted:
            continue
        errors = np.concatenate([predict(split) - split.test.rating for split in splits])
        record = {
            "dataset": data.name,
            "variant": variant,
            "n_folds": len(splits),
            "n": len(errors),
            "rmse": float(np.sqrt(np.mean(errors.astype(np.float64) ** 2))),
            "mae": float(np.abs(errors).mean()),
        }
        print(json.dumps(record), flush=True)
        yield record


def fitted(
    train: Interactions, test: Interactions, features: ItemFeatures | None, *, rank: int = 100
) -> FloatArray:
    """Predicted stars of ``test``; intervals aren't asked for, so none are calibrated."""
    model = BayesianMF(rank=rank, calibrated=False).fit(train, seed=0, features=features)
    return model.predict(test.user_index, test.item_index)


def alone(data: Dataset, split: RatingSplit) -> FloatArray:
    """As ``who rated``, from a file with the training rows only."""
    train, test = split.train, split.test
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "ratings.csv"
        pl.DataFrame(
            {
                "userId": data.users.ids[train.user_index],
                "movieId": data.items.ids[train.item_index],
                "rating": train.rating,
            }
        ).write_csv(source)
        again = load_ratings(source)
    model = BayesianMF(calibrated=False).fit(again.interactions, seed=0)
    return model.predict(
        again.users.index(data.users.ids[test.user_index]),
        again.items.index(data.items.ids[test.item_index]),
    )


def shuffled(train: Interactions) -> Interactions:
    """The same pairs with each person's stars in a random order."""
    rng = np.random.default_rng(0)
    by_user = np.lexsort((rng.random(len(train)), train.user_index))
    stars = np.empty_like(train.rating)
    stars[np.argsort(train.user_index, kind="stable")] = train.rating[by_user]
    return Interactions(
        user_index=train.user_index,
        item_index=train.item_index,
        rating=stars,
        timestamp=train.timestamp,
        n_users=train.n_users,
        n_items=train.n_items,
    )


def mixed_up(features: ItemFeatures) -> ItemFeatures:
    """Genres and years of the films in a random order."""
    order = np.random.default_rng(0).permutation(features.n_items)
    genres = None if features.genres is None else features.genres[order]
    year = None if features.year is None else features.year[order]
    return replace(features, genres=genres, year=year)


def means(split: RatingSplit) -> NDArray[np.float64]:
    """Overall mean + the film's shrunk deviation + the person's from what is left."""
    train, test = split.train, split.test
    center = float(train.rating.mean(dtype=np.float64))
    film = _deviation(train.item_index, train.rating - center, train.n_items)
    rest = train.rating - center - film[train.item_index]
    person = _deviation(train.user_index, rest, train.n_users)
    return center + film[test.item_index] + person[test.user_index]


def _deviation(
    index: NDArray[np.integer], value: NDArray[np.floating], n: int
) -> NDArray[np.float64]:
    total = np.bincount(index, weights=value, minlength=n)
    return total / (np.bincount(index, minlength=n) + SHRINKAGE)


if __name__ == "__main__":
    sys.exit(main())
