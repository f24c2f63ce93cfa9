"""What a decade does to a poster: frame, edge of the title panel, face and size of the title."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import cos, pi, sin

from catalog.posters.canvas import Canvas, Point
from catalog.posters.colour import INK, contrast, mix

WIDTH, HEIGHT = 200.0, 300.0


@dataclass(frozen=True)
class Frame:
    """Where the parts of one poster lie, in user units, and the colours of its title panel."""

    panel_top: float
    panel: str
    ink: str


Decorate = Callable[[Canvas, Frame], None]


def _nothing(_: Canvas, __: Frame) -> None:
    return


@dataclass(frozen=True)
class Treatment:
    """How a decade sets its posters. ``above`` is room kept between the art and the title panel."""

    name: str
    face: str = "narrow"
    anchor: str = "start"
    max_size: float = 50.0
    max_height: float = 88.0
    side: float = 12.0
    foot: float = 12.0
    inset: tuple[float, float, float] = (0.0, 0.0, 0.0)  # left, top, right
    above: float = 0.0
    panel: str = "flush"
    slanted: bool = False
    jitter: bool = False
    decorate: Decorate = field(default=_nothing)


def _frame_line(p: Canvas, inset: float, width: float, colour: str) -> None:
    p.add(
        f'<rect x="{inset:.4g}" y="{inset:.4g}" width="{WIDTH - 2 * inset:.4g}" '
        f'height="{HEIGHT - 2 * inset:.4g}" fill="none" stroke="{colour}" '
        f'stroke-width="{width:.4g}"/>'
    )


def _lozenge_rule(p: Canvas, frame: Frame) -> None:
    y, x = frame.panel_top + 2, WIDTH / 2
    p.line(f"M26 {y:.4g}H{x - 9:.4g}M{x + 9:.4g} {y:.4g}H174", 1.2, frame.ink)
    p.poly(frame.ink, (x - 6, y), (x, y - 4), (x + 6, y), (x, y + 4))


def _arch(p: Canvas, frame: Frame) -> None:
    """Silent years: the picture under an arch, as on a lobby card."""
    left, right, top, r = 14.0, WIDTH - 14.0, 14.0, 56.0
    p.path(
        f"M0 0H{WIDTH:.4g}V{top + r + 8:.4g}H{right:.4g}V{top + r:.4g}A{r:.4g} {r:.4g} 0 0 0 "
        f"{right - r:.4g} {top:.4g}H{left + r:.4g}A{r:.4g} {r:.4g} 0 0 0 {left:.4g} {top + r:.4g}"
        f"V{top + r + 8:.4g}H0z",
        frame.panel,
    )
    p.line(
        f"M{left:.4g} {frame.panel_top:.4g}V{top + r:.4g}A{r:.4g} {r:.4g} 0 0 1 {left + r:.4g} "
        f"{top:.4g}H{right - r:.4g}A{r:.4g} {r:.4g} 0 0 1 {right:.4g} {top + r:.4g}"
        f"V{frame.panel_top:.4g}z",
        2.2,
        frame.ink,
    )
    _frame_line(p, 5, 1.2, frame.ink)


def _deco(p: Canvas, frame: Frame) -> None:
    """The thirties: a double border with stepped corners."""
    near, far = 5.0, 16.0
    steps = []
    for sx in (0, 1):
        for sy in (0, 1):
            x, y = sx * WIDTH, sy * HEIGHT
            dx, dy = 1 - 2 * sx, 1 - 2 * sy
            steps.append(
                f"M{x + dx * near:.4g} {y + dy * 30:.4g}h{dx * 6}v{-dy * 7}h{dx * 6}"
                f"v{-dy * 6}h{dx * 7}v{-dy * 6}h{dx * 6}v{-dy * 6}"
            )
            p.box(min(x, x + dx * far), min(y, y + dy * far), far, far, frame.panel)
    _frame_line(p, near, 2.4, frame.ink)
    _frame_line(p, 9, 0.9, frame.ink)
    p.line("".join(steps), 1.4, frame.ink)
    _lozenge_rule(p, frame)


def _forties(p: Canvas, frame: Frame) -> None:
    """The forties: one heavy border and a thin line in it."""
    _frame_line(p, 3.5, 7, frame.ink)
    _frame_line(p, 9.4, 1, frame.ink)
    p.line(f"M20 {frame.panel_top + 1:.4g}H180", 3, frame.ink)
    p.line(f"M20 {frame.panel_top + 4.4:.4g}H180", 0.9, frame.ink)


def _fifties(p: Canvas, frame: Frame) -> None:
    """The fifties: an atomic star on the slanted edge."""
    x, y = (166.0, frame.panel_top - 8) if p.dice.chance(0.5) else (34.0, frame.panel_top - 12)
    d, ends = "", []
    for ray in range(8):
        angle = ray * pi / 4 + 0.2
        reach = 20.0 if ray % 2 == 0 else 12.0
        end: Point = (x + cos(angle) * reach, y + sin(angle) * reach * 0.95)
        d += f"M{x:.4g} {y:.4g}L{end[0]:.4g} {end[1]:.4g}"
        ends.append(end)
    p.line(d, 1.8, p.c)
    p.dots(ends, 5, p.c)
    p.disc(x, y, 4, p.d)


def _cut_outs(p: Canvas, frame: Frame) -> None:
    """The sixties: the picture cut with scissors, never quite straight."""
    dice, foot = p.dice, frame.panel_top + 1

    def wobble(low: float, high: float) -> float:
        return dice.between(low, high)

    p.poly(
        frame.panel,
        (0, 0),
        (WIDTH, 0),
        (WIDTH, wobble(5, 11)),
        (wobble(90, 150), wobble(5, 14)),
        (wobble(40, 80), wobble(4, 9)),
        (0, wobble(6, 14)),
    )
    p.poly(
        frame.panel,
        (0, 0),
        (wobble(5, 11), 0),
        (wobble(5, 13), foot * 0.5),
        (wobble(4, 11), foot),
        (0, foot),
    )
    p.poly(
        frame.panel,
        (WIDTH, 0),
        (WIDTH - wobble(5, 11), 0),
        (WIDTH - wobble(5, 13), foot * 0.5),
        (WIDTH - wobble(4, 11), foot),
        (WIDTH, foot),
    )
    p.poly(
        frame.panel,
        (0, foot - wobble(1, 8)),
        (wobble(50, 90), foot - wobble(4, 9)),
        (wobble(110, 150), foot - wobble(0, 5)),
        (WIDTH, foot - wobble(2, 9)),
        (WIDTH, foot + 1),
        (0, foot + 1),
    )


def _stripes(p: Canvas, frame: Frame) -> None:
    """The seventies: a run of stripes that turns the corner."""
    fat = 5.4
    colours = [p.d, p.c, p.a, p.b]
    y0 = frame.panel_top - fat * 3.5
    shape = p.dice.whole(0, 2)
    for step, colour in enumerate(colours):
        y = y0 + fat * step
        if shape == 2:
            p.line(f"M0 {y:.4g}H{WIDTH:.4g}", fat, colour)
            continue
        r = 16 + fat * step
        x = 138 + fat * step
        d = f"M0 {y:.4g}H{x - r:.4g}a{r:.4g} {r:.4g} 0 0 0 {r:.4g} {-r:.4g}V0"
        if shape == 1:
            d = (
                f"M{WIDTH:.4g} {y:.4g}H{WIDTH - x + r:.4g}a{r:.4g} {r:.4g} 0 0 1 {-r:.4g} {-r:.4g}"
                f"V0"
            )
        p.line(d, fat, colour)


def _grid(p: Canvas, frame: Frame) -> None:
    """The eighties: a grid running to the horizon."""
    top, foot = frame.panel_top - 34, frame.panel_top
    strip = mix(p.g, INK, 0.78)
    bright = max((p.c, p.d, p.a, p.b), key=lambda colour: contrast(colour, strip))
    p.box(0, top, WIDTH, 34.5, strip)
    x = 100 + p.dice.between(-40, 40)
    d = ""
    for step in range(-9, 10):
        d += f"M{x + step * 7:.4g} {top:.4g}L{x + step * 40:.4g} {foot:.4g}"
    for step in range(1, 6):
        y = top + 34 * (step / 6) ** 1.7
        d += f"M0 {y:.4g}H{WIDTH:.4g}"
    p.add(
        f'<svg y="{top:.4g}" width="200" height="34" viewBox="0 {top:.4g} 200 34">'
        f'<path d="{d}" fill="none" stroke="{bright}" stroke-width="1.1"/></svg>'
    )
    p.box(0, top - 1.2, WIDTH, 2.4, bright)


def _spine(p: Canvas, frame: Frame) -> None:
    """The nineties: the spine of a video cassette."""
    p.box(0, 0, 13, HEIGHT, p.c)
    for step, colour in enumerate((p.a, p.g, p.d)):
        p.box(0, 14 + step * 15, 13, 11, colour)
    p.box(0, HEIGHT - 42, 13, 28, p.a)


def _letterbox(p: Canvas, frame: Frame) -> None:
    """The nineties, wide: bars above and below the picture."""
    p.box(0, 0, WIDTH, 16, frame.panel)
    for chip in range(3):
        p.box(
            12 + chip * 13, 6.5, 10, 3, (p.c, p.d, p.a)[chip] if frame.panel == p.g else frame.ink
        )


def _hairline(p: Canvas, frame: Frame) -> None:
    """The two-thousands: a hairline and air."""
    p.line(f"M14 {frame.panel_top + 3:.4g}H186", 0.8, frame.ink)


def _bold_frame(p: Canvas, frame: Frame) -> None:
    """The tens: a frame as thick as a thumb."""
    p.line(f"M4.5 {frame.panel_top + 2:.4g}V4.5H195.5V{frame.panel_top + 2:.4g}", 9, frame.panel)


def _heavy_rule(p: Canvas, frame: Frame) -> None:
    """The twenties: one heavy rule over large type."""
    p.box(12, frame.panel_top + 1, 40, 4.5, frame.ink)


_PLAIN = Treatment("plain")
_ARCH = Treatment(
    "arch",
    face="serif",
    anchor="middle",
    max_size=38,
    max_height=80,
    side=20,
    foot=18,
    inset=(14, 14, 14),
    above=2,
    decorate=_arch,
)
_DECO = Treatment(
    "deco",
    face="serif",
    anchor="middle",
    max_size=38,
    max_height=80,
    side=20,
    foot=20,
    inset=(9, 9, 9),
    above=4,
    decorate=_deco,
)
_FORTIES = Treatment(
    "forties",
    face="serif",
    anchor="middle",
    max_size=40,
    max_height=82,
    side=19,
    foot=19,
    inset=(8, 8, 8),
    above=5,
    decorate=_forties,
)
_FIFTIES = Treatment(
    "fifties", max_size=48, panel="block", slanted=True, above=2, decorate=_fifties
)
_CUT_OUTS = Treatment(
    "cut-outs", max_size=48, side=14, panel="block", jitter=True, above=2, decorate=_cut_outs
)
_STRIPES = Treatment("stripes", max_size=46, above=3, decorate=_stripes)
_GRID = Treatment("grid", max_size=48, slanted=False, above=2, decorate=_grid)
_SPINE = Treatment("spine", max_size=48, side=12, inset=(13, 0, 0), decorate=_spine)
_LETTERBOX = Treatment(
    "letterbox", max_size=46, inset=(0, 16, 0), panel="block", above=1, decorate=_letterbox
)
_NINETIES = Treatment("nineties", max_size=50, panel="block")
_CLEAN = Treatment(
    "clean", max_size=36, max_height=76, side=14, foot=14, inset=(14, 14, 14), above=2
)
_CLEAN_LINE = Treatment(
    "clean-line", max_size=38, max_height=78, side=14, foot=13, above=4, decorate=_hairline
)
_CLEAN_BLOCK = Treatment("clean-block", max_size=38, max_height=78, side=14, foot=13, panel="block")
_BOLD_FRAME = Treatment(
    "bold-frame", max_size=46, side=13, inset=(9, 9, 9), panel="block", decorate=_bold_frame
)
_BLEED = Treatment("bleed", max_size=52, panel="block")
_HUGE = Treatment("huge", max_size=60, max_height=96, above=7, decorate=_heavy_rule)

_DECADES: dict[int, tuple[Treatment, ...]] = {
    1930: (_DECO,),
    1940: (_FORTIES, _FORTIES, _DECO),
    1950: (_FIFTIES,),
    1960: (_CUT_OUTS,),
    1970: (_STRIPES,),
    1980: (_GRID, _GRID, _PLAIN),
    1990: (_SPINE, _LETTERBOX, _NINETIES, _PLAIN),
    2000: (_CLEAN, _CLEAN_LINE, _CLEAN_BLOCK),
    2010: (_BOLD_FRAME, _BLEED, _PLAIN),
    2020: (_HUGE, _HUGE, _BLEED),
}


def treatments_for(year: int | None) -> tuple[Treatment, ...]:
    """The treatments a film of that year may get; without a year the plain ones."""
    if year is None:
        return (_PLAIN, _NINETIES)
    if year < 1930:
        return (_ARCH,)
    return _DECADES[min(year // 10 * 10, 2020)]
