"""The way into the swipe deck: a mood, a sentence and its chips, or nothing at all."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from django.http import QueryDict
from django.utils.translation import gettext as _

from catalog.cards import ReasonPart
from catalog.conditions import chip_label, liked_titles
from catalog.hybrid import Answer
from catalog.intent import Chip, Kind, Reading
from catalog.models import Movie
from catalog.reading import read_request
from catalog.search_request import SearchRequest
from ml.intent import Mood, QuizAnswers

MAX_SHOWN_CHIPS = 3  # in a reason; the page shows them all
# "like Heat but shorter": words that compare with the film that is named.
COMPARED = re.compile(
    r"\b(?:(?:but|and|only|a bit|a little|much) )*(?P<way>shorter|longer|newer|more recent|older)\b"
)


@dataclass(frozen=True)
class Wish:
    """What the deck is dealt for. A mood and a sentence exclude each other: the sentence wins."""

    mood: Mood | None = None
    search: SearchRequest | None = None

    @classmethod
    def from_query(cls, query: QueryDict) -> Wish:
        """Reads ``mood``, or ``q``, ``chip`` and ``understood`` as the search page has them."""
        asked = SearchRequest.from_query(query)
        if not asked.is_empty:
            return cls(search=asked)
        mood = query.get("mood", "")
        return cls(mood=Mood(mood)) if mood in set(Mood) else cls()

    @property
    def is_open(self) -> bool:
        """Whether anything will do."""
        return self.mood is None and self.search is None

    def as_query(self) -> str:
        """The address's query, "" for an open wish."""
        if self.search is not None:
            return self.search.as_query()
        return f"mood={self.mood.value}" if self.mood else ""

    def answers(self) -> QuizAnswers:
        """The mood as the quiz asks for it."""
        return QuizAnswers(mood=self.mood)

    def to_log(self) -> dict[str, object]:
        """What the slate remembers of it."""
        return {"wish": self.as_query()} if not self.is_open else {}


def read_wish(raw: str) -> Reading:
    """The sentence's chips; "shorter", "longer", "newer" and "older" measured by the named films.

    With several named, all of them count: shorter than the shortest, newer than the newest.
    """
    reading = read_request(raw)
    liked = [int(chip.value) for chip in reading.chips if chip.kind is Kind.LIKE]
    ways = [match["way"] for match in COMPARED.finditer(reading.text)]
    if not liked or not ways:
        return reading
    facts = list(Movie.objects.filter(pk__in=liked).values_list("runtime_min", "year"))
    minutes = [runtime for runtime, _year in facts if runtime]
    years = [year for _runtime, year in facts if year]
    added = [chip for way in ways if (chip := _compared(way, minutes, years))]
    if not added:
        return reading
    text = " ".join(COMPARED.sub(" ", reading.text).split())
    return replace(reading, chips=(*reading.chips, *dict.fromkeys(added)), text=text)


def _compared(way: str, minutes: list[int], years: list[int]) -> Chip | None:
    if way == "shorter":
        return Chip(Kind.RUNTIME, f"-{min(minutes) - 1}") if minutes else None
    if way == "longer":
        return Chip(Kind.RUNTIME, f"{max(minutes) + 1}-") if minutes else None
    if way == "older":
        return Chip(Kind.YEARS, f"-{min(years) - 1}") if years else None
    return Chip(Kind.YEARS, f"{max(years) + 1}-") if years else None


def wish_reason(answer: Answer) -> tuple[ReasonPart, ...]:
    """ "Like Heat · up to 119 minutes": what every film of this answer was found for.

    The hard conditions hold for each of the films; words and likeness are why they were looked at.
    """
    chips = answer.reading.chips
    titles = liked_titles(chips)
    liked = [chip for chip in chips if chip.kind is Kind.LIKE]
    others = [chip for chip in chips if chip.kind is not Kind.LIKE and chip.is_hard]
    parts: list[ReasonPart] = []
    if liked:
        named = " & ".join(titles.get(chip.value, "?") for chip in liked)
        parts += [ReasonPart(_("Like ")), ReasonPart(named, is_strong=True)]
    elif answer.reading.text:
        words = _("\u201c%(words)s\u201d") % {"words": answer.reading.text}
        parts += [ReasonPart(_("For ")), ReasonPart(words, is_strong=True)]
    said = _said(others, titles)
    if said:
        parts.append(ReasonPart(f" \u00b7 {said}" if parts else said[:1].upper() + said[1:]))
    return tuple(parts)


def _said(chips: list[Chip], titles: dict[str, str]) -> str:
    labels = [chip_label(chip, titles=titles) for chip in chips[:MAX_SHOWN_CHIPS]]
    return " \u00b7 ".join(labels)
