"""Facts about films for the models that need more than ratings: genres, years, text and names."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from catalog.embeddings.models import MovieEmbedding
from catalog.embeddings.nearest import active_space
from catalog.models import Credit, Genre, Movie
from ml.idmap import IdMap
from ml.types import FloatArray, ItemFeatures

BATCH = 20_000
MAX_CAST = 5  # who is named first says what kind of film it is


def item_facts(items: IdMap, *, with_text: bool = False) -> ItemFeatures:
    """Genres and years of ``items``; ``with_text`` also text vectors, people, keywords, language.

    The text vectors are those of the encoder that search uses; None where there is none.
    """
    genre_names = tuple(Genre.objects.order_by("name").values_list("name", flat=True))
    column = {name: i for i, name in enumerate(genre_names)}
    genres = np.zeros((len(items), len(genre_names)), dtype=np.float32)
    pairs = Movie.genres.through.objects.values_list("movie_id", "genre__name")
    for at, name in _of_items(items, pairs.iterator(chunk_size=BATCH)):
        genres[at, column[name]] = 1.0
    years = np.full(len(items), np.nan, dtype=np.float32)
    known = Movie.objects.filter(year__isnull=False).values_list("pk", "year")
    for at, year in _of_items(items, known.iterator(chunk_size=BATCH)):
        years[at] = year
    return ItemFeatures(
        n_items=len(items),
        genres=genres,
        genre_names=genre_names,
        year=years,
        text=_text(items) if with_text else None,
        tags=_tags(items) if with_text else None,
    )


def _of_items(items: IdMap, rows: Iterable[tuple]) -> Iterable[tuple]:
    """(position, value) of the rows (film id, value) whose film is among ``items``."""
    position = {int(pk): i for i, pk in enumerate(items.ids)}
    for movie_id, value in rows:
        at = position.get(movie_id)
        if at is not None:
            yield at, value


def _text(items: IdMap) -> FloatArray | None:
    space = active_space()
    if space is None:
        return None
    text = np.zeros((len(items), space.dim), dtype=np.float32)
    rows = MovieEmbedding.objects.filter(encoder=space.encoder).values_list("movie_id", "vector")
    for at, vector in _of_items(items, rows.iterator(chunk_size=BATCH)):
        text[at] = np.asarray(vector, dtype=np.float32)
    return text


def _tags(items: IdMap) -> dict[str, list[tuple[str, ...]]]:
    credits = Credit.objects.order_by("movie_id", "role", "position")
    cast = credits.filter(role=Credit.Role.CAST, position__lt=MAX_CAST)
    directors = credits.filter(role=Credit.Role.DIRECTOR)
    keywords = Movie.keywords.through.objects.values_list("movie_id", "keyword__name")
    languages = Movie.objects.exclude(language="").values_list("pk", "language")
    rows = {
        "cast": cast.values_list("movie_id", "person__name"),
        "director": directors.values_list("movie_id", "person__name"),
        "keyword": keywords,
        "language": languages,
    }
    tags: dict[str, list[tuple[str, ...]]] = {}
    for facet, found in rows.items():
        of_film: list[list[str]] = [[] for _ in range(len(items))]
        for at, name in _of_items(items, found.iterator(chunk_size=BATCH)):
            of_film[at].append(name)
        tags[facet] = [tuple(names) for names in of_film]
    return tags
