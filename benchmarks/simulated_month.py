"""The chart of a simulated month: ``docs/benchmarks/simulated-month.svg`` from its result file.

manage.py simulate_traffic --json benchmarks/results/simulated_month.json
python benchmarks/simulated_month.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "simulated_month.json"
CHART = ROOT / "docs" / "benchmarks" / "simulated-month.svg"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 300, 60, 20, 40, 40
SERIES = (
    ("positive_rate", "liked of what Marquee showed", "#b35c00"),
    ("frozen_rate", "liked of the popular films of day one", "#333333"),
    ("coverage", "share of the catalogue shown in the day", "#1f6f8b"),
)


def render(content: dict[str, Any]) -> str:
    """The SVG: three series over the days, all as shares from 0."""
    days = content["days"]
    top = max(day[key] for day in days for key, _, _ in SERIES) * 1.05 or 1.0
    step = (WIDTH - LEFT - RIGHT) / max(len(days) - 1, 1)

    def y(share: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - share / top), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + 66}" role="img" '
        'font-family="sans-serif" font-size="13">',
        "<title>A simulated month: liked films of Marquee's lists and of a frozen popularity list"
        "</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT + 66}" fill="#fffdf7"/>',
        f'<text x="{LEFT}" y="22" font-weight="bold">{content["people"]} simulated people, '
        f"{sum(day['n_lists'] for day in days)} lists, {content['date']}</text>",
    ]
    for share in np.linspace(0, top, 5):
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(share)}" y2="{y(share)}" '
            'stroke="#ddd6c6"/>'
            f'<text x="{LEFT - 8}" y="{y(share) + 4}" text-anchor="end">{share:.0%}</text>'
        )
    for key, label, colour in SERIES:
        points = " ".join(f"{LEFT + step * i:.1f},{y(day[key])}" for i, day in enumerate(days))
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
        )
        row = [key for key, _, _ in SERIES].index(key)
        at = HEIGHT + 8 + 20 * row
        parts.append(
            f'<line x1="{LEFT}" x2="{LEFT + 28}" y1="{at - 4}" y2="{at - 4}" stroke="{colour}" '
            f'stroke-width="3"/><text x="{LEFT + 36}" y="{at}">{label}</text>'
        )
    parts += _retrained(days, step)
    for i in sorted({0, len(days) - 1}):
        parts.append(
            f'<text x="{LEFT + step * i:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">'
            f"day {days[i]['number']}</text>"
        )
    return "\n".join([*parts, "</svg>", ""])


def _retrained(days: list[dict[str, Any]], step: float) -> list[str]:
    """A mark below each day on which a model version was served for the first time."""
    known = set(days[0]["model_versions"])
    marks = []
    for i, day in enumerate(days):
        if set(day["model_versions"]) - known:
            known |= set(day["model_versions"])
            marks.append(
                f'<circle cx="{LEFT + step * i:.1f}" cy="{HEIGHT - BOTTOM}" r="4" fill="#8a1c1c">'
                "<title>a new model version</title></circle>"
            )
    return marks


def main() -> int:
    """Writes the chart; 1 where the month did not go as promised."""
    if not RESULT.is_file():
        print(f"{RESULT} is missing: run manage.py simulate_traffic --json first.", file=sys.stderr)
        return 2
    content = json.loads(RESULT.read_text(encoding="utf-8"))
    CHART.parent.mkdir(parents=True, exist_ok=True)
    CHART.write_text(render(content), encoding="utf-8")
    days = content["days"]
    fifth = max(1, len(days) // 5)
    lift = [day["positive_rate"] - day["frozen_rate"] for day in days]
    first, last = days[:fifth], days[-fifth:]
    coverage = [float(np.mean([day["coverage"] for day in some])) for some in (first, last)]
    print(
        f"Lead over frozen popularity: {np.mean(lift[:fifth]):+.4f} in the first fifth, "
        f"{np.mean(lift[-fifth:]):+.4f} in the last; coverage {coverage[0]:.3f}, {coverage[1]:.3f}."
    )
    has_kept = np.mean(lift[-fifth:]) > 0 and coverage[1] > 0.5 * coverage[0]
    return 0 if has_kept else 1


if __name__ == "__main__":
    sys.exit(main())
