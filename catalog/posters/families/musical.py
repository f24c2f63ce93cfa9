"""Musical: records, staves, keys, stages."""

from catalog.posters.canvas import TAU, Canvas, Point


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


MUSICAL = (vinyl, staves, keys, spotlights)
