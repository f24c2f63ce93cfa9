"""What a drawn poster needs to know about a film."""

from dataclasses import dataclass

POSTER_VERSION = 3
"""Raise it with every change that alters a drawing: poster addresses and caches go by it."""


@dataclass(frozen=True)
class PosterSpec:
    """A film as the drawing sees it.

    ``genres`` are MovieLens genre names, the main one first; unknown names fall back to the
    neutral family. ``country`` is ISO 3166 alpha-2. Everything but the title steers the
    composition, so that correcting a typo in a title does not redraw the picture.
    """

    film_id: int
    title: str
    year: int | None
    genres: tuple[str, ...]
    country: str | None = None
