"""The interval as it narrowed: what a template needs to draw it as SVG, and to write it down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from catalog.numbers import count_text

WIDTH, HEIGHT = 720, 280
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 16, 40
N_ROWS = 12  # of the table beside it
# Bounds of the first looks are far out and would flatten all that follows.
MAX_OVER_LAST = 4.0


@dataclass(frozen=True)
class Tick:
    """A value on an axis and where it is drawn."""

    at: float
    text: str


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    n: int
    mean: str
    lo: str
    hi: str


@dataclass(frozen=True)
class IntervalChart:
    """``band`` and ``line`` are SVG points; ``zero`` is where no difference lies."""

    band: str
    line: str
    zero: float
    up: tuple[Tick, ...]
    across: tuple[Tick, ...]
    rows: tuple[Row, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def interval_chart(
    points: Sequence[tuple[int, float, float, float]], *, scale: float = 1.0, unit: str = ""
) -> IntervalChart | None:
    """Of (observations, mean, lower, upper), shown times ``scale``; None where there are none."""
    if not points:
        return None
    shown = [(n, mean * scale, lo * scale, hi * scale) for n, mean, lo, hi in points]
    last = shown[-1]
    most = MAX_OVER_LAST * max(abs(last[2]), abs(last[3]), 1e-9)
    top = min(max(hi for _, _, _, hi in shown), most)
    low = max(min(lo for _, _, lo, _ in shown), -most)
    top, low = max(top, 0.0), min(low, 0.0)
    n_last, n_first = shown[-1][0], shown[0][0]

    def x(n: int) -> float:
        span = max(n_last - n_first, 1)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (n - n_first) / span, 1)

    def y(value: float) -> float:
        inside = min(max(value, low), top)
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (top - inside) / (top - low or 1.0), 1)

    upper = [f"{x(n)},{y(hi)}" for n, _, _, hi in shown]
    lower = [f"{x(n)},{y(lo)}" for n, _, lo, _ in reversed(shown)]
    return IntervalChart(
        band=" ".join([*upper, *lower]),
        line=" ".join(f"{x(n)},{y(mean)}" for n, mean, _, _ in shown),
        zero=y(0.0),
        up=_ticks(top, low, y, unit),
        across=tuple(Tick(x(n), count_text(n)) for n in sorted({n_first, n_last})),
        rows=tuple(_row(point, unit) for point in _spread(shown)),
    )


def _ticks(top: float, low: float, y: Callable[[float], float], unit: str) -> tuple[Tick, ...]:
    values = [value for value in (top, low) if abs(value) > 0.08 * (top - low)]
    return tuple(
        Tick(y(value), f"{value:+.1f}{unit}" if value else "0") for value in (*values, 0.0)
    )


def _spread(
    shown: list[tuple[int, float, float, float]],
) -> list[tuple[int, float, float, float]]:
    if len(shown) <= N_ROWS:
        return shown
    return [shown[round(i * (len(shown) - 1) / (N_ROWS - 1))] for i in range(N_ROWS)]


def _row(point: tuple[int, float, float, float], unit: str) -> Row:
    n, mean, lo, hi = point
    return Row(n, f"{mean:+.1f}{unit}", f"{lo:+.1f}{unit}", f"{hi:+.1f}{unit}")
