"""Tens of thousands of films at once: COPY into staging tables, then a few statements over sets.

The rules are those of ``services.films``: a value remembers its source, what a stronger source or
an editor said stays, a second run changes nothing. Here they are SQL, because 70,000 films through
Python objects take minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from catalog.ingestion.tables import TableFilm
from catalog.models import Credit, DataSource, Movie
from catalog.services import bulk_sql as sql
from catalog.services.films import FILLS_ONLY, STRENGTH
from catalog.services.search_index import SearchTexts, search_texts, search_vectors_refresh

SOURCE = DataSource.TMDB
# What is being done.
Show = Callable[[str], None]


@dataclass(frozen=True)
class BulkReport:
    """What an import of a table did, in films; ``merged`` are second rows of a film of ours."""

    rows: int
    created: int
    updated: int
    unchanged: int
    merged: int

    @property
    def changed(self) -> int:
        """Films that were written."""
        return self.created + self.updated


def films_bulk_upsert(films: Iterable[TableFilm], *, show: Show) -> BulkReport:
    """Bring these into the catalogue; the caller's transaction makes it all or nothing."""
    with transaction.atomic(), connection.cursor() as cursor:
        show("Copying")
        rows = _stage(cursor, films)
        show("Matching films")
        for statement in sql.MATCH:
            cursor.execute(statement)
        show("Writing films")
        cursor.execute(sql.insert_movies(Movie))
        _links_write(cursor)
        _fields_write(cursor)
        show("Writing genres, keywords and people")
        _relations_write(cursor)
        _titles_normalize(cursor)
        for statement in (sql.SOURCES, sql.FACTS, sql.STATES):
            cursor.execute(statement, {"source": SOURCE})
        report, changed = _report(cursor, rows)
        show("Indexing for search")
        # The planner knows nothing yet of what was written.
        for table in ("catalog_movie", "catalog_credit", "catalog_movie_keywords"):
            cursor.execute(f"ANALYZE {table}")
        search_vectors_refresh(changed)
        for table in sql.STAGING:
            cursor.execute(f"DROP TABLE {table}")
    return report


def _stage(cursor: CursorWrapper, films: Iterable[TableFilm]) -> int:
    """All rows into temporary tables; returns how many."""
    for statement in sql.CREATE_STAGING:
        cursor.execute(statement)
    names: dict[str, list[tuple]] = {"genre": [], "keyword": [], "credit": []}
    count = 0
    with cursor.copy(sql.COPY_FILMS) as copy:
        for number, film in enumerate(films):
            facts = (getattr(film, name) for name in sql.FILM_COLUMNS)
            copy.write_row((number, *facts, *astuple(_search_texts(film))))
            names["genre"] += [(number, name) for name in film.genres]
            names["keyword"] += [(number, name) for name in film.keywords]
            names["credit"] += _credits(number, film)
            count += 1
    for kind, columns in (("genre", 2), ("keyword", 2), ("credit", 4)):
        listed = ("n, name", "n, name, role, position")[columns == 4]
        with cursor.copy(f"COPY stage_{kind} ({listed}) FROM STDIN") as copy:
            for row in names[kind]:
                copy.write_row(row)
    for statement in sql.INDEX_STAGING:
        cursor.execute(statement)
    return count


def _search_texts(film: TableFilm) -> SearchTexts:
    return search_texts(
        titles=[title for title in (film.title, film.original_title) if title],
        normalized=film.titles_normalized,
        people=(*film.directors, *film.cast),
        about=(*film.keywords, *film.genres),
        prose=f"{film.tagline or ''} {film.synopsis or ''}",
    )


def _credits(number: int, film: TableFilm) -> list[tuple]:
    people = [(name, Credit.Role.DIRECTOR) for name in film.directors]
    people += [(name, Credit.Role.CAST) for name in film.cast]
    return [(number, name, role.value, place) for place, (name, role) in enumerate(people)]


def _links_write(cursor: CursorWrapper) -> None:
    for statement in sql.LINKS:
        cursor.execute(statement)


def _fields_write(cursor: CursorWrapper) -> None:
    """Note which fields differ and may be written, then write them all in one UPDATE."""
    cursor.execute(
        sql.LOCKED,
        {
            "source": SOURCE,
            "stronger": [name for name, rank in STRENGTH.items() if rank > STRENGTH[SOURCE]],
            "fills_only": sorted(FILLS_ONLY[SOURCE]),
        },
    )
    cursor.execute(sql.ALTERNATIVES)
    for name in sql.PLAIN_FIELDS:
        cursor.execute(sql.changed_field(name, fills_only=name in FILLS_ONLY[SOURCE]))
    cursor.execute(sql.update_movies())


def _relations_write(cursor: CursorWrapper) -> None:
    for statement in (*sql.GENRES, *sql.KEYWORDS, *sql.CREDITS):
        cursor.execute(statement)


def _titles_normalize(cursor: CursorWrapper) -> None:
    """Films of ours that got another name: the new ones came with theirs normalised."""
    cursor.execute(sql.RETITLED)
    ids = [row[0] for row in cursor.fetchall()]
    movies = list(
        Movie.objects.filter(pk__in=ids).only("title", "original_title", "alternative_titles")
    )
    for movie in movies:
        movie.normalize_titles()
    cursor.execute(sql.CREATE_NORMALIZED)
    with cursor.copy(sql.COPY_NORMALIZED) as copy:
        for movie in movies:
            copy.write_row(
                (
                    movie.pk,
                    movie.title_normalized,
                    movie.titles_normalized,
                    movie.title_trigrams,
                )
            )
    cursor.execute(sql.UPDATE_NORMALIZED)


def _report(cursor: CursorWrapper, rows: int) -> tuple[BulkReport, list[int]]:
    cursor.execute(sql.REPORT)
    created, matched, merged = cursor.fetchone()
    cursor.execute(sql.CHANGED_IDS)
    changed = [row[0] for row in cursor.fetchall()]
    updated = len(changed)
    report = BulkReport(
        rows=rows,
        created=created,
        updated=updated,
        unchanged=matched - updated,
        merged=merged,
    )
    return report, changed
