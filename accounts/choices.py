"""What taste settings choose from.

The genres are MovieLens' own names, as the catalogue uses them; they stand here a second time
because ``accounts`` imports no other app (a test compares the two lists).
"""

from __future__ import annotations

from django.utils.translation import get_language_info, gettext_lazy, pgettext

GENRES = (
    "Action",
    "Adventure",
    "Animation",
    "Children",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "IMAX",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)

#: ISO 639-1, the languages that films of the world are mostly made in.
LANGUAGE_CODES = tuple(
    "ar bn cs da de el en es fa fi fr he hi hu id is it ja ka ko nb nl pl pt ro ru "  # noqa: SIM905
    "sv ta te th tr uk ur vi".split()
)
# Film databases write Chinese without a script, and Django knows no plain "zh".
_OTHER_NAMES = {"zh": gettext_lazy("Chinese")}


def genre_choices() -> list[tuple[str, str]]:
    """(value, name in the page's language), sorted by what is shown."""
    # The words themselves are gathered from the catalogue's list.
    shown = [(name, pgettext("genre", name)) for name in GENRES]
    return sorted(shown, key=lambda choice: choice[1])


def language_choices() -> list[tuple[str, str]]:
    """(code, name in the page's language), sorted by name."""
    known = [(code, str(get_language_info(code)["name_translated"])) for code in LANGUAGE_CODES]
    others = [(code, str(name)) for code, name in _OTHER_NAMES.items()]
    return sorted([*known, *others], key=lambda choice: choice[1])
