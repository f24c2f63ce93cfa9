"""A sentence while it is taken apart: what was understood is cut out, a mark stays behind.

The marks keep later rules right: a word after a mark still stands where it stood.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from catalog.intent.chips import Chip
from catalog.intent.words import FILM_NOUNS, GENRES, LIGHT

MARK = "\u00a4"
_TOKEN = re.compile(rf"{MARK}|[\w'\u2019-]+")
_FILLER = re.compile(
    rf"{MARK}|^(?:{FILM_NOUNS}|about|where|in which|set|that|which|who|is|are|from|in|with|and|but|"
    r"or|of|a|an|the|for|me|my|to|it|i|want|watch|show|give|find|something|anything|some|any|please|"
    r"looking|would|like|be|made|released|by|no|not|more|less|bit|than|only|we|us|tonight|s|good|"
    r"best|great|top|recommend|suggest|wanna|need|should|must|can|really|very|just|does|have|has|at|also)$"
)


class Working:
    """The folded text, and the chips found so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.chips: list[Chip] = []

    def add(self, *chips: Chip) -> None:
        """Keep chips once each, in the order they were said."""
        self.chips.extend(chip for chip in chips if chip not in self.chips)

    def take(
        self, pattern: re.Pattern[str], read: Callable[[re.Match[str]], list[Chip] | None]
    ) -> None:
        """Cut out every match that ``read`` makes chips of; None leaves the words standing."""
        position = 0
        while match := pattern.search(self.text, position):
            chips = read(match)
            if chips is None:
                position = match.start() + 1
                continue
            self.add(*chips)
            self.cut(match.start(), match.end())
            position = match.start() + 3

    def cut(self, start: int, end: int) -> None:
        """Replace a stretch by the mark."""
        self.text = f"{self.text[:start]} {MARK} {self.text[end:]}"

    def is_head(self, position: int) -> bool:
        """Whether only light words and understood ones stand before ``position``."""
        return all(
            token == MARK or token in LIGHT or token in GENRES or re.fullmatch(FILM_NOUNS, token)
            for token in _TOKEN.findall(self.text[:position])
        )

    def rest(self) -> str:
        """The words that nothing took, without those that only held the sentence together.

        Empty where nothing but such words is left; small words inside a longer text stay.
        """
        words = [part for part in self.text.replace(MARK, f" {MARK} ").split() if part]
        bare = [word.strip(',.;:!?&/+()"') for word in words]
        keep = [not word or bool(_FILLER.match(word)) for word in bare]
        if all(keep):
            return ""
        # From both ends and around marks; "the end of the world" keeps its middle.
        first = keep.index(False)
        last = len(keep) - 1 - keep[::-1].index(False)
        kept = []
        for i in range(first, last + 1):
            is_beside_mark = keep[i] and (
                words[i] == MARK
                or _next(words, i, 1) == MARK
                or (_next(words, i, -1) == MARK and bare[i] in {"but", "and", "or", "with", "in"})
            )
            if not is_beside_mark:
                kept.append(words[i])
        return " ".join(kept).strip(" ,.;:!?&/+-")


def _next(words: list[str], index: int, step: int) -> str:
    place = index + step
    return words[place] if 0 <= place < len(words) else ""
