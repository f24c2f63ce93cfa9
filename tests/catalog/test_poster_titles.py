"""Setting a title on a drawn poster: line breaks, sizes, capitals, leading."""

import pytest

from catalog.posters.fitting import set_title
from catalog.posters.text import leading, poster_case, text_width
from tests.catalog.test_posters import titles


@pytest.mark.parametrize(
    ("title", "least"),
    [
        ("Heat", 44),
        ("M", 44),
        ("Casablanca", 28),
        ("Once Upon a Time in the West", 24),
        ("Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb", 17),
    ],
)
def test_titles_from_one_word_to_thirteen_stay_large(title, least):
    setting = set_title(
        poster_case(title), measure=176, max_height=88 + 14, max_size=50, face="narrow"
    )
    assert setting.size >= least
    assert " ".join(setting.lines) == title.upper()


def test_a_real_line_is_never_forced_away_from_its_own_width():
    """``textLength`` only restates the measured width: on the named faces it changes nothing."""
    for title in titles(400):
        setting = set_title(
            poster_case(title), measure=176, max_height=90, max_size=50, face="narrow"
        )
        for index, line in enumerate(setting.lines):
            guard = setting.guard(index)
            natural = text_width(line, "narrow") * setting.size
            assert guard is None or guard == pytest.approx(min(natural, 176), rel=0.01)


def test_lines_are_balanced():
    setting = set_title(
        "ONCE UPON A TIME IN THE WEST AND SOME OTHER STORIES",
        measure=176,
        max_height=102,
        max_size=50,
        face="narrow",
    )
    assert len(setting.lines) >= 3
    assert min(setting.widths) > 0.6 * max(setting.widths)


def test_words_break_only_where_the_script_allows():
    japanese = set_title(
        "千と千尋の神隠しー、ハウルの動く城", measure=176, max_height=90, max_size=50, face="narrow"
    )
    assert len(japanese.lines) > 1
    assert "".join(japanese.lines) == "千と千尋の神隠しー、ハウルの動く城"
    assert not any(line[0] in "ー、" for line in japanese.lines)
    giant = set_title("A" * 60, measure=176, max_height=90, max_size=50, face="narrow")
    assert len(giant.lines) > 1
    assert all(line == "A" * (len(line) - 1) + "-" for line in giant.lines[:-1])
    assert "".join(giant.lines).replace("-", "") == "A" * 60
    text = "X" * 12 + "(1)" + "Y" * 12
    tag = set_title(text, measure=120, max_height=90, max_size=50, face="serif")
    assert "".join(line.removesuffix("-") for line in tag.lines) == text


def test_no_line_begins_with_a_lone_dash_or_is_a_single_stray_letter():
    for title in ("STAR WARS: EPISODE VI - RETURN OF THE JEDI", "DEADPOOL 2", "FAST & FURIOUS"):
        for measure in range(120, 190, 5):
            setting = set_title(title, measure=measure, max_height=90, max_size=46, face="narrow")
            assert " ".join(setting.lines) == title
            assert not any(line.startswith(("-", "&")) for line in setting.lines)
            assert min(len(line) for line in setting.lines) > 1


def test_capitals_follow_the_language():
    assert poster_case("Το βλέμμα") == "ΤΟ ΒΛΕΜΜΑ"
    assert poster_case("Ali'nin sekiz günü", "TR") == "ALİ’NİN SEKİZ GÜNÜ"
    assert poster_case("Straße") == "STRASSE"
    assert poster_case("მონანიება") == "მონანიება"


def test_typographers_marks_do_not_open_the_leading_but_other_scripts_do():
    assert leading("DON’T THEY? — “YES”…") == leading("HEAT") < 1
    assert leading("七人の侍") > 1
    assert leading("باب الحديد") > leading("七人の侍")
