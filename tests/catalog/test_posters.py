"""Drawn posters: the same everywhere, legible, inside the sheet, and no two alike."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from catalog.posters import (
    POSTER_VERSION,
    PosterSpec,
    draw_backdrop,
    draw_poster,
    draw_thumb,
)
from catalog.posters.canvas import Canvas, Palette
from catalog.posters.colour import INK, PAPER, contrast, readable_on
from catalog.posters.compose import design, panel_colours
from catalog.posters.dice import Dice
from catalog.posters.families import FAMILIES
from catalog.posters.fitting import MIN_SIZE
from catalog.posters.palettes import NEUTRAL, PALETTES
from catalog.posters.text import clean_title, text_width
from catalog.posters.treatments import treatments_for

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"
GENRES = tuple(genre for genre in sorted(FAMILIES) if genre != NEUTRAL)
YEARS = (None, 1902, 1927, 1936, 1948, 1955, 1967, 1974, 1983, 1995, 2004, 2013, 2024)

# Words to make titles of, one line a script; the last line is for what people paste.
WORDS = {
    "latin": "the night of a thousand strange love and bomb how I learned to stop worrying",
    "accents": "Amélie ça déjà vu naïve Ærø Ångström Łódź Dvořák señor Übermensch straße Việt ế",
    "cyrillic": "сталкер иваново детство летят журавли жизнь щука война и мир съезд объём",
    "greek": "το βλέμμα του Οδυσσέα μια αιωνιότητα και ημέρα λιβάδι που δακρύζει",
    "cjk": "七人の侍 東京物語 千と千尋の神隠し 重慶森林 卧虎藏龙 花樣年華 ハウルの動く城 기생충",
    "arabic": "باب الحديد ذيب كفرناحوم المومياء ليلة حساب السنين يد إلهية",
    "hebrew": "ואלס עם באשיר הערת שוליים לבנון תזמורת ביקור ללכת על המים",
    "devanagari": "मदर इंडिया दिलवाले दुल्हनिया ले जायेंगे श्री पथेर पांचाली लगान",
    "thai": "ลุงบุญมีระลึกชาติ สัตว์ประหลาด แสงศตวรรษ ฟ้าทะลายโจร องค์บาก",
    "odd": "WWWWWWWW iiii $9.99 (500) #&<> … — 8½ π 🎬 X‑Y @@@ ﷽ 𝕏 Ǆ ㎏ n̈́̈́̈́̈́̈́ -",
}
HOSTILE = (
    "",
    "   ",
    "\x00\x01\x1f\x7f",
    "<script>alert(1)</script>",
    'Tom & "Jerry" <b>\'s',
    "]]>&#0;&lt;",
    "\ud800 lone surrogate \udfff",
    "\ufffe\uffff noncharacters",
    "\u202egnp.exe \u2066x\u2069",
    "Z" + "\u0335\u0336\u0337\u0338" * 200 + "algo",
    "x" * 5000,
    "word " * 400,
    "\n\r\t lines \u2028 and \u2029 paragraphs",
    "א" * 300,
    "\u0301\u0301",
    "${jndi}{{ template }}{% tag %}",
)


def spec(film_id: int, title: str = "Heat", **changes: object) -> PosterSpec:
    values: dict = {"year": 1995, "genres": ("Crime", "Thriller"), "country": "US", **changes}
    return PosterSpec(film_id=film_id, title=title, **values)


def titles(count: int) -> list[str]:
    """``count`` titles of one to fourteen words, each script in its turn."""
    scripts, dice, made = list(WORDS.values()), Dice(7), []
    for index in range(count):
        words = scripts[index % len(scripts)].split()
        made.append(" ".join(dice.pick(words) for _ in range(1 + index % 14)))
    return made


def parse(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 -- our own drawing, not somebody's file


def texts(svg: str) -> list[ElementTree.Element]:
    return list(parse(svg).iter(f"{SVG}text"))


# -- the same film, the same picture -------------------------------------------------


def test_same_film_gives_same_pictures_in_any_process():
    code = (
        "import hashlib; from catalog.posters import *; h = hashlib.sha256()\n"
        "for i in range(60):\n"
        "    s = PosterSpec(i, f'Film {i}', 1900 + 2 * i, ('Drama', 'War'), 'FR')\n"
        "    h.update((draw_poster(s) + draw_backdrop(s) + draw_thumb(s)).encode())\n"
        "print(h.hexdigest())"
    )
    digests = set()
    for seed in ("0", "1", "4711"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PATH": os.environ.get("PATH", "")},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout.strip())
    assert len(digests) == 1
    assert len(digests.pop()) == 64


def test_drawing_needs_no_django():
    code = "import sys, catalog.posters; print('django' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_title_does_not_steer_the_composition_but_the_facts_do():
    base = design(spec(5))
    assert design(spec(5, "Haet")) == base
    others = (spec(5, year=2013), spec(5, country="FR"), spec(5, genres=("Crime", "War")), spec(6))
    assert all(design(other) != base for other in others)


def test_version_is_a_positive_whole_number():
    assert isinstance(POSTER_VERSION, int)
    assert POSTER_VERSION >= 1


# -- what is on offer ----------------------------------------------------------------


def test_every_genre_has_three_families_and_four_palettes_of_its_own():
    assert set(FAMILIES) == set(PALETTES)
    assert len(GENRES) == 19
    everything = [family for families in FAMILIES.values() for family in families]
    assert len(set(everything)) == len(everything)
    assert min(len(families) for families in FAMILIES.values()) >= 3
    assert min(len(set(palettes)) for palettes in PALETTES.values()) >= 4
    for palettes in PALETTES.values():
        for palette in palettes:
            assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in palette)
            assert len(set(palette)) == 5
            inks = [contrast(palette.ground, ink) for ink in palette[1:3]]
            assert max(inks) > 1.9, palette


@pytest.mark.parametrize("genre", [*GENRES, NEUTRAL])
def test_every_family_and_palette_of_a_genre_is_reached(genre):
    made = [design(spec(i, genres=(genre,))) for i in range(120)]
    assert {one.family for one in made} == set(FAMILIES[genre])
    grounds = {one.palette.ground for one in made}
    assert grounds == {palette.ground for palette in PALETTES[genre]}


def test_unknown_and_missing_genres_get_the_neutral_family():
    for genres in ((), ("(no genres listed)",), ("Telenovela", "")):
        assert design(spec(3, genres=genres)).family in FAMILIES[NEUTRAL]
    assert design(spec(3, genres=("Telenovela", "War"))).genre == "War"


def test_each_decade_has_a_treatment_of_its_own():
    by_decade = [
        {treatment.name for treatment in treatments_for(year)}
        for year in (1925, 1930, 1950, 1960, 1970, 1980, 1990, 2000, 2010, 2020)
    ]
    own = [
        names - set().union(*(by_decade[:i] + by_decade[i + 1 :]))
        for i, names in enumerate(by_decade)
    ]
    assert all(own)
    assert treatments_for(2031) == treatments_for(2020)


# -- legible -------------------------------------------------------------------------


def test_title_and_small_print_reach_the_contrast_on_every_palette():
    seen = set()
    for genre in (*GENRES, NEUTRAL):
        for year in YEARS:
            for film_id in range(40):
                chosen = design(spec(film_id, genres=(genre, "War"), year=year))
                panel, ink = panel_colours(chosen)
                assert contrast(panel, ink) >= 4.5, (genre, panel, ink)
                seen.add((genre, chosen.palette.ground))
    assert len(seen) == sum(len(palettes) for palettes in PALETTES.values())


def test_text_colours_written_into_the_poster_reach_the_contrast_on_the_panel():
    for film_id in range(300):
        film = spec(film_id, genres=(GENRES[film_id % 19],), year=YEARS[film_id % 13])
        panel, ink = panel_colours(design(film))
        root = parse(draw_poster(film))
        groups = [group for group in root.iter(f"{SVG}g") if group.get("font-size")]
        assert [group.get("fill") for group in groups] == [ink]
        small = [text for text in root.iter(f"{SVG}text") if text.get("fill")]
        assert small
        assert all(contrast(text.get("fill") or "", panel) >= 4.5 for text in small)


@pytest.mark.parametrize("grey", range(0, 256, 5))
def test_some_type_reads_on_any_panel(grey):
    panel = f"#{grey:02x}{grey:02x}{grey:02x}"
    assert contrast(panel, readable_on(panel, [panel, "#808080"])) >= 4.5


def test_contrast_matches_the_published_ends_of_the_scale():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast(INK, PAPER) > 15


# -- inside the sheet ----------------------------------------------------------------


def test_two_thousand_titles_in_all_scripts_do_not_overflow():
    smallest = 99.0
    for index, title in enumerate(titles(2000)):
        film = spec(index, title, genres=(GENRES[index % 19],), year=YEARS[index % len(YEARS)])
        root = parse(draw_poster(film))
        (group,) = [g for g in root.iter(f"{SVG}g") if g.get("font-size")]
        size = float(group.get("font-size") or 0)
        smallest = min(smallest, size)
        face = "serif" if "Times" in (group.get("font-family") or "") else "narrow"
        lines = list(group.iter(f"{SVG}text"))
        assert lines
        for line in lines:
            width = text_width(line.text or "", face) * size
            forced = line.get("textLength")
            width = float(forced) if forced else width
            x, y = float(line.get("x") or 0), float(line.get("y") or 0)
            left = x - width / 2 if group.get("text-anchor") == "middle" else x
            left = x - width if group.get("direction") == "rtl" and left == x else left
            assert left >= 8, (title, left)
            assert left + width <= 192.5, (title, left + width)
            assert y - 0.8 * size > 100, (title, y)
            assert y <= 292
    assert smallest >= MIN_SIZE * 0.9


def test_right_to_left_titles_start_at_the_right_edge():
    svg = draw_poster(spec(1, "ואלס עם באשיר", year=2024))
    assert 'direction="rtl"' in svg
    assert float(texts(svg)[0].get("x") or 0) > 180
    assert "direction" not in draw_poster(spec(1, "Waltz with Bashir", year=2024))


# -- valid, small, harmless ----------------------------------------------------------


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_titles_give_valid_xml_without_anything_active(title):
    for film_id in range(12):
        film = spec(film_id, title, year=YEARS[film_id])
        for draw in (draw_poster, draw_backdrop, draw_thumb):
            svg = draw(film)
            svg.encode()
            root = parse(svg)
            names = {element.tag.removeprefix(SVG) for element in root.iter()}
            assert names <= {"svg", "title", "g", "rect", "circle", "ellipse", "path", "text"}
            attributes = {name for element in root.iter() for name in element.attrib}
            assert not {name for name in attributes if name.startswith("on") or "href" in name}
            assert not attributes & {"style", "class", "id", "src"}
            assert "url(" not in svg


def test_title_element_names_the_film():
    root = parse(draw_poster(spec(1, 'Tom & "Jerry" <3')))
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == 'Tom & "Jerry" <3 (1995)'
    assert clean_title("\x00") == "Untitled"


def test_pictures_have_their_shapes_and_only_the_poster_has_words():
    film = spec(9)
    shapes = {draw_poster: "0 0 200 300", draw_backdrop: "0 0 320 180", draw_thumb: "0 0 200 200"}
    for draw, box in shapes.items():
        assert parse(draw(film)).get("viewBox") == box
    assert [text.text for text in texts(draw_poster(film))] == ["HEAT", "1995 · CRIME"]
    assert texts(draw_backdrop(film)) == texts(draw_thumb(film)) == []


@pytest.mark.parametrize("genre", [*GENRES, NEUTRAL])
def test_pictures_stay_under_twelve_kilobytes(genre):
    for film_id in range(60):
        film = spec(film_id, genres=(genre,), year=YEARS[film_id % len(YEARS)])
        for draw in (draw_poster, draw_backdrop, draw_thumb):
            assert len(draw(film).encode()) < 12_000, (genre, film_id, draw.__name__)
    # Every family at its busiest leaves 2.5 kB for frame, panel and type.
    for family in FAMILIES[genre]:
        for seed in range(80):
            for w, h in ((200, 260), (200, 170), (320, 180)):
                canvas = Canvas(w, h, PALETTES[genre][0], Dice(seed))
                family(canvas)
                assert len("".join(canvas.out)) < 9_500, (family.__name__, seed, w, h)


# -- no two alike --------------------------------------------------------------------


def _picture(svg: str) -> str:
    """The drawing without any words."""
    return re.sub(r"<title>.*?</title>|<text.*?</text>", "", svg)


@pytest.mark.parametrize("genre", [*GENRES, NEUTRAL])
def test_two_hundred_films_of_one_genre_are_all_different(genre):
    films = [spec(i, "Untitled", genres=(genre,), year=1995, country=None) for i in range(200)]
    assert len({_picture(draw_poster(film)) for film in films}) == 200
    chosen = [design(film) for film in films]
    differs = [
        one.family is not other.family or one.palette != other.palette
        for one, other in zip(chosen, chosen[1:], strict=False)
    ]
    assert sum(differs) >= 0.9 * len(differs)
    other_family = [
        one.family is not other.family for one, other in zip(chosen, chosen[1:], strict=False)
    ]
    assert sum(other_family) >= 0.75 * len(other_family)


def test_a_palette_has_five_roles():
    assert Palette._fields == ("ground", "a", "b", "c", "d")


# -- a real browser ------------------------------------------------------------------


@pytest.mark.e2e
@pytest.mark.parametrize("face", ["as named", "DejaVu Sans", "DejaVu Serif", "Verdana"])
def test_chromium_keeps_the_type_inside_the_poster(page, face):
    """Also where none of the faces that a poster names is installed, but one of the wide ones."""
    films = [
        spec(i, title, year=YEARS[i % len(YEARS)], genres=(GENRES[i % 19],))
        for i, title in enumerate(titles(280))
    ]
    measure = """() => [...document.querySelectorAll('body > svg')].map((svg) => {
      const boxes = [...svg.querySelectorAll('text')].map((text) => text.getBBox());
      return [Math.min(...boxes.map((b) => b.x)), Math.max(...boxes.map((b) => b.x + b.width)),
              Math.max(...boxes.map((b) => b.y + b.height))];
    })"""
    sheets = "".join(draw_poster(film) for film in films)
    if face != "as named":
        sheets = re.sub('font-family="[^"]*"', f'font-family="{face}"', sheets)
    page.set_content(f"<body>{sheets}")
    boxes = page.evaluate(measure)
    assert len(boxes) == len(films)
    outside = [
        (film.title, box)
        for film, box in zip(films, boxes, strict=True)
        if box[0] < 2 or box[1] > 198 or box[2] > 300
    ]
    assert outside == []
