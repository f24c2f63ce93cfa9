"""Results of several seeds as one: pooled means with intervals, and paired differences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.bootstrap import Interval, mean_intervals
from ml.evaluation import interval_json

SKIPPED = {"squared", "error", "predicted"}  # rows of rating tasks that make sense only as a root
Rows = dict[str, NDArray[np.float64]]


def pooled_record(records: list[dict[str, Any]], rows: Path, *, against: str) -> dict[str, Any]:
    """``tasks``: per full protocol name the models' pooled measures and differences."""
    tasks: dict[str, dict[str, Any]] = {}
    for protocol in dict.fromkeys(r["protocol"] for r in records):
        own = [r for r in records if r["protocol"] == protocol]
        models = list(dict.fromkeys(r["model"] for r in own))
        tasks[protocol] = {
            "models": {m: _pooled([r for r in own if r["model"] == m], rows) for m in models},
            "differences": {m: _difference(own, m, against, rows) for m in models if m != against},
        }
    return {"tasks": tasks}


def _rows(folder: Path, record: dict[str, Any]) -> Rows:
    task = record["protocol"].replace("@", "-")
    name = f"{record['dataset']}--{task}--{record['seed']}--{record['model']}.npz"
    with np.load(folder / name, allow_pickle=False) as file:
        if str(file["split"]) != record["split_sha256"]:
            raise ValueError(f"{name} is of another split than its record: measure again")
        return {key: file[key].astype(np.float64) for key in file.files if key != "split"}


def _pooled(records: list[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """One seed: its own intervals. Several: rows of all seeds, a person's rows drawn together."""
    metrics = dict(records[0]["metrics"])
    if len(records) > 1:
        parts = [_rows(folder, record) for record in records]
        group = np.concatenate([part["group"] for part in parts]).astype(np.int64)
        names = [n for n in parts[0] if n != "group" and n not in SKIPPED]
        joined = {name: np.concatenate([part[name] for part in parts]) for name in names}
        metrics |= {k: interval_json(v) for k, v in mean_intervals(joined, group=group).items()}
    return {
        "seeds": [r["seed"] for r in records],
        "split_sha256": [r["split_sha256"] for r in records],
        "n_users": records[0]["n_users"],
        "metrics": metrics,
        "per_seed": {
            name: [r["metrics"][name]["mean"] for r in records] for name in records[0]["metrics"]
        },
        "fit_s": [r["fit_s"] for r in records],
        "predict_s": [r["predict_s"] for r in records],
        "peak_mib": [r["peak_mib"] for r in records],
        "date": max(r["date"] for r in records),
        "slices": records[0].get("slices", {}),
    }


def _difference(
    records: list[dict[str, Any]], model: str, against: str, rows: Path
) -> dict[str, Any]:
    """Mean of model - against on the seeds that both have; empty where there are none."""
    seeds = [
        seed
        for seed in dict.fromkeys(r["seed"] for r in records)
        if {model, against} <= {r["model"] for r in records if r["seed"] == seed}
    ]
    parts: list[Rows] = []
    for seed in seeds:
        a, b = (
            next(r for r in records if r["seed"] == seed and r["model"] == name)
            for name in (model, against)
        )
        if a["split_sha256"] != b["split_sha256"]:
            raise ValueError(f"{model} and {against} were measured on different splits")
        left, right = _rows(rows, a), _rows(rows, b)
        names = [n for n in left if n in right and n != "group" and n not in SKIPPED]
        parts.append({n: left[n] - right[n] for n in names} | {"group": left["group"]})
    if not parts:
        return {}
    group = np.concatenate([part["group"] for part in parts]).astype(np.int64)
    joined = {n: np.concatenate([part[n] for part in parts]) for n in parts[0] if n != "group"}
    found: dict[str, Interval] = mean_intervals(joined, group=group)
    return {name: interval_json(value) for name, value in found.items()}
