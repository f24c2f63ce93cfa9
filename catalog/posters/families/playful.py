"""Animation, Children, Comedy and Musical: round, bright, off balance."""

from math import cos, pi, sin

from catalog.posters.canvas import TAU, Canvas, Point
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
    """One ball in many frames of its bounce, the last one bright."""
    w, h, dice = p.w, p.h, p.dice
    floor = h * 0.84
    p.box(0, floor, w, h, p.b)
    frames, r = dice.whole(12, 15), p.m * dice.between(0.1, 0.125)
    hops, start = dice.pick((1.5, 1.5, 2.5)), dice.between(0.0, 0.2)
    for step in range(frames):
        t = step / (frames - 1)
        lift = abs(cos((start + t * (hops - start)) * pi)) * (1 - 0.3 * t)
        squash = 1 - 0.35 * max(0.0, 1 - lift * 4)
        y = floor - r * squash - lift * (floor - r * 2.4)
        colour = p.c if step == frames - 1 else mix(p.g, p.a, 0.15 + 0.8 * t)
        p.oval(w * (0.1 + 0.78 * t), y, r / squash**0.7, r * squash, colour)
    p.disc(w * dice.between(0.6, 0.8), h * 0.18, p.m * 0.1, p.d)


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
    steps = dice.whole(5, 6)
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
    across = 2 if w <= h * 1.3 else 4
    down = max(2, round(h / (w / across)))
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
            r = p.m * 0.2
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
    across = 2 if w <= h * 1.3 else 4
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
            for part in range(0, parts, 2):
                start = turn + TAU * part / parts
                p.pie(x, y, cell * 0.47, start, start + TAU / parts, two)
            p.disc(x, y, cell * 0.05, p.g)


def vinyl(p: Canvas) -> None:
    """A record half out of its sleeve."""
    w, h, dice = p.w, p.h, p.dice
    x, y, r = w * dice.between(0.46, 0.6), h * dice.between(0.46, 0.54), p.m * 0.47
    p.disc(x, y, r, p.b)
    for step in range(5):
        p.ring(x, y, r * (0.9 - 0.1 * step), 1.2, p.g)
    p.pie(x, y, r * 0.93, -1.1, -0.7, p.a)
    p.pie(x, y, r * 0.93, 2.04, 2.44, p.a)
    p.disc(x, y, r * 0.38, p.c)
    p.half(x, y, r * 0.38, dice.between(0, TAU), p.d)
    p.disc(x, y, r * 0.06, p.g)
    p.poly(p.a, (0, 0), (w * 0.2, 0), (w * dice.between(0.06, 0.16), h), (0, h))


def staves(p: Canvas) -> None:
    """Five lines of music in a breeze, with notes on them."""
    w, h, dice = p.w, p.h, p.dice
    gap, swing = h * 0.085, h * dice.between(0.1, 0.18) * dice.sign()
    top = h * 0.32
    for line in range(5):
        y = top + gap * line
        p.line(
            f"M0 {y:.4g}C{w * 0.33:.4g} {y - swing:.4g} {w * 0.66:.4g} {y + swing:.4g} "
            f"{w:.4g} {y:.4g}",
            2.6,
            p.b,
        )
    colours = [p.a, p.c, p.d]
    count = dice.whole(4, 5)
    for note in range(count):
        t = (note + 0.5) / count
        bend = swing * 3 * t * (1 - t) * (2 * t - 1)
        y = top + gap * dice.whole(0, 4) + bend
        x, r = w * t, gap * 0.8
        up = -1 if y > h * 0.48 else 1
        colour = colours[note % 3]
        p.oval(x, y, r * 1.2, r * 0.85, colour, turn=-22)
        p.box(
            x - up * r * 1.05 - (2.2 if up < 0 else 0),
            min(y, y + up * h * 0.26),
            3.4,
            h * 0.26,
            colour,
        )
    p.disc(w * dice.between(0.7, 0.85), h * 0.12, p.m * 0.07, p.c)


def keys(p: Canvas) -> None:
    """A keyboard on the slant, one key lit."""
    w, h, dice = p.w, p.h, p.dice
    turn = dice.between(-24, -14)
    p.disc(w * dice.between(0.6, 0.8), h * 0.24, p.m * 0.25, p.c)
    p.open_group(f'transform="rotate({turn:.3g} {w / 2:.4g} {h / 2:.4g})"')
    top, size = h * 0.42, w / dice.pick((5.5, 6.5))
    lit = dice.whole(2, 4)
    count = int(w * 1.8 / size)
    for key in range(count):
        x = -w * 0.4 + key * size
        p.box(x, top, size - 2, h, p.d if key == lit + 2 else p.a)
    for key in range(count):
        if key % 7 not in (2, 6):
            p.box(-w * 0.4 + (key + 0.68) * size, top, size * 0.6, h * 0.3, p.b)
    p.box(-w * 0.5, top - h * 0.03, w * 2, h * 0.04, p.b)
    p.close_group()


def spotlights(p: Canvas) -> None:
    """Beams crossing over a stage."""
    w, h, dice = p.w, p.h, p.dice
    floor = h * 0.8
    x = w * dice.between(0.4, 0.6)
    tops: list[Point] = [(w * 0.06, -4), (w * 0.94, -4), (w * dice.between(0.4, 0.6), -4)]
    for (sx, sy), colour in zip(tops, (p.a, p.b, p.c), strict=True):
        p.poly(colour, (sx, sy), (x - w * 0.17, floor), (x + w * 0.17, floor))
    p.oval(x, floor, w * 0.2, h * 0.045, p.d)
    p.box(0, floor + h * 0.045, w, h, p.b)
    p.disc(x, floor - p.m * 0.3, p.m * 0.055, p.g)
    p.poly(p.g, (x, floor - p.m * 0.27), (x - p.m * 0.1, floor), (x + p.m * 0.1, floor))


ANIMATION = (hills, bounce, tiles)
CHILDREN = (blocks, balloons, rainbow, kite)
COMEDY = (halftone, grin, tumble, pies, banana, bubbles, umbrellas)
MUSICAL = (vinyl, staves, keys, spotlights)
