"""A search as its address says it, and the chips that lead from one address to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from catalog.conditions import chip_label, is_known, liked_titles
from catalog.hybrid import Answer
from catalog.intent import Chip
from catalog.reading import is_wish, tidied

MAX_CHIPS = 12


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """``chips`` is None for a sentence to be read; else the text is text and these hold."""

    text: str
    chips: tuple[Chip, ...] | None = None

    @classmethod
    def from_query(cls, query: QueryDict) -> SearchRequest:
        """Reads ``q``, ``chip`` (any number) and ``understood``; nonsense is left out."""
        text = tidied(query.get("q", ""))
        written = [chip for raw in query.getlist("chip") if (chip := Chip.decoded(raw))]
        chips = tuple(dict.fromkeys(chip for chip in written if is_known(chip)))[:MAX_CHIPS]
        if not chips and query.get("understood") != "1":
            return cls(text)
        return cls(text, chips)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return not self.chips and not is_wish(self.text)

    def as_query(self) -> str:
        """The address's query, in one form."""
        query = QueryDict(mutable=True)
        if self.text:
            query["q"] = self.text
        if self.chips is not None:
            query.setlist("chip", [chip.encoded() for chip in self.chips])
            query["understood"] = "1"
        return query.urlencode()


@dataclass(frozen=True, slots=True)
class ShownChip:
    """A chip on the page; ``query`` is the address without it."""

    label: str
    query: str
    is_hard: bool


def chips_shown(answer: Answer) -> list[ShownChip]:
    """The chips that the answer keeps to, each with the way to be rid of it."""
    chips = answer.reading.chips
    titles = liked_titles(chips)
    return [
        ShownChip(
            label=chip_label(chip, titles=titles),
            query=SearchRequest(answer.reading.text, _without(chips, chip)).as_query(),
            is_hard=chip.is_hard,
        )
        for chip in chips
    ]


@dataclass(frozen=True, slots=True)
class Offer:
    """Conditions that were read in a title, should they have been meant."""

    label: str
    query: str


def offered_query(answer: Answer) -> Offer | None:
    """What to look for instead, where a request was taken for a title."""
    if not answer.offered:
        return None
    titles = liked_titles(answer.offered)
    label = " \u00b7 ".join(chip_label(chip, titles=titles) for chip in answer.offered)
    return Offer(label, SearchRequest("", tuple(answer.offered)).as_query())


def _without(chips: Sequence[Chip], gone: Chip) -> tuple[Chip, ...]:
    return tuple(chip for chip in chips if chip != gone)
