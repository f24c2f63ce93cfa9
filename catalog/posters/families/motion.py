"""Action, War and Western: diagonals, horizons, flags."""

from math import cos, pi, sin

from catalog.posters.canvas import TAU, Canvas, Point


def wedges(p: Canvas) -> None:
    """Two blades racing past a disc."""
    w, h, dice = p.w, p.h, p.dice
    tip = dice.between(0.0, 0.22) * h
    foot = dice.between(0.74, 0.92) * h
    p.disc(w * dice.between(0.26, 0.44), h * dice.between(0.22, 0.36), p.m * 0.2, p.c)
    p.poly(p.a, (0, foot), (w, tip + h * 0.1), (w, h), (0, h))
    p.poly(p.b, (0, foot - h * 0.18), (w, tip - h * 0.12), (w, tip + h * 0.1))
    p.poly(p.d, (w * 0.3, h), (w, h * dice.between(0.5, 0.66)), (w, h))


def blast(p: Canvas) -> None:
    """Uneven stars inside each other, off centre."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w * dice.between(0.35, 0.65), h * dice.between(0.4, 0.58)
    reach = max(w, h) * 0.72
    tips = dice.whole(9, 13)
    for size, colour in ((1.0, p.a), (0.7, p.b), (0.44, p.c), (0.2, p.d)):
        corners: list[Point] = []
        turn = dice.between(0, TAU)
        for step in range(tips * 2):
            share = dice.between(0.85, 1.15) if step % 2 == 0 else dice.between(0.42, 0.58)
            angle = turn + pi * step / tips
            corners.append(
                (x + cos(angle) * reach * size * share, y + sin(angle) * reach * size * share)
            )
        p.poly(colour, *corners)


def chevrons(p: Canvas) -> None:
    """Arrowheads gathering speed."""
    w, h, dice = p.w, p.h, p.dice
    colours = [p.a, p.b, p.c, p.a, p.d]
    is_rising = dice.chance(0.4)
    if is_rising:
        p.open_group(f'transform="matrix(0 -1 1 0 0 {h:.4g})"')
        w, h = h, w
    mid = h * dice.between(0.4, 0.6)
    nose = w * dice.between(0.26, 0.44)
    x, thick = -w * 0.55, w * dice.between(0.06, 0.09)
    for step in range(8):
        p.poly(
            colours[step % 5],
            (x, -h * 0.05),
            (x + thick, -h * 0.05),
            (x + thick + nose, mid),
            (x + thick, h * 1.05),
            (x, h * 1.05),
            (x + nose, mid),
        )
        x += thick + w * 0.055
        thick *= dice.between(1.16, 1.3)
    if is_rising:
        p.close_group()


def leap(p: Canvas) -> None:
    """A disc thrown over falling beams."""
    w, h, dice = p.w, p.h, p.dice
    count = dice.whole(5, 7)
    lean = w * dice.between(0.22, 0.4)
    gap = w * 1.5 / count
    colours = [p.a, p.b, p.a, p.d]
    for step in range(count + 1):
        x = -w * 0.3 + gap * step
        top = h * (0.2 + 0.62 * abs(step / count - dice.between(0.35, 0.55)))
        p.poly(
            colours[step % 4],
            (x + lean, top),
            (x + lean + gap * 0.62, top - h * 0.06),
            (x + gap * 0.62, h),
            (x, h),
        )
    p.disc(w * dice.between(0.4, 0.6), h * 0.2, p.m * 0.15, p.c)


def wheels(p: Canvas) -> None:
    """A wheel at speed."""
    w, h, dice = p.w, p.h, p.dice
    r = p.m * dice.between(0.32, 0.38)
    x, y = w * dice.between(0.6, 0.68), h * 0.86 - r
    for line in range(dice.whole(7, 9)):
        ly = h * (0.06 + 0.1 * line)
        reach = x - r * dice.between(-0.1, 0.9)
        p.box(0, ly, reach, h * dice.between(0.015, 0.055), (p.b, p.a, p.d)[line % 3])
    p.box(0, h * 0.86, w, h, p.a)
    p.disc(x, y, r, p.a)
    p.disc(x, y, r * 0.66, p.c)
    spokes, turn = dice.whole(5, 7), dice.between(0, 1)
    for spoke in range(spokes):
        start = turn + TAU * spoke / spokes
        p.pie(x, y, r * 0.66, start, start + TAU / spokes * 0.45, p.b)
    p.disc(x, y, r * 0.17, p.d)


def girders(p: Canvas) -> None:
    """Steel crossing overhead, one beam about to go."""
    w, h, dice = p.w, p.h, p.dice
    p.disc(w * dice.between(0.3, 0.7), h * dice.between(0.3, 0.5), p.m * 0.28, p.c)
    for layer, colour in enumerate((p.b, p.a, p.d)):
        turn = (dice.between(-40, -20), dice.between(15, 35), dice.between(60, 80))[layer]
        fat = p.m * dice.between(0.12, 0.17)
        cx, cy = w * dice.between(0.35, 0.65), h * (0.66, 0.42, 0.55)[layer]
        reach = w + h
        p.open_group(f'transform="rotate({turn:.3g} {cx:.4g} {cy:.4g})"')
        p.box(cx - reach, cy - fat, reach * 2, fat * 0.5, colour)
        p.box(cx - reach, cy + fat * 0.5, reach * 2, fat * 0.5, colour)
        d, x, up = f"M{cx - reach * 0.7:.4g} {cy - fat * 0.75:.4g}", cx - reach * 0.7, False
        while x < cx + reach * 0.7:
            x += fat * 1.4
            up = not up
            d += f"L{x:.4g} {cy + (fat if up else -fat) * 0.75:.4g}"
        p.line(d, fat * 0.3, colour)
        p.close_group()


def towers(p: Canvas) -> None:
    """Looking straight up between towers."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w * dice.between(0.38, 0.62), h * dice.between(0.34, 0.5)
    p.disc(x, y, p.m * dice.between(0.1, 0.16), p.c)
    count = dice.whole(6, 8)
    reach = (w + h) * 0.8
    turn = dice.between(0, TAU)
    for tower in range(count):
        angle = turn + TAU * (tower + dice.between(-0.16, 0.16)) / count
        half = pi / count * dice.between(0.5, 0.8)
        near = p.m * dice.between(0.2, 0.34)
        left, right = angle - half, angle + half
        edge = angle + half * dice.between(-0.3, 0.3)
        for start, end, colour in ((left, edge, p.a), (edge, right, p.b)):
            p.poly(
                colour,
                (x + cos(start) * near, y + sin(start) * near),
                (x + cos(end) * near, y + sin(end) * near),
                (x + cos(end) * reach, y + sin(end) * reach),
                (x + cos(start) * reach, y + sin(start) * reach),
            )
    fx, fy, s = x + p.m * 0.03, y + p.m * 0.02, p.m * 0.055
    p.disc(fx, fy - s, s * 0.5, p.d)
    p.line(
        f"M{fx:.4g} {fy - s * 0.5:.4g}v{s:.4g}l{-s:.4g} {s:.4g}m{s:.4g} {-s:.4g}"
        f"l{s:.4g} {s * 0.7:.4g}M{fx - s * 1.3:.4g} {fy - s * 0.9:.4g}"
        f"l{s * 1.3:.4g} {s * 0.9:.4g}l{s * 1.3:.4g} {-s:.4g}",
        s * 0.5,
        p.d,
        cap="round",
    )


def clash(p: Canvas) -> None:
    """Two points meet, and something gives."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w * dice.between(0.42, 0.58), h * dice.between(0.42, 0.56)
    tilt = h * dice.between(-0.16, 0.16)
    p.star(x, y, p.m * dice.between(0.3, 0.42), inner=0.4, tips=dice.whole(9, 14), fill=p.c)
    thick = h * dice.between(0.24, 0.34)
    for side, colour, under in ((-1, p.a, p.d), (1, p.b, p.d)):
        edge = x + side * w
        base = y + side * tilt * 2
        p.poly(colour, (x + side * 2, y), (edge, base - thick * 1.5), (edge, base + thick * 1.5))
        p.poly(under, (x + side * 2, y), (edge, base + thick * 0.5), (edge, base + thick * 1.5))
    p.star(x, y, p.m * 0.13, inner=0.4, tips=8, fill=p.g)


def flag(p: Canvas) -> None:
    """A flag shot to ribbons: stripes of ragged length."""
    w, h, dice = p.w, p.h, p.dice
    rows = dice.whole(8, 11)
    step = h * 0.9 / rows
    colours = [p.a, p.b, p.c]
    for row in range(rows):
        reach = w * dice.between(0.36, 0.9) if row % 4 else w * dice.between(0.86, 1.05)
        y = h * 0.06 + row * step
        bite = dice.between(0.1, 0.5) * step
        p.poly(
            colours[row % 3],
            (0, y),
            (reach, y),
            (reach - bite, y + step * 0.33),
            (reach + bite, y + step * 0.6),
            (0, y + step * 0.6),
        )
    p.disc(w * 0.24, h * dice.between(0.22, 0.3), p.m * 0.15, p.d)


def hedgehogs(p: Canvas) -> None:
    """Iron crosses on a beach, growing towards the eye, under a low sun."""
    w, h, dice = p.w, p.h, p.dice
    p.disc(w * dice.between(0.3, 0.7), h * 0.3, p.m * 0.25, p.d)
    p.box(0, h * 0.4, w, h, p.b)
    p.box(0, h * 0.4, w, h * 0.035, p.c)
    for row, count in enumerate((5, 3, 2)):
        size = p.m * (0.07 + 0.085 * row)
        y = h * (0.48 + 0.17 * row) + size * 0.2
        for place in range(count):
            x = w * (place + 0.5 + dice.between(-0.18, 0.18)) / count
            turn = dice.between(-0.15, 0.15)
            d = ""
            for angle in (pi / 4 + turn, 3 * pi / 4 + turn, pi / 2 + turn * 3):
                dx, dy = cos(angle) * size, sin(angle) * size
                d += f"M{x - dx:.4g} {y - dy:.4g}L{x + dx:.4g} {y + dy:.4g}"
            p.line(d, size * 0.26, p.a)


def parachutes(p: Canvas) -> None:
    """Canopies coming down in formation."""
    w, h, dice = p.w, p.h, p.dice
    p.poly(p.b, (0, h * 0.86), (w, h * dice.between(0.7, 0.8)), (w, h), (0, h))
    spots = [
        (0.28, 0.3, 0.25),
        (0.74, 0.2, 0.16),
        (0.66, 0.56, 0.21),
        (0.2, 0.68, 0.12),
        (0.92, 0.46, 0.09),
        (0.48, 0.12, 0.08),
    ]
    colours = [p.a, p.c, p.a, p.d, p.c, p.d]
    for (fx, fy, size), colour in zip(spots, colours, strict=True):
        x = w * (fx + dice.between(-0.05, 0.05))
        y = h * (fy + dice.between(-0.04, 0.04))
        r = p.m * size * 1.1
        p.line(
            f"M{x - r:.4g} {y:.4g}L{x:.4g} {y + r * 1.2:.4g}L{x + r:.4g} {y:.4g}"
            f"M{x - r * 0.33:.4g} {y:.4g}L{x:.4g} {y + r * 1.2:.4g}L{x + r * 0.33:.4g} {y:.4g}",
            1.4,
            colour,
        )
        p.half(x, y, r, 0, colour)
        for notch in (-0.667, 0, 0.667):
            p.half(x + notch * r, y + 0.3, r * 0.335, 0, p.g)
        p.box(x - r * 0.08, y + r * 1.12, r * 0.16, r * 0.3, colour)


def striped_sun(p: Canvas) -> None:
    """A sun sinking in stripes behind a mesa."""
    w, h, dice = p.w, p.h, p.dice
    x, y, r = w * dice.between(0.35, 0.65), h * 0.42, p.m * dice.between(0.34, 0.42)
    p.disc(x, y, r, p.b)
    for step in range(6):
        p.box(x - r, y + r * (0.02 + 0.16 * step), r * 2, r * (0.035 + 0.014 * step), p.g)
    edge = h * 0.68
    a0 = w * dice.between(0.08, 0.3)
    a1 = a0 + w * dice.between(0.26, 0.4)
    p.poly(
        p.d,
        (a1 - w * 0.1, edge),
        (a1 + w * 0.12, edge - h * 0.1),
        (w * 0.94, edge - h * 0.1),
        (w, edge - h * 0.04),
        (w, h),
        (a1, h),
    )
    p.poly(
        p.a,
        (0, edge + h * 0.04),
        (a0 - w * 0.07, edge),
        (a0, edge - h * 0.17),
        (a1, edge - h * 0.17),
        (a1 + w * 0.06, edge),
        (w, edge + h * 0.06),
        (w, h),
        (0, h),
    )


def saguaro(p: Canvas) -> None:
    """A cactus against a sun too big for the sky."""
    w, h, dice = p.w, p.h, p.dice
    p.disc(w * dice.between(0.4, 0.6), h * 0.5, p.m * 0.46, p.c)
    p.disc(w * 0.5, h * 0.5, p.m * 0.3, p.b)
    p.poly(p.a, (0, h * 0.84), (w, h * dice.between(0.74, 0.8)), (w, h), (0, h))
    x, thick = w * dice.between(0.34, 0.62), p.m * 0.105
    low, high = h * dice.between(0.52, 0.6), h * dice.between(0.42, 0.5)
    arm = p.m * dice.between(0.2, 0.25)
    p.line(f"M{x:.4g} {h:.4g}V{h * 0.16:.4g}", thick, p.a, cap="round")
    p.line(
        f"M{x:.4g} {low + arm * 0.6:.4g}h{-arm * 0.5:.4g}q{-arm * 0.5:.4g} 0 {-arm * 0.5:.4g} "
        f"{-arm * 0.5:.4g}V{low - arm * 0.8:.4g}",
        thick * 0.8,
        p.a,
        cap="round",
    )
    p.line(
        f"M{x:.4g} {high + arm * 0.6:.4g}h{arm * 0.5:.4g}q{arm * 0.5:.4g} 0 {arm * 0.5:.4g} "
        f"{-arm * 0.5:.4g}V{high - arm * 0.9:.4g}",
        thick * 0.8,
        p.a,
        cap="round",
    )


def badge(p: Canvas) -> None:
    """A sheriff's star with one shot through it."""
    w, h, dice = p.w, p.h, p.dice
    x, y, r = w * 0.5, h * dice.between(0.46, 0.52), p.m * 0.42
    p.poly(p.b, (0, 0), (w, 0), (w, h * 0.3), (0, h * dice.between(0.5, 0.8)))
    tips = dice.pick((5, 6, 6))
    p.open_group(f'transform="rotate({dice.between(-16, 16):.3g} {x:.4g} {y:.4g})"')
    p.star(x, y, r, inner=0.54, tips=tips, fill=p.a)
    for tip in range(tips):
        angle = TAU * tip / tips - pi / 2
        p.disc(x + cos(angle) * r, y + sin(angle) * r, r * 0.13, p.a)
    p.ring(x, y, r * 0.4, r * 0.06, p.c)
    p.star(x, y, r * 0.3, inner=0.42, tips=5, fill=p.c)
    p.close_group()
    p.disc(x + r * dice.between(-0.4, 0.4), y + r * dice.between(-0.4, 0.4), r * 0.1, p.d)


def rails(p: Canvas) -> None:
    """A railway to the horizon."""
    w, h, dice = p.w, p.h, p.dice
    x, sky = w * dice.between(0.3, 0.7), h * dice.between(0.36, 0.46)
    p.disc(x + w * dice.between(-0.1, 0.1), sky, p.m * 0.27, p.c)
    p.box(0, sky, w, h, p.b)
    half = w * 0.42
    for step in range(9):
        t = 0.06 + 0.94 * (step / 8) ** 1.9
        y = sky + (h - sky) * t
        p.box(x + (w / 2 - x) * t - half * t * 1.25, y, half * t * 2.5, h * 0.05 * t, p.a)
    for side in (-1, 1):
        foot = w / 2 + side * half
        p.poly(p.d, (x, sky), (foot - w * 0.035, h), (foot + w * 0.035, h))


ACTION = (wedges, blast, chevrons, leap, wheels, girders, towers, clash)
WAR = (flag, hedgehogs, parachutes)
WESTERN = (striped_sun, saguaro, badge, rails)
