"""What a kind of audience is called."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.genres import genre_label
from dashboard.taste import decade_name
from ml.clusters import EASY, FEW_AT_ONCE, HARD, HEAD, MANY_AT_ONCE, TAIL

YEAR_DIGITS = 4  # a decade; a number that tells two alike apart has fewer
_WORDS = {
    HEAD: gettext_lazy("well-known films"),
    TAIL: gettext_lazy("little-known films"),
    MANY_AT_ONCE: gettext_lazy("many films at a sitting"),
    FEW_AT_ONCE: gettext_lazy("few films at a sitting"),
    EASY: gettext_lazy("easily pleased"),
    HARD: gettext_lazy("hard to please"),
}


def mark_name(mark: dict[str, str]) -> str:
    """A genre, "1980s", or a word for how somebody goes about it."""
    kind, value = mark["kind"], mark["value"]
    if kind == "genre":
        return genre_label(value)
    if kind == "decade":
        return decade_name(value)
    return str(_WORDS[value])


def marks_of_key(key: str) -> list[dict[str, str]]:
    """The marks that :func:`ml.clusters.cluster_key` made a word of."""
    marks = []
    for value in key.split("+"):
        if value in _WORDS:
            marks.append({"kind": "word", "value": value})
        elif value.isdigit() and len(value) == YEAR_DIGITS:
            marks.append({"kind": "decade", "value": value})
        elif not value.isdigit() and value != "everybody":
            marks.append({"kind": "genre", "value": value})
    return marks


def cluster_name(marks: Sequence[dict[str, str]], *, key: str = "") -> str:
    """ "Horror, 1980s, little-known films"; for the one of which nothing stands out a word.

    A number at the end of ``key`` tells apart what has the same marks.
    """
    name = ", ".join(mark_name(mark) for mark in marks) or _("A bit of everything")
    last = key.rpartition("+")[2]
    is_numbered = last.isdigit() and last not in {mark["value"] for mark in marks}
    return f"{name} ({last})" if is_numbered else name
