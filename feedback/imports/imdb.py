"""IMDb's CSV files: ratings, the watchlist, lists. Films have IMDb's ids; series are left aside."""

from __future__ import annotations

from collections.abc import Iterator

from feedback.imports.archive import Member
from feedback.imports.errors import no_films
from feedback.imports.records import Effect, FilmRef, SourceRow, Verb
from feedback.imports.tables import Head, Row, rows_of
from feedback.imports.values import day, imdb_id, moment, stars, text, year

_NO_FILM = ("series", "episode", "game", "podcast", "musicvideo")


def is_imdb(head: Head) -> bool:
    """By its first columns."""
    columns = set(head.columns())
    return "const" in columns and ("yourrating" in columns or "title" in columns)


def read(files: list[tuple[Member, Head]], notes: list[str]) -> Iterator[SourceRow]:
    """All rows of these files."""
    n_left = 0
    for member, head in files:
        is_list = "position" in head.columns()
        for row in rows_of(member, head):
            kind = row.get("titletype", "").casefold().replace(" ", "")
            if any(word in kind for word in _NO_FILM):
                n_left += 1
                continue
            film = _film(row)
            if film is None:
                continue
            effects = [*_rating(row), *(_listed(member, row) if is_list else [])]
            yield SourceRow(member.path, tuple(effects), film)
    if n_left:
        notes.append(no_films(n_left))


def _film(row: Row) -> FilmRef | None:
    found, title = imdb_id(row.get("const")), text(row.get("title"))
    if not found and not title:
        return None
    original = text(row.get("originaltitle"))
    return FilmRef(
        title=title,
        year=year(row.get("year")),
        ids=(("imdb", found),) if found else (),
        original_title=original if original != title else "",
        directors=tuple(text(name) for name in row.get("directors", "").split(",") if name.strip()),
    )


def _rating(row: Row) -> list[Effect]:
    given = stars(row.get("yourrating"), out_of=10)
    return [Effect(Verb.RATE, at=moment(row.get("daterated")), stars=given)] if given else []


def _listed(member: Member, row: Row) -> list[Effect]:
    at = moment(row.get("created")) or moment(row.get("dateadded"))
    if "watchlist" in member.name.casefold():
        return [Effect(Verb.WATCHLIST, at=at)]
    if day(row.get("checkins", "")):
        return [Effect(Verb.DIARY, day=day(row["checkins"]))]
    note = text(row.get("description"), 300)
    name = text(member.stem.replace("_", " "), 80) or "IMDb"
    return [Effect(Verb.LIST, at=at, list_name=name, note=note)]
