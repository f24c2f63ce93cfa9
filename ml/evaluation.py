"""Runs models on splits: per-person measures, intervals, slices, time and peak memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml import metrics
from ml.bootstrap import Interval, mean_intervals, paired_difference
from ml.models.base import Recommender
from ml.resources import PeakMemory
from ml.retrieval import history_mask
from ml.split import RankingSplit
from ml.types import Histories, IntArray, ItemFeatures

DEPTH = 100  # the longest list that any measure looks at
BATCH_ROWS = 512
HOUR_S = 3600
PerRow = NDArray[np.float64]
Progress = Callable[[str, float], None]  # (what is being done, share done 0..1)

RANKING_METRICS: dict[str, Callable[[IntArray, sparse.csr_matrix], PerRow]] = {
    "ndcg@10": lambda items, truth: metrics.ndcg_at_k(items, truth, 10),
    "ndcg@100": lambda items, truth: metrics.ndcg_at_k(items, truth, 100),
    "recall@10": lambda items, truth: metrics.recall_at_k(items, truth, 10),
    "hit@10": lambda items, truth: metrics.hit_at_k(items, truth, 10),
    "capped_recall@20": lambda items, truth: metrics.capped_recall_at_k(items, truth, 20),
    "capped_recall@50": lambda items, truth: metrics.capped_recall_at_k(items, truth, 50),
    "map@10": lambda items, truth: metrics.map_at_k(items, truth, 10),
    "mrr": metrics.mrr,
}


@dataclass(frozen=True, slots=True)
class Result:
    """One model on one split. ``per_row`` float64[n] per measure pairs it with other models.

    ``peak_mib`` is the process' peak resident memory while fitting and predicting; nan where the
    platform doesn't tell. ``slices`` holds the same intervals for named parts of the rows.
    """

    dataset: str
    protocol: str
    model: str
    seed: int
    split_sha256: str
    n_users: int
    metrics: dict[str, Interval]
    fit_s: float
    predict_s: float
    peak_mib: float
    slices: dict[str, dict[str, Interval]] = field(default_factory=dict)
    per_row: dict[str, PerRow] = field(default_factory=dict, repr=False)
    group: NDArray[np.integer] | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        """The public record: without rows and slices; numbers that are no numbers become null."""
        return {
            "dataset": self.dataset,
            "protocol": self.protocol,
            "model": self.model,
            "seed": self.seed,
            "split_sha256": self.split_sha256,
            "n_users": self.n_users,
            "metrics": {name: interval_json(value) for name, value in self.metrics.items()},
            "fit_s": round(self.fit_s, 3),
            "predict_s": round(self.predict_s, 3),
            "peak_mib": _number(round(self.peak_mib, 1)),
        }

    def slices_json(self) -> dict[str, dict[str, dict[str, float | None]]]:
        """The slices' intervals, JSON-able."""
        return {
            slice_name: {name: interval_json(value) for name, value in values.items()}
            for slice_name, values in self.slices.items()
        }


def interval_json(value: Interval) -> dict[str, float | None]:
    """``{mean, lo, hi}``, null for nan."""
    return {k: _number(round(getattr(value, k), 6)) for k in ("mean", "lo", "hi")}


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None


def evaluate(
    model: Recommender,
    split: RankingSplit,
    *,
    seed: int = 0,
    label: str | None = None,
    features: ItemFeatures | None = None,
    on_progress: Progress | None = None,
) -> Result:
    """Fit ``model`` on the split's training events and measure its lists on every row.

    ``label`` names the result (default: the model's name).
    """
    return measure(
        lambda: model.fit(split.train, seed=seed, features=features),
        split,
        label=label or model.name,
        features=features,
        on_progress=on_progress,
    )


def measure(
    fit: Callable[[], Recommender],
    split: RankingSplit,
    *,
    label: str,
    features: ItemFeatures | None = None,
    parts: Mapping[str, NDArray[np.bool_]] | None = None,
    on_progress: Progress | None = None,
) -> Result:
    """Measure the model that ``fit`` returns; its time and memory are those of the call.

    ``parts`` bool[n] by name are more slices, such as :func:`ml.cluster_slices.cluster_slices`.
    """
    tell = on_progress or silent
    with PeakMemory() as memory:
        tell("fit", 0.0)
        started = time.perf_counter()
        model = fit()
        fit_s = time.perf_counter() - started
        started = time.perf_counter()
        items = recommend_all(model, split, depth=DEPTH, on_progress=tell)
        predict_s = time.perf_counter() - started
    per_row = {name: formula(items, split.truth) for name, formula in RANKING_METRICS.items()}
    popularity = np.bincount(split.train.item_index, minlength=split.train.n_items)
    n_active = len(np.unique(split.train.user_index))
    per_row["novelty@10"] = metrics.novelty(items[:, :10], popularity, n_active)
    if features is not None and features.genres is not None:
        per_row["diversity@10"] = metrics.intra_list_diversity(items[:, :10], features.genres)
    intervals = mean_intervals(per_row, group=split.group)
    share = metrics.coverage(items[:, :10], split.train.n_items)
    intervals["coverage@10"] = Interval(share, float("nan"), float("nan"))
    return Result(
        dataset=split.dataset,
        protocol=split.protocol,
        model=label,
        seed=split.seed,
        split_sha256=split.sha256,
        n_users=len(np.unique(split.group)),
        metrics=intervals,
        fit_s=fit_s,
        predict_s=predict_s,
        peak_mib=memory.peak_mib,
        slices=slice_intervals(per_row, split, features=features, parts=parts),
        per_row=per_row,
        group=split.group,
    )


def recommend_all(
    model: Recommender, split: RankingSplit, *, depth: int, on_progress: Progress | None = None
) -> IntArray:
    """int32[n, depth]: the model's best films of every row, without history and excluded films."""
    tell = on_progress or silent
    parts = []
    for start in range(0, len(split), BATCH_ROWS):
        rows = np.arange(start, min(start + BATCH_ROWS, len(split)))
        shown = split.histories.select(rows)
        mask = batch_exclude(split, shown, rows)
        parts.append(model.recommend(shown, depth, exclude=mask).item_index)
        tell("predict", min(1.0, (start + len(rows)) / len(split)))
    return np.concatenate(parts) if parts else np.empty((0, depth), dtype=np.int32)


def batch_exclude(
    split: RankingSplit, shown: Histories, rows: NDArray[np.intp]
) -> sparse.csr_matrix:
    """csr bool [len(rows), n_items] of everything that may not be recommended to the rows."""
    mask = history_mask(shown, split.train.n_items)
    if split.exclude is not None:
        mask = mask + split.exclude[rows]
    if split.candidates is not None:
        barred = np.flatnonzero(~split.candidates)
        everyone = sparse.csr_matrix(
            (
                np.ones(len(rows) * len(barred), dtype=np.bool_),
                np.tile(barred, len(rows)),
                np.arange(len(rows) + 1) * len(barred),
            ),
            shape=mask.shape,
        )
        mask = mask + everyone
    return mask.tocsr()


def compare(a: Result, b: Result, metric: str) -> Interval:
    """Mean of ``a - b`` over the same rows with its 95 % interval; other rows raise ValueError."""
    if a.split_sha256 != b.split_sha256:
        raise ValueError("the two results are of different splits")
    return paired_difference(a.per_row[metric], b.per_row[metric], group=a.group)


def slice_masks(
    split: RankingSplit, *, features: ItemFeatures | None = None
) -> dict[str, NDArray[np.bool_]]:
    """Named parts of the rows: by length of history, popularity and age of what is to be found.

    Popularity cuts the films with training events into thirds of the *events*; a row counts by the
    median of its truth. Age is the year of the film against the newest year in the data. Rows with
    one truth are also cut by the time since the event before: tied, later, over an hour later.
    Language counts where the features know it: rows most of whose truth is not in English.
    """
    lengths = row_lengths(split)
    masks = {
        "history<=5": lengths <= 5,
        "history 6-20": (lengths > 5) & (lengths <= 20),
        "history>20": lengths > 20,
    }
    rank = _row_median(split.truth, popularity_rank(split))
    masks["popular"] = rank <= 1 / 3
    masks["middle"] = (rank > 1 / 3) & (rank <= 2 / 3)
    masks["rare"] = rank > 2 / 3
    if features is not None and features.year is not None and np.isfinite(features.year).any():
        age = _row_median(split.truth, np.nanmax(features.year) - features.year)
        masks["film age<=5"], masks["film age>5"] = age <= 5, age > 5
    if features is not None and features.tags and any(features.tags.get("language", ())):
        spoken = features.tags["language"]
        is_foreign = np.array([float(bool(names) and "en" not in names) for names in spoken])
        masks["not english"] = _row_median(split.truth, is_foreign) > 0.5
    if split.truth_timestamp is not None:
        gap = split.truth_timestamp - last_times(split)
        masks["tied"], masks["later"], masks["hour later"] = gap <= 0, gap > 0, gap > HOUR_S
    return masks


def slice_intervals(
    per_row: dict[str, PerRow],
    split: RankingSplit,
    *,
    features: ItemFeatures | None = None,
    parts: Mapping[str, NDArray[np.bool_]] | None = None,
) -> dict[str, dict[str, Interval]]:
    """The measures' intervals in every non-empty slice.

    ``n`` is the number of rows, ``people`` of the people they are of: what intervals stand on.
    """
    out: dict[str, dict[str, Interval]] = {}
    for name, mask in {**slice_masks(split, features=features), **(parts or {})}.items():
        n = float(mask.sum())
        if n:
            part = {metric: values[mask] for metric, values in per_row.items()}
            group = split.group[mask]
            people = float(len(np.unique(group)))
            counts = {"n": Interval(n, n, n), "people": Interval(people, people, people)}
            out[name] = counts | mean_intervals(part, group=group)
    return out


def row_lengths(split: RankingSplit) -> NDArray[np.int64]:
    """int64[n]: number of events shown of each row."""
    parts = [np.diff(shown.indptr) for shown in _batches(split)]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def last_times(split: RankingSplit) -> NDArray[np.int64]:
    """int64[n]: the time of the latest event shown; the smallest int64 for an empty history."""
    parts = []
    for shown in _batches(split):
        last = np.full(len(shown), np.iinfo(np.int64).min // 2, dtype=np.int64)
        some = np.diff(shown.indptr) > 0
        last[some] = shown.timestamp[shown.indptr[1:][some] - 1]
        parts.append(last)
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def popularity_rank(split: RankingSplit) -> NDArray[np.float64]:
    """float64[n_items] in 0..1: share of the training events that go to more popular films."""
    counts = np.bincount(split.train.item_index, minlength=split.train.n_items)
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    rank = np.empty(len(counts))
    rank[order] = before / max(int(counts.sum()), 1)
    return rank


def _batches(split: RankingSplit) -> Iterable[Histories]:
    for start in range(0, len(split), BATCH_ROWS):
        yield split.histories.select(np.arange(start, min(start + BATCH_ROWS, len(split))))


def _row_median(truth: sparse.csr_matrix, value: NDArray[np.floating]) -> NDArray[np.float64]:
    """Median of ``value`` over each row's films; nan values don't count, nan if none is left."""
    of_truth = np.asarray(value, dtype=np.float64)[truth.indices]
    rows = np.repeat(np.arange(truth.shape[0]), np.diff(truth.indptr))
    rows, of_truth = rows[np.isfinite(of_truth)], of_truth[np.isfinite(of_truth)]
    order = np.lexsort((of_truth, rows))
    counts = np.bincount(rows, minlength=truth.shape[0])
    first = np.cumsum(counts) - counts
    out = np.full(truth.shape[0], np.nan)
    some = counts > 0
    low, high = first + (counts - 1) // 2, first + counts // 2
    ordered = of_truth[order]
    out[some] = (ordered[low[some]] + ordered[high[some]]) / 2
    return out


def table_rows(results: Sequence[Result], names: Sequence[str]) -> list[list[str]]:
    """A header and one row of text per result: measures as mean [lo, hi], seconds, MiB."""
    rows = [["dataset", "protocol", "model", "seed", "n", *names, "fit s", "predict s", "MiB"]]
    for r in results:
        cells = [_cell(r.metrics.get(name)) for name in names]
        tail = [f"{r.fit_s:.1f}", f"{r.predict_s:.1f}", f"{r.peak_mib:.0f}"]
        rows.append([r.dataset, r.protocol, r.model, str(r.seed), str(r.n_users), *cells, *tail])
    return rows


def _cell(value: Interval | None) -> str:
    if value is None:
        return "-"
    if not np.isfinite(value.lo):
        return f"{value.mean:.4f}"
    return f"{value.mean:.4f} [{value.lo:.4f}, {value.hi:.4f}]"


def silent(what: str, share: float) -> None:
    """No progress is wanted."""
