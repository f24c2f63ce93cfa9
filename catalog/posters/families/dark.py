"""Crime, Film-Noir and Horror: bars, slats, teeth."""

from math import cos, pi, sin

from catalog.posters.canvas import Canvas, Point


def bars(p: Canvas) -> None:
    """Slanted bars with a hole shot through them."""
    w, h, dice = p.w, p.h, p.dice
    lean = h * dice.between(0.2, 0.42)
    colours = [p.a, p.a, p.b, p.a, p.c]
    dice.shuffle(colours)
    x, step = -lean, 0
    while x < w + lean:
        thick = w * dice.between(0.06, 0.13)
        p.poly(colours[step % 5], (x + lean, 0), (x + lean + thick, 0), (x + thick, h), (x, h))
        x += thick + w * dice.between(0.04, 0.09)
        step += 1
    hx, hy, r = w * dice.between(0.36, 0.64), h * dice.between(0.34, 0.62), p.m * 0.2
    p.disc(hx, hy, r, p.g)
    p.disc(hx, hy, r * dice.between(0.16, 0.34), p.d)


def fingerprint(p: Canvas) -> None:
    """A whorl of broken arches."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w * dice.between(0.44, 0.56), h * dice.between(0.52, 0.6)
    rings = dice.whole(8, 9)
    gap = p.m * 0.46 / rings
    for ring in range(1, rings + 1):
        r = gap * ring
        start = pi * (0.75 + dice.between(0.0, 0.22))
        end = pi * (2.25 - dice.between(0.0, 0.22))
        colour = p.c if ring == 3 else (p.b if ring % 4 == 0 else p.a)
        drop = h * dice.between(0.08, 0.2) * (ring / rings + 0.3)
        left, right = x + r * cos(start), x + r * cos(end)
        p.line(
            f"M{left:.4g} {y + drop:.4g}V{y:.4g}A{abs(right - left) / 2:.4g} {r * 1.1:.4g} 0 0 1 "
            f"{right:.4g} {y:.4g}V{y + h * dice.between(0.02, 0.24):.4g}",
            gap * 0.56,
            colour,
            cap="round",
        )
    p.disc(x, y + gap * 0.3, gap * 0.5, p.d)


def cylinder(p: Canvas) -> None:
    """A revolver's cylinder with one chamber loaded."""
    w, h, dice = p.w, p.h, p.dice
    x, y, r = w * dice.between(0.42, 0.58), h * dice.between(0.45, 0.52), p.m * 0.45
    p.poly(
        p.b,
        (0, y - r * 0.5),
        (w, y - r * dice.between(0.5, 1.1)),
        (w, y + r * 0.4),
        (0, y + r * dice.between(0.4, 0.9)),
    )
    p.disc(x, y, r, p.a)
    turn, live = dice.between(0, pi / 3), dice.whole(0, 5)
    for chamber in range(6):
        angle = turn + chamber * pi / 3
        cx, cy = x + cos(angle) * r * 0.62, y + sin(angle) * r * 0.62
        p.disc(cx, cy, r * 0.23, p.c if chamber == live else p.g)
        if chamber == live:
            p.disc(cx, cy, r * 0.09, p.a)
        p.disc(
            x + cos(angle + pi / 6) * r * 1.02, y + sin(angle + pi / 6) * r * 1.02, r * 0.12, p.b
        )
    p.disc(x, y, r * 0.16, p.d)


def lineup(p: Canvas) -> None:
    """Figures before a height chart, one of them marked."""
    w, h, dice = p.w, p.h, p.dice
    for row in range(9):
        p.box(0, h * (0.06 + 0.11 * row), w, 1.6 if row % 2 else 3.2, p.b)
    count = 4 if w <= h * 1.3 else 7
    guilty = dice.whole(0, count - 1)
    for person in range(count):
        x = w * (person + 0.5) / count
        r = w / count * 0.24
        top = h * dice.between(0.2, 0.44)
        colour = p.c if person == guilty else p.a
        p.disc(x, top, r, colour)
        p.path(
            f"M{x - r * 1.85:.4g} {h:.4g}V{top + r * 2.6:.4g}Q{x - r * 1.8:.4g} "
            f"{top + r * 1.25:.4g} {x:.4g} {top + r * 1.25:.4g}T{x + r * 1.85:.4g} "
            f"{top + r * 2.6:.4g}V{h:.4g}z",
            colour,
        )


def skyline(p: Canvas) -> None:
    """A city by night, cut by a getaway."""
    w, h, dice = p.w, p.h, p.dice
    p.disc(w * dice.between(0.2, 0.8), h * 0.24, p.m * 0.16, p.d)
    x = 0.0
    while x < w:
        wide = w * dice.between(0.1, 0.2)
        top = h * dice.between(0.24, 0.6)
        p.box(x, top, wide - 2, h, dice.pick((p.a, p.a, p.b)))
        for _ in range(dice.whole(1, 3)):
            p.box(
                x + wide * dice.between(0.15, 0.6),
                top + h * dice.between(0.05, 0.3),
                wide * 0.16,
                h * 0.03,
                p.d,
            )
        x += wide
    edge = h * dice.between(0.62, 0.7)
    p.poly(
        p.c, (0, edge + h * 0.2), (w, edge - h * 0.1), (w, edge + h * 0.02), (0, edge + h * 0.26)
    )
    p.poly(p.g, (0, edge + h * 0.26), (w, edge + h * 0.02), (w, h), (0, h))


def blinds(p: Canvas) -> None:
    """Light through Venetian blinds over a moon of a face."""
    w, h, dice = p.w, p.h, p.dice
    x, y, r = w * dice.between(0.4, 0.62), h * 0.48, p.m * 0.38
    p.disc(x, y, r, p.b)
    p.half(x, y, r, dice.pick((pi / 2, -pi / 2)), p.c)
    slats = dice.whole(8, 10)
    tilt = h * dice.between(0.03, 0.12) * dice.sign()
    gap = h * 1.2 / slats
    for slat in range(slats):
        y = -h * 0.08 + gap * slat
        p.poly(
            p.a,
            (0, y + tilt),
            (w, y - tilt),
            (w, y - tilt + gap * 0.44),
            (0, y + tilt + gap * 0.44),
        )
    p.box(w * dice.pick((0.1, 0.86)), 0, 2, h, p.g)


def street_lamp(p: Canvas) -> None:
    """A figure and his shadow in the cone of a lamp."""
    w, h, dice = p.w, p.h, p.dice
    x, floor = w * dice.between(0.4, 0.6), h * 0.78
    p.poly(
        p.d,
        (x - w * 0.02, h * 0.06),
        (x + w * 0.02, h * 0.06),
        (x + w * 0.42, floor),
        (x - w * 0.42, floor),
    )
    p.oval(x, floor, w * 0.42, h * 0.07, p.d)
    p.poly(
        p.a,
        (x - w * 0.1, h * 0.08),
        (x - w * 0.05, h * 0.02),
        (x + w * 0.05, h * 0.02),
        (x + w * 0.1, h * 0.08),
    )
    man = x + w * dice.between(-0.12, 0.12)
    s = p.m * 0.3
    stretch = w * dice.between(0.3, 0.5) * dice.sign()
    p.poly(
        p.b,
        (man - s * 0.14, floor),
        (man + s * 0.14, floor),
        (man + stretch + s * 0.3, h),
        (man + stretch - s * 0.2, h),
    )
    p.poly(
        p.g,
        (man - s * 0.3, floor),
        (man - s * 0.2, floor - s),
        (man + s * 0.2, floor - s),
        (man + s * 0.3, floor),
    )
    p.disc(man, floor - s * 1.12, s * 0.16, p.g)
    p.box(man - s * 0.28, floor - s * 1.22, s * 0.56, s * 0.07, p.g)
    p.box(man - s * 0.15, floor - s * 1.38, s * 0.3, s * 0.18, p.c)


def fedora(p: Canvas) -> None:
    """A hat, a collar, and between them nothing but an ember."""
    w, h, dice = p.w, p.h, p.dice
    x, y, s = w * dice.between(0.46, 0.54), h * 0.4, p.m * 0.5
    p.poly(p.b, (w, 0), (w, h * 0.9), (x - s * 0.2, y))
    p.oval(x, y + s * 0.2, s * 0.4, s * 0.5, p.g)
    p.path(
        f"M{x - s * 1.05:.4g} {h:.4g}C{x - s:.4g} {y + s * 0.7:.4g} {x - s * 0.5:.4g} "
        f"{y + s * 0.7:.4g} {x - s * 0.42:.4g} {y + s * 0.42:.4g}L{x:.4g} {y + s * 0.98:.4g}"
        f"L{x + s * 0.42:.4g} {y + s * 0.42:.4g}C{x + s * 0.5:.4g} {y + s * 0.7:.4g} "
        f"{x + s:.4g} {y + s * 0.7:.4g} {x + s * 1.05:.4g} {h:.4g}z",
        p.a,
    )
    p.open_group(f'transform="rotate({dice.between(-15, -6):.3g} {x:.4g} {y:.4g})"')
    p.path(
        f"M{x - s * 0.52:.4g} {y:.4g}C{x - s * 0.5:.4g} {y - s * 0.8:.4g} {x - s * 0.12:.4g} "
        f"{y - s * 0.7:.4g} {x:.4g} {y - s * 0.52:.4g}C{x + s * 0.12:.4g} {y - s * 0.7:.4g} "
        f"{x + s * 0.5:.4g} {y - s * 0.8:.4g} {x + s * 0.52:.4g} {y:.4g}z",
        p.a,
    )
    p.box(x - s * 0.52, y - s * 0.16, s * 1.04, s * 0.14, p.c)
    p.oval(x, y, s * 0.92, s * 0.12, p.a)
    p.close_group()
    ex, ey = x + s * 0.26, y + s * 0.42
    p.line(
        f"M{ex:.4g} {ey:.4g}c{s * 0.1:.4g} {-s * 0.3:.4g} {s * 0.5:.4g} {-s * 0.1:.4g} "
        f"{s * 0.5:.4g} {-s * 0.5:.4g}s{s * 0.2:.4g} {-s * 0.3:.4g} {s * 0.1:.4g} {-s * 0.5:.4g}",
        2.4,
        p.d,
        cap="round",
    )
    p.disc(ex, ey, s * 0.06, p.c)


def stairwell(p: Canvas) -> None:
    """Looking down a square stairwell."""
    w, h, dice = p.w, p.h, p.dice
    turns = dice.whole(6, 8)
    x, y = w * dice.between(0.36, 0.64), h * dice.between(0.38, 0.6)
    for step in range(turns):
        t = (step / turns) ** 0.8
        left, right, top, foot = x * t, w - (w - x) * t, y * t, h - (h - y) * t
        fills = (p.a, p.b, p.g, p.b) if step % 2 else (p.b, p.g, p.a, p.g)
        corners: list[Point] = [(left, top), (right, top), (right, foot), (left, foot)]
        centre = ((left + right) / 2 + (x - w / 2) * 0.1, (top + foot) / 2)
        for side in range(4):
            p.poly(fills[side], corners[side], corners[(side + 1) % 4], centre)
    p.disc(x, y, p.m * 0.05, p.c)


def eye(p: Canvas) -> None:
    """Lids within lids."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w / 2, h * dice.between(0.44, 0.54)
    layers = dice.whole(5, 6)
    for layer in range(layers):
        share = 1 - layer / layers
        lift, side = h * 0.52 * share, w * (0.36 + 0.3 * share)
        colour = (p.a, p.b, p.g)[layer % 3] if layer < layers - 1 else p.c
        p.path(
            f"M{x - side:.4g} {y:.4g}Q{x:.4g} {y - lift * 2:.4g} {x + side:.4g} {y:.4g}"
            f"Q{x:.4g} {y + lift * 2:.4g} {x - side:.4g} {y:.4g}z",
            colour,
        )
    r = p.m * 0.13
    p.disc(x, y, r, p.c)
    if dice.chance(0.5):
        p.oval(x, y, r * 0.3, r * 0.95, p.g)
    else:
        p.disc(x, y, r * 0.55, p.g)
    p.disc(x + r * 0.3, y - r * 0.35, r * 0.16, p.c)


def claws(p: Canvas) -> None:
    """Four slashes, something behind them."""
    w, h, dice = p.w, p.h, p.dice
    p.disc(w * dice.between(0.35, 0.65), h * dice.between(0.36, 0.5), p.m * 0.36, p.b)
    lean = w * dice.between(0.12, 0.3)
    for claw in range(4):
        x = w * (0.2 + 0.19 * claw) + lean * 0.4
        top, foot = h * dice.between(-0.02, 0.1), h * dice.between(0.84, 1.0)
        mid, fat = (top + foot) / 2, w * dice.between(0.055, 0.075)
        p.path(
            f"M{x + lean * 0.5:.4g} {top:.4g}Q{x + fat:.4g} {mid:.4g} {x - lean:.4g} {foot:.4g}"
            f"Q{x - fat * 1.3:.4g} {mid:.4g} {x + lean * 0.5:.4g} {top:.4g}z",
            p.c if claw == 2 else p.a,
        )


def jaws(p: Canvas) -> None:
    """Teeth from above and below, and a small disc between."""
    w, h, dice = p.w, p.h, p.dice
    x = w * dice.between(0.34, 0.66)
    p.disc(x, h * 0.5, p.m * 0.21, p.d)
    p.disc(x, h * 0.5, p.m * 0.09, p.g)
    for side, colour, under in ((0, p.a, p.b), (1, p.c, p.b)):
        count = dice.whole(4, 6)
        base = h * side
        into = 1 - 2 * side
        for reach, fill, shift in ((0.47, under, 0.5), (0.36, colour, 0.0)):
            corners: list[Point] = [(-w * 0.2, base)]
            for tooth in range(count + 2):
                left = w * (tooth - 1 + shift) / count
                corners.append((left, base + into * h * 0.1))
                corners.append(
                    (left + w * 0.5 / count, base + into * h * reach * dice.between(0.75, 1.0))
                )
            corners += [(w * 1.3, base + into * h * 0.1), (w * 1.3, base)]
            p.poly(fill, *corners)


def drips(p: Canvas) -> None:
    """A ceiling that runs."""
    w, h, dice = p.w, p.h, p.dice
    p.disc(w * dice.between(0.3, 0.7), h * 0.62, p.m * 0.27, p.d)
    for colour, low, high, fat in ((p.b, 0.3, 0.85, 0.12), (p.a, 0.15, 0.6, 0.1)):
        top = h * 0.14
        p.box(0, 0, w, top, colour)
        x = w * dice.between(0.01, 0.08)
        while x < w:
            wide = w * fat * dice.between(0.6, 1.25)
            end = h * dice.between(low, high)
            p.line(f"M{x + wide / 2:.4g} 0V{end:.4g}", wide, colour, cap="round")
            x += wide * dice.between(1.1, 1.9)


def crooked_house(p: Canvas) -> None:
    """A house on a hill with one window lit."""
    w, h, dice = p.w, p.h, p.dice
    x, s = w * dice.between(0.44, 0.56), p.m * 0.25
    p.disc(x + w * dice.between(-0.16, 0.16), h * 0.36, p.m * 0.37, p.c)
    p.path(f"M{-w * 0.1:.4g} {h:.4g}Q{x:.4g} {h * 0.5:.4g} {w * 1.1:.4g} {h:.4g}z", p.b)
    y, lean = h * 0.76, s * dice.between(-0.25, 0.25)
    p.poly(
        p.a,
        (x - s * 0.7, y),
        (x - s * 0.7 + lean, y - s * 1.2),
        (x + lean, y - s * 2.1),
        (x + s * 0.2 + lean, y - s * 1.75),
        (x + s * 0.3 + lean, y - s * 2.7),
        (x + s * 0.55 + lean, y - s * 1.5),
        (x + s * 0.7 + lean, y - s * 1.2),
        (x + s * 0.7, y),
    )
    p.poly(
        p.d,
        (x - s * 0.3, y - s * 0.75),
        (x - s * 0.26 + lean * 0.4, y - s * 1.15),
        (x + s * 0.06 + lean * 0.4, y - s * 1.15),
        (x + s * 0.04, y - s * 0.75),
    )
    for stake in range(7):
        p.poly(
            p.a,
            (w * stake / 6 - 5, h),
            (w * stake / 6 + dice.between(-3, 3), h * 0.85),
            (w * stake / 6 + 5, h),
        )


CRIME = (bars, fingerprint, cylinder, lineup, skyline)
FILM_NOIR = (blinds, street_lamp, fedora, stairwell)
HORROR = (eye, claws, jaws, drips, crooked_house)
