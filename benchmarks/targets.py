"""The figures that were set as goals before measuring, and what was reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        ratio = _ratio(models[model], models[over], metric)
        return None if ratio is None else (100 * (ratio - 1), f"{model} over {over}")

    return read


def _ratio(entry: dict[str, Any], other: dict[str, Any], metric: str) -> float | None:
    """Mean over mean on the seeds that both were measured with; None without any."""
    own, theirs = (
        dict(zip(model["seeds"], model["per_seed"][metric], strict=True))
        for model in (entry, other)
    )
    seeds = own.keys() & theirs.keys()
    return sum(own[s] for s in seeds) / sum(theirs[s] for s in seeds) if seeds else None


def best_gain(job: str, task: str, metric: str, over: str) -> Callable[..., Any]:
    """The own model that gains most over the model ``over``, in percent."""

    def read(results: Results) -> tuple[float, str] | None:
        models = _models(results, job, task)
        gains = (
            gain(job, task, metric, name, over)(results)
            for name in models
            if name != over and not is_peer(name)
        )
        known = [found for found in gains if found is not None]
        return max(known) if known else None

    return read


def only(job: str, task: str, metric: str, model: str) -> Callable[..., Any]:
    """One model's pooled mean."""

    def read(results: Results) -> tuple[float, str] | None:
        entry = _models(results, job, task).get(model)
        return None if entry is None else (entry["metrics"][metric]["mean"], model)

    return read


def least_gain(job: str, tasks: Sequence[str], metric: str, model: str, over: str) -> Any:
    """:func:`gain` on the task where it is least."""

    def read(results: Results) -> tuple[float, str] | None:
        found = [(gain(job, t, metric, model, over)(results), t) for t in tasks]
        known = [(value[0], task) for value, task in found if value is not None]
        if len(known) < len(tasks):
            return None
        value, task = min(known)
        return value, f"{model} over {over}, {task}"

    return read


def farthest_coverage(job: str) -> Callable[..., Any]:
    """How far the coverage of the 80 % interval is from .80 at most, overall and by history."""

    def read(results: Results) -> tuple[float, str] | None:
        entry = _models(results, job, "rating").get("bayesian_mf")
        if entry is None or not entry["slices"]:
            return None
        parts = {"overall": entry["metrics"], **entry["slices"]}
        off = {name: abs(part["coverage80"]["mean"] - 0.8) for name, part in parts.items()}
        worst = max(off, key=off.__getitem__)
        return off[worst], f"{worst}: {parts[worst]['coverage80']['mean']:.4f}"

    return read


def farthest_folded(name: str) -> Callable[..., Any]:
    """:func:`farthest_coverage` for people folded in from their first ratings."""

    def read(results: Results) -> tuple[float, str] | None:
        rows: Any = results.get(name, {}).get("lengths")
        if not rows:
            return None
        worst = max(rows, key=lambda row: abs(row["coverage"] - 0.8))
        return abs(worst["coverage"] - 0.8), f"{worst['length']} known: {worst['coverage']:.4f}"

    return read


def narrower(job: str) -> Callable[..., Any]:
    """By how many percent the 80 % interval is narrower than one margin for everyone."""

    def read(results: Results) -> tuple[float, str] | None:
        entry = _models(results, job, "rating").get("bayesian_mf")
        if entry is None or "width80_constant" not in entry["metrics"]:
            return None
        own, rival = (entry["metrics"][m]["mean"] for m in ("width80", "width80_constant"))
        return 100 * (1 - own / rival), f"{own:.3f} against {rival:.3f} stars"

    return read


def lightgcn_ratio(results: Results) -> tuple[float, str] | None:
    """Our LightGCN with the reference's settings against it, in percent, mean of the seeds."""
    rows: Any = results.get("lightgcn_reference", [])
    ours = [r["ndcg@10"] for r in rows if r["model"] == "ours, its settings"]
    reference = [r["ndcg@10"] for r in rows if r["model"] == "plain reference"]
    if not ours or len(ours) != len(reference):
        return None
    return 100 * (sum(ours) / sum(reference) - 1), f"seeds: {len(ours)}"


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
    Target(
        "strong ML-1M NDCG@100, best of ours over EASE, %",
        best_gain("ml-1m--strong", "strong", "ndcg@100", "ease"),
        *(4.0, 7.0),
    ),
    Target("last-out ML-1M HR@10", best("ml-1m--last-out", "last-out", "hit@10"), 0.315, 0.34),
    Target("last-out ML-1M NDCG@10", best("ml-1m--last-out", "last-out", "ndcg@10"), 0.188, 0.205),
    Target(
        "last-out ML-1M HR@10 without a neural part",
        only("ml-1m--last-out", "last-out", "hit@10", "hybrid"),
        *(0.29, 0.29),
    ),
    Target(
        "last-out ML-1M NDCG@10 without a neural part",
        only("ml-1m--last-out", "last-out", "ndcg@10", "hybrid"),
        *(0.17, 0.17),
    ),
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
    Target(
        "sparse ml-latest-small NDCG@10, hybrid over popularity at its worst length, %",
        least_gain(
            "ml-latest-small--sparse",
            [f"sparse@{n}" for n in (1, 2, 3, 5, 10)],
            *("ndcg@10", "hybrid", "popularity"),
        ),
        *(0.0, 0.0),
    ),
    Target(
        "cold-item ML-1M NDCG@10 among hidden films",
        best("ml-1m--cold-item", "cold-item", "ndcg@10"),
        *(0.34, 0.38),
    ),
    Target(
        "cold-item ML-1M NDCG@10 among hidden films, over centred text, %",
        best_gain("ml-1m--cold-item", "cold-item", "ndcg@10", "semantic"),
        *(65.0, 90.0),
    ),
    Target(
        "cold-item ML-1M NDCG@10 among all films, over warm films only, %",
        best_gain("ml-1m--cold-item", "cold-item-all", "ndcg@10", "edlae"),
        *(20.0, 33.0),
    ),
    Target(
        "LightGCN ML-100K NDCG@10, ours against a plain reference, %", lightgcn_ratio, -3.0, 0.0
    ),
    *(
        Target(
            f"interval {dataset}, people never met: coverage's distance from .80, by history",
            farthest_folded(f"fold-in-{dataset}-bayesian_mf"),
            *(0.02, 0.02),
            is_lower_better=True,
        )
        for dataset in ("ml-100k", "ml-latest-small")
    ),
    *(
        target
        for dataset in ("ml-100k", "ml-latest-small", "ml-1m")
        for target in (
            Target(
                f"interval {dataset}: coverage's distance from .80, overall or by history",
                farthest_coverage(f"{dataset}--rating"),
                *(0.02, 0.02),
                is_lower_better=True,
            ),
            Target(
                f"interval {dataset}: narrower than one margin for all, %",
                narrower(f"{dataset}--rating"),
                *(0.0, 10.0),
            ),
        )
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
