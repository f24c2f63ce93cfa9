"""The table of benchmarks/results/api.json, for docs/benchmarks.md."""

from __future__ import annotations

from typing import Any

COLUMNS = ("per_s", "p50_ms", "p95_ms", "p99_ms", "cpu_ms", "ratio")


def table(result: dict[str, Any]) -> list[str]:
    """Lines of Markdown: one row per operation and number of clients."""
    lines = [
        "## The API, asked of the running server\n",
        f"`{result['command']}`, {result['measured_at'][:10]}: {result['world']['films']:,} films, "
        f"{result['requests']:,} requests each, {result['cores']} cores that the clients share, "
        f"load {result['load at the start']} at the start. `bare` is a DRF list of the same 20 "
        "films without anything of ours; ratio: its requests a second by the operation's.\n",
        "| operation | clients | requests/s | p50 ms | p95 ms | p99 ms | web CPU ms | ratio |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, by_clients in result["operations"].items():
        for clients, figures in by_clients.items():
            shown = [f"{figures[column]:.1f}" for column in COLUMNS]
            lines.append(f"| {name} | {clients} | {' | '.join(shown)} |")
    return [*lines, ""]
