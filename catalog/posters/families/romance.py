"""Romance: pairs, hearts, flowers."""

from math import cos, pi, sin

from catalog.posters.canvas import TAU, Canvas, smooth


def two_discs(p: Canvas) -> None:
    """Two discs and what they share."""
    w, h, dice = p.w, p.h, p.dice
    r1, r2 = p.m * dice.between(0.3, 0.36), p.m * dice.between(0.24, 0.34)
    angle = dice.between(-0.9, 0.9)
    apart = (r1 + r2) * dice.between(0.5, 0.68)
    x1, y1 = w / 2 - cos(angle) * apart / 2, h * 0.48 - sin(angle) * apart / 2
    x2, y2 = w / 2 + cos(angle) * apart / 2, h * 0.48 + sin(angle) * apart / 2
    p.disc(x1, y1, r1, p.a)
    p.disc(x2, y2, r2, p.c)
    along = (apart * apart + r1 * r1 - r2 * r2) / (2 * apart)
    half = max(r1 * r1 - along * along, 0) ** 0.5
    mx, my = x1 + cos(angle) * along, y1 + sin(angle) * along
    px, py = -sin(angle) * half, cos(angle) * half
    p.path(
        f"M{mx + px:.4g} {my + py:.4g}A{r1:.4g} {r1:.4g} 0 0 0 {mx - px:.4g} {my - py:.4g}"
        f"A{r2:.4g} {r2:.4g} 0 0 0 {mx + px:.4g} {my + py:.4g}z",
        p.b,
    )
    p.disc(mx, my, p.m * 0.035, p.d)


def hearts(p: Canvas) -> None:
    """Hearts inside a heart."""
    w, h, dice = p.w, p.h, p.dice
    x, y, size = w / 2, h * 0.5, p.m * dice.between(0.86, 0.98)
    colours = dice.pick(([p.a, p.g, p.b, p.c], [p.a, p.b, p.c, p.d], [p.c, p.a, p.g, p.d]))
    turn = dice.between(-14, 14)
    for step, colour in enumerate(colours):
        s = size * (1 - 0.24 * step)
        r = s * 0.2652
        top = y - s * 0.14 + step * size * 0.012
        p.add(
            f'<path d="M{x:.4g} {top + s * 0.56:.4g}l{-s * 0.4527:.4g} {-s * 0.4527:.4g}'
            f"a{r:.4g} {r:.4g} 0 0 1 {s * 0.4527:.4g} {-s * 0.3:.4g}"
            f"a{r:.4g} {r:.4g} 0 0 1 {s * 0.4527:.4g} {s * 0.3:.4g}"
            f'z" fill="{colour}" transform="rotate({turn:.3g} {x:.4g} {y:.4g})"/>'
        )


def braid(p: Canvas) -> None:
    """Two lines that keep finding each other."""
    w, h, dice = p.w, p.h, p.dice
    waves, swing = dice.between(1.2, 2.1), w * dice.between(0.24, 0.34)
    fat = p.m * dice.between(0.08, 0.12)
    x = w / 2
    phase = dice.between(0, pi)
    strands = []
    for sign in (1, -1):
        strands.append(
            [
                (x + sign * swing * sin(phase + waves * TAU * t / 30), -4 + (h + 8) * t / 30)
                for t in range(31)
            ]
        )
    for strand, colour in zip(strands, (p.a, p.c), strict=True):
        p.line(smooth(strand), fat, colour)
    for t in range(1, 30, 2):
        gap = abs(strands[0][t][0] - strands[1][t][0])
        if gap > fat * 1.7:
            p.line(f"M{strands[0][t][0]:.4g} {strands[0][t][1]:.4g}H{strands[1][t][0]:.4g}", 3, p.b)
    p.disc(w * dice.pick((0.14, 0.86)), h * dice.between(0.15, 0.85), p.m * 0.07, p.d)


def petals(p: Canvas) -> None:
    """A flower of leaning ovals."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w * dice.between(0.44, 0.56), h * 0.44
    count, reach = dice.pick((6, 8, 9, 12)), p.m * 0.26
    turn = dice.between(0, 60)
    p.line(
        f"M{x:.4g} {y:.4g}Q{x + w * 0.06:.4g} {h * 0.8:.4g} {x - w * 0.05:.4g} {h * 1.02:.4g}",
        p.m * 0.03,
        p.b,
    )
    for colour, size, far in ((p.a, 1.0, 0.92), (p.c, 0.66, 0.62)):
        for petal in range(count):
            angle = turn + 360 * petal / count + (180 / count if size < 1 else 0)
            p.add(
                f'<ellipse cx="{x + reach * far:.4g}" cy="{y:.4g}" rx="{reach * 0.8 * size:.4g}" '
                f'ry="{reach * 2.1 * size / count**0.75:.4g}" fill="{colour}" '
                f'transform="rotate({angle:.4g} {x:.4g} {y:.4g})"/>'
            )
    p.disc(x, y, reach * 0.3, p.d)


ROMANCE = (two_discs, hearts, braid, petals)
