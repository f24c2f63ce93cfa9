"""What a sentence says about films, in parts that a page can show and an address can hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """What a part is about."""

    GENRE = "genre"
    YEARS = "years"
    RUNTIME = "runtime"
    LANGUAGE = "language"
    COUNTRY = "country"
    CERTIFICATION = "certification"
    PERSON = "person"
    LIKE = "like"
    MORE = "more"
    LESS = "less"


# These only move films up and down; the others are met by every film shown.
SOFT = frozenset({Kind.LIKE, Kind.MORE, Kind.LESS})
_NOT = "not-"


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition. ``value`` by kind:

    genre, more, less: our genre's name · years, runtime: "1990-1999", "-119" or "2000-" ·
    language: ISO 639-1 · country: ISO 3166-1 · certification: the highest one allowed · person: the
    name · like: the film's id. A genre may be "Western|War": either will do. ``is_negated``: films
    must not have it (genre, language, country, person).
    """

    kind: Kind
    value: str
    is_negated: bool = False

    @property
    def is_hard(self) -> bool:
        """Whether every film shown meets it."""
        return self.kind not in SOFT

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        """Least and most of a range; ValueError for other kinds."""
        first, dash, last = self.value.partition("-")
        if not dash:
            msg = f"{self.value!r} is no range"
            raise ValueError(msg)
        return (int(first) if first else None, int(last) if last else None)

    def encoded(self) -> str:
        """For an address: "not-genre:Horror"."""
        return f"{_NOT if self.is_negated else ''}{self.kind.value}:{self.value}"

    @classmethod
    def decoded(cls, text: str) -> Chip | None:
        """Reads ``encoded``; None for what nobody wrote."""
        name, colon, value = text.partition(":")
        is_negated = name.startswith(_NOT)
        name = name.removeprefix(_NOT)
        if not colon or not 0 < len(value) <= 80 or name not in set(Kind):
            return None
        chip = cls(Kind(name), value, is_negated)
        if chip.kind in {Kind.YEARS, Kind.RUNTIME}:
            first, _, last = value.partition("-")
            digits = [part for part in (first, last) if part]
            is_range = "-" in value and digits and all(p.isascii() and p.isdigit() for p in digits)
            if not is_range or any(len(part) > 4 for part in digits):
                return None
        if chip.kind is Kind.LIKE and not (value.isascii() and value.isdigit() and len(value) < 18):
            return None
        return chip


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence taken apart: its chips, and the words that none of them took."""

    raw: str
    chips: tuple[Chip, ...]
    text: str

    @property
    def hard(self) -> tuple[Chip, ...]:
        """What every film shown must meet."""
        return tuple(chip for chip in self.chips if chip.is_hard)


class Names(Protocol):
    """Who and what the catalogue knows by name."""

    def person(self, words: str, *, is_cued: bool) -> str | None:
        """The person's name as the catalogue writes it, for folded words.

        ``is_cued``: the sentence says that it is a person ("starring ..."), so a surname will do.
        """
        ...

    def film(self, words: str) -> str | None:
        """The id of the film with this title, as text."""
        ...


class NoNames:
    """A catalogue that knows nobody: what a sentence says without looking anything up."""

    def person(self, words: str, *, is_cued: bool) -> str | None:
        """Nobody."""
        return None

    def film(self, words: str) -> str | None:
        """None."""
        return None
