"""From TMDB's words to ours."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.models import Credit, ExternalId, Movie
from catalog.services.records import CreditRecord, FilmRecord
from catalog.titles import normalize_title
from catalog.tmdb.answers import Film

# TMDB's nineteen genres in ours, which are MovieLens'. History and TV Movie have no like there.
GENRES = {
    "Action": "Action",
    "Adventure": "Adventure",
    "Animation": "Animation",
    "Comedy": "Comedy",
    "Crime": "Crime",
    "Documentary": "Documentary",
    "Drama": "Drama",
    "Family": "Children",
    "Fantasy": "Fantasy",
    "Horror": "Horror",
    "Music": "Musical",
    "Mystery": "Mystery",
    "Romance": "Romance",
    "Science Fiction": "Sci-Fi",
    "Thriller": "Thriller",
    "War": "War",
    "Western": "Western",
}
# What MovieLens calls a genre, TMDB has among its keywords.
KEYWORD_GENRES = {"film noir": "Film-Noir", "imax": "IMAX"}


def genres_of(genres: Iterable[str], keywords: Iterable[str]) -> tuple[str, ...]:
    """Our genres for TMDB's genres and keywords."""
    named = [GENRES[name] for name in genres if name in GENRES]
    named += [KEYWORD_GENRES[word] for word in keywords if word in KEYWORD_GENRES]
    return tuple(dict.fromkeys(named))


def record_of(film: Film, *, movie: Movie) -> FilmRecord:
    """What TMDB says about ``movie``; silence where it says nothing, so that nothing is emptied."""
    ids = [(ExternalId.Source.TMDB, str(film.tmdb_id))]
    if film.imdb_id:
        ids.append((ExternalId.Source.IMDB, film.imdb_id))
    keywords = tuple(dict.fromkeys(word.casefold() for word in film.keywords))
    return FilmRecord(
        external_ids=tuple(ids),
        title=film.title,
        year=film.released_on.year if film.released_on else None,
        original_title=film.original_title or None,
        alternative_titles=_alternatives(film, movie),
        runtime_min=film.runtime_min,
        language=film.language,
        countries=film.countries or None,
        certification=film.certification,
        tagline=film.tagline,
        synopsis=film.synopsis,
        poster_path=film.poster_path,
        backdrop_path=film.backdrop_path,
        genres=genres_of(film.genres, keywords) or None,
        keywords=keywords or None,
        credits=tuple(
            CreditRecord(name=part.name, role=Credit.Role(part.role), character=part.character)
            for part in film.parts
        )
        or None,
    )


def _alternatives(film: Film, movie: Movie) -> tuple[str, ...] | None:
    """TMDB's titles beside those that the film has, as more names to find it by."""
    known = set(movie.titles_normalized)
    new: list[str] = []
    for title in (film.title, film.original_title):
        if title and (normal := normalize_title(title)) not in known:
            known.add(normal)
            new.append(title)
    return (*movie.alternative_titles, *new) if new else None
