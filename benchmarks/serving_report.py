"""docs/serving.md out of benchmarks/results/serving.json: no figure in it is typed by hand."""

# ruff: noqa: E501 - a page is written as it reads

from __future__ import annotations

from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent.parent / "docs" / "serving.md"

INTRO = """# Serving, measured

Written by `python -m benchmarks.serving` from `benchmarks/results/serving.json`. The web server of the
Procfile (2 processes) on a generated world of {people:,} people, {films:,} films ({collaborative:,} of them
with collaborative vectors) and {ratings:,} ratings; clients on the same machine ask again as soon as they
have an answer. `load` is the machine's when a part began: beside other work, times are upper bounds.
An empty view of the same framework is measured in the same way, as the limit.
"""
TITLES = {
    "limits": "The limits of the machine",
    "stored": "Lists made beforehand",
    "fresh": "Lists made for the request: fold-in, all sources, ranking, reasons",
    "rating": "A rating, and the list that knows it",
    "memory": "Memory of a web process",
    "workers": "Processes and threads",
    "minute": "The minute's inference",
    "everybody": "Candidates for everybody",
    "training": "Training on everything",
}
_COLUMNS = ("n", "per_s", "p50_ms", "p95_ms", "p99_ms", "cpu_ms", "database_cpu_ms", "errors")
_ABOUT = {"share of the work", "load", "cores", "goal", "is_met", "date"}


def write_docs(results: dict[str, Any], path: Path = DOCS) -> None:
    """Render what was measured; parts that were not are left out."""
    world = results["world"]
    parts = [
        INTRO.format(
            people=world["people"],
            films=world["films"],
            collaborative=world["with collaborative vectors"],
            ratings=world["ratings"],
        )
    ]
    parts += [_section(TITLES[name], results[name]) for name in TITLES if name in results]
    path.write_text("\n".join(parts), encoding="utf-8")


def _section(title: str, row: dict[str, Any]) -> str:
    lines = [f"## {title}", ""]
    if "goal" in row:
        lines += [f"Goal: {row['goal']}: {'reached' if row['is_met'] else '**not reached**'}.", ""]
    known = {name: value for name, value in row.items() if name not in _ABOUT}
    # A row of the table is a set of times; what else there is stands below it.
    times = {n: v for n, v in known.items() if isinstance(v, dict) and "p95_ms" in v}
    if times:
        lines += [
            "| | requests | a second | median ms | p95 ms | p99 ms | web CPU ms | Postgres CPU ms | errors |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for name, found in times.items():
            cells = [_number(found[key]) if key in found else "" for key in _COLUMNS]
            lines.append(f"| {name} | {' | '.join(cells)} |")
        lines.append("")
    others = [f"* {name}: {_text(value)}" for name, value in known.items() if name not in times]
    lines += [*others, ""] if others else []
    share = row["share of the work"]
    part = "" if share == 1 else f" with {share:.0%} of the requests and people"
    when = f"Measured {row['date']}" if "date" in row else "Measured"
    lines += [f"_{when} on {row['cores']} cores{part}; load {row['load']}._", ""]
    return "\n".join(lines)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(part)}" for name, part in value.items())
    if isinstance(value, list):
        return "; ".join(_text(part) for part in value)
    return _number(value) if isinstance(value, int | float) else str(value)


def _number(value: float) -> str:
    return (
        f"{value:,}"
        if isinstance(value, int)
        else f"{value:,.3g}"
        if value < 1
        else f"{value:,.1f}"
    )
