"""Titles as people type them, and as MovieLens writes them.

The embedded Postgres has neither ``unaccent`` nor ``pg_trgm`` (DESIGN 14): titles are folded here,
once, into stored columns, and the query is folded by the same function.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# Letters that Unicode does not decompose. Casefolding has already made ß into ss.
_LETTERS = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ı": "i",
        "ħ": "h",
        "½": " 1/2",
    }
)
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc\u00b4`]")
_ACRONYM = re.compile(r"\b(?:\w\.){2,}(?:\w\b)?")
_NOT_WORD = re.compile(r"[^\w]+|_+")
_ENGLISH_ARTICLES = frozenset({"the", "a", "an"})

_ROMAN = {
    **{"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"},
    **{"xi": "11", "xii": "12", "xiii": "13", "xiv": "14", "xv": "15", "xvi": "16"},
    **{"xvii": "17", "xviii": "18", "xix": "19", "xx": "20"},
}
# One letter is a numeral only where a number is due: "V for Vendetta" is not "5 for Vendetta".
_ROMAN_LETTER = {"i": "1", "v": "5", "x": "10"}
_LETTER_BEFORE_COLON = re.compile(r"(?<=\s)([vx])(?=\s*:|\s*$)")
_NUMBER_WORDS = {
    **{"one": "1", "two": "2", "three": "3", "four": "4", "five": "5"},
    **{"six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10"},
}
_COUNTED = frozenset({"part", "episode", "chapter", "volume", "vol"})
_PART = re.compile(r" (?:part|episode|chapter|volume|vol) (?=\d)")

# Articles that MovieLens moves behind the title: "Dolce Vita, La".
_TRAILING_ARTICLE = re.compile(
    r"^(?P<title>.+), (?P<article>The|A|An|Le|La|Les|L'|Un|Une|Una|Der|Die|Das|Ein|Eine|El|Los|Las|"
    r"Il|Lo|I|Gli|O|Os|As|Um|Uma|De|Het|Een|Det|Den|En|Et|Ett)$",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\s*\((?P<year>(?:18|19|20)\d\d)(?:\s*[-\u2013]\s*(?:\d{4})?)?\)\s*$")
_AKA = re.compile(r"^a\.?k\.?a\.?:?\s+", re.IGNORECASE)
# "Birdman: Or (The Unexpected Virtue of Ignorance)": the brackets belong to the title.
_CONTINUES = re.compile(r"(?:\b(?:or|and|of)|[:&-])$", re.IGNORECASE)
MAX_TITLE = 300


@dataclass(frozen=True)
class ParsedTitle:
    """A MovieLens title taken apart; articles stand in front again."""

    title: str
    original_title: str
    alternatives: tuple[str, ...]
    year: int | None


def fold(text: str) -> str:
    """Lower case without accents, ligatures or odd widths; punctuation stays."""
    if text.isascii():
        # Most text is, and there is nothing to decompose: 20 times faster.
        return text.casefold()
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def normalize_title(title: str) -> str:
    """What titles are compared by: folded words and digits, numerals as digits, no article.

    Never empty for a title that has any letter or digit; the folded text where it has none.
    """
    text = _APOSTROPHES.sub("", fold(title)).replace("&", " and ")
    text = _ACRONYM.sub(lambda match: match[0].replace(".", ""), text)
    text = _LETTER_BEFORE_COLON.sub(lambda match: _ROMAN_LETTER[match[1]], text)
    words = _NOT_WORD.sub(" ", text).split()
    if len(words) > 1 and words[0] in _ENGLISH_ARTICLES:
        words = words[1:]
    return " ".join(_numbers(words))[:MAX_TITLE] or fold(title).strip()[:MAX_TITLE]


def _numbers(words: list[str]) -> list[str]:
    out: list[str] = []
    for index, word in enumerate(words):
        counted = index > 0 and words[index - 1] in _COUNTED
        if counted and word in _NUMBER_WORDS:
            out.append(_NUMBER_WORDS[word])
        elif counted and word in _ROMAN_LETTER:
            out.append(_ROMAN_LETTER[word])
        else:
            # A leading numeral is kept: a film may well be called "IX", none is found by "9" alone.
            out.append(_ROMAN.get(word, word) if index else word)
    return out


def trigrams(normalized: str) -> list[str]:
    """Sorted distinct trigrams of each word, padded as pg_trgm pads: two blanks before, one after.

    >>> trigrams("heat")
    ['  h', ' he', 'at ', 'eat', 'hea']
    """
    grams: set[str] = set()
    for word in normalized.split():
        padded = f"  {word} "
        grams.update(padded[start : start + 3] for start in range(len(padded) - 2))
    return sorted(grams)


def variants_of(titles: Sequence[str]) -> tuple[str, ...]:
    """Normalized titles, and "godfather 2" for "godfather part 2"."""
    return tuple(dict.fromkeys([*titles, *(_PART.sub(" ", title) for title in titles)]))


def parse_movielens_title(raw: str) -> ParsedTitle:
    """``"Fantastic Planet, The (Planète sauvage, La) (1973)"`` in its parts.

    The last bracket that is no "a.k.a." is taken for the original title.
    """
    rest = " ".join(raw.split())
    year = None
    if match := _YEAR.search(rest):
        year = int(match["year"])
        rest = rest[: match.start()]
    groups: list[str] = []
    while (split := _trailing_group(rest)) is not None:
        rest, group = split
        groups.insert(0, group)
    original, alternatives = "", []
    for group in groups:
        if aka := _AKA.match(group):
            alternatives.append(article_first(group[aka.end() :]))
        elif group:
            if original:
                alternatives.append(original)
            original = article_first(group)
    return ParsedTitle(
        title=article_first(rest)[:MAX_TITLE],
        original_title=original[:MAX_TITLE],
        alternatives=tuple(name[:MAX_TITLE] for name in alternatives if name),
        year=year,
    )


def article_first(title: str) -> str:
    """``"Matrix, The"`` as ``"The Matrix"``, ``"Appartement, L'"`` as ``"L'Appartement"``."""
    title = title.strip()
    match = _TRAILING_ARTICLE.match(title)
    if match is None:
        return title
    article = match["article"]
    return f"{article}{'' if article.endswith(chr(39)) else ' '}{match['title']}"


def _trailing_group(text: str) -> tuple[str, str] | None:
    """``"A (B (C))"`` as ``("A", "B (C)")``; None where no bracket closes the text."""
    text = text.rstrip()
    if not text.endswith(")"):
        return None
    depth = 0
    for index in range(len(text) - 1, -1, -1):
        depth += (text[index] == ")") - (text[index] == "(")
        if depth == 0:
            before = text[:index].rstrip()
            if not before or _CONTINUES.search(before):
                return None
            return before, text[index + 1 : -1].strip()
    return None
