"""The figures that were set as goals before measuring, and what was reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Results = dict[str, dict[str, Any]]  # name of the result file -> its content
FLOORS = ("popularity",)


@dataclass(frozen=True, slots=True)
class Target:
    """One goal: where it is measured, how it is read from the results, and its two levels.

    ``is_lower_better`` for errors of stars.
    """

    what: str
    read: Callable[[Results], tuple[float, str] | None]
    must: float
    aim: float
    is_lower_better: bool = False


def best(job: str, task: str, metric: str, *, lowest: bool = False) -> Callable[..., Any]:
    """The best own model's pooled mean of one measure, and that model's name."""

    def read(results: Results) -> tuple[float, str] | None:
        models = _models(results, job, task)
        found = [
            (entry["metrics"][metric]["mean"], name)
            for name, entry in models.items()
            if metric in entry["metrics"] and not is_peer(name)
        ]
        return (min(found) if lowest else max(found)) if found else None

    return read


def gain(job: str, task: str, metric: str, model: str, over: str) -> Callable[..., Any]:
    """``model`` over ``over`` in percent."""

    def read(results: Results) -> tuple[float, str] | None:
        models = _models(results, job, task)
        if model not in models or over not in models:
            return None
        ratio = models[model]["metrics"][metric]["mean"] / models[over]["metrics"][metric]["mean"]
        return 100 * (ratio - 1), f"{model} over {over}"

    return read


def ratio_to_best_window(job: str, task: str, metric: str) -> Callable[..., Any]:
    """The best personal model's mean over the best popularity window's."""

    def read(results: Results) -> tuple[float, str] | None:
        models = _models(results, job, task)
        means = {name: entry["metrics"][metric]["mean"] for name, entry in models.items()}
        floors = {n: v for n, v in means.items() if n.startswith(FLOORS)}
        others = {n: v for n, v in means.items() if n not in floors and not is_peer(n)}
        if not floors or not others:
            return None
        top, floor = max(others, key=others.__getitem__), max(floors, key=floors.__getitem__)
        return others[top] / floors[floor], f"{top} over {floor}"

    return read


def is_peer(name: str) -> bool:
    """Whether a model is another project's."""
    return name.split("-")[0] in {"implicit", "cornac", "lenskit", "rectools"}


def _models(results: Results, job: str, task: str) -> dict[str, Any]:
    found: dict[str, Any] = results.get(job, {}).get("tasks", {}).get(task, {}).get("models", {})
    return found


TARGETS = (
    Target(
        "ratio-811 ML-1M NDCG@10", best("ml-1m--ratio-811", "ratio-811", "ndcg@10"), 0.296, 0.305
    ),
    Target(
        "ratio-811 ML-1M Recall@10",
        best("ml-1m--ratio-811", "ratio-811", "recall@10"),
        0.222,
        0.228,
    ),
    Target("ms-100k nDCG@10", best("ml-100k--ms-100k", "ms-100k", "ndcg@10"), 0.486, 0.500),
    Target("ms-100k Recall@10", best("ml-100k--ms-100k", "ms-100k", "recall@10"), 0.227, 0.235),
    Target("ms-100k MAP@10", best("ml-100k--ms-100k", "ms-100k", "map@10"), 0.151, 0.158),
    Target(
        "strong ML-1M NDCG@100, hybrid over EASE, %",
        gain("ml-1m--strong", "strong", "ndcg@100", "hybrid", "ease"),
        *(4.0, 7.0),
    ),
    Target("last-out ML-1M HR@10", best("ml-1m--last-out", "last-out", "hit@10"), 0.315, 0.34),
    Target("last-out ML-1M NDCG@10", best("ml-1m--last-out", "last-out", "ndcg@10"), 0.188, 0.205),
    Target(
        "prequential ML-1M HR@10", best("ml-1m--prequential", "prequential", "hit@10"), 0.20, 0.23
    ),
    Target(
        "prequential ml-latest-small HR@10, over the best popularity window",
        ratio_to_best_window("ml-latest-small--prequential", "prequential", "hit@10"),
        *(1.9, 2.4),
    ),
    *(
        Target(
            f"sparse ml-latest-small NDCG@10 at {n} ratings, hybrid over LightGCN, %",
            gain("ml-latest-small--sparse", f"sparse@{n}", "ndcg@10", "hybrid", "lightgcn"),
            *(12.0, 25.0),
        )
        for n in (3, 5, 10)
    ),
    *(
        Target(
            f"rating {dataset} {metric.upper()}",
            best(f"{dataset}--rating", "rating", metric, lowest=True),
            *(must, aim),
            is_lower_better=True,
        )
        for dataset, metric, must, aim in (
            ("ml-100k", "rmse", 0.893, 0.885),
            ("ml-latest-small", "rmse", 0.834, 0.822),
            ("ml-latest-small", "mae", 0.636, 0.626),
            ("ml-1m", "rmse", 0.834, 0.822),
            ("ml-1m", "mae", 0.652, 0.642),
        )
    ),
)


def verdict(target: Target, value: float) -> str:
    """Which level a value reaches."""
    sign = -1 if target.is_lower_better else 1
    if sign * value >= sign * target.aim:
        return "aim reached"
    return "reached" if sign * value >= sign * target.must else "**not reached**"
