"""Documentary and Drama: records, windows, figures."""

from math import cos, pi, sin

from catalog.posters.canvas import TAU, Canvas
from catalog.posters.colour import mix


def contact_sheet(p: Canvas) -> None:
    """Frames of a film, some of them chosen."""
    w, h, dice = p.w, p.h, p.dice
    across = dice.pick((4, 5)) if w <= h * 1.3 else 8
    cell = w * 0.88 / across
    rows = max(3, int(h * 0.94 / (cell * 0.82)))
    left, top = w * 0.06, (h - rows * cell * 0.82) / 2
    tones = [p.a, p.b, p.b, mix(p.b, p.g, 0.45), mix(p.a, p.b, 0.5)]
    for row in range(rows):
        for column in range(across):
            x, y = left + column * cell, top + row * cell * 0.82
            p.box(x, y, cell * 0.9, cell * 0.7, dice.pick(tones))
            if dice.chance(0.16):
                p.disc(x + cell * 0.45, y + cell * 0.35, cell * 0.2, p.c)
    column, row = dice.whole(1, across - 2), dice.whole(1, rows - 2)
    x, y = left + column * cell, top + row * cell * 0.82
    p.box(x, y, cell * 0.9, cell * 0.7, p.c)
    p.add(
        f'<ellipse cx="{x + cell * 0.45:.4g}" cy="{y + cell * 0.35:.4g}" rx="{cell * 0.75:.4g}" '
        f'ry="{cell * 0.6:.4g}" fill="none" stroke="{p.d}" stroke-width="4" '
        f'transform="rotate(-12 {x:.4g} {y:.4g})"/>'
    )


def aperture(p: Canvas) -> None:
    """The blades of an iris, half closed."""
    w, h, dice = p.w, p.h, p.dice
    x, y, r = w * dice.between(0.45, 0.55), h * 0.5, p.m * 0.47
    blades = dice.whole(6, 8)
    hole = r * dice.between(0.28, 0.42)
    turn = dice.between(0, TAU)
    tones = [p.a, p.b, mix(p.a, p.b, 0.5)]
    p.disc(x, y, r, p.a)
    for blade in range(blades):
        start = turn + TAU * blade / blades
        end = start + TAU / blades
        tip = start + TAU / blades * 1.9
        p.path(
            f"M{x + cos(start) * r:.4g} {y + sin(start) * r:.4g}A{r:.4g} {r:.4g} 0 0 1 "
            f"{x + cos(end) * r:.4g} {y + sin(end) * r:.4g}"
            f"L{x + cos(tip) * hole:.4g} {y + sin(tip) * hole:.4g}"
            f"L{x + cos(tip - TAU / blades) * hole:.4g} {y + sin(tip - TAU / blades) * hole:.4g}z",
            tones[blade % 3] if blade < blades - 1 or blades % 3 else tones[1],
        )
    p.disc(x, y, hole * 0.6, p.c)
    p.disc(x - hole * 0.16, y - hole * 0.2, hole * 0.14, p.d)


def waveform(p: Canvas) -> None:
    """A voice, recorded."""
    w, h, dice = p.w, p.h, p.dice
    count = dice.whole(15, 21)
    gap, mid = w / count, h * 0.5
    swell = dice.between(0.3, 0.7)
    marked = int(count * swell)
    for bar in range(count):
        t = bar / count
        level = 0.12 + 0.88 * max(0.0, 1 - abs(t - swell) * 1.9)
        tall = h * 0.45 * level * dice.between(0.35, 1.0)
        colour = p.c if bar == marked else (p.a if bar % 5 else p.b)
        tall = h * 0.45 if bar == marked else tall
        p.box(gap * (bar + 0.18), mid - tall, gap * 0.64, tall * 2, colour)
    p.disc(w * dice.pick((0.14, 0.84)), h * 0.13, p.m * 0.06, p.d)


def archive(p: Canvas) -> None:
    """Sheets of paper, fanned, with lines blacked out."""
    w, h, dice = p.w, p.h, p.dice
    wide, tall = p.m * 0.62, min(h * 0.74, p.m * 0.86)
    x, y = (w - wide) / 2, (h - tall) / 2
    turns = [dice.between(-26, -16), dice.between(10, 20), dice.between(-7, 4)]
    for turn, fill in zip(turns, (p.b, p.c, p.a), strict=True):
        p.add(
            f'<rect x="{x:.4g}" y="{y:.4g}" width="{wide:.4g}" height="{tall:.4g}" fill="{fill}" '
            f'transform="rotate({turn:.3g} {w / 2:.4g} {h / 2:.4g})"/>'
        )
    p.open_group(f'transform="rotate({turns[2]:.3g} {w / 2:.4g} {h / 2:.4g})"')
    for line in range(7):
        ly = y + tall * (0.12 + 0.11 * line)
        start = wide * (0.1 if line else 0.42)
        p.box(
            x + start,
            ly,
            (wide * 0.8 - start + wide * 0.1) * dice.between(0.5, 1),
            tall * 0.045,
            p.d if line == 4 else p.g,
        )
    p.box(x + wide * 0.1, y + tall * 0.08, wide * 0.24, wide * 0.24, p.b)
    p.close_group()


def globe(p: Canvas) -> None:
    """The world as a wire frame, one place marked."""
    w, h, dice = p.w, p.h, p.dice
    x, y, r = w * dice.between(0.46, 0.54), h * 0.49, p.m * 0.43
    p.disc(x, y, r, p.a)
    p.open_group(f'transform="rotate({dice.between(-28, 28):.3g} {x:.4g} {y:.4g})"')
    for share in (0.3, 0.72):
        p.add(
            f'<ellipse cx="{x:.4g}" cy="{y:.4g}" rx="{r * share:.4g}" ry="{r:.4g}" fill="none" '
            f'stroke="{p.g}" stroke-width="2.4"/>'
        )
    d = f"M{x:.4g} {y - r:.4g}V{y + r:.4g}"
    for lat in (-0.6, -0.2, 0.2, 0.6):
        half = r * (1 - lat * lat) ** 0.5
        d += f"M{x - half:.4g} {y + r * lat:.4g}H{x + half:.4g}"
    p.line(d, 2.4, p.g)
    p.close_group()
    px, py = x + r * dice.between(-0.5, 0.5), y + r * dice.between(-0.35, 0.3)
    s = p.m * 0.1
    p.pie(px, py - s * 1.6, s, -pi * 1.15, pi * 0.15, p.c)
    p.poly(p.c, (px - s * 0.9, py - s * 1.16), (px + s * 0.9, py - s * 1.16), (px, py + s * 0.3))
    p.disc(px, py - s * 1.6, s * 0.4, p.d)
    p.disc(w * dice.pick((0.12, 0.88)), h * dice.pick((0.1, 0.9)), p.m * 0.05, p.b)


def microphone(p: Canvas) -> None:
    """A microphone waiting for somebody to speak."""
    w, h, dice = p.w, p.h, p.dice
    x, y, r = w * dice.between(0.42, 0.58), h * 0.36, p.m * dice.between(0.19, 0.23)
    tall = r * dice.between(0.7, 1.1)
    for step in range(3):
        far = r * (2.0 + 0.62 * step)
        for side in (0.0, pi):
            p.line(p.arc(x, y, far, side - 0.5, side + 0.5), r * 0.26, p.b)
    p.line(
        f"M{x - r * 1.4:.4g} {y + tall * 0.4:.4g}v{r * 0.3:.4g}a{r * 1.4:.4g} {r * 1.4:.4g} 0 0 0 "
        f"{r * 2.8:.4g} 0v{-r * 0.3:.4g}M{x:.4g} {y + tall + r * 1.2:.4g}V{h:.4g}",
        r * 0.24,
        p.a,
    )
    p.line(f"M{x:.4g} {y - tall:.4g}V{y + tall:.4g}", r * 2, p.a, cap="round")
    for slot in range(4):
        sy = y - tall * 0.95 + tall * 0.5 * slot
        p.box(x - r * 0.6, sy, r * 1.2, r * 0.15, p.c if slot == 1 else p.g)
    p.disc(w * dice.pick((0.14, 0.86)), h * 0.88, p.m * 0.06, p.d)


def windows(p: Canvas) -> None:
    """Lit windows; in one of them, somebody."""
    w, h, dice = p.w, p.h, p.dice
    across = dice.pick((3, 3, 4)) if w <= h * 1.3 else 6
    gap = w * 0.05
    cell = (w - gap * (across + 1)) / across
    tall = cell * dice.pick((0.9, 1.15, 1.35))
    rows = max(2, int((h - gap) / (tall + gap)))
    top = (h - rows * (tall + gap) + gap) / 2
    tones = [p.b, p.b, mix(p.b, p.g, 0.55), mix(p.b, p.g, 0.7), p.a]
    lit = (dice.whole(0, rows - 1), dice.whole(0, across - 1))
    for row in range(rows):
        for column in range(across):
            x, y = gap + column * (cell + gap), top + row * (tall + gap)
            is_lit = (row, column) == lit
            p.box(x, y, cell, tall, p.c if is_lit else dice.pick(tones))
            if is_lit:
                p.disc(x + cell * 0.5, y + tall * 0.48, cell * 0.17, p.g)
                p.path(
                    f"M{x + cell * 0.16:.4g} {y + tall:.4g}q0 {-tall * 0.34:.4g} "
                    f"{cell * 0.34:.4g} {-tall * 0.34:.4g}t{cell * 0.34:.4g} {tall * 0.34:.4g}z",
                    p.g,
                )
            elif dice.chance(0.2):
                p.poly(p.d, (x, y), (x + cell * 0.4, y), (x, y + tall))


def halves(p: Canvas) -> None:
    """One disc broken in two that slid apart."""
    w, h, dice = p.w, p.h, p.dice
    x, y, r = w * 0.5, h * 0.5, p.m * 0.4
    slip = r * dice.between(0.25, 0.6) * dice.sign()
    turn = dice.between(-0.5, 0.5)
    p.half(x - sin(turn) * slip * 0.2 + cos(turn) * slip, y - r * 0.04, r, turn, p.a)
    p.half(x - cos(turn) * slip, y + r * 0.04, r, turn + pi, p.b)
    p.disc(x + cos(turn) * slip, y - r * dice.between(0.4, 0.5), r * 0.17, p.c)
    p.disc(x - cos(turn) * slip, y + r * 0.46, r * 0.1, p.d)


def lone_figure(p: Canvas) -> None:
    """Someone small with a very long shadow."""
    w, h, dice = p.w, p.h, p.dice
    line = h * dice.between(0.4, 0.56)
    p.box(0, line, w, h, p.b)
    x, s = w * dice.between(0.34, 0.7), p.m * 0.24
    sun = w * dice.between(0.15, 0.85)
    p.disc(sun, line - h * 0.08, p.m * dice.between(0.16, 0.25), p.c)
    p.box(0, line, w, p.m * 0.012, p.a)
    foot = line + h * 0.14
    reach = (x - sun) * 1.1 + w * 0.08
    p.poly(
        p.g,
        (x - s * 0.1, foot),
        (x + s * 0.1, foot),
        (x + reach + s * 0.5, h),
        (x + reach - s * 0.5, h),
    )
    p.poly(
        p.a,
        (x - s * 0.2, foot),
        (x - s * 0.13, foot - s * 0.86),
        (x + s * 0.13, foot - s * 0.86),
        (x + s * 0.2, foot),
    )
    p.disc(x, foot - s, s * 0.15, p.a)


def steps(p: Canvas) -> None:
    """A staircase and what waits at the top."""
    w, h, dice = p.w, p.h, p.dice
    count = dice.whole(4, 9)
    p.disc(w * dice.between(0.7, 0.8), h * 0.22, p.m * dice.between(0.15, 0.2), p.c)
    for step in range(count):
        x, y = w * step / count, h * (0.92 - 0.58 * step / (count - 1))
        p.box(x, y, w - x + 1, h, p.a if step % 2 == 0 else p.b)
    lone = dice.whole(1, count - 3)
    x, y, s = w * (lone + 0.5) / count, h * (0.92 - 0.58 * lone / (count - 1)), p.m * 0.15
    p.poly(p.d, (x - s * 0.28, y), (x, y - s * 1.1), (x + s * 0.28, y))
    p.disc(x, y - s * 1.2, s * 0.22, p.d)


def doorway(p: Canvas) -> None:
    """Light from a door across a dark floor."""
    w, h, dice = p.w, p.h, p.dice
    x, wide = w * dice.between(0.34, 0.58), p.m * dice.between(0.2, 0.28)
    top, floor = h * 0.16, h * 0.66
    p.box(0, floor, w, h, p.b)
    p.box(x, top, wide, floor - top, p.c)
    spread = w * dice.between(0.15, 0.4)
    p.poly(p.c, (x, floor), (x + wide, floor), (x + wide + spread, h), (x - spread * 0.2, h))
    p.poly(
        p.a,
        (x + wide, top),
        (x + wide * 1.6, top - h * 0.05),
        (x + wide * 1.6, floor + h * 0.07),
        (x + wide, floor),
    )
    s = p.m * 0.17
    mid = x + wide * 0.5
    p.disc(mid, floor - s * 1.25, s * 0.23, p.g)
    p.poly(
        p.g,
        (mid - s * 0.16, floor - s),
        (mid + s * 0.16, floor - s),
        (mid + s * 0.3, floor),
        (mid - s * 0.3, floor),
    )
    p.poly(
        p.d,
        (mid - s * 0.3, floor),
        (mid + s * 0.3, floor),
        (mid + spread * 0.6 + s * 0.5, h),
        (mid + spread * 0.6 - s * 0.4, h),
    )


def strata(p: Canvas) -> None:
    """Years laid on years, and one line that does not fit."""
    w, h, dice = p.w, p.h, p.dice
    tones = [p.a, p.b, mix(p.a, p.b, 0.5), p.g, mix(p.b, p.g, 0.5)]
    y, step = h * dice.between(0.1, 0.25), 0
    p.disc(w * dice.between(0.25, 0.75), y, p.m * 0.18, p.c)
    while y < h:
        thick = h * dice.between(0.06, 0.17)
        lift = h * dice.between(-0.05, 0.05)
        p.path(
            f"M0 {y + lift:.4g}Q{w * dice.between(0.3, 0.7):.4g} {y - lift * 2:.4g} {w:.4g} "
            f"{y + lift * 0.4:.4g}V{h:.4g}H0z",
            tones[step % 5],
        )
        y += thick
        step += 1
    x = w * dice.between(0.3, 0.7)
    p.poly(
        p.d,
        (x, h * 0.3),
        (x + w * 0.035, h * 0.3),
        (x + w * dice.between(-0.1, 0.14), h),
        (x - w * 0.04, h),
    )


def boat(p: Canvas) -> None:
    """A small boat on a great deal of water."""
    w, h, dice = p.w, p.h, p.dice
    line = h * dice.between(0.36, 0.5)
    p.disc(w * dice.between(0.2, 0.8), line * dice.between(0.5, 0.9), p.m * 0.2, p.c)
    count = dice.whole(5, 7)
    boat_row = dice.whole(0, 2)
    for row in range(count):
        y = line + (h - line) * row / count
        wave = p.m * (0.12 + 0.03 * row)
        shift = dice.between(-1, 0) * wave * 2
        if row == boat_row:
            x, s = w * dice.between(0.3, 0.68), p.m * 0.17
            p.poly(p.d, (x, y - s * 1.7), (x + s * 0.8, y - s * 0.4), (x, y - s * 0.4))
            p.poly(
                p.a,
                (x - s * 0.1, y - s * 1.3),
                (x - s * 0.1, y - s * 0.4),
                (x - s * 0.6, y - s * 0.4),
            )
            p.half(x, y - s * 0.25, s, pi, p.a)
        d = f"M{shift:.4g} {y:.4g}"
        for _ in range(int((w - shift) / wave / 2) + 2):
            d += f"q{wave * 0.5:.4g} {-wave * 0.32:.4g} {wave:.4g} 0t{wave:.4g} 0"
        p.path(d + f"V{h:.4g}H{shift:.4g}z", p.b if row % 2 == 0 else mix(p.b, p.g, 0.55))


def family_tree(p: Canvas) -> None:
    """A tree of discs; one has fallen."""
    w, h, dice = p.w, p.h, p.dice
    x, floor = w * dice.between(0.44, 0.56), h * 0.88
    p.box(0, floor, w, h, p.b)
    p.poly(
        p.a,
        (x - w * 0.05, floor + 1),
        (x - w * 0.015, h * 0.3),
        (x + w * 0.015, h * 0.3),
        (x + w * 0.05, floor + 1),
    )
    colours = [p.a, p.b, p.a, p.c, p.b, p.a]
    rows = dice.whole(4, 5)
    for row in range(rows):
        y = h * (0.14 + 0.5 * row / (rows - 1))
        count = (2, 3, 4, 3, 2)[row] if rows == 5 else (2, 4, 4, 2)[row]
        r = p.m * 0.1
        for place in range(count):
            dx = (place - (count - 1) / 2) * r * 2.15
            p.line(f"M{x:.4g} {y + p.m * 0.16:.4g}L{x + dx:.4g} {y:.4g}", 2.2, p.a)
            p.disc(x + dx, y, r * dice.between(0.78, 1.0), colours[dice.whole(0, 5)])
    p.disc(x + w * dice.between(0.2, 0.36) * dice.sign(), floor - p.m * 0.06, p.m * 0.07, p.d)


def chairs(p: Canvas) -> None:
    """Two chairs that face away from each other."""
    w, h, dice = p.w, p.h, p.dice
    floor = h * dice.between(0.76, 0.84)
    p.disc(w * 0.5, h * dice.between(0.3, 0.4), p.m * dice.between(0.24, 0.32), p.c)
    p.box(0, floor, w, h, p.b)
    s, gap = p.m * dice.between(0.26, 0.32), p.m * dice.between(0.1, 0.2)
    tall = dice.between(1.4, 2.0)
    for side, colour in ((-1, p.a), (1, p.d)):
        x = w * 0.5 + side * gap
        far = x + side * s
        foot = floor + h * 0.06
        p.line(
            f"M{x:.4g} {foot:.4g}V{foot - s * tall:.4g}M{x:.4g} {foot - s * 0.75:.4g}"
            f"H{far:.4g}V{foot:.4g}",
            s * 0.17,
            colour,
            cap="square",
        )
        p.box(min(x, x + side * s * 0.09), foot - s * tall, s * 0.09, s * 0.5, colour)
        p.poly(p.g, (x, foot), (far, foot), (far + side * s, h), (x + side * s, h))


DOCUMENTARY = (contact_sheet, aperture, waveform, archive, globe, microphone)
DRAMA = (windows, halves, lone_figure, steps, doorway, strata, boat, family_tree, chairs)
