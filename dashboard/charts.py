"""Numbers as charts: what a template needs to draw them as SVG and to write them as a table.

Nothing here knows colours: the marks carry classes, the tokens of the style sheet colour them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

BAR_HEIGHT = 26
# The labels stand left of the bars; so wide is a letter of theirs at most, on average.
BAR_LEFT = 120
LETTER_WIDTH = 7.5
BAR_WIDTH = 300
LINE_WIDTH, LINE_HEIGHT = 480, 180
_PAD = 8


@dataclass(frozen=True)
class Bar:
    """One row: mine against everybody's. Shares are 0..1, positions in the SVG's units."""

    label: str
    mine: float
    theirs: float
    y: int
    width: float
    mark: float

    @property
    def percent(self) -> int:
        """Mine in whole per cents."""
        return round(100 * self.mine)

    @property
    def theirs_percent(self) -> int:
        """Everybody's in whole per cents."""
        return round(100 * self.theirs)


@dataclass(frozen=True)
class BarChart:
    """Bars under one title; ``theirs`` says what the mark on each bar stands for."""

    slug: str
    title: str
    mine: str
    theirs: str
    bars: tuple[Bar, ...]
    #: Where bars begin: left of it stand the labels.
    left: int = BAR_LEFT

    @property
    def height(self) -> int:
        """Of the SVG."""
        return BAR_HEIGHT * len(self.bars) + _PAD

    @property
    def width(self) -> int:
        """Of the SVG."""
        return self.left + BAR_WIDTH + 60


def bar_chart(
    slug: str,
    title: str,
    rows: Sequence[tuple[str, float, float]],
    *,
    mine: str,
    theirs: str,
) -> BarChart:
    """``rows`` are (label, my share, their share); the longest bar fills the width."""
    top = max([share for _, *shares in rows for share in shares], default=0.0) or 1.0
    letters = max([len(label) for label, *_ in rows], default=0)
    left = max(BAR_LEFT, math.ceil(letters * LETTER_WIDTH) + 2 * _PAD)
    bars = tuple(
        Bar(
            label=label,
            mine=own,
            theirs=other,
            y=BAR_HEIGHT * place + _PAD,
            width=round(BAR_WIDTH * own / top, 1),
            mark=round(left + BAR_WIDTH * other / top, 1),
        )
        for place, (label, own, other) in enumerate(rows)
    )
    return BarChart(slug, title, mine, theirs, bars, left=left)


@dataclass(frozen=True)
class Line:
    """One series: its shares and the path that draws them. ``number`` picks the class."""

    label: str
    number: int
    shares: tuple[float, ...]
    points: str
    end_y: float

    @property
    def percents(self) -> tuple[int, ...]:
        """In whole per cents."""
        return tuple(round(100 * share) for share in self.shares)


@dataclass(frozen=True)
class LineChart:
    """Series over the same periods."""

    slug: str
    title: str
    periods: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def width(self) -> int:
        """Of the SVG."""
        return LINE_WIDTH

    @property
    def height(self) -> int:
        """Of the SVG."""
        return LINE_HEIGHT


def line_chart(
    slug: str, title: str, periods: Sequence[str], series: Sequence[tuple[str, Sequence[float]]]
) -> LineChart:
    """``series`` are (label, one share per period)."""
    top = max([share for _, shares in series for share in shares], default=0.0) or 1.0
    step = (LINE_WIDTH - 2 * _PAD) / max(len(periods) - 1, 1)

    def y(share: float) -> float:
        return round(LINE_HEIGHT - _PAD - (LINE_HEIGHT - 2 * _PAD) * share / top, 1)

    lines = tuple(
        Line(
            label=label,
            number=number,
            shares=tuple(shares),
            points=" ".join(
                f"{_PAD + step * place:.1f},{y(share)}" for place, share in enumerate(shares)
            ),
            end_y=y(shares[-1]),
        )
        for number, (label, shares) in enumerate(series)
    )
    return LineChart(slug, title, tuple(periods), lines)
