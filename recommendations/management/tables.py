"""Tables that more than one command prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.table import Table

from recommendations.models import ModelVersion
from recommendations.services.gate import METRIC

SHOWN = [METRIC, "ndcg@10", "recall@10", "coverage@10"]


def metrics_table(metrics: dict[str, Any]) -> Table:
    """A version's stored measurement, source by source."""
    table = Table(
        title=f"{metrics['n_users']} held-out people, protocol {metrics['protocol']}, "
        f"seed {metrics['seed']}; mean and 95 % interval"
    )
    table.add_column("source")
    table.add_column("weight", justify="right")
    for name in SHOWN:
        table.add_column(name, justify="right")
    for label, values in metrics["models"].items():
        weight = metrics.get("weights", {}).get(label)
        cells = [label, "" if weight is None else f"{weight:.2f}"]
        cells += [_cell(values.get(name)) for name in SHOWN]
        table.add_row(*cells)
    return table


def versions_table(versions: Iterable[ModelVersion]) -> Table:
    """The versions there are, with what each reached."""
    table = Table(title="Model versions")
    for name in ("version", "status", "created", "served since", METRIC, "note"):
        table.add_column(name)
    for version in versions:
        since = f"{version.activated_at:%Y-%m-%d %H:%M}" if version.activated_at else ""
        reached = version.metrics.get("models", {}).get(version.kind, {}).get(METRIC)
        created = f"{version.created_at:%Y-%m-%d %H:%M}"
        table.add_row(version.version, version.status, created, since, _cell(reached), version.note)
    return table


def protocols_table(kind: str, protocols: dict[str, Any]) -> Table:
    """What a recipe reached on each protocol, beside popularity."""
    table = Table(title="Mean and 95 % interval over held-out people")
    for name in ("protocol", "people", "model", *SHOWN, "note"):
        table.add_column(name)
    for protocol, found in protocols.items():
        if "models" not in found:
            table.add_row(protocol, "", "", *[""] * len(SHOWN), found["note"])
            continue
        for label in (kind, "popularity"):
            values = found["models"][label]
            cells = [_cell(values.get(name)) for name in SHOWN]
            table.add_row(protocol, str(found["n_users"]), label, *cells, "")
    return table


def _cell(interval: dict[str, float | None] | None) -> str:
    if not interval or interval["mean"] is None:
        return ""
    if interval["lo"] is None:
        return f"{interval['mean']:.4f}"
    return f"{interval['mean']:.4f} [{interval['lo']:.4f}, {interval['hi']:.4f}]"
