"""docs/benchmarks.md and its plots, rendered from benchmarks/results/*.json alone."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.api_report import table
from benchmarks.charts import Bar, bar_chart
from benchmarks.targets import TARGETS, Results, is_peer, verdict

COLUMNS = {
    "strong": ("ndcg@100", "capped_recall@20", "capped_recall@50"),
    "ratio-811": ("ndcg@10", "recall@10"),
    "ms-100k": ("ndcg@10", "recall@10", "map@10"),
    "rating": ("rmse", "mae", "coverage80", "width80", "width80_constant"),
}
SLICE_METRIC = {"rating": ("rmse", "coverage80", "width80")}
DEFAULT_COLUMNS = ("ndcg@10", "hit@10")
SLICES = ("history<=5", "history 6-20", "history>20", "popular", "middle", "rare")
GAPS = ("tied", "later", "hour later")

INTRO = """# Measured quality

Rendered by `python benchmarks/quality.py`; every number is read from `benchmarks/results/`, none is
typed. One command measures what is missing and renders again:

    python benchmarks/quality.py --data FOLDER_WITH_MOVIELENS_SETS

How it is measured: the whole catalogue is ranked (no sampled negatives); films of the history are
left out; ties of time keep the order of the source; settings and blend weights are chosen on
validation splits, the figures are of the test splits. Brackets are 95 % bootstrap intervals over
people (all events of a person drawn together), several seeds pooled. Differences are paired: same
people, same rows. Protocols and formulas are described in `ml/protocols_*.py` and `ml/metrics.py`.
Times of rows from several days are of a machine with other load: upper bounds.
"""

SPEED_INTRO = """`python -m benchmarks.speed`: each in a process of its own, beside its rival or
the limit of the bare product in the same run, two cores; ratio of the seconds
of processor. Load: of the machine when the step began.
"""
SPEED_COLUMNS = {
    **{"step": "", "s": ".3g", "goal s": "", "core s": ".3g", "beside": "", "its s": ".3g"},
    **{"its core s": ".3g", "ratio": ".2f", "MiB": ".0f", "load": ".1f"},
}


def render(results_folder: Path, docs: Path) -> None:
    """Write docs/benchmarks.md and docs/benchmarks/*.svg."""
    everything: dict[str, Any] = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(results_folder.glob("*.json"))
    }
    results: Results = {name: c for name, c in everything.items() if name.count("--") == 1}
    plots = docs / "benchmarks"
    plots.mkdir(parents=True, exist_ok=True)
    parts = [INTRO, *whole_run(everything), targets_table(everything)]
    for name, content in results.items():
        parts.append(f"## {content['dataset']}: {content['protocol']}\n")
        for task, entry in content["tasks"].items():
            parts += _task(name, task, entry, content, plots)
    parts += checks(everything)
    notes = results_folder.parent / "notes.md"
    if notes.is_file():
        parts.append(notes.read_text(encoding="utf-8"))
    (docs / "benchmarks.md").write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")


def whole_run(everything: dict[str, Any]) -> list[str]:
    """The time of one run of everything, where there was one."""
    if not (found := everything.get("whole_run")):
        return []
    return [
        f"Everything of the tables by protocol below, peers included: {found['n_parts']} models, "
        f"protocols and seeds in {found['minutes']:.0f} minutes on {found['cores']} cores, "
        f"measured {found['from']} to {found['to']}.\n"
    ]


def targets_table(results: Results) -> str:
    """Goals against what was reached."""
    lines = ["## Goals set before measuring\n", "| goal | must | aim | reached by | value | |"]
    lines.append("|---|---|---|---|---|---|")
    for target in TARGETS:
        found = target.read(results)
        value, by, said = ("", "", "not measured")
        if found is not None:
            value, by, said = f"{found[0]:.4g}", found[1], verdict(target, found[0])
        lines.append(f"| {target.what} | {target.must} | {target.aim} | {by} | {value} | {said} |")
    return "\n".join(lines) + "\n"


def checks(everything: dict[str, Any]) -> list[str]:
    """Tables of the checks that have a command of their own; each only where it was run."""
    parts: list[str] = []
    if audit := everything.get("rating_audit"):
        parts.append("## Do the rating figures hold?\n")
        parts.append("`python benchmarks/rating_audit.py` says what each attempt is.\n")
        columns = {"dataset": "", "variant": "", "n_folds": "d", "rmse": ".4f", "mae": ".4f"}
        parts += _plain_table(audit, columns)
    for name, content in sorted(everything.items()):
        if name.startswith("fold-in-"):
            parts.append(f"## {content['dataset']}: stars for people never met\n")
            parts.append("`python benchmarks/star_intervals.py`: the 80 % interval after the first")
            parts.append("ratings of a person who isn't in the training.\n")
            columns = {"length": "d", "n_people": "d", "n_ratings": "d", "rmse": ".4f"}
            columns |= {"coverage": ".4f", "width": ".3f"}
            if all("constant_width" in row for row in content["lengths"]):
                columns["constant_width"] = ".3f"
            parts += _plain_table(content["lengths"], columns)
    if tried := everything.get("tried"):
        parts.append("## What each source adds\n")
        parts.append("`python benchmarks/tried.py`, on validation: every source alone, then the")
        parts.append("blend taking in the source that helps most, until none adds .0001.\n")
        columns = {"dataset": "", "protocol": "", "n_rows": "d", "date": "", "measure": ""}
        columns |= {"step": "", "source": "", "value": ".4f"}
        parts += _plain_table(tried, columns)
    if truths := everything.get("sparse_truth"):
        parts.append("## ml-latest-small: sparse, and which films are to be found\n")
        parts.append("`python benchmarks/sparse_truth.py`: NDCG@10 of the same models on the same")
        parts.append("people, mean of the seeds, with three sets of films to find.\n")
        columns = {"truth": "", "model": ""} | {f"{n} known": ".4f" for n in (1, 3, 5, 10)}
        parts += _plain_table(truths, columns)
    if speed := everything.get("speed"):
        parts += ["## The heavy steps\n", SPEED_INTRO]
        parts += _plain_table([_speed_row(line) for line in speed.values()], SPEED_COLUMNS)
    if api := everything.get("api"):
        parts += table(api)
    if reference := everything.get("lightgcn_reference"):
        parts.append("## ml-100k: LightGCN beside a plain one from the paper\n")
        columns = {"seed": "d", "model": "", "ndcg@10": ".4f", "recall@10": ".4f", "fit_s": ".0f"}
        parts += _plain_table(reference, columns)
    return parts


def _speed_row(line: dict[str, Any]) -> dict[str, Any]:
    """A line of benchmarks/speed.py under the names of its columns."""
    return {
        "step": line["name"],
        "s": line["wall_s"],
        "goal s": "" if line["must_s"] is None else f"{line['must_s']:g}",
        "core s": line["cpu_s"],
        "beside": line["beside"],
        "its s": line["beside_s"],
        "its core s": line["beside_cpu_s"],
        "ratio": line["cpu_s"] / line["beside_cpu_s"],
        "MiB": line["peak_mib"],
        "load": line["load"],
    }


def _plain_table(rows: list[dict[str, Any]], columns: dict[str, str]) -> list[str]:
    """A Markdown table of some columns, each with its format."""
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    lines += ["| " + " | ".join(f"{row[c]:{f}}" for c, f in columns.items()) + " |" for row in rows]
    return [*lines, ""]


def _task(
    name: str, task: str, entry: dict[str, Any], content: dict[str, Any], plots: Path
) -> list[str]:
    models: dict[str, Any] = entry["models"]
    columns = COLUMNS.get(content["protocol"], DEFAULT_COLUMNS)
    first, is_error = columns[0], content["protocol"] == "rating"
    order = sorted(models, key=lambda m: models[m]["metrics"][first]["mean"], reverse=not is_error)
    some = models[order[0]]
    dates = sorted(models[m]["date"] for m in order)
    seeds = ", ".join(str(seed) for seed in some["seeds"])
    out = [f"### {task}\n"] if len(content["tasks"]) > 1 else []
    out.append(
        f"{some['n_users']} people; seeds {seeds}; measured {dates[0]} to {dates[-1]}; split "
        f"{', '.join(sha[:8] for sha in some['split_sha256'])}.\n"
    )
    against = content["against"]
    header = [*columns, f"{first} against {against}", "fit s", "predict s", "MiB"]
    out += ["| model | " + " | ".join(header) + " |", "|---" * (len(header) + 1) + "|"]
    for model in order:
        cells = [_value(models[model]["metrics"].get(c)) for c in columns]
        cells.append(_signed(entry["differences"].get(model, {}).get(first)))
        cells += [f"{mean(models[model][key]):.1f}" for key in ("fit_s", "predict_s")]
        peak = [value for value in models[model]["peak_mib"] if value is not None]
        cells.append(f"{max(peak):.0f}" if peak else "")
        shown = f"*{model}*" if is_peer(model) else model
        out.append(f"| {shown} | " + " | ".join(cells) + " |")
    out.append("")
    for metric in SLICE_METRIC.get(content["protocol"], (first,)):
        out += _slices(models, order, metric)
    file = f"{name}--{task.replace('@', '-')}.svg"
    bars = [_bar(m, models[m]["metrics"][first]) for m in order]
    (plots / file).write_text(bar_chart(f"{content['dataset']} {task}: {first}", bars))
    out.append(f"![{first} of every model](benchmarks/{file})\n")
    return out


def _slices(models: dict[str, Any], order: list[str], metric: str) -> list[str]:
    """One table of the first seed's means by slice; single-truth protocols also by time gap."""
    names = [s for s in (*SLICES, *GAPS) if any(s in models[m].get("slices", {}) for m in order)]
    if not names:
        return []
    sizes = {
        s: next(models[m]["slices"][s]["n"]["mean"] for m in order if s in models[m]["slices"])
        for s in names
    }
    head = " | ".join(f"{s} (n {sizes[s]:.0f})" for s in names)
    lines = [f"{metric} by slice, first seed:\n", f"| model | {head} |"]
    lines.append("|---" * (len(names) + 1) + "|")
    for model in order:
        slices = models[model].get("slices", {})
        cells = [
            f"{slices[s][metric]['mean']:.4f}" if s in slices and metric in slices[s] else ""
            for s in names
        ]
        lines.append(f"| {model} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _value(entry: dict[str, float | None] | None) -> str:
    if entry is None or entry["mean"] is None:
        return ""
    if entry["lo"] is None:
        return f"{entry['mean']:.4f}"
    return f"{entry['mean']:.4f} [{entry['lo']:.4f}, {entry['hi']:.4f}]"


def _signed(entry: dict[str, float | None] | None) -> str:
    if not entry or entry["mean"] is None or entry["lo"] is None:
        return ""
    return f"{entry['mean']:+.4f} [{entry['lo']:+.4f}, {entry['hi']:+.4f}]"


def _bar(model: str, entry: dict[str, Any]) -> Bar:
    return Bar(model, entry["mean"], entry["lo"], entry["hi"], model in {"hybrid", "lambdamart"})
