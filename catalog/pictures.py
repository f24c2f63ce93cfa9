"""A film's drawn pictures."""

from __future__ import annotations

from catalog.genres import by_precedence
from catalog.models import Movie
from catalog.posters import PosterSpec, draw_backdrop, draw_poster


def poster_spec(movie: Movie) -> PosterSpec:
    """The film as the drawing sees it; costs no query where ``genres`` is prefetched."""
    return PosterSpec(
        film_id=movie.pk,
        title=movie.title,
        year=movie.year,
        genres=tuple(by_precedence(movie.genre_names)),
        country=movie.countries[0] if movie.countries else None,
    )


def poster_svg(movie: Movie) -> str:
    """2:3, with the title."""
    return draw_poster(poster_spec(movie))


def backdrop_svg(movie: Movie) -> str:
    """16:9, without a title."""
    return draw_backdrop(poster_spec(movie))
