"""Animation, Children and Comedy: round, bright, off balance."""

from math import cos, pi, sin

from catalog.posters.canvas import TAU, Canvas
from catalog.posters.colour import mix


def hills(p: Canvas) -> None:
    """Rolling layers under a sun."""
    w, h, dice = p.w, p.h, p.dice
    p.disc(w * dice.between(0.25, 0.75), h * dice.between(0.2, 0.3), p.m * 0.19, p.c)
    colours = [p.a, p.b, p.d, p.b]
    for layer in range(4):
        y = h * (0.38 + 0.16 * layer)
        swing = h * dice.between(0.06, 0.13) * dice.sign()
        p.path(
            f"M0 {y:.4g}C{w * 0.3:.4g} {y - swing * 2:.4g} {w * 0.35:.4g} {y + swing:.4g} "
            f"{w * 0.55:.4g} {y:.4g}S{w * 0.85:.4g} {y - swing:.4g} {w:.4g} {y + swing * 0.6:.4g}"
            f"V{h:.4g}H0z",
            colours[layer] if layer < 3 else p.a,
        )


def bounce(p: Canvas) -> None:
    """A ball, where it was, and the way it took."""
    w, h, dice = p.w, p.h, p.dice
    floor, r = h * dice.between(0.8, 0.86), p.m * dice.between(0.14, 0.18)
    p.box(0, floor, w, h, p.b)
    d, x, rise, hops = "", -w * 0.1, floor * dice.between(0.78, 0.9), []
    for _ in range(4):
        wide = w * (0.3 + 0.16 * rise / floor)
        d += f"M{x:.4g} {floor - r:.4g}q{wide / 2:.4g} {-2 * (rise - r):.4g} {wide:.4g} 0"
        hops.append((x + wide / 2, rise, x + wide))
        x, rise = x + wide, rise * dice.between(0.62, 0.74)
    p.add(
        f'<path d="{d}" fill="none" stroke="{p.d}" stroke-width="{p.m * 0.035:.4g}" '
        f'stroke-dasharray="0 {p.m * 0.075:.4g}" stroke-linecap="round"/>'
    )
    (first_x, first_rise, land), (next_x, next_rise, _) = hops[:2]
    p.oval(land, floor, r * 1.5, r * 0.2, mix(p.b, p.g, 0.4))
    p.oval(land, floor - r * 0.7, r * 1.25, r * 0.72, p.a)
    p.disc(first_x, floor - first_rise, r, mix(p.g, p.a, 0.55))
    p.disc(next_x, floor - next_rise, r, p.c)
    p.half(next_x, floor - next_rise, r, dice.between(0, TAU), mix(p.c, p.a, 0.35))


def tiles(p: Canvas) -> None:
    """Quarter discs, halves and squares on a coarse grid."""
    w, h, dice = p.w, p.h, p.dice
    across = dice.pick((3, 4)) if w <= h * 1.3 else 6
    size = w / across
    down = int(h / size) + 1
    colours = [p.a, p.b, p.c, p.d]
    for row in range(down):
        for column in range(across):
            x, y = column * size, row * size
            one, two = dice.pick(colours), dice.pick(colours)
            kind = dice.whole(0, 5)
            if kind != 5:
                p.box(x, y, size + 0.3, size + 0.3, one)
            if one == two:
                two = p.g
            corner = dice.whole(0, 3)
            if kind <= 1:
                cx, cy = x + size * (corner in (1, 2)), y + size * (corner >= 2)
                p.pie(cx, cy, size, corner * pi / 2, (corner + 1) * pi / 2, two)
            elif kind == 2:
                p.disc(x + size / 2, y + size / 2, size * 0.34, two)
            elif kind == 3:
                p.pie(x + size / 2, y, size / 2, 0, pi, two)
                p.pie(x + size / 2, y + size / 2, size / 2, 0, pi, two)
            elif kind == 4:
                p.poly(two, (x, y + size), (x + size, y), (x + size, y + size))


def blocks(p: Canvas) -> None:
    """A tower of toy bricks about to lean."""
    w, h, dice = p.w, p.h, p.dice
    size = min(w / 3.1, h / 3.5)
    colours = [p.a, p.b, p.c, p.d]
    dice.shuffle(colours)
    left = (w - size * 3) / 2
    for row in range(3):
        shift = dice.between(-0.12, 0.12) * size
        count = 3 - row + dice.whole(0, 1) * (row > 0)
        start = left + (3 - count) * size / 2 + shift
        for place in range(count):
            x, y = start + place * size, h - size * (row + 1)
            colour = colours[(row * 2 + place) % 4]
            p.box(x, y, size - 1, size - 1, colour)
            mark = colours[(row * 2 + place + 1 + dice.whole(0, 1)) % 4]
            kind = dice.whole(0, 3)
            if kind == 0:
                p.disc(x + size / 2, y + size / 2, size * 0.3, mark)
            elif kind == 1:
                p.half(x + size / 2, y + size - 1, size * 0.34, 0, p.g if row == 0 else mark)
            elif kind == 2:
                p.star(x + size / 2, y + size / 2, size * 0.36, inner=0.45, tips=5, fill=mark)
            else:
                p.poly(mark, (x, y + size - 1), (x + size - 1, y), (x + size - 1, y + size - 1))
    x, y = w / 2, h - size * 3
    p.poly(colours[3], (x - size * 0.55, y), (x, y - size * 0.6), (x + size * 0.55, y))


def balloons(p: Canvas) -> None:
    """A bunch of balloons pulling at one hand."""
    w, h, dice = p.w, p.h, p.dice
    hand = (w * dice.between(0.42, 0.58), h * 1.02)
    colours = [p.a, p.c, p.b, p.d]
    dice.shuffle(colours)
    spots = [(0.25, 0.42), (0.73, 0.4), (0.5, 0.22), (0.44, 0.56), (0.66, 0.64), (0.2, 0.7)]
    placed: list[tuple[float, float, float, str]] = []
    for index, (fx, fy) in enumerate(spots[: dice.whole(5, 6)]):
        r = p.m * dice.between(0.15, 0.21) * (1.1 if index < 3 else 0.75)
        x, y = w * fx + dice.between(-0.04, 0.04) * w, h * fy * 0.96
        placed.append((x, y, r, colours[index % 4]))
        p.line(f"M{x:.4g} {y + r:.4g}Q{x:.4g} {h * 0.85:.4g} {hand[0]:.4g} {hand[1]:.4g}", 1.3, p.b)
    for x, y, r, colour in placed:
        p.oval(x, y, r, r * 1.14, colour)
        p.poly(
            colour, (x, y + r * 1.05), (x - r * 0.14, y + r * 1.32), (x + r * 0.14, y + r * 1.32)
        )


def rainbow(p: Canvas) -> None:
    """Nested bows on clouds."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w * dice.pick((0.28, 0.5, 0.72)), h * 0.86
    reach = min(h * 0.78, w * 0.74)
    colours = [p.a, p.c, p.b, p.d, p.g]
    for step, colour in enumerate(colours):
        p.disc(x, y, reach * (1 - 0.16 * step), colour)
    p.box(0, y, w, h, p.g)
    cloud = p.d if dice.chance(0.5) else p.b
    for foot in (x - reach * 0.68, x + reach * 0.68):
        for shift, size in ((-0.17, 0.14), (0.0, 0.19), (0.17, 0.13)):
            p.disc(foot + shift * reach, y + reach * 0.02, size * reach, cloud)
    p.box(0, y + reach * 0.12, w, h, p.a)


def kite(p: Canvas) -> None:
    """A kite on a long string."""
    w, h, dice = p.w, p.h, p.dice
    x, y, r = w * dice.between(0.54, 0.62), h * 0.36, p.m * 0.36
    p.disc(w * 0.2, h * dice.between(0.55, 0.7), p.m * 0.16, p.d)
    p.disc(w * 0.37, h * 0.66, p.m * 0.2, p.d)
    p.line(
        f"M{x:.4g} {y + r:.4g}C{w * 0.2:.4g} {h * 0.75:.4g} {w * 0.9:.4g} {h * 0.82:.4g} "
        f"{w * 0.1:.4g} {h * 1.05:.4g}",
        2.6,
        p.b,
    )
    p.open_group(f'transform="rotate({dice.between(12, 30):.3g} {x:.4g} {y:.4g})"')
    p.poly(p.a, (x, y - r), (x, y), (x - r * 0.74, y - r * 0.12))
    p.poly(p.c, (x, y - r), (x + r * 0.74, y - r * 0.12), (x, y))
    p.poly(p.b, (x - r * 0.74, y - r * 0.12), (x, y), (x, y + r * 1.1))
    p.poly(p.a, (x + r * 0.74, y - r * 0.12), (x, y), (x, y + r * 1.1))
    p.close_group()


def halftone(p: Canvas) -> None:
    """Dots that swell across the sheet."""
    w, h, dice = p.w, p.h, p.dice
    step = p.m / dice.pick((5.0, 6.0, 7.0))
    colours = [p.a, p.b, p.b, p.c, p.d]
    fx, fy = dice.between(0.1, 0.9) * w, dice.between(0.1, 0.9) * h
    reach = max(w, h) * 0.95
    y = step * 0.5
    row = 0
    while y < h + step * 0.4:
        x = step * (0.5 if row % 2 == 0 else 1.0)
        while x < w + step * 0.4:
            near = 1 - min(1.0, (((x - fx) ** 2 + (y - fy) ** 2) ** 0.5) / reach)
            p.disc(x, y, step * (0.12 + 0.42 * near), dice.pick(colours))
            x += step
        y += step
        row += 1


def grin(p: Canvas) -> None:
    """Two eyes that do not agree and a very wide smile."""
    w, h, dice = p.w, p.h, p.dice
    x, y, r = w / 2, h * 0.5, p.m * 0.4
    if dice.chance(0.5):
        p.disc(x, y, p.m * 0.49, p.b)
    p.pie(x, y + r * 0.08, r * 0.86, 0, pi, p.a)
    p.pie(x, y + r * 0.08, r * 0.86, pi * 0.28, pi * 0.72, p.d)
    p.box(x - r * 0.86, y + r * 0.08, r * 1.72, r * 0.2, p.c if p.c != p.b else p.d)
    big, small = dice.between(0.2, 0.26), dice.between(0.1, 0.17)
    for side, size in ((-1, big), (1, small)):
        p.disc(x + side * r * 0.42, y - r * 0.42, r * size * 1.4, p.c)
        p.disc(
            x + side * r * 0.42 + r * 0.06,
            y - r * 0.42 + r * dice.between(-0.08, 0.08),
            r * size * 0.7,
            p.a,
        )


def tumble(p: Canvas) -> None:
    """A square falling downstairs."""
    w, h, dice = p.w, p.h, p.dice
    steps = dice.whole(3, 7)
    d = f"M0 {h:.4g}V{h * 0.36:.4g}"
    for step in range(steps):
        d += f"H{w * (step + 1) / steps:.4g}V{h * (0.36 + 0.6 * (step + 1) / steps):.4g}"
    p.path(d + "H0z", p.a)
    colours = [p.b, p.c, p.d, p.b, p.c]
    size = p.m * dice.between(0.17, 0.21)
    for step in range(5):
        t = step / 4
        x = w * (0.14 + 0.72 * t)
        y = h * (0.13 + 0.5 * t) + (step % 2) * h * 0.035
        p.open_group(f'transform="rotate({step * dice.between(19, 26):.3g} {x:.4g} {y:.4g})"')
        p.box(x - size / 2, y - size / 2, size, size, colours[step])
        p.close_group()


def pies(p: Canvas) -> None:
    """Pies, each missing a different slice."""
    w, h, dice = p.w, p.h, p.dice
    across = dice.pick((1, 2, 2, 3)) if w <= h * 1.3 else dice.pick((2, 4))
    down = max(1, round(h / (w / across)))
    cell_w, cell_h = w / across, h / down
    r = min(cell_w, cell_h) * 0.46
    colours = [p.a, p.b, p.c, p.d]
    dice.shuffle(colours)
    for row in range(down):
        for column in range(across):
            x, y = (column + 0.5) * cell_w, (row + 0.5) * cell_h
            start = dice.whole(0, 7) * pi / 4
            bite = dice.pick((0.25, 0.5, 0.75, 0.33))
            one, two = colours[(row + column) % 4], colours[(row + column + 1) % 4]
            p.pie(x, y, r, start, start + pi * (2 - bite), one)
            push = r * 0.14
            mid = start - pi * bite / 2
            p.pie(x + push * cos(mid), y + push * sin(mid), r * 0.9, start - pi * bite, start, two)
            if dice.chance(0.5):
                p.disc(x, y, r * 0.3, p.g)


def banana(p: Canvas) -> None:
    """Crescents thrown in the air."""
    w, h, dice = p.w, p.h, p.dice
    colours = [p.a, p.b, p.c, p.d]
    dice.shuffle(colours)
    rows = 3
    for row in range(rows):
        for column in range(3 if w > h * 1.3 else 2):
            x = w * ((column + 0.5) / (3 if w > h * 1.3 else 2)) + (row % 2 - 0.5) * w * 0.1
            y = h * (row + 0.5) / rows
            r = p.m * dice.between(0.14, 0.25)
            turn = dice.between(0, 360)
            p.open_group(f'transform="rotate({turn:.3g} {x:.4g} {y:.4g})"')
            p.path(
                f"M{x - r:.4g} {y - r * 0.5:.4g}A{r:.4g} {r:.4g} 0 1 0 {x + r:.4g} "
                f"{y - r * 0.5:.4g}A{r * 1.25:.4g} {r * 1.1:.4g} 0 0 1 {x - r:.4g} "
                f"{y - r * 0.5:.4g}z",
                colours[(row + column) % 4],
            )
            p.close_group()


def bubbles(p: Canvas) -> None:
    """Everybody talks at once."""
    w, h, dice = p.w, p.h, p.dice
    colours = [p.a, p.b, p.c, p.d]
    dice.shuffle(colours)
    for index in range(5):
        wide, tall = p.m * dice.between(0.4, 0.56), p.m * dice.between(0.24, 0.32)
        x = w * (0.3 + 0.4 * (index % 2)) + dice.between(-0.06, 0.06) * w - wide / 2
        y = h * (0.04 + 0.17 * index)
        colour, r = colours[index % 4], tall * 0.42
        p.add(
            f'<rect x="{x:.4g}" y="{y:.4g}" width="{wide:.4g}" height="{tall:.4g}" rx="{r:.4g}" '
            f'fill="{colour}"/>'
        )
        tip = x + wide * (0.25 if index % 2 else 0.75)
        away = wide * (-0.2 if index % 2 else 0.2)
        p.poly(
            colour,
            (tip - 9, y + tall - 1),
            (tip + 9, y + tall - 1),
            (tip + away, y + tall * dice.between(1.25, 1.45)),
        )
        mark = p.g if colour != p.g else p.a
        kind = dice.whole(0, 2)
        if kind == 0:
            p.dots([(x + wide * s, y + tall / 2) for s in (0.28, 0.5, 0.72)], tall * 0.22, mark)
        elif kind == 1:
            p.box(x + wide * 0.2, y + tall * 0.3, wide * 0.6, tall * 0.12, mark)
            p.box(x + wide * 0.2, y + tall * 0.56, wide * dice.between(0.2, 0.5), tall * 0.12, mark)
        else:
            p.star(x + wide / 2, y + tall / 2, tall * 0.34, inner=0.5, tips=8, fill=mark)


def umbrellas(p: Canvas) -> None:
    """Umbrellas from above, one the other way round."""
    w, h, dice = p.w, p.h, p.dice
    across = dice.pick((1, 2, 2, 3)) if w <= h * 1.3 else dice.pick((3, 4))
    cell = w / across
    rows = int(h / cell) + 2
    odd = dice.whole(0, across * 2 - 1)
    parts = dice.pick((8, 10, 12))
    for row in range(rows):
        for column in range(across + row % 2):
            x = cell * (column + (0.0 if row % 2 else 0.5))
            y = cell * (row * 0.88 + 0.34)
            index = row * across + column
            one, two = (p.c, p.d) if index == odd else (p.a, p.b)
            p.disc(x, y, cell * 0.47, one)
            turn = dice.between(0, 1)
            d, r = "", cell * 0.47
            for part in range(0, parts, 2):
                start, end = turn + TAU * part / parts, turn + TAU * (part + 1) / parts
                d += (
                    f"M{x:.4g} {y:.4g}L{x + r * cos(start):.4g} {y + r * sin(start):.4g}"
                    f"A{r:.4g} {r:.4g} 0 0 1 {x + r * cos(end):.4g} {y + r * sin(end):.4g}z"
                )
            p.path(d, two)
            p.disc(x, y, cell * 0.05, p.g)


def disguise(p: Canvas) -> None:
    """Glasses, a nose and a moustache, and nobody behind them."""
    w, h, dice = p.w, p.h, p.dice
    x, y, s = w / 2, h * dice.between(0.4, 0.44), p.m * dice.between(0.37, 0.44)
    r, fat = s * 0.42, s * 0.13
    p.open_group(f'transform="rotate({dice.between(-9, 9):.3g} {x:.4g} {y:.4g})"')
    for side in (-1, 1):
        p.disc(x + side * s * 0.5, y, r, p.b)
        p.ring(x + side * s * 0.5, y, r, fat, p.a)
        look = x + side * s * dice.between(0.4, 0.62)
        p.disc(look, y + r * dice.between(-0.2, 0.3), r * 0.26, p.a)
        p.poly(
            p.a,
            (x + side * s * 0.12, y - s * 0.62),
            (x + side * s * 0.8, y - s * dice.between(0.7, 0.86)),
            (x + side * s * 0.84, y - s * 0.58),
            (x + side * s * 0.14, y - s * 0.5),
        )
    p.oval(x, y + s * 0.4, s * 0.22, s * 0.4, p.c)
    curl = dice.between(0.0, 0.4)
    for side in (-1, 1):
        p.path(
            f"M{x:.4g} {y + s * 0.72:.4g}q{side * s * 0.4:.4g} {-s * 0.16:.4g} "
            f"{side * s * 0.84:.4g} {s * (0.34 - curl):.4g}q{-side * s * 0.3:.4g} "
            f"{s * (0.2 + curl * 0.6):.4g} {-side * s * 0.84:.4g} {s * (curl * 0.4 - 0.02):.4g}z",
            p.a,
        )
    p.close_group()
    p.disc(w * dice.pick((0.1, 0.9)), h * 0.92, p.m * 0.09, p.d)


def juggling(p: Canvas) -> None:
    """Too many things in the air for two hands."""
    w, h, dice = p.w, p.h, p.dice
    x, base, count = w / 2, h * 0.86, dice.whole(6, 8)
    colours = [p.a, p.b, p.c, p.d]
    dice.shuffle(colours)
    reach, tall = min(w, h * 1.4) * 0.34, h * dice.between(0.5, 0.58)
    for thing in range(count):
        angle = pi * (1 + (thing + dice.between(0.35, 0.65)) / count)
        tx, ty = x + cos(angle) * reach, base - h * 0.06 + sin(angle) * tall
        size, colour = p.m * dice.between(0.09, 0.125), colours[thing % 4]
        kind = dice.whole(0, 3)
        if kind == 0:
            p.star(tx, ty, size * 1.3, inner=0.5, tips=dice.pick((4, 5)), fill=colour)
        elif kind == 1:
            p.half(tx, ty, size * 1.2, dice.between(0, TAU), colour)
        elif kind == 2:
            turn = dice.between(0, 90)
            p.open_group(f'transform="rotate({turn:.3g} {tx:.4g} {ty:.4g})"')
            p.box(tx - size * 0.85, ty - size * 0.85, size * 1.7, size * 1.7, colour)
            p.close_group()
        else:
            p.disc(tx, ty, size, colour)
    for side, colour in ((-1, p.a), (1, p.a)):
        p.pie(x + side * reach, base - p.m * 0.06, p.m * 0.17, 0, pi, colour)
        p.box(x + side * reach - p.m * 0.07, base, p.m * 0.14, h, colour)


ANIMATION = (hills, bounce, tiles)
CHILDREN = (blocks, balloons, rainbow, kite)
COMEDY = (halftone, grin, tumble, pies, banana, bubbles, umbrellas, disguise, juggling)
