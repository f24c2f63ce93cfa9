"""Mystery and Thriller: rings, mazes, corridors."""

from math import cos, pi, sin

from catalog.posters.canvas import TAU, Canvas, smooth


def keyhole(p: Canvas) -> None:
    """A keyhole in rings of light."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w * dice.between(0.4, 0.6), h * dice.between(0.4, 0.48)
    reach = max(w, h) * 0.62
    for step, colour in enumerate((p.b, p.g, p.a, p.g, p.c)):
        p.disc(x, y, reach * (1 - 0.17 * step), colour)
    r = p.m * 0.13
    p.disc(x, y, r, p.g)
    p.poly(p.g, (x - r * 0.45, y), (x + r * 0.45, y), (x + r, y + r * 3), (x - r, y + r * 3))
    p.disc(x + r * dice.between(-0.3, 0.3), y, r * 0.22, p.d)


def maze(p: Canvas) -> None:
    """A square labyrinth with something at its heart."""
    w, h, dice = p.w, p.h, p.dice
    rings = dice.whole(5, 6)
    gap = p.m * 0.92 / (rings * 2 + 1)
    x, y = w / 2, h / 2
    tall = (h - w) / 2 * 0.8 if h > w else 0
    wide = (w - h) / 2 * 0.8 if w > h else 0
    for ring in range(1, rings + 1):
        rx, ry = gap * ring + wide, gap * ring + tall
        opening = dice.between(-0.6, 0.6) * gap * ring
        colour = p.b if ring % 3 == 0 else p.a
        side = dice.sign()
        p.line(
            f"M{x + opening + gap * 0.6:.4g} {y + side * ry:.4g}H{x + rx:.4g}V{y - side * ry:.4g}"
            f"H{x - rx:.4g}V{y + side * ry:.4g}H{x + opening - gap * 0.6:.4g}",
            gap * 0.52,
            colour,
            cap="square",
        )
    p.disc(x, y, gap * 0.55 + min(tall, wide, 1), p.c)


def magnifier(p: Canvas) -> None:
    """A lens over a field of dots: what was small is large."""
    w, h, dice = p.w, p.h, p.dice
    gap = p.m / 9
    x, y, r = w * dice.between(0.42, 0.55), h * dice.between(0.38, 0.46), p.m * 0.34
    spots = [
        (gap * (i + 0.5), gap * (j + 0.5))
        for i in range(int(w / gap) + 1)
        for j in range(int(h / gap) + 1)
    ]
    p.dots(
        [(sx, sy) for sx, sy in spots if (sx - x) ** 2 + (sy - y) ** 2 > (r * 1.15) ** 2],
        gap * 0.34,
        p.b,
    )
    angle = pi * dice.between(0.2, 0.32)
    reach = max(w, h)
    p.line(
        f"M{x + cos(angle) * r:.4g} {y + sin(angle) * r:.4g}"
        f"L{x + cos(angle) * reach:.4g} {y + sin(angle) * reach:.4g}",
        r * 0.3,
        p.a,
    )
    p.disc(x, y, r, p.c)
    p.ring(x, y, r, r * 0.17, p.a)
    big = gap * 1.9
    odd = dice.whole(0, 6)
    for index in range(7):
        turn = index * TAU / 6
        far = 0 if index == 6 else big * 0.98
        p.disc(x + cos(turn) * far, y + sin(turn) * far, big * 0.32, p.d if index == odd else p.g)


def ajar(p: Canvas) -> None:
    """A row of doors, one of them open."""
    w, h, dice = p.w, p.h, p.dice
    floor = h * dice.between(0.76, 0.86)
    p.box(0, floor, w, h, p.b)
    top = h * dice.between(0.18, 0.3)
    count = 3 if w <= h * 1.3 else 5
    wide = w / count
    open_one = dice.whole(0, count - 1)
    for door in range(count):
        x = wide * (door + 0.16)
        span = wide * 0.68
        p.box(x, top, span, floor - top, p.a)
        p.half(x + span / 2, top + 0.3, span / 2, 0, p.a)
        if door == open_one:
            p.box(x + span * 0.1, top, span * 0.8, floor - top, p.c)
            p.half(x + span / 2, top + 0.3, span * 0.4, 0, p.c)
            p.poly(
                p.c,
                (x + span * 0.1, floor),
                (x + span * 0.9, floor),
                (x + span * 1.5, h),
                (x - span * 0.1, h),
            )
            p.disc(x + span * 0.5, floor - span * 0.82, span * 0.12, p.g)
            p.poly(
                p.g,
                (x + span * 0.5, floor - span * 0.78),
                (x + span * 0.3, floor),
                (x + span * 0.7, floor),
            )
        else:
            p.disc(x + span * 0.8, h * 0.55, span * 0.07, p.d)


def rings(p: Canvas) -> None:
    """Rings that slip off centre, each in the last."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w * dice.between(0.4, 0.6), h * dice.between(0.42, 0.56)
    count = dice.whole(7, 10)
    r = p.m * dice.between(0.52, 0.72)
    angle = dice.between(0, TAU)
    turn = dice.between(-0.35, 0.35)
    colours = dice.pick(((p.a, p.g, p.b, p.g), (p.a, p.b), (p.a, p.g, p.a, p.g, p.c, p.g)))
    for step in range(count):
        p.disc(x, y, r, colours[step % len(colours)])
        shrink = r * dice.between(0.14, 0.2)
        slip = shrink * dice.between(0.5, 0.95)
        x, y, r = x + cos(angle) * slip, y + sin(angle) * slip, r - shrink
        angle += turn
    p.disc(x, y, r * 0.55, p.d)


def spiral(p: Canvas) -> None:
    """A true spiral, wide as a road."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w * dice.between(0.36, 0.64), h * dice.between(0.4, 0.58)
    turns = dice.between(3.4, 4.6)
    reach = max(w, h) * 0.8
    start, way, weight = dice.between(0, TAU), dice.sign(), dice.between(0.42, 0.58)
    outer, inner = [], []
    count = 54
    for step in range(count + 1):
        t = step / count
        angle = start + way * turns * TAU * t
        r, fat = reach * t**1.3, reach * weight * 1.3 * t**0.3 / turns
        outer.append((x + cos(angle) * r, y + sin(angle) * r))
        inner.append((x + cos(angle) * max(r - fat, 0), y + sin(angle) * max(r - fat, 0)))
    if dice.chance(0.5):
        p.disc(x, y, p.m * 0.46, p.b)
    inner.reverse()
    p.path(smooth(outer) + "L" + smooth(inner)[1:] + "z", p.a)
    p.disc(x, y, p.m * 0.07, p.c)


def corridor(p: Canvas) -> None:
    """A corridor narrowing to someone."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w * dice.between(0.3, 0.7), h * dice.between(0.42, 0.56)
    frames = dice.whole(6, 8)
    tilt = dice.between(-9, 9)
    colours = dice.pick(((p.a, p.g), (p.a, p.b), (p.b, p.a, p.g)))
    for step in range(frames):
        t = 1 - (step / frames) ** 0.72
        wide, tall = w * 1.3 * t, h * 1.3 * t
        cx, cy = x + (w / 2 - x) * t, y + (h / 2 - y) * t
        p.add(
            f'<rect x="{cx - wide / 2:.4g}" y="{cy - tall / 2:.4g}" width="{wide:.4g}" '
            f'height="{tall:.4g}" fill="{colours[step % len(colours)]}" '
            f'transform="rotate({tilt * (frames - step) / 3:.3g} {cx:.4g} {cy:.4g})"/>'
        )
    s = p.m * 0.13
    p.box(x - s * 0.62, y - s * 0.9, s * 1.24, s * 1.8, p.d)
    p.disc(x, y - s * 0.3, s * 0.2, p.g)
    p.poly(p.g, (x, y - s * 0.2), (x - s * 0.3, y + s * 0.9), (x + s * 0.3, y + s * 0.9))


def slipped_disc(p: Canvas) -> None:
    """A disc cut in strips that no longer meet."""
    w, h, dice = p.w, p.h, p.dice
    x, y, r = w * 0.5, h * 0.48, p.m * 0.43
    cuts = dice.whole(4, 7)
    edge = r * 2 / cuts
    p.open_group(f'transform="rotate({dice.between(-28, 28):.3g} {x:.4g} {y:.4g})"')
    for cut in range(cuts):
        top, foot = -r + edge * cut, -r + edge * (cut + 1)
        slip = dice.between(0.05, 0.3) * r * (1 if cut % 2 else -1)
        left_top = (max(r * r - top * top, 0)) ** 0.5
        left_foot = (max(r * r - foot * foot, 0)) ** 0.5
        colour = p.c if cut == cuts // 2 else (p.a if cut % 3 else p.b)
        p.path(
            f"M{x + slip - left_top:.4g} {y + top:.4g}H{x + slip + left_top:.4g}"
            f"A{r:.4g} {r:.4g} 0 0 1 {x + slip + left_foot:.4g} {y + foot:.4g}"
            f"H{x + slip - left_foot:.4g}A{r:.4g} {r:.4g} 0 0 1 {x + slip - left_top:.4g} "
            f"{y + top:.4g}z",
            colour,
        )
    p.close_group()
    p.disc(w * dice.pick((0.14, 0.86)), h * dice.pick((0.12, 0.86)), p.m * 0.045, p.d)


def wires(p: Canvas) -> None:
    """Parallel wires, one cut."""
    w, h, dice = p.w, p.h, p.dice
    count = dice.whole(6, 8)
    cut = dice.whole(2, count - 3)
    gap = w / count
    bend = h * dice.between(0.3, 0.6)
    side = dice.sign() * gap * 2.2
    colours = [p.a, p.b, p.a, p.b]
    for wire in range(-3, count + 3):
        x = gap * (wire + 0.5)
        if wire == cut:
            p.line(f"M{x:.4g} 0V{bend - h * 0.14:.4g}q0 14 {gap * 0.5:.4g} 18", gap * 0.5, p.c)
            p.line(
                f"M{x + side:.4g} {h:.4g}V{bend + h * 0.32:.4g}q0 -16 {-gap * 0.6:.4g} -20",
                gap * 0.5,
                p.c,
            )
            continue
        p.line(
            f"M{x:.4g} 0V{bend:.4g}C{x:.4g} {bend + h * 0.14:.4g} {x + side:.4g} "
            f"{bend + h * 0.1:.4g} {x + side:.4g} {bend + h * 0.26:.4g}V{h:.4g}",
            gap * 0.5,
            colours[wire % 4],
        )


def crosshair(p: Canvas) -> None:
    """A sight on a crowd of dots; one is chosen."""
    w, h, dice = p.w, p.h, p.dice
    gap = p.m / 7
    cols, rows = int(w / gap) + 1, int(h / gap) + 1
    spots = [
        (gap * (i + 0.5 + 0.25 * (j % 2)), gap * (j + 0.5))
        for i in range(cols)
        for j in range(rows)
    ]
    x, y = spots[
        min(len(spots) - 1, (cols // 2 + dice.whole(-1, 0)) * rows + rows // 2 + dice.whole(-1, 1))
    ]
    r = p.m * dice.between(0.27, 0.34)
    p.disc(x, y, r * 1.25, p.b)
    p.dots(spots, gap * 0.5, p.a)
    p.ring(x, y, r * 1.25, p.m * 0.035, p.c)
    p.line(
        f"M{x:.4g} 0V{y - gap * 0.6:.4g}M{x:.4g} {y + gap * 0.6:.4g}V{h:.4g}"
        f"M0 {y:.4g}H{x - gap * 0.6:.4g}M{x + gap * 0.6:.4g} {y:.4g}H{w:.4g}",
        3,
        p.c,
    )
    p.disc(x, y, gap * 0.42, p.d)


MYSTERY = (keyhole, maze, magnifier, ajar)
THRILLER = (rings, spiral, corridor, slipped_disc, wires, crosshair)
