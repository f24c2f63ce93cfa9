"""Ranked films -> cards, in a fixed number of queries for a whole page (none with a shelf)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from catalog.cards import MovieCard
from catalog.shelf import audience_is_simulated, film_titles, movies_for_cards
from ml.explain import Tag
from recommendations.ranked import RankedFilm
from recommendations.reasons import evidence_movie_ids, reason_for, tag_texts


def cards_for(
    films: Sequence[RankedFilm],
    *,
    titles: Mapping[int, str] | None = None,
    request_id: str = "",
    surface: str = "",
    positions: Mapping[int, int] | None = None,
    guesses: Mapping[int, str] | None = None,
    tags: Mapping[int, tuple[Tag, ...]] | None = None,
) -> tuple[MovieCard, ...]:
    """Cards in the order of ``films``; a film that was hidden meanwhile is left out.

    ``positions`` are those in the slate where the films are not the slate itself, ``guesses`` what
    the person would give each, in words.
    """
    movies = movies_for_cards([film.movie_id for film in films])
    titles = titles_of(films) if titles is None else titles
    is_simulated = audience_is_simulated()
    return tuple(
        MovieCard(
            movie=movies[film.movie_id],
            reason=reason_for(film, movies[film.movie_id], titles, is_simulated=is_simulated),
            source=film.source,
            score=film.score,
            request_id=request_id,
            position=position if positions is None else positions.get(film.movie_id),
            surface=surface,
            tags=tag_texts(film, (tags or {}).get(film.movie_id, ()), titles),
            guess="" if guesses is None else guesses.get(film.movie_id, ""),
        )
        for position, film in enumerate(films)
        if film.movie_id in movies
    )


def titles_of(films: Iterable[RankedFilm]) -> dict[int, str]:
    """Titles of the films that reasons name."""
    return film_titles(evidence_movie_ids(films))
