"""Fantasy, Sci-Fi, IMAX and films without a genre: light, orbits, screens."""

from math import cos, pi, sin

from catalog.posters.canvas import TAU, Canvas, points


def _stars(p: Canvas, count: int, depth: float) -> None:
    spots = [(p.dice.unit() * p.w, p.dice.unit() * p.h * depth) for _ in range(count)]
    p.dots(spots[::2], p.m * 0.011, p.b)
    p.dots(spots[1::2], p.m * 0.018, p.b)


def rays(p: Canvas) -> None:
    """Rays from a low disc."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w * dice.between(0.35, 0.65), h * dice.between(0.66, 0.84)
    count = dice.pick((16, 20, 24))
    reach = (w + h) * 1.1
    turn = dice.between(0, pi / count)
    for ray in range(count):
        angle = turn + TAU * ray / count
        half = pi / count * dice.between(0.4, 0.62)
        p.poly(
            p.a if ray % 2 else p.b,
            (x, y),
            (x + cos(angle - half) * reach, y + sin(angle - half) * reach),
            (x + cos(angle + half) * reach, y + sin(angle + half) * reach),
        )
    p.disc(x, y, p.m * 0.27, p.g)
    p.disc(x, y, p.m * 0.21, p.c)
    p.disc(x, y, p.m * 0.1, p.d)


def castle(p: Canvas) -> None:
    """Spires under a crescent."""
    w, h, dice = p.w, p.h, p.dice
    _stars(p, 24, 0.6)
    x, y, r = w * dice.between(0.5, 0.66), h * 0.34, p.m * 0.29
    p.disc(x, y, r, p.a)
    p.disc(x + r * dice.between(0.25, 0.4), y - r * 0.16, r * 0.84, p.g)
    for layer, colour in ((0, p.d), (1, p.b)):
        left = -w * dice.between(0.0, 0.1)
        while left < w:
            wide = w * dice.between(0.1, 0.17)
            top = h * dice.between(0.44, 0.72) + layer * h * 0.1
            p.box(left, top, wide, h, colour)
            roof = wide * dice.between(0.9, 1.7)
            p.poly(
                colour if layer else p.c,
                (left - wide * 0.12, top + 0.4),
                (left + wide / 2, top - roof),
                (left + wide * 1.12, top + 0.4),
            )
            if layer:
                p.box(left + wide * 0.4, top + wide * 0.5, wide * 0.2, wide * 0.4, p.a)
            left += wide * dice.between(0.95, 1.3)


def crystals(p: Canvas) -> None:
    """A fan of two-sided crystals."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w * dice.between(0.4, 0.6), h * 1.02
    p.disc(x, h * 0.46, p.m * 0.4, p.d)
    count = dice.whole(6, 8)
    faces = [(p.a, p.b), (p.c, p.a), (p.b, p.c)]
    order = sorted(range(count), key=lambda i: -abs(i - (count - 1) / 2))
    for index in order:
        angle = -pi / 2 + (index - (count - 1) / 2) * pi * 0.8 / count + dice.between(-0.05, 0.05)
        reach = h * (0.94 - 0.36 * abs(index / (count - 1) - 0.5) * 2) * dice.between(0.82, 1.0)
        fat = p.m * dice.between(0.07, 0.11)
        ux, uy = cos(angle), sin(angle)
        shoulder = reach * 0.8
        left = (x + ux * shoulder + uy * fat, y + uy * shoulder - ux * fat)
        right = (x + ux * shoulder - uy * fat, y + uy * shoulder + ux * fat)
        tip, ridge = (
            (x + ux * reach, y + uy * reach),
            (x + ux * shoulder * 0.94, y + uy * shoulder * 0.94),
        )
        one, two = faces[index % 3]
        p.poly(one, (x, y), left, tip, ridge)
        p.poly(two, (x, y), right, tip, ridge)


def serpent(p: Canvas) -> None:
    """A dragon as a chain of discs."""
    w, h, dice = p.w, p.h, p.dice
    _stars(p, 16, 1.0)
    p.disc(w * dice.between(0.3, 0.7), h * 0.36, p.m * 0.27, p.d)
    waves, links = dice.between(1.1, 1.5), 26
    phase = dice.between(0, TAU)
    for link in range(links):
        t = link / (links - 1)
        x = w * (0.5 + 0.36 * sin(phase + waves * TAU * t))
        y = h * (1.04 - 0.82 * t)
        r = p.m * (0.13 - 0.075 * t)
        p.disc(x, y, r, p.a if link % 2 else p.b)
    p.poly(p.c, (x - r * 2.2, y - r), (x, y - r * 2), (x + r * 2.2, y - r), (x, y + r * 1.6))
    p.disc(x - r * 0.5, y - r * 0.6, r * 0.26, p.g)
    p.disc(x + r * 0.5, y - r * 0.6, r * 0.26, p.g)


def orbits(p: Canvas) -> None:
    """A planet in tilted orbits."""
    w, h, dice = p.w, p.h, p.dice
    _stars(p, 30, 1.0)
    x, y, r = (
        w * dice.between(0.42, 0.58),
        h * dice.between(0.42, 0.52),
        p.m * dice.between(0.2, 0.27),
    )
    tilt = dice.between(12, 34) * dice.sign()
    loops = dice.whole(2, 4)
    front = []
    p.open_group(f'transform="rotate({tilt:.3g} {x:.4g} {y:.4g})"')
    for loop in range(loops):
        rx, ry = r * (1.75 + 0.5 * loop), r * (0.42 + 0.2 * loop)
        colour = p.c if loop % 2 == 0 else p.d
        p.line(f"M{x - rx:.4g} {y:.4g}A{rx:.4g} {ry:.4g} 0 0 1 {x + rx:.4g} {y:.4g}", 3.2, colour)
        front.append((rx, ry, colour))
    p.disc(x, y, r, p.a)
    p.half(x, y, r, dice.between(0.3, 2.2), p.b)
    for rx, ry, colour in front:
        p.line(f"M{x - rx:.4g} {y:.4g}A{rx:.4g} {ry:.4g} 0 0 0 {x + rx:.4g} {y:.4g}", 3.2, colour)
        angle = dice.between(0.2, pi - 0.2)
        p.disc(x + cos(angle) * rx, y + sin(angle) * ry, r * 0.13, colour)
    p.close_group()


def eclipse(p: Canvas) -> None:
    """A dark disc before a bright one, a slab standing on the ground below."""
    w, h, dice = p.w, p.h, p.dice
    _stars(p, 26, 0.7)
    x, y, r = w * dice.between(0.4, 0.6), h * 0.4, p.m * dice.between(0.3, 0.36)
    p.disc(x, y, r, p.c)
    slip = r * dice.between(0.12, 0.4)
    turn = dice.between(0, TAU)
    p.disc(x + cos(turn) * slip, y + sin(turn) * slip, r * 0.9, p.g)
    line = h * 0.84
    slab = w * dice.between(0.2, 0.74)
    p.box(slab, h * dice.between(0.46, 0.56), p.m * 0.11, h * 0.5, p.d)
    p.box(slab + p.m * 0.075, h * 0.58, p.m * 0.035, h * 0.4, p.b)
    p.path(f"M0 {line:.4g}Q{w / 2:.4g} {line - h * 0.12:.4g} {w:.4g} {line:.4g}V{h:.4g}H0z", p.a)


def tunnel(p: Canvas) -> None:
    """Polygons turning away into depth."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w * dice.between(0.42, 0.58), h * dice.between(0.42, 0.56)
    sides = dice.pick((4, 5, 6, 6, 8))
    twist = dice.between(0.08, 0.22) * dice.sign()
    reach = (w + h) * 0.6
    colours = dice.pick(((p.a, p.g, p.b, p.g), (p.a, p.g), (p.a, p.b, p.c, p.g)))
    turn = dice.between(0, pi)
    for ring in range(12):
        corners = [
            (x + cos(turn + TAU * s / sides) * reach, y + sin(turn + TAU * s / sides) * reach)
            for s in range(sides)
        ]
        p.path(f"M{points(corners)}z", colours[ring % len(colours)])
        reach *= 0.79
        turn += twist
    p.disc(x, y, reach * 0.9, p.d)


def saucer(p: Canvas) -> None:
    """A craft and the beam under it."""
    w, h, dice = p.w, p.h, p.dice
    _stars(p, 22, 0.8)
    x, y, s = w * dice.between(0.4, 0.6), h * dice.between(0.26, 0.34), p.m * 0.4
    spread = w * dice.between(0.28, 0.42)
    p.poly(p.c, (x - s * 0.3, y), (x + s * 0.3, y), (x + spread, h), (x - spread, h))
    for step in range(1, 5):
        yy = y + (h - y) * (0.16 + 0.2 * step)
        p.box(0, yy, w, h * 0.03, p.g)
    p.half(x, y, s * 0.42, 0, p.b)
    p.oval(x, y + s * 0.06, s, s * 0.23, p.a)
    p.dots([(x + s * 0.3 * k, y + s * 0.07) for k in (-2, -1, 0, 1, 2)], s * 0.12, p.d)


def signal(p: Canvas) -> None:
    """Arcs sent up from a dish, to a point."""
    w, h, dice = p.w, p.h, p.dice
    _stars(p, 20, 0.6)
    x, y = w * dice.between(0.24, 0.36), h * dice.between(0.7, 0.76)
    count = dice.whole(4, 6)
    for step in range(1, count + 1):
        r = p.m * (0.16 + 0.8 * step / count)
        p.line(p.arc(x, y, r, -pi * 0.45, -pi * 0.05), p.m * 0.4 / count, (p.a, p.b, p.c)[step % 3])
    p.poly(p.a, (x, y), (x - p.m * 0.13, h), (x + p.m * 0.13, h))
    p.half(x, y, p.m * 0.19, pi * 1.25, p.a)
    p.disc(x + p.m * 0.09, y - p.m * 0.09, p.m * 0.035, p.d)
    p.disc(w * dice.between(0.76, 0.88), h * dice.between(0.12, 0.2), p.m * 0.075, p.d)


def giant_screen(p: Canvas) -> None:
    """A screen the size of a house, and the small people before it."""
    w, h, dice = p.w, p.h, p.dice
    foot, top = h * dice.between(0.62, 0.7), h * 0.06
    p.poly(
        p.a,
        (w * 0.03, top),
        (w * 0.97, top + h * dice.between(0, 0.08)),
        (w * 0.93, foot),
        (w * 0.07, foot),
    )
    p.disc(w * dice.between(0.3, 0.7), (foot + top) / 2, (foot - top) * 0.34, p.c)
    p.poly(
        p.b,
        (w * 0.07, foot),
        (w * 0.068, foot - h * 0.1),
        (w * 0.4, foot - h * 0.25),
        (w * 0.7, foot - h * 0.06),
        (w * 0.93, foot),
    )
    for row, (count, colour) in enumerate(((9, p.d), (7, p.b))):
        y, r = h * (0.86 + 0.09 * row), w / count * 0.34
        p.dots(
            [(w * (i + 0.5 + (row % 2) * 0.5) / count, y) for i in range(-1, count + 1)],
            r * 2,
            colour,
        )
        p.box(0, y + r * 0.7, w, h, colour)


def limb(p: Canvas) -> None:
    """The edge of a world in thin layers of air."""
    w, h, dice = p.w, p.h, p.dice
    _stars(p, 30, 0.6)
    r = max(w, h) * dice.between(0.9, 1.25)
    x, y = w * dice.between(0.15, 0.85), h * dice.between(0.4, 0.52) + r
    for step, colour in enumerate((p.a, p.b, p.c, p.g, p.a)):
        p.disc(x, y, r - step * p.m * dice.between(0.06, 0.1), colour)
    p.disc(w * dice.between(0.2, 0.8), h * dice.between(0.14, 0.26), p.m * 0.09, p.d)


def dome(p: Canvas) -> None:
    """A dome of light over the seats."""
    w, h, dice = p.w, p.h, p.dice
    x, floor = w * dice.between(0.42, 0.58), h * 0.8
    colours = [p.a, p.b, p.c, p.g, p.d]
    reach = min(w * 0.6, floor * 0.94)
    for step, colour in enumerate(colours):
        s = reach * (1 - 0.19 * step)
        p.path(
            f"M{x - s:.4g} {floor:.4g}A{s:.4g} {min(s * 1.25, floor * 0.96):.4g} 0 0 1 "
            f"{x + s:.4g} {floor:.4g}z",
            colour,
        )
    p.box(0, floor, w, h, p.b)
    p.dots([(w * (i + 0.5) / 10, floor + h * 0.04) for i in range(10)], w * 0.06, p.g)


def projector(p: Canvas) -> None:
    """A beam through the dark."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w * 0.12, h * dice.between(0.7, 0.86)
    spread = dice.between(0.3, 0.5)
    for share, colour in ((1.0, p.c), (0.6, p.b), (0.26, p.a)):
        p.poly(
            colour,
            (x, y),
            (w * 1.02, -h * 0.08 + h * 0.34 * (1 - share)),
            (w * 1.02, h * (0.1 + spread * share)),
        )
    p.disc(x, y, p.m * 0.15, p.d)
    p.disc(x, y, p.m * 0.07, p.g)


def reel(p: Canvas) -> None:
    """A reel paying out its film."""
    w, h, dice = p.w, p.h, p.dice
    x, y, r = w * dice.between(0.42, 0.56), h * 0.44, p.m * 0.4
    p.line(
        f"M{x - r:.4g} {y:.4g}C{x - r:.4g} {h * 0.95:.4g} {w * 0.6:.4g} {h * 0.78:.4g} "
        f"{w * 1.1:.4g} {h * 0.97:.4g}",
        p.m * 0.13,
        p.b,
    )
    p.disc(x, y, r, p.a)
    turn, holes = dice.between(0, pi), dice.pick((3, 5, 5, 6))
    for hole in range(holes):
        angle = turn + TAU * hole / holes
        p.disc(x + cos(angle) * r * 0.6, y + sin(angle) * r * 0.6, r * (0.9 / holes + 0.06), p.g)
    p.disc(x, y, r * 0.15, p.c)
    p.disc(w * dice.pick((0.12, 0.88)), h * 0.1, p.m * 0.05, p.d)


def curtain(p: Canvas) -> None:
    """The curtain, opening."""
    w, h, dice = p.w, p.h, p.dice
    gap = dice.between(0.24, 0.4)
    x = w * dice.between(0.44, 0.56)
    p.disc(x, h * 0.55, p.m * 0.25, p.d)
    p.box(0, h * 0.86, w, h, p.c)
    folds = 5
    for side in (-1, 1):
        edge = -w * 0.02 if side < 0 else w * 1.02
        for fold in range(folds):
            outer = edge + (x + side * gap * w * 0.5 - edge) * fold / folds
            inner = edge + (x + side * gap * w * 0.5 - edge) * (fold + 1.06) / folds
            sweep = inner + side * w * 0.05 * fold
            p.path(
                f"M{outer:.4g} 0H{inner - side * w * 0.1:.4g}Q{inner - side * w * 0.1:.4g} "
                f"{h * 0.5:.4g} {sweep:.4g} {h * 0.9:.4g}H{outer:.4g}z",
                p.a if fold % 2 else p.b,
            )
    scallops = 5
    for scallop in range(scallops):
        p.half(
            w * (scallop + 0.5) / scallops,
            h * 0.07,
            w / scallops / 2 + 0.5,
            pi,
            p.c if scallop % 2 else p.a,
        )
    p.box(0, 0, w, h * 0.075, p.a)


FANTASY = (rays, castle, crystals, serpent)
SCI_FI = (orbits, eclipse, tunnel, saucer, signal)
IMAX = (giant_screen, limb, dome)
NEUTRAL = (projector, reel, curtain)
