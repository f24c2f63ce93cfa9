"""Bar charts with intervals as SVG text: no library, readable in light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LABEL, ROW, TOP = 640, 170, 24, 34
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#444}.t{font-weight:600}.b{fill:#4c78a8}"
    ".h{fill:#e4572e}.e{stroke:#222;stroke-width:1.2}"
    "@media(prefers-color-scheme:dark){text{fill:#ccc}.e{stroke:#eee}}"
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One model's mean with its interval (None: not known)."""

    label: str
    mean: float
    lo: float | None
    hi: float | None
    is_highlighted: bool = False


def bar_chart(title: str, bars: Sequence[Bar]) -> str:
    """Horizontal bars from 0, in the given order, each with its value and its whisker."""
    top = max([bar.hi if bar.hi is not None else bar.mean for bar in bars] + [1e-9])
    scale = (WIDTH - LABEL - 70) / top
    height = TOP + ROW * len(bars) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<text class="t" x="4" y="18">{escape(title)}</text>',
    ]
    for i, bar in enumerate(bars):
        y = TOP + i * ROW
        middle, end = y + 9, LABEL + bar.mean * scale
        kind = "h" if bar.is_highlighted else "b"
        parts.append(
            f'<text x="{LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(bar.label)}</text>'
        )
        width = max(bar.mean * scale, 0)
        parts.append(f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{width:.1f}" height="18"/>')
        right = end
        if bar.lo is not None and bar.hi is not None:
            left, right = LABEL + bar.lo * scale, LABEL + bar.hi * scale
            parts.append(
                f'<line class="e" x1="{left:.1f}" x2="{right:.1f}" y1="{middle}" y2="{middle}"/>'
            )
        parts.append(f'<text x="{max(end, right) + 6:.1f}" y="{y + 13}">{bar.mean:.4f}</text>')
    return "\n".join([*parts, "</svg>", ""])
