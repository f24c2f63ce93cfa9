"""Colour arithmetic on ``#rrggbb`` strings, with contrast as WCAG 2.2 defines it."""

from collections.abc import Iterable
from functools import lru_cache

INK = "#0e0c0a"
PAPER = "#f5ecd7"
MIN_CONTRAST = 4.5


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@lru_cache(maxsize=2048)
def luminance(colour: str) -> float:
    """Relative luminance from 0 (black) to 1 (white)."""
    linear = []
    for channel in _channels(colour):
        share = channel / 255
        linear.append(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio, 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=8192)
def mix(one: str, other: str, share: float) -> str:
    """``one`` with ``share`` (0 to 1) of ``other`` stirred in."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def readable_on(panel: str, wishes: Iterable[str] = ()) -> str:
    """The first wished colour that reads on the panel, else ink or paper, whichever reads better.

    Black or white always reaches 4.58:1 on any colour; ink and paper are a little weaker, so the
    last resort is pure black or white.
    """
    for wish in wishes:
        if contrast(wish, panel) >= MIN_CONTRAST + 0.3:
            return wish
    best = max((INK, PAPER), key=lambda colour: contrast(colour, panel))
    if contrast(best, panel) >= MIN_CONTRAST:
        return best
    return max(("#000000", "#ffffff"), key=lambda colour: contrast(colour, panel))
