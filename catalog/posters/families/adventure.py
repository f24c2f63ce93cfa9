"""Adventure: maps, mountains, ways out."""

from math import cos, pi, sin

from catalog.posters.canvas import TAU, Canvas, points


def compass(p: Canvas) -> None:
    """A compass rose, its needle off true."""
    w, h, dice = p.w, p.h, p.dice
    x, y, r = w * dice.between(0.42, 0.58), h * dice.between(0.45, 0.54), p.m * 0.46
    p.disc(x, y, r, p.a)
    p.ring(x, y, r * 1.16, r * 0.05, p.b)
    p.open_group(f'transform="rotate({dice.between(8, 40):.3g} {x:.4g} {y:.4g})"')
    p.star(x, y, r * 1.02, inner=0.34, tips=4, fill=p.d)
    for step in range(8):
        angle = step * pi / 4 - pi / 2
        side = angle + pi / 4
        reach, waist = (r * 1.3, r * 0.2) if step % 2 == 0 else (r * 0.66, r * 0.2)
        tip = (x + cos(angle) * reach, y + sin(angle) * reach)
        p.poly(
            p.b if step % 2 == 0 else p.g,
            (x, y),
            tip,
            (x + cos(side) * waist, y + sin(side) * waist),
        )
    p.close_group()
    p.disc(x, y, r * 0.14, p.c)


def contours(p: Canvas) -> None:
    """A map's contour lines with a dashed way to a cross."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w * dice.between(0.55, 0.75), h * dice.between(0.28, 0.42)
    phase, lobes = dice.between(0, TAU), dice.pick((2, 3, 3))
    colours = [p.b, p.a, p.b, p.a, p.c, p.a]
    for step in range(6):
        r = max(w, h) * (0.72 - 0.12 * step)
        corners = []
        for part in range(28):
            angle = TAU * part / 28
            bend = 1 + 0.13 * sin(lobes * angle + phase + step * 0.25)
            corners.append((x + cos(angle) * r * bend, y + sin(angle) * r * bend * 0.92))
        p.out.append(
            f'<path d="M{points(corners)}z" fill="{colours[step]}" '
            f'stroke="{p.g}" stroke-width="3" stroke-linejoin="round"/>'
        )
    size = p.m * 0.05
    p.add(
        f'<path d="M{-5} {h * 0.9:.4g}C{w * 0.5:.4g} {h * 0.95:.4g} {w * 0.1:.4g} {h * 0.4:.4g} '
        f'{x - size * 2:.4g} {y + size:.4g}" fill="none" stroke="{p.d}" stroke-width="4.5" '
        f'stroke-dasharray="11 7"/>'
    )
    p.line(
        f"M{x - size:.4g} {y - size:.4g}l{size * 2:.4g} {size * 2:.4g}m0 {-size * 2:.4g}"
        f"l{-size * 2:.4g} {size * 2:.4g}",
        6,
        p.d,
    )


def peaks(p: Canvas) -> None:
    """Mountains in flat facets before a sun."""
    w, h, dice = p.w, p.h, p.dice
    p.disc(w * dice.between(0.25, 0.75), h * dice.between(0.24, 0.36), p.m * 0.24, p.c)
    for layer, (light, dark) in enumerate(((p.b, p.a), (p.d, p.a), (p.a, p.b))):
        base = h * (0.62 + 0.2 * layer)
        x = -w * dice.between(0.1, 0.3)
        while x < w:
            half = p.m * dice.between(0.3, 0.46) * (1 - 0.12 * layer)
            top = base - half * dice.between(0.9, 1.35)
            p.poly(light, (x, base), (x + half, top), (x + half, base))
            p.poly(dark, (x + half, top), (x + half * 2, base), (x + half, base))
            x += half * dice.between(1.2, 1.7)
        p.box(0, base - 0.5, w, h, light if layer < 2 else p.a)


def winding_road(p: Canvas) -> None:
    """A road that narrows in bends to the horizon."""
    w, h, dice = p.w, p.h, p.dice
    sky = h * dice.between(0.34, 0.44)
    p.disc(w * dice.between(0.3, 0.7), sky, p.m * 0.3, p.c)
    p.box(0, sky, w, h, p.a)
    p.poly(p.d, (0, sky), (w * 0.4, sky), (0, sky + h * 0.12))
    x, y = w * dice.between(0.44, 0.56), sky
    left, right = [(x, y)], [(x, y)]
    side = dice.sign()
    for step in range(1, 25):
        t = step / 24
        mid = x + side * sin(t * pi * 2.6) * w * 0.3 * t
        half = w * 0.2 * t**1.5
        y = sky + (h - sky) * t**1.25
        left.append((mid - half, y))
        right.append((mid + half, y))
    p.poly(p.b, *left, *reversed(right))


def balloon(p: Canvas) -> None:
    """A striped balloon over far hills."""
    w, h, dice = p.w, p.h, p.dice
    x, y, r = w * dice.between(0.42, 0.6), h * 0.37, p.m * dice.between(0.29, 0.35)
    p.disc(w * dice.pick((0.12, 0.88)), h * dice.between(0.12, 0.24), p.m * 0.1, p.d)
    for layer, colour in enumerate((p.d, p.b)):
        base = h * (0.78 + 0.1 * layer)
        top = base - h * dice.between(0.06, 0.14)
        peak = w * dice.between(0.2, 0.8)
        p.path(
            f"M{-w * 0.2:.4g} {h:.4g}V{base:.4g}Q{peak:.4g} {top:.4g} {w * 1.2:.4g} "
            f"{base:.4g}V{h:.4g}z",
            colour,
        )
    gores = ((1.0, p.a), (0.66, p.c), (0.26, p.b))
    foot = y + r * 1.42
    for share, colour in gores:
        s = r * share
        p.path(
            f"M{x - s * 0.3:.4g} {foot:.4g}C{x - s * 0.5:.4g} {y + r * 0.9:.4g} {x - s:.4g} "
            f"{y + r * 0.6:.4g} {x - s:.4g} {y:.4g}A{s:.4g} {r:.4g} 0 0 1 {x + s:.4g} {y:.4g}"
            f"C{x + s:.4g} {y + r * 0.6:.4g} {x + s * 0.5:.4g} {y + r * 0.9:.4g} "
            f"{x + s * 0.3:.4g} {foot:.4g}z",
            colour,
        )
    p.box(x - r * 0.2, foot + r * 0.16, r * 0.4, r * 0.26, p.a)


def jungle(p: Canvas) -> None:
    """Great leaves parted on something bright."""
    w, h, dice = p.w, p.h, p.dice
    x, y = w * dice.between(0.42, 0.58), h * dice.between(0.4, 0.5)
    p.disc(x, y, p.m * 0.3, p.c)
    p.disc(x, y, p.m * 0.19, p.d)
    colours = [p.b, p.a, p.b, p.a]
    for leaf in range(10):
        angle = TAU * (leaf + dice.between(-0.2, 0.2)) / 10
        far = (abs(cos(angle)) * w + abs(sin(angle)) * h) * 0.62
        long = far * dice.between(0.72, 0.86)
        fat = p.m * dice.between(0.13, 0.19)
        fx, fy = x + cos(angle) * far, y + sin(angle) * far
        p.add(
            f'<path d="M0 0Q{long * 0.5:.4g} {-fat * 1.7:.4g} {long:.4g} 0Q{long * 0.5:.4g} '
            f'{fat * 1.7:.4g} 0 0zM{long * 0.06:.4g} 0H{long * 0.86:.4g}" '
            f'fill="{colours[leaf % 4]}" stroke="{p.g}" stroke-width="2.4" '
            f'transform="translate({fx:.4g} {fy:.4g}) rotate({angle * 180 / pi + 180:.4g})"/>'
        )


def under_sail(p: Canvas) -> None:
    """Full sails and a long swell."""
    w, h, dice = p.w, p.h, p.dice
    x, line, s = w * dice.between(0.44, 0.54), h * 0.76, p.m * 0.8
    p.disc(w * dice.between(0.3, 0.75), h * 0.36, p.m * 0.3, p.c)
    for fx, wide, top, foot, colour in (
        (-0.2, 0.3, 0.62, 0.2, p.b),
        (0.1, 0.42, 0.72, 0.46, p.a),
        (0.1, 0.5, 0.44, 0.17, p.b),
    ):
        left, right = x + s * (fx - wide / 2), x + s * (fx + wide / 2)
        high, low = line - s * top, line - s * foot
        p.path(
            f"M{left:.4g} {high:.4g}H{right - s * 0.06:.4g}Q{right + s * 0.1:.4g} "
            f"{(high + low) / 2:.4g} {right:.4g} {low:.4g}H{left:.4g}Q{left + s * 0.14:.4g} "
            f"{(high + low) / 2:.4g} {left:.4g} {high:.4g}z",
            colour,
        )
    p.poly(
        p.a,
        (x - s * 0.44, line - s * 0.13),
        (x + s * 0.5, line - s * 0.16),
        (x + s * 0.34, line + s * 0.1),
        (x - s * 0.34, line + s * 0.1),
    )
    for row, colour in enumerate((p.d, p.b, p.d)):
        y, wave = line + h * (0.03 + 0.08 * row), p.m * 0.2
        shift = -wave * 2 * dice.unit()
        d = f"M{shift:.4g} {y:.4g}"
        for _ in range(int((w - shift) / wave / 2) + 2):
            d += f"q{wave * 0.5:.4g} {-wave * 0.24:.4g} {wave:.4g} 0t{wave:.4g} 0"
        p.path(d + f"V{h:.4g}H{shift:.4g}z", colour)


ADVENTURE = (compass, contours, peaks, winding_road, balloon, jungle, under_sail)
