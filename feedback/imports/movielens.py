"""MovieLens: ``userId,movieId,rating,timestamp``, and what movielens.org gives its people."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.numbers import count_text
from catalog.titles import parse_movielens_title
from feedback.imports.archive import Member
from feedback.imports.errors import ImportFileError
from feedback.imports.records import Effect, FilmRef, SourceRow, Verb
from feedback.imports.tables import Head, Row, rows_of
from feedback.imports.values import from_seconds, identity, imdb_id, stars, text


def is_movielens(head: Head) -> bool:
    """By its columns."""
    columns = set(head.columns())
    return {"movieid", "rating"} <= columns


def read(files: list[tuple[Member, Head]], notes: list[str]) -> Iterator[SourceRow]:
    """All rows. One person's: a whole data set is refused."""
    people: set[str] = set()
    n_unrated = 0
    for member, head in files:
        for row in rows_of(member, head):
            people.add(row.get("userid", "").strip())
            if len(people) > 1:
                raise ImportFileError(
                    _(
                        "This file has the ratings of several people. Keep the rows of one "
                        "userId. (A whole data set is for manage.py import_movielens.)"
                    )
                )
            film = _film(row)
            given = stars(row.get("rating"), out_of=5)
            if film is None or not given:
                n_unrated += 1
                continue
            at = from_seconds(row.get("timestamp"))
            yield SourceRow(member.path, (Effect(Verb.RATE, at=at, stars=given),), film)
    if n_unrated:
        notes.append(
            ngettext(
                "One row has no film or no rating.",
                "%(n)s rows have no film or no rating.",
                n_unrated,
            )
            % {"n": count_text(n_unrated)}
        )


def _film(row: Row) -> FilmRef | None:
    ids = (
        ("movielens", identity(row.get("movieid"))),
        ("imdb", imdb_id(row.get("imdbid", ""))),
        ("tmdb", identity(row.get("tmdbid"))),
    )
    parsed = parse_movielens_title(text(row.get("title")))
    known = tuple((source, value) for source, value in ids if value)
    if not known:
        return None
    return FilmRef(title=parsed.title, year=parsed.year, ids=known)
