"""What taste settings choose from.

The genres are MovieLens' own names, as the catalogue uses them; they stand here a second time
because ``accounts`` imports no other app (a test compares the two lists).
"""

from __future__ import annotations

from collections.abc import Iterable

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
    "sv ta te th tr uk ur vi zh".split()
)
# Film databases write Chinese without a script, and Norwegian without saying which of the two.
_OTHER_NAMES = {"nb": gettext_lazy("Norwegian"), "zh": gettext_lazy("Chinese")}
#: Under which codes films stand that are in a language: TMDB writes "no", and "cn" for Cantonese.
_CODES_OF_FILMS = {"nb": ("nb", "nn", "no"), "zh": ("zh", "cn")}


def genre_choices() -> list[tuple[str, str]]:
    """(value, name in the page's language), sorted by what is shown."""
    # The words themselves are gathered from the catalogue's list.
    shown = [(name, pgettext("genre", name)) for name in GENRES]
    return sorted(shown, key=lambda choice: choice[1])


def language_choices() -> list[tuple[str, str]]:
    """(code, name in the page's language), sorted by name."""
    named = [
        (code, str(_OTHER_NAMES.get(code) or get_language_info(code)["name_translated"]))
        for code in LANGUAGE_CODES
    ]
    return sorted(named, key=lambda choice: choice[1])


def film_languages(chosen: Iterable[str]) -> list[str]:
    """The codes of films in the languages that a person chose."""
    return [code for choice in chosen for code in _CODES_OF_FILMS.get(choice, (choice,))]
