"""Keeping ``Movie.search_vector`` in step with a film's names, makers and matter.

Weights: titles A, people B, keywords and genres C, synopsis D. Names are indexed as they are
("simple"), prose by its stems ("english"). Words are folded in Python, as queries are: the embedded
server has no ``unaccent``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.db import connection

from catalog.models import Movie
from catalog.titles import fold

_BATCH = 1000

# The casts are to text search configurations that every Postgres has.
_UPDATE = """
    UPDATE catalog_movie m SET search_vector = v.vector
    FROM (
        SELECT id,
            setweight(to_tsvector('simple', titles), 'A')
            || setweight(to_tsvector('simple', people), 'B')
            || setweight(to_tsvector('english', keywords), 'C')
            || setweight(to_tsvector('english', synopsis), 'D') AS vector
        FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])
            AS t(id, titles, people, keywords, synopsis)
    ) v
    WHERE m.id = v.id AND m.search_vector IS DISTINCT FROM v.vector
"""


def search_vectors_refresh(movie_ids: Collection[int] | None = None) -> int:
    """Index these films (all where None), in batches; returns how many vectors changed."""
    changed = 0
    for movies in _batches(movie_ids):
        columns: list[list] = [[], [], [], [], []]
        for movie in movies:
            for column, value in zip(columns, _texts(movie), strict=True):
                column.append(value)
        with connection.cursor() as cursor:
            cursor.execute(_UPDATE, columns)
            changed += cursor.rowcount
    return changed


def _batches(movie_ids: Collection[int] | None) -> Iterator[list[Movie]]:
    films = Movie.objects.defer("search_vector", "title_trigrams").prefetch_related(
        "genres", "keywords", "people"
    )
    if movie_ids is None:
        movie_ids = list(Movie.objects.order_by("pk").values_list("pk", flat=True))
    ids = sorted(movie_ids)
    for start in range(0, len(ids), _BATCH):
        yield list(films.filter(pk__in=ids[start : start + _BATCH]))


def _texts(movie: Movie) -> tuple[int, str, str, str, str]:
    titles = (movie.title, movie.original_title, *movie.alternative_titles)
    # Both forms: "ocean's" is found with and without its apostrophe, "II" as "2" and as "ii".
    words = {*movie.titles_normalized, *(fold(title) for title in titles)}
    about = [keyword.name for keyword in movie.keywords.all()] + movie.genre_names
    return (
        movie.pk,
        " ".join(sorted(words)),
        fold(" ".join(person.name for person in movie.people.all())),
        fold(" ".join(about)),
        fold(f"{movie.tagline} {movie.synopsis}"),
    )
