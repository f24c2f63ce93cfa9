"""MovieLens' genres: their names, and which of a film's genres says most about it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy

# The rarer a genre, the more it says: of ml-latest-small's 9,742 films 87 are Film-Noir and 4,361
# are Drama. Departures from the pure count keep look-alikes apart: a musical western is a western.
# IMAX comes last: it is a format that MovieLens lists among the genres.
PRECEDENCE = (
    "Film-Noir",
    "Western",
    "War",
    "Horror",
    "Sci-Fi",
    "Musical",
    "Animation",
    "Documentary",
    "Fantasy",
    "Mystery",
    "Crime",
    "Thriller",
    "Romance",
    "Adventure",
    "Action",
    "Children",
    "Comedy",
    "Drama",
    "IMAX",
)
# What people read; the names themselves are data, and the same in every language.
_LABELS: dict[str, str | Promise] = {
    "Film-Noir": pgettext_lazy("genre", "Film-Noir"),
    "Western": pgettext_lazy("genre", "Western"),
    "War": pgettext_lazy("genre", "War"),
    "Horror": pgettext_lazy("genre", "Horror"),
    "Sci-Fi": pgettext_lazy("genre", "Sci-Fi"),
    "Musical": pgettext_lazy("genre", "Musical"),
    "Animation": pgettext_lazy("genre", "Animation"),
    "Documentary": pgettext_lazy("genre", "Documentary"),
    "Fantasy": pgettext_lazy("genre", "Fantasy"),
    "Mystery": pgettext_lazy("genre", "Mystery"),
    "Crime": pgettext_lazy("genre", "Crime"),
    "Thriller": pgettext_lazy("genre", "Thriller"),
    "Romance": pgettext_lazy("genre", "Romance"),
    "Adventure": pgettext_lazy("genre", "Adventure"),
    "Action": pgettext_lazy("genre", "Action"),
    "Children": pgettext_lazy("genre", "Children"),
    "Comedy": pgettext_lazy("genre", "Comedy"),
    "Drama": pgettext_lazy("genre", "Drama"),
    "IMAX": pgettext_lazy("genre", "IMAX"),
}
_NOUNS_ARE_CAPITALISED = {"de"}
_RANK = {name: rank for rank, name in enumerate(PRECEDENCE)}
_RENAMED = {"children's": "Children", "science fiction": "Sci-Fi", "film noir": "Film-Noir"}
_NO_GENRE = frozenset({"", "(no genres listed)", "unknown"})
_CANONICAL = {name.casefold(): name for name in PRECEDENCE}


def main_genre(names: Iterable[str]) -> str:
    """The genre that says most; a genre outside the list comes after all in it; "" for none."""
    return next(iter(by_precedence(names)), "")


def by_precedence(names: Iterable[str]) -> list[str]:
    """The genre that says most first."""
    return sorted(names, key=lambda name: (_RANK.get(name, len(_RANK)), name))


def genre_label(name: str) -> str:
    """The genre's name in the reader's language; a name that is not in the list as it is."""
    return _label_in(get_language(), name)


@lru_cache(maxsize=512)
def _label_in(language: str | None, name: str) -> str:
    """``language`` is the active one: an argument so that it is part of the key."""
    return str(_LABELS.get(name, name))


def genre_in_sentence(name: str) -> str:
    """The same in the middle of a sentence: small letters, where the language has them there."""
    label = genre_label(name)
    is_noun_big = (get_language() or "").partition("-")[0] in _NOUNS_ARE_CAPITALISED
    return label if is_noun_big else label.lower()


def canonical_genre(name: str) -> str:
    """``"Children's"`` as ``"Children"``; "" for MovieLens' ways to say that there is none."""
    key = name.strip().casefold()
    if key in _NO_GENRE:
        return ""
    return _RENAMED.get(key) or _CANONICAL.get(key) or name.strip()
