"""Figures over time and figures with intervals, ready to be drawn as SVG and written as a table.

As in :mod:`dashboard.charts`, nothing here knows colours: marks carry classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

from django.utils.translation import gettext as _

from dashboard.units import Unit, as_number, as_percent, as_score

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 14, 28
ROW_HEIGHT, LABEL_WIDTH, VALUE_WIDTH = 34, 210, 170
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
_N_TICKS = 4

Values = Sequence[float | None]


@dataclass(frozen=True)
class Tick:
    """A line across the plot, or a place below it."""

    at: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True)
class Series:
    """One line or row of bars. ``paths`` are its unbroken parts, ``dots`` values without
    neighbours, ``bars`` (x, y, width, height)."""

    label: str
    number: int
    cells: tuple[str, ...]
    paths: tuple[str, ...] = ()
    dots: tuple[tuple[float, float], ...] = ()
    bars: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True)
class Origin:
    """Where the figures of a plot can be looked up."""

    text: str
    url: str


@dataclass(frozen=True)
class TimePlot:
    """Series over the same moments. Empty where no series has any value."""

    slug: str
    title: str
    note: str
    moments: tuple[str, ...]
    series: tuple[Series, ...]
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    origins: tuple[Origin, ...] = ()
    over: str = ""
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(any(cell for cell in series.cells) for series in self.series)

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The table, the latest moment first; moments without any figure are left out."""
        rows = [
            (moment, [series.cells[place] for series in self.series])
            for place, moment in enumerate(self.moments)
        ]
        return [row for row in reversed(rows) if any(row[1])]

    @property
    def left(self) -> int:
        """Where the plot begins."""
        return LEFT

    @property
    def right(self) -> int:
        """Where the plot ends."""
        return self.width - RIGHT

    @property
    def floor(self) -> int:
        """Where it stands."""
        return self.height - BOTTOM

    @property
    def label_y(self) -> int:
        """The line of type under it."""
        return self.height - 8


def time_plot(
    slug: str,
    title: str,
    moments: Sequence[str],
    series: Sequence[tuple[str, Values]],
    *,
    unit: Unit = as_number,
    note: str = "",
    is_bars: bool = False,
    top: float | None = None,
    origins: Sequence[Origin] = (),
    over: str = "",
) -> TimePlot:
    """``series`` are (label, one value per moment, None where there is none).

    The scale begins at 0 and ends at ``top``, or at a round number above the highest value: a
    curve must not look steep because its floor was cut off. ``over`` names what the moments are.
    """
    highest = max([v for _, values in series for v in values if v is not None], default=0.0)
    ceiling, steps = _scale(top if top is not None else highest, is_whole=is_bars)

    def y(value: float) -> float:
        share = min(1.0, value / ceiling)
        return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share, 1)

    n = max(len(moments), 1)
    slot = (WIDTH - LEFT - RIGHT) / n

    def x(place: int) -> float:
        return round(LEFT + slot * (place + 0.5), 1)

    drawn = []
    for number, (label, values) in enumerate(series):
        cells = tuple("" if value is None else unit(value) for value in values)
        if is_bars:
            bars = tuple(
                (
                    round(x(i) - 0.4 * slot, 1),
                    y(v),
                    round(max(0.8 * slot, 1.0), 1),
                    round(y(0) - y(v), 1),
                )
                for i, v in enumerate(values)
                if v
            )
            drawn.append(Series(label, number, cells, bars=bars))
        else:
            paths, dots = _paths(values, x, y)
            drawn.append(Series(label, number, cells, paths=paths, dots=dots))
    return TimePlot(
        slug=slug,
        title=title,
        note=note,
        moments=tuple(moments),
        series=tuple(drawn),
        y_ticks=tuple(Tick(y(step), unit(step)) for step in steps),
        x_ticks=_moment_ticks(moments, x),
        origins=tuple(origins),
        over=over,
    )


def _scale(highest: float, *, is_whole: bool = False) -> tuple[float, list[float]]:
    """A round ceiling at or above ``highest`` and the ticks up to it; ``is_whole`` for counts."""
    if highest <= 0:
        return 1.0, [0.0]
    rough = highest / _N_TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(
        nice * power
        for nice in _NICE
        if nice * power >= rough * (1 - 1e-9) and not (is_whole and nice == 2.5)
    )
    if is_whole:
        step = max(1.0, step)
    n = ceil(highest / step - 1e-9)
    return n * step, [i * step for i in range(n + 1)]


def _paths(
    values: Values, x: Callable[[int], float], y: Callable[[float], float]
) -> tuple[tuple[str, ...], tuple[tuple[float, float], ...]]:
    known = [i for i, value in enumerate(values) if value is not None]
    breaks = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(known)) if b > a + 1), len(known)]
    paths, dots = [], []
    for start, end in pairwise(breaks):
        part = [(x(i), y(values[i] or 0.0)) for i in known[start:end]]
        if len(part) == 1:
            dots.append(part[0])
        elif part:
            paths.append(" ".join(f"{a},{b}" for a, b in part))
    return tuple(paths), tuple(dots)


def _moment_ticks(moments: Sequence[str], x: Callable[[int], float]) -> tuple[Tick, ...]:
    """The first, the middle and the last moment."""
    last = len(moments) - 1
    if last < 0:
        return ()
    if last == 0:
        return (Tick(x(0), moments[0]),)
    ticks = [Tick(LEFT, moments[0], "start"), Tick(WIDTH - RIGHT, moments[last], "end")]
    if last > 3:
        ticks.insert(1, Tick(x(last // 2), moments[last // 2]))
    return tuple(ticks)


@dataclass(frozen=True)
class Measured:
    """One row: a mean with its interval; ``is_marked`` is the one that is being served."""

    label: str
    mean: float
    low: float | None = None
    high: float | None = None
    note: str = ""
    url: str = ""
    is_marked: bool = False


@dataclass(frozen=True)
class IntervalRow:
    """A row as it is drawn."""

    measured: Measured
    y: int
    mean_x: float
    low_x: float | None
    high_x: float | None
    text: str


@dataclass(frozen=True)
class IntervalPlot:
    """Means with their intervals, one below the other, on one scale."""

    slug: str
    title: str
    note: str
    rows: tuple[IntervalRow, ...]
    ticks: tuple[Tick, ...]
    zero_x: float | None
    origins: tuple[Origin, ...] = ()
    width: int = WIDTH + 80

    @property
    def height(self) -> int:
        """Of the SVG: a line of ticks under the rows."""
        return ROW_HEIGHT * len(self.rows) + 30

    @property
    def floor(self) -> int:
        """Where the scale stands."""
        return ROW_HEIGHT * len(self.rows) + 4

    @property
    def label_y(self) -> int:
        """The line of type under it."""
        return self.height - 6

    @property
    def label_x(self) -> int:
        """Where labels end."""
        return LABEL_WIDTH - 12


def interval_plot(
    slug: str,
    title: str,
    rows: Sequence[Measured],
    *,
    unit: Unit = as_score,
    note: str = "",
    origins: Sequence[Origin] = (),
) -> IntervalPlot:
    """One scale for all rows; it reaches from 0, or from the lowest interval below it."""
    ends = [v for row in rows for v in (row.mean, row.low, row.high) if v is not None]
    lowest, highest = min([0.0, *ends]), max([0.0, *ends])
    ceiling, steps = _scale(max(highest, -lowest) or 1.0)
    bottom = -ceiling if lowest < 0 else 0.0
    if lowest < 0:
        steps = sorted({-ceiling, 0.0, ceiling})
    width = WIDTH + 80 - LABEL_WIDTH - VALUE_WIDTH

    def x(value: float) -> float:
        return round(LABEL_WIDTH + width * (value - bottom) / (ceiling - bottom), 1)

    return IntervalPlot(
        slug=slug,
        title=title,
        note=note,
        rows=tuple(
            IntervalRow(
                measured=row,
                y=ROW_HEIGHT * place + ROW_HEIGHT // 2,
                mean_x=x(row.mean),
                low_x=None if row.low is None else x(row.low),
                high_x=None if row.high is None else x(row.high),
                text=interval_text(row.mean, row.low, row.high, unit=unit),
            )
            for place, row in enumerate(rows)
        ),
        ticks=tuple(Tick(x(step), unit(step)) for step in steps),
        zero_x=x(0.0) if lowest < 0 else None,
        origins=tuple(origins),
    )


def interval_text(
    mean: float | None, low: float | None, high: float | None, *, unit: Unit = as_score
) -> str:
    """ "0.512 [0.481, 0.540]"; the mean alone where there is no interval, "" for nothing."""
    if mean is None:
        return ""
    if low is None or high is None:
        return unit(mean)
    return f"{unit(mean)} [{unit(low)}, {unit(high)}]"


@dataclass(frozen=True)
class ShareRow:
    """A name's part of a whole."""

    name: str
    n: int
    share: float

    @property
    def percent(self) -> str:
        """For people."""
        return as_percent(self.share)

    @property
    def width(self) -> float:
        """Of a bar of at most 100."""
        return round(100 * self.share, 1)


@dataclass(frozen=True)
class Shares:
    """What a whole is made of, the largest first."""

    slug: str
    title: str
    of: str
    rows: tuple[ShareRow, ...]
    note: str = ""
    origins: tuple[Origin, ...] = ()


def shares(
    slug: str,
    title: str,
    counts: dict[str, int],
    *,
    of: str,
    note: str = "",
    origins: Sequence[Origin] = (),
    n_rows: int = 12,
) -> Shares:
    """``counts`` by name; what is beyond ``n_rows`` is one row of its own."""
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rows = [ShareRow(name, n, n / total) for name, n in ordered[:n_rows] if n]
    if rest := sum(n for _, n in ordered[n_rows:]):
        rows.append(ShareRow(_("%(n)s others") % {"n": len(ordered) - n_rows}, rest, rest / total))
    return Shares(slug, title, of, tuple(rows), note, tuple(origins))
