"""Cleaning a title and knowing how wide it will be, without a font library.

Widths are advances in hundredths of an em, rounded up, of the bold faces the stacks name (Arial
Narrow and Liberation Sans Narrow agree on them; so do Times New Roman and Liberation Serif).
Letters of scripts those faces lack get the advance of a usual bold fallback face.
"""

import re
import unicodedata
from functools import lru_cache

NARROW_STACK = (
    "'Avenir Next Condensed','Roboto Condensed','Arial Narrow','Liberation Sans Narrow',"
    "Impact,sans-serif"
)
SERIF_STACK = "'Times New Roman','Liberation Serif','Noto Serif',serif"

_NARROW = {
    20: "'`",
    27: "I .,/’‘İЇІΙΪ:;!-()·[]|",
    33: "*",
    39: '"',
    41: "“”",
    46: "J0123456789–#$^{}",
    48: "+=<>~",
    50: "FLTZ?ßŁГΓΣКТΖΤЗУ_",
    56: "EPSVXYÞЕРХΕΛΡΥΧ",
    59: "ABCDHKNRU&ĐАБВДЛЧЭЄИЙНПСЬЯΑΒΔΗΚΝΠЦ",
    65: "GOQØОΘΟ",
    67: "MМΜΨΩФΦ",
    74: "WЪ%ЖЫ",
    82: "@—…ÆŒШ",
    86: "ЩЮ",
}
_SERIF = {
    25: " .,·`",
    28: "'/‘’|",
    34: ":;!-()[]",
    39: "IЇІΙΪİJ",
    50: "0123456789?–*#$“”_",
    56: 'S"ß^{}',
    58: "+=<>~",
    61: "FPÞРΡ",
    67: "BELTZŁВЕТΒΕΖΤЬБΓГСΣЄЭЗ",
    73: "ACDNRUVXYĐАСХЯΑΔΛΝΥΧУКД",
    79: "GHKOQØИЙНОПЦΗΘΚΟΠΨΩЛЧЪ",
    87: "&ΦФ",
    95: "MМΜ@",
    101: "W—%…ÆŒЖЫ",
    113: "ШЩЮ",
}
# Advance of a letter by the first word of its Unicode name, in either face: fallbacks serve these.
_SCRIPT_ADVANCE = {
    "CJK": 100,
    "HIRAGANA": 100,
    "KATAKANA": 100,
    "KATAKANA-HIRAGANA": 100,
    "HANGUL": 98,
    "FULLWIDTH": 100,
    "IDEOGRAPHIC": 100,
    "HEBREW": 61,
    "ARABIC": 55,
    "DEVANAGARI": 70,
    "BENGALI": 72,
    "TAMIL": 92,
    "TELUGU": 80,
    "KANNADA": 80,
    "MALAYALAM": 95,
    "GURMUKHI": 70,
    "GUJARATI": 72,
    "THAI": 66,
    "LAO": 66,
    "KHMER": 80,
    "GEORGIAN": 66,
    "ARMENIAN": 76,
    "GREEK": 66,
    "CYRILLIC": 74,
    "LATIN": 66,
}
_OTHER_ADVANCE = 100
# Scripts written without spaces between words: a line may end after any cluster.
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "THAI", "LAO", "KHMER")
# Marks that may not begin a line (a short form of the Japanese kinsoku rules).
_NO_LINE_START = "、。，．・：；？！ー」』）】〉》ぁぃぅぇぉっゃゅょァィゥェォッャュョ々,.:;!?)…"

_BIDI_AND_INVISIBLE = {
    0x00AD,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    0x200B,
    0x200E,
    0x200F,
    0x2028,
    0x2029,
    0x2060,
    0xFEFF,
    0xFFFE,
    0xFFFF,
}
_MAX_MARKS = 3
_MAX_TITLE = 220


def _table(rows: dict[int, str]) -> dict[str, int]:
    return {char: advance for advance, chars in rows.items() for char in chars}


_TABLES = {"narrow": _table(_NARROW), "serif": _table(_SERIF)}


@lru_cache(maxsize=16384)
def _script(char: str) -> str:
    return unicodedata.name(char, "UNKNOWN").split(" ", 1)[0]


def clean_title(title: str) -> str:
    """A title fit for print and XML: one line, no controls, no overrides, no towers of accents."""
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", title[: _MAX_TITLE * 4]):
        category = unicodedata.category(char)
        if category in ("Cc", "Zs", "Zl", "Zp"):
            char = " "
        elif category in ("Cs", "Co", "Cn") or ord(char) in _BIDI_AND_INVISIBLE:
            continue
        is_mark = category in ("Mn", "Me", "Mc")
        marks = marks + 1 if is_mark else 0
        has_base = bool(kept) and kept[-1] != " "
        if marks <= _MAX_MARKS and (has_base or not is_mark):
            kept.append(char)
    return " ".join("".join(kept).split())[:_MAX_TITLE].rstrip() or "Untitled"


def escape(text: str) -> str:
    """Text for XML content and quoted attributes."""
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(char, entity)
    return text


def poster_case(text: str, country: str | None = None) -> str:
    """Capitals and marks as a printer sets them.

    Greek capitals drop the tonos; a film from Turkey or Azerbaijan keeps its dotted İ; Georgian
    stays as it is, for most machines have no glyphs for its capitals.
    """
    text = text.replace("'", "’").replace("...", "…")
    if country in ("TR", "AZ"):
        text = text.replace("i", "İ")
    upper = "".join(char if _script(char) == "GEORGIAN" else char.upper() for char in text)
    if any("\u0370" <= char <= "\u03ff" for char in upper):
        bare = unicodedata.normalize("NFD", upper).replace("\u0301", "")
        upper = unicodedata.normalize("NFC", bare)
    return upper


@lru_cache(maxsize=16384)
def _advance(char: str, face: str) -> int:
    table = _TABLES[face]
    if char in table:
        return table[char]
    category = unicodedata.category(char)
    if category in ("Mn", "Me", "Cf"):
        return 0
    base = unicodedata.normalize("NFD", char)[0]
    if base in table:
        return table[base]
    if category == "Mc":
        return 36
    script = _script(char)
    parts = unicodedata.normalize("NFKD", char)
    if script == "LATIN" and parts != char and len(parts) > 1:
        # Two letters in one, as in the Croatian Ǆ.
        return sum(_advance(part, face) for part in parts)
    return _SCRIPT_ADVANCE.get(script, _OTHER_ADVANCE)


def text_width(text: str, face: str = "narrow") -> float:
    """Estimated advance of a line in ems."""
    return sum(_advance(char, face) for char in text) / 100


@lru_cache(maxsize=4096)
def is_plain(text: str) -> bool:
    """True when every letter stands in the faces' own tables, so that the estimate is close."""
    return all(ord(char) < 0x530 or char in _TABLES["narrow"] for char in text)


def is_right_to_left(text: str) -> bool:
    """True when the first strong letter is right to left (rule P2 of the bidi algorithm)."""
    for char in text:
        direction = unicodedata.bidirectional(char)
        if direction in ("R", "AL"):
            return True
        if direction == "L":
            return False
    return False


def leading(text: str) -> float:
    """Distance of baselines in ems: tight for capitals, open where marks stand above and below."""
    scripts = {_script(char) for char in text if ord(char) >= 0x590 and char.isalpha()}
    scripts -= {"LATIN", "GREEK"}
    if not scripts:
        return 0.93
    return 1.34 if scripts & {"THAI", "LAO", "KHMER", "ARABIC", "TAMIL"} else 1.16


def clusters(text: str) -> list[str]:
    """The text in pieces that must not be torn apart: a letter with its marks and joiners."""
    pieces: list[str] = []
    for char in text:
        joins = unicodedata.category(char) in ("Mn", "Me", "Mc", "Cf")
        after_joiner = bool(pieces) and pieces[-1][-1] in "\u200d\u094d"
        if pieces and (joins or after_joiner):
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def words(text: str) -> list[tuple[str, bool]]:
    """Unbreakable pieces, each with whether a space goes before it inside a line."""
    pieces: list[tuple[str, bool]] = []
    # A lone dash stays with the word before it: no line begins with one.
    for word in re.split(r" (?![-\u2013\u2014:&] )", text):
        run, space = "", True
        for cluster in clusters(word):
            free = _script(cluster[0]) in _UNSPACED
            if run and (free or _script(run[-1]) in _UNSPACED) and cluster not in _NO_LINE_START:
                pieces.append((run, space))
                run, space = "", False
            run += cluster
        pieces.append((run, space))
    return pieces
