"""What docs/reliability.md says of a measured load."""

from __future__ import annotations

from typing import Any

_HEAD = [
    "| kind | n | a second | p50 | p95 | p99 | longest | errors |",
    "|---|---:|---:|---:|---:|---:|---:|---:|",
]


def load_table(found: dict[str, Any]) -> str:
    """Markdown of ``benchmarks.load``'s result."""
    world, steady, over = found["world"], found["steady"], found["overload"]
    lines = [
        f"Measured {found['at'][:10]} on {found['cores']} cores, which the crowd shares (load "
        f"before: {found['load_before']}): {world['films']:,} films, {world['ratings']:,} ratings "
        f"of {world['people']:,} people, {world['accounts']:,} of them with accounts.",
        "",
        f"**{steady['people']} people at once for {steady['seconds']} s**, one request every "
        f"{steady['pause_s']:g} s each: {steady['answered']:,} answers, "
        f"{steady['answered_per_s']:g} a second, {steady['errors']} errors.",
        "",
        *_kinds(steady["kinds"]),
        "",
        "Means of each quarter of that time (memory: what is the processes' own):",
        "",
        "| | 1st | 2nd | 3rd | 4th |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {name} | {' | '.join(f'{value:g}' for value in quarters)} |"
            for name, quarters in found["over_time"].items()
        ),
        "",
        f"**{over['people']} people without a pause for {over['seconds']} s**: "
        f"{over['answered']:,} answers ({over['answered_per_s']:g} a second), "
        f"{over['turned_away']:,} turned away with 503 and Retry-After, {over['errors']} errors. "
        f"Connections to the database: {max(found['overload_over_time']['connections']):g} at "
        f"most. When they left, a page came within a second after {found['recovery_s']:g} s.",
        "",
        *_kinds(over["kinds"]),
        "",
        *(
            f"* {'met' if is_met else '**missed**'}: {goal}"
            for goal, is_met in found["goals"].items()
        ),
    ]
    return "\n".join(lines) + "\n"


def _kinds(kinds: dict[str, Any]) -> list[str]:
    return [
        *_HEAD,
        *(
            f"| {kind} | {line['n']:,} | {line['per_s']:g} | {line['p50_ms']:,} ms "
            f"| {line['p95_ms']:,} ms | {line['p99_ms']:,} ms | {line['max_ms']:,} ms "
            f"| {line['errors']} |"
            for kind, line in kinds.items()
        ),
    ]
