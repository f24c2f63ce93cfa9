"""The drawing surface: a box with a palette that collects SVG shapes.

Only presentation attributes are written (no ``style``, no script, no outside reference), so that a
strict content security policy has nothing to refuse, inlined or served as an image. Shapes may
run over the edges: the nested ``<svg>`` around a composition clips them without needing an id.
"""

from math import cos, pi, sin
from typing import NamedTuple

from catalog.posters.dice import Dice

TAU = 2 * pi

Point = tuple[float, float]


class Palette(NamedTuple):
    """A flat ground, two inks and two accents."""

    ground: str
    a: str
    b: str
    c: str
    d: str


def num(value: float) -> str:
    """A coordinate in four significant digits: a tenth of a unit is below what print would show."""
    return f"{value:.4g}"


def points(values: list[Point] | tuple[Point, ...]) -> str:
    """Points for a polygon."""
    return " ".join(f"{x:.4g},{y:.4g}" for x, y in values)


def smooth(values: list[Point]) -> str:
    """Path data of a curve led by the points: quadratic pieces that meet halfway between them."""
    (x, y), *rest = values
    d = f"M{x:.4g} {y:.4g}"
    for (x, y), (next_x, next_y) in zip(rest, rest[1:], strict=False):
        d += f"Q{x:.4g} {y:.4g} {(x + next_x) / 2:.4g} {(y + next_y) / 2:.4g}"
    return d + f"L{rest[-1][0]:.4g} {rest[-1][1]:.4g}"


class Canvas:
    """A box ``w`` x ``h`` to draw in, with its palette and its dice."""

    __slots__ = ("a", "b", "c", "d", "dice", "g", "h", "m", "out", "w")

    def __init__(self, w: float, h: float, palette: Palette, dice: Dice) -> None:
        self.w, self.h, self.dice = w, h, dice
        self.m = min(w, h)
        self.g, self.a, self.b, self.c, self.d = palette
        self.out: list[str] = []

    def add(self, markup: str) -> None:
        """Raw markup: the caller vouches for it."""
        self.out.append(markup)

    def disc(self, x: float, y: float, r: float, fill: str) -> None:
        """A filled circle."""
        self.out.append(f'<circle cx="{x:.4g}" cy="{y:.4g}" r="{r:.4g}" fill="{fill}"/>')

    def ring(self, x: float, y: float, r: float, width: float, colour: str) -> None:
        """A circle's outline."""
        self.out.append(
            f'<circle cx="{x:.4g}" cy="{y:.4g}" r="{r:.4g}" fill="none" '
            f'stroke="{colour}" stroke-width="{width:.4g}"/>'
        )

    def oval(self, x: float, y: float, rx: float, ry: float, fill: str, *, turn: float = 0) -> None:
        """A filled ellipse, turned by ``turn`` degrees."""
        spin = f' transform="rotate({turn:.4g} {x:.4g} {y:.4g})"' if turn else ""
        self.out.append(
            f'<ellipse cx="{x:.4g}" cy="{y:.4g}" rx="{rx:.4g}" ry="{ry:.4g}" fill="{fill}"{spin}/>'
        )

    def box(self, x: float, y: float, w: float, h: float, fill: str) -> None:
        """A filled rectangle; one without extent is left out."""
        if w > 0 and h > 0:
            self.out.append(
                f'<rect x="{x:.4g}" y="{y:.4g}" width="{w:.4g}" height="{h:.4g}" fill="{fill}"/>'
            )

    def poly(self, fill: str, *corners: Point) -> None:
        """A filled polygon."""
        self.out.append(f'<path d="M{points(corners)}z" fill="{fill}"/>')

    def path(self, d: str, fill: str) -> None:
        """A filled path."""
        self.out.append(f'<path d="{d}" fill="{fill}"/>')

    def line(self, d: str, width: float, colour: str, *, cap: str = "butt") -> None:
        """A stroked path."""
        ends = f' stroke-linecap="{cap}"' if cap != "butt" else ""
        self.out.append(
            f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{width:.4g}"{ends}/>'
        )

    def half(self, x: float, y: float, r: float, turn: float, fill: str) -> None:
        """Half a disc; ``turn`` in radians, 0 puts the round side up."""
        self.pie(x, y, r, turn - pi, turn, fill)

    def pie(self, x: float, y: float, r: float, start: float, end: float, fill: str) -> None:
        """A slice of a disc from ``start`` to ``end`` radians, clockwise from three o'clock."""
        large = 1 if end - start > pi else 0
        self.out.append(
            f'<path d="M{x:.4g} {y:.4g}L{x + r * cos(start):.4g} {y + r * sin(start):.4g}'
            f"A{r:.4g} {r:.4g} 0 {large} 1 {x + r * cos(end):.4g} {y + r * sin(end):.4g}z"
            f'" fill="{fill}"/>'
        )

    def star(self, x: float, y: float, r: float, *, inner: float, tips: int, fill: str) -> None:
        """A star with the given number of tips, one of them up; ``inner`` is a share of ``r``."""
        corners = []
        for step in range(tips * 2):
            reach = r if step % 2 == 0 else r * inner
            angle = pi * step / tips - pi / 2
            corners.append((x + reach * cos(angle), y + reach * sin(angle)))
        self.poly(fill, *corners)

    def arc(self, x: float, y: float, r: float, start: float, end: float) -> str:
        """Path data of an open arc from ``start`` to ``end`` radians."""
        large = 1 if end - start > pi else 0
        return (
            f"M{x + r * cos(start):.4g} {y + r * sin(start):.4g}"
            f"A{r:.4g} {r:.4g} 0 {large} 1 {x + r * cos(end):.4g} {y + r * sin(end):.4g}"
        )

    def dots(self, spots: list[Point], size: float, colour: str) -> None:
        """Many equal dots as one path: round caps on strokes without length."""
        if spots:
            d = "".join(f"M{x:.4g} {y:.4g}h0" for x, y in spots)
            self.line(d, size, colour, cap="round")

    def open_group(self, attributes: str) -> None:
        """Start a group; close it with ``close_group``."""
        self.out.append(f"<g {attributes}>")

    def close_group(self) -> None:
        """End the last group."""
        self.out.append("</g>")
