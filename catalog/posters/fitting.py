"""Setting a title: how many lines, how large, balanced, within a measure and a height."""

import unicodedata
from dataclasses import dataclass

from catalog.posters.text import (
    clusters,
    is_plain,
    is_right_to_left,
    leading,
    text_width,
    words,
)

Piece = tuple[str, bool]  # text, and whether a space goes before it inside a line

MAX_LINES = 7
MIN_SIZE = 12.5
_ORPHAN = 0.2  # a line shorter than this share of the widest looks forgotten
_SOFT_HYPHEN = "\u00ad"
# Shares of the measure above which a line gets its length forced: a face that nobody chose
# (DejaVu Sans Bold, 1.5 times as wide as Arial Narrow Bold) would push it over the edge.
_GUARD_PLAIN = 0.66
_GUARD_OTHER = 0.6


@dataclass(frozen=True)
class Setting:
    """A title set in lines. Sizes and widths are in user units (a poster is 200 wide)."""

    lines: tuple[str, ...]
    size: float
    step: float
    widths: tuple[float, ...]
    measure: float
    face: str
    is_rtl: bool

    @property
    def height(self) -> float:
        """From the top of the first line's capitals to the last baseline."""
        return self.size * 0.76 + self.step * (len(self.lines) - 1)

    @property
    def depth(self) -> float:
        """Room below the last baseline: only scripts with open leading reach down there."""
        return 0.0 if self.step < self.size else self.size * 0.24

    def guard(self, index: int) -> float | None:
        """The length to force on a line that a wider fallback face would push over the edge."""
        width = self.widths[index]
        limit = _GUARD_PLAIN if is_plain(self.lines[index]) else _GUARD_OTHER
        return width if width > limit * self.measure else None


def _break(pieces: list[Piece], widths: list[float], count: int, space: float) -> list[str]:
    """Split into ``count`` lines so that the widest is as narrow as can be (dynamic programme)."""
    total = len(pieces)
    prefix = [0.0]
    for (_, spaced), width in zip(pieces, widths, strict=True):
        prefix.append(prefix[-1] + width + (space if spaced else 0.0))

    def span(start: int, end: int) -> float:
        return prefix[end] - prefix[start] - (space if pieces[start][1] else 0.0)

    # Second criterion: the sum of squares, so that the other lines come out even as well.
    best: list[tuple[float, float]] = [
        (span(0, end), span(0, end) ** 2) if end else (0.0, 0.0) for end in range(total + 1)
    ]
    cuts: list[list[int]] = []
    for line in range(1, count):
        row: list[tuple[float, float]] = [(float("inf"), float("inf"))] * (total + 1)
        cut = [0] * (total + 1)
        for end in range(line + 1, total + 1):
            for start in range(line, end):
                width = span(start, end)
                score = (max(best[start][0], width), best[start][1] + width * width)
                if score < row[end]:
                    row[end], cut[end] = score, start
        best = row
        cuts.append(cut)
    bounds = [total]
    for cut in reversed(cuts):
        bounds.append(cut[bounds[-1]])
    bounds.append(0)
    bounds.reverse()
    return [_join(pieces[a:b]) for a, b in zip(bounds, bounds[1:], strict=False)]


def _join(pieces: list[Piece]) -> str:
    line = "".join((" " if spaced else "") + text for text, spaced in pieces).strip()
    broken = line.endswith(_SOFT_HYPHEN)
    return line.replace(_SOFT_HYPHEN, "") + ("-" if broken else "")


def _split_giants(pieces: list[Piece], limit: float, face: str) -> list[Piece]:
    """Cut a piece that is wider than the measure at the smallest size.

    Scripts with capitals get a hyphen where a line does end there; others are broken bare.
    """
    result: list[Piece] = []
    for text, spaced in pieces:
        run = ""
        for cluster in clusters(text):
            if run and text_width(run + cluster + "-", face) > limit:
                is_cased = unicodedata.category(run[-1]) in ("Lu", "Ll", "Lt")
                result.append((run + (_SOFT_HYPHEN if is_cased else ""), spaced))
                run, spaced = "", False
            run += cluster
        result.append((run, spaced))
    return result


def _shorten(text: str, measure: float, face: str) -> str:
    """Drop what cannot be set at a legible size; the poster's <title> keeps the whole."""
    room = measure / MIN_SIZE * (MAX_LINES - 1) * 0.9
    if text_width(text, face) <= room:
        return text
    kept = ""
    for cluster in clusters(text):
        if text_width(kept + cluster + "…", face) > room:
            break
        kept += cluster
    head, _, tail = kept.rpartition(" ")
    return (head if head and len(tail) < 15 else kept).rstrip(" ,.:;-–(") + "…"


def set_title(
    text: str, *, measure: float, max_height: float, max_size: float, face: str
) -> Setting:
    """The largest setting that fits: lines are tried from one up, the best size wins.

    A little is taken off for every further line, so that two short words do not stack for nothing.
    """
    text = _shorten(text, measure, face)
    step = leading(text)
    pieces = _split_giants(words(text), measure / MIN_SIZE, face)
    widths = [text_width(piece, face) for piece, _ in pieces]
    space = text_width(" ", face)
    best: tuple[float, float, list[str]] | None = None
    for count in range(1, min(len(pieces), MAX_LINES) + 1):
        lines = _break(pieces, widths, count, space)
        widest = max(text_width(line, face) for line in lines)
        by_height = max_height / (0.76 + step * (count - 1))
        size = min(max_size, measure / widest, by_height)
        score = size * (1 - 0.035 * (count - 1))
        if min(text_width(line, face) for line in lines) < _ORPHAN * widest:
            score *= 0.75
        if best is None or score > best[0]:
            best = (score, size, lines)
        if size >= max_size:
            break
    assert best is not None  # noqa: S101 -- a cleaned title has at least one piece
    _, size, lines = best
    size = max(size, 6.0)
    return Setting(
        lines=tuple(lines),
        size=size,
        step=step * size,
        widths=tuple(min(text_width(line, face) * size, measure) for line in lines),
        measure=measure,
        face=face,
        is_rtl=is_right_to_left(text),
    )
