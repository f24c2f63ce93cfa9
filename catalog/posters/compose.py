"""From a film to a picture: choose family, palette and treatment, draw the art, set the title."""

from dataclasses import dataclass

from catalog.posters.canvas import Canvas, Palette
from catalog.posters.colour import INK, MIN_CONTRAST, PAPER, contrast, mix, readable_on
from catalog.posters.dice import Dice, stable_hash
from catalog.posters.families import FAMILIES, Family
from catalog.posters.fitting import Setting, set_title
from catalog.posters.palettes import NEUTRAL, PALETTES
from catalog.posters.spec import PosterSpec
from catalog.posters.text import (
    NARROW_STACK,
    SERIF_STACK,
    clean_title,
    escape,
    is_plain,
    poster_case,
)
from catalog.posters.treatments import HEIGHT, WIDTH, Frame, Treatment, treatments_for

META_SIZE = 8.5
_META_GAP = 13.0
_BORROW = (
    0.22  # share of films whose composition comes from a further genre, in the main one's colours
)


@dataclass(frozen=True)
class Design:
    """The choices behind a film's pictures: all three shapes are drawn from the same one."""

    genre: str
    family: Family
    palette: Palette
    treatment: Treatment
    is_mirrored: bool
    zoom: float
    seed: int


def _slot(film_id: int, count: int, salt: str) -> int:
    """A choice out of ``count`` that runs through all of them, newly shuffled for every round.

    So films with neighbouring ids (a catalogue is imported in order) get different choices.
    """
    turn, place = divmod(film_id, count)
    order = list(range(count))
    Dice(stable_hash(salt, count, turn)).shuffle(order)
    return order[place]


def _palette(genre: str, others: list[str], film_id: int, dice: Dice) -> Palette:
    """The genre's palette of this film, its second accent borrowed from a further genre."""
    choices = PALETTES[genre]
    ground, a, b, c, d = choices[_slot(film_id, len(choices), "palette")]
    if dice.chance(0.3):
        a, b = b, a
    if dice.chance(0.4):
        c, d = d, c
    if others:
        wish = dice.pick(PALETTES[dice.pick(others)]).c
        if all(contrast(wish, other) > 1.35 for other in (ground, a, b, c)):
            d = wish
    return Palette(ground, a, b, c, d)


def design(spec: PosterSpec) -> Design:
    """Everything that is chosen for a film; depends on its id, year, genres and country alone."""
    known = [genre for genre in spec.genres if genre in FAMILIES and genre != NEUTRAL]
    genre, others = (known[0], known[1:]) if known else (NEUTRAL, [])
    seed = stable_hash(spec.film_id, spec.year, *spec.genres, spec.country)
    dice = Dice(seed)
    source = dice.pick(others) if others and dice.chance(_BORROW) else genre
    families = FAMILIES[source]
    treatments = treatments_for(spec.year)
    return Design(
        genre=genre,
        family=families[_slot(spec.film_id, len(families), "family")],
        palette=_palette(genre, others, spec.film_id, dice),
        treatment=treatments[_slot(spec.film_id, len(treatments), "treatment")],
        is_mirrored=dice.chance(0.5),
        zoom=dice.between(1.0, 1.17),
        seed=seed,
    )


def _art(chosen: Design, *, x: float, y: float, w: float, h: float) -> str:
    """The composition in a box of its own, which clips it."""
    canvas = Canvas(w, h, chosen.palette, Dice(stable_hash("art", chosen.seed)))
    chosen.family(canvas)
    # The camera: a little closer for some, around a point below the middle, so that ground stays
    # ground; half of the films look the other way.
    zoom, flip = chosen.zoom, -1 if chosen.is_mirrored else 1
    shift = w / 2 - flip * zoom * w / 2
    move = f"{flip * zoom:.4g} 0 0 {zoom:.4g} {shift:.4g} {h * 0.6 * (1 - zoom):.4g}"
    body = f'<g transform="matrix({move})">{"".join(canvas.out)}</g>'
    return (
        f'<svg x="{x:.4g}" y="{y:.4g}" width="{w:.4g}" height="{h:.4g}" '
        f'viewBox="0 0 {w:.4g} {h:.4g}">{body}</svg>'
    )


def _sheet(spec: PosterSpec, w: int, h: int, ground: str, body: str) -> str:
    year = f" ({spec.year})" if spec.year else ""
    name = escape(clean_title(spec.title) + year)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w * 2}" '
        f'height="{h * 2}" role="img"><title>{name}</title>'
        f'<rect width="{w}" height="{h}" fill="{ground}"/>{body}</svg>'
    )


def panel_colours(chosen: Design) -> tuple[str, str]:
    """Panel and type: the panel is opaque, and the type reaches 4.5:1 on it."""
    ground, a, b, c, d = chosen.palette
    dice = Dice(stable_hash("panel", chosen.seed))
    panel = ground
    if chosen.treatment.panel == "block":
        far = [colour for colour in (a, b, INK, PAPER, c) if contrast(colour, ground) > 1.8]
        panel = dice.pick(far[:4]) if far else ground
    wishes = [c, a, b, ground, d] if dice.chance(0.35) else [a, b, ground, PAPER, INK]
    return panel, readable_on(panel, wishes)


def _meta(spec: PosterSpec, chosen: Design) -> str:
    parts = [str(spec.year)] if spec.year else []
    if chosen.genre != NEUTRAL:
        parts.append(chosen.genre.upper())
    return " · ".join(parts)


def _country_chips(country: str | None, frame: Frame, chosen: Design, edge: float, y: float) -> str:
    """Three small chips, order and widths by country: a quiet mark of where a film is from."""
    if not country:
        return ""
    dice = Dice(stable_hash("country", country.upper()))
    colours = [colour for colour in chosen.palette if contrast(colour, frame.panel) > 1.5]
    colours = colours or [frame.ink]
    dice.shuffle(colours)
    widths = dice.pick(((3, 3, 3), (6, 3, 3), (3, 6, 3), (3, 3, 6), (2, 2, 8), (8, 2, 2)))
    x, out = edge - sum(widths) - 2.0, ""
    for index, width in enumerate(widths):
        out += f'<rect x="{x:.4g}" y="{y - 6:.4g}" width="{width}" height="6" '
        out += f'fill="{colours[index % len(colours)]}"/>'
        x += width + 1
    return out


def _title_lines(
    setting: Setting, frame: Frame, treatment: Treatment, seed: int, last: float
) -> str:
    if treatment.anchor == "middle":
        x, anchor = WIDTH / 2, "middle"
    elif setting.is_rtl:
        x, anchor = WIDTH - treatment.side, "start"
    else:
        x, anchor = (
            treatment.side + (treatment.inset[0] if treatment.name == "spine" else 0),
            "start",
        )
    stack = SERIF_STACK if setting.face == "serif" else NARROW_STACK
    rtl = ' direction="rtl"' if setting.is_rtl else ""
    out = (
        f'<g font-family="{stack}" font-weight="700" font-size="{setting.size:.4g}" '
        f'fill="{frame.ink}" text-anchor="{anchor}"{rtl}>'
    )
    dice = Dice(stable_hash("jitter", seed))
    for index, line in enumerate(setting.lines):
        y = last - setting.step * (len(setting.lines) - 1 - index)
        extra = ""
        length = setting.guard(index)
        if length is not None:
            extra = f' textLength="{length:.4g}" lengthAdjust="spacingAndGlyphs"'
        if treatment.jitter and is_plain(line) and not setting.is_rtl:
            turns = " ".join(str(dice.whole(-4, 4)) for _ in line[:24]) + " 0"
            extra += f' rotate="{turns}"'
        out += f'<text x="{x:.4g}" y="{y:.4g}"{extra}>{escape(line)}</text>'
    return out + "</g>"


def _set(spec: PosterSpec, treatment: Treatment) -> Setting:
    text = poster_case(clean_title(spec.title), spec.country)
    spine = treatment.inset[0] if treatment.name == "spine" else 0.0
    return set_title(
        text,
        measure=WIDTH - treatment.side * 2 - spine,
        max_height=treatment.max_height + (14 if len(text) > 44 else 0),
        max_size=treatment.max_size,
        face=treatment.face,
    )


def draw_poster(spec: PosterSpec) -> str:
    """A 2:3 poster (``viewBox="0 0 200 300"``) with the title at its foot, as a standalone SVG."""
    chosen = design(spec)
    treatment = chosen.treatment
    setting = _set(spec, treatment)
    meta = _meta(spec, chosen)
    meta_y = HEIGHT - treatment.foot
    last = meta_y - (_META_GAP if meta else 0.0) - setting.depth
    top_room = 9.0 if setting.step < setting.size else 9.0 + setting.size * 0.16
    panel_top = last - setting.height - top_room - treatment.above
    panel, ink = panel_colours(chosen)
    frame = Frame(panel_top=panel_top, panel=panel, ink=ink)

    left, top, right = treatment.inset
    grid = 34.0 if treatment.name == "grid" else 0.0
    art = _art(chosen, x=left, y=top, w=WIDTH - left - right, h=panel_top - top - grid + 0.5)
    over = Canvas(WIDTH, HEIGHT, chosen.palette, Dice(stable_hash("treatment", chosen.seed)))
    if treatment.slanted:
        over.poly(panel, (0, panel_top - 14), (WIDTH, panel_top), (WIDTH, HEIGHT), (0, HEIGHT))
    else:
        over.box(0, panel_top, WIDTH, HEIGHT - panel_top, panel)
    treatment.decorate(over, frame)
    title = _title_lines(setting, frame, treatment, chosen.seed, last)
    small = _small_print(spec, chosen, frame, meta, meta_y, setting.is_rtl)
    body = art + "".join(over.out) + title + small
    return _sheet(spec, 200, 300, chosen.palette.ground, body)


def _small_print(
    spec: PosterSpec, chosen: Design, frame: Frame, meta: str, y: float, is_rtl: bool
) -> str:
    treatment = chosen.treatment
    soft = mix(frame.ink, frame.panel, 0.18)
    fill = soft if contrast(soft, frame.panel) >= MIN_CONTRAST else frame.ink
    x, anchor = treatment.side, "start"
    if treatment.name == "spine":
        x += treatment.inset[0]
    if treatment.anchor == "middle":
        x, anchor = WIDTH / 2, "middle"
    elif is_rtl:
        x, anchor = WIDTH - treatment.side, "end"
    out = ""
    if meta:
        out = (
            f'<text x="{x:.4g}" y="{y:.4g}" font-family="{NARROW_STACK}" font-size="{META_SIZE}" '
            f'letter-spacing=".9" fill="{fill}" text-anchor="{anchor}">{escape(meta)}</text>'
        )
    if treatment.anchor == "start" and not is_rtl:
        out += _country_chips(spec.country, frame, chosen, WIDTH - treatment.side, y)
    return out


def draw_backdrop(spec: PosterSpec) -> str:
    """The composition at 16:9, without words."""
    chosen = design(spec)
    return _sheet(spec, 320, 180, chosen.palette.ground, _art(chosen, x=0, y=0, w=320, h=180))


def draw_thumb(spec: PosterSpec) -> str:
    """The composition in a square, without words."""
    chosen = design(spec)
    return _sheet(spec, 200, 200, chosen.palette.ground, _art(chosen, x=0, y=0, w=200, h=200))
