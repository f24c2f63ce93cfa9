"""Keeping ``Movie.search_vector`` in step with a film's names, makers and matter.

Weights: titles A, people B, keywords and genres C, synopsis D. Names are indexed as they are
("simple"), prose by its stems ("english"). Words are folded in Python, as queries are: the embedded
server has no ``unaccent``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import astuple, dataclass

from django.db import connection, models

from catalog.models import Movie
from catalog.titles import fold

_BATCH = 1000


@dataclass(frozen=True)
class SearchTexts:
    """A film's words by weight, folded as queries are."""

    titles: str
    people: str
    about: str
    prose: str


def vector_sql(titles: str, people: str, about: str, prose: str) -> str:
    """The search vector of four SQL expressions; the configurations are in every Postgres."""
    return f"""
        setweight(to_tsvector('simple', {titles}), 'A')
        || setweight(to_tsvector('simple', {people}), 'B')
        || setweight(to_tsvector('english', {about}), 'C')
        || setweight(to_tsvector('english', {prose}), 'D')
    """


_UPDATE = f"""
    UPDATE catalog_movie m SET search_vector = v.vector
    FROM (
        SELECT id, {vector_sql("titles", "people", "about", "prose")} AS vector
        FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])
            AS t(id, titles, people, about, prose)
    ) v
    WHERE m.id = v.id AND m.search_vector IS DISTINCT FROM v.vector
"""  # noqa: S608 - names from this module


def search_texts(
    *,
    titles: Iterable[str],
    normalized: Iterable[str],
    people: Iterable[str],
    about: Iterable[str],
    prose: str,
) -> SearchTexts:
    """What a film is found by; names sorted, so that nothing is rewritten for their order."""
    # Both forms: "ocean's" is found with and without its apostrophe, "II" as "2" and as "ii".
    words = {*normalized, *(fold(title) for title in titles)}
    return SearchTexts(
        titles=" ".join(sorted(words)),
        people=fold(" ".join(sorted(set(people)))),
        about=fold(" ".join(sorted(set(about)))),
        prose=fold(prose),
    )


def search_vectors_refresh(movie_ids: Collection[int] | None = None) -> int:
    """Index these films (all where None), in batches; returns how many vectors changed."""
    changed = 0
    for batch in _batches(movie_ids):
        columns: list[list] = [[], [], [], [], []]
        for movie_id, texts in _texts(batch):
            for column, value in zip(columns, (movie_id, *astuple(texts)), strict=True):
                column.append(value)
        with connection.cursor() as cursor:
            cursor.execute(_UPDATE, columns)
            changed += cursor.rowcount
    return changed


def _batches(movie_ids: Collection[int] | None) -> Iterator[list[int]]:
    if movie_ids is None:
        movie_ids = list(Movie.objects.values_list("pk", flat=True))
    ids = sorted(movie_ids)
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]


def _texts(movie_ids: list[int]) -> Iterator[tuple[int, SearchTexts]]:
    """From plain rows: a film's people and keywords as objects are most of the time else."""
    genres = _names(Movie.genres.through, "genre__name", movie_ids)
    keywords = _names(Movie.keywords.through, "keyword__name", movie_ids)
    people = _names(Movie.people.through, "person__name", movie_ids)
    films = Movie.objects.filter(pk__in=movie_ids).values_list(
        *("pk", "title", "original_title", "alternative_titles", "titles_normalized"),
        *("tagline", "synopsis"),
    )
    for pk, title, original, alternatives, normalized, tagline, synopsis in films:
        yield (
            pk,
            search_texts(
                titles=(title, original, *alternatives),
                normalized=normalized,
                people=people[pk],
                about=(*keywords[pk], *genres[pk]),
                prose=f"{tagline} {synopsis}",
            ),
        )


def _names(through: type[models.Model], name: str, movie_ids: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    rows = through._default_manager.filter(movie_id__in=movie_ids).order_by()
    for movie_id, value in rows.values_list("movie_id", name):
        found[movie_id].append(value)
    return found
