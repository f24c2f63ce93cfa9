"""How alike two titles are: slips are forgiven, numbers and plurals are not.

Thresholds are those of :mod:`feedback.imports.matching`, chosen with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

# rapidfuzz' ratio of normalised titles, 0 to 100, above which a title of the same year is the film.
SIMILAR = 90.0
# The next best must be this much less alike.
MARGIN = 6.0
# What one letter (two in a long title) left out, doubled or swapped makes of a title.
SLIP = 93.0
SLIP_FROM = 8
TWO_SLIPS_FROM = 16
# One goes on where the other ends: "star wars", "star wars episode 4 a new hope".
LONGER = 94.0

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Likeness:
    """How alike titles are, 0 to 100, and whether it is one that goes on where the other ends."""

    score: float
    is_longer: bool = False


def likeness(typed: Sequence[str], titles: Sequence[str]) -> Likeness:
    """The best of all pairs of normalised titles. Different numbers are different films."""
    best = Likeness(0.0)
    for ours in titles:
        for theirs in typed:
            if ours == theirs:
                return Likeness(100.0)
            if _is_beginning(ours, theirs):
                found = Likeness(LONGER, is_longer=True)
            elif _DIGITS.findall(ours) == _DIGITS.findall(theirs):
                found = Likeness(_spelled_alike(ours, theirs))
            else:
                continue
            best = max(best, found, key=lambda like: like.score)
    return best


def _spelled_alike(ours: str, theirs: str) -> float:
    shorter = min(len(ours), len(theirs))
    n_slips = OSA.distance(ours, theirs)
    if _is_plural(ours, theirs):
        return SIMILAR - 1  # "final girl" and "the final girls", both of 2015
    if shorter >= SLIP_FROM and n_slips <= (2 if shorter >= TWO_SLIPS_FROM else 1):
        return SLIP
    score = max(fuzz.ratio(ours, theirs), fuzz.token_sort_ratio(ours, theirs))
    # A letter or two of a short title are another title: "heat", "heart".
    return score - 40.0 / max(4, shorter)


def _is_plural(one: str, other: str) -> bool:
    """They differ in nothing but an "s" at the end of words."""
    return [word.removesuffix("s") for word in one.split()] == [
        word.removesuffix("s") for word in other.split()
    ]


def _is_beginning(one: str, other: str) -> bool:
    """One title is the other's first words, or a long one: many titles begin with "nobody".

    What follows is no number: "alien" and "alien 3" are two films.
    """
    short, long = sorted((one, other), key=len)
    if not long.startswith(f"{short} ") or len(short) < (6 if " " in short else 8):
        return False
    follows = long[len(short) + 1 :]
    return not follows[0].isdigit() and not follows.startswith(("part ", "chapter ", "vol"))
