"""The text that stands for a film."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings

from catalog.models import DataSource, FieldSource, Movie
from ml.text import film_text, text_sha256

_BATCH = 2000
# What TMDB writes in prose. Titles, years and genres are facts.
_LICENSED = ("synopsis", "tagline", "keywords")


@dataclass(frozen=True, slots=True)
class FilmText:
    """A film's text and its identity."""

    movie_id: int
    text: str
    sha256: str


def film_texts(movie_ids: Sequence[int] | None = None) -> Iterator[FilmText]:
    """Texts of these films (all where None), by id, in batches of a fixed number of queries.

    Without ``EMBED_TMDB_TEXT`` what TMDB wrote is left out.
    """
    if movie_ids is None:
        movie_ids = list(Movie.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(movie_ids), _BATCH):
        ids = movie_ids[start : start + _BATCH]
        refused = _refused_fields(ids)
        films = Movie.objects.filter(pk__in=ids).order_by("pk")
        films = films.only("title", "year", "tagline", "synopsis")
        for movie in films.prefetch_related("genres", "keywords"):
            text = _text(movie, refused.get(movie.pk, frozenset()))
            yield FilmText(movie.pk, text, text_sha256(text))


def _text(movie: Movie, refused: frozenset[str]) -> str:
    keywords = [keyword.name for keyword in movie.keywords.all()]
    return film_text(
        movie.title,
        year=movie.year,
        genres=movie.genre_names,
        keywords=[] if "keywords" in refused else keywords,
        tagline="" if "tagline" in refused else movie.tagline,
        synopsis="" if "synopsis" in refused else movie.synopsis,
    )


def _refused_fields(movie_ids: Sequence[int]) -> dict[int, frozenset[str]]:
    if settings.EMBED_TMDB_TEXT:
        return {}
    rows = FieldSource.objects.filter(
        movie_id__in=movie_ids, field__in=_LICENSED, source=DataSource.TMDB
    ).values_list("movie_id", "field")
    found: dict[int, set[str]] = {}
    for movie_id, name in rows:
        found.setdefault(movie_id, set()).add(name)
    return {movie_id: frozenset(names) for movie_id, names in found.items()}
