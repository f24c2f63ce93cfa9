"""Letterboxd's ZIP and each of its CSV files. They name films by title and year, without ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath

from django.utils.translation import gettext as _

from feedback.imports.archive import Member
from feedback.imports.errors import ImportFileError
from feedback.imports.records import Effect, FilmRef, SourceRow, Verb
from feedback.imports.tables import Head, Row, rows_of
from feedback.imports.values import MAX_NOTE, day, moment, stars, text, year

_LIST_HEAD = re.compile(r"letterboxd list export", re.IGNORECASE)
# Ratings come first: the stars of a diary fill in only what they leave open.
ORDER = ("ratings", "watched", "likes", "watchlist", "diary", "reviews", "list")


def section_of(member: Member, head: Head) -> str | None:
    """Which of Letterboxd's files this is; None for somebody else's."""
    if head.lines and head.lines[0] and _LIST_HEAD.match(head.lines[0][0].strip()):
        return "list"
    columns = set(head.columns())
    if not {"name", "year", "letterboxduri"} <= columns:
        return None
    name = member.name.casefold()
    if "review" in columns:
        return "reviews"
    if "watcheddate" in columns:
        return "diary"
    if "rating" in columns:
        return "ratings"
    if "watchlist" in name:
        return "watchlist"
    if "likes" in member.path.casefold() or name == "films.csv":
        return "likes"
    return "watched" if "watched" in name else "unnamed"


def is_left_aside(member: Member) -> bool:
    """What the person deleted there, or what belongs to nothing any more."""
    return PurePosixPath(member.path).parts[0].casefold() in {"deleted", "orphaned"}


def read(files: list[tuple[Member, Head, str]], notes: list[str]) -> Iterator[SourceRow]:
    """All rows of these files; ``files`` are (member, its head, its section)."""
    unnamed = [member.name for member, _head, section in files if section == "unnamed"]
    if unnamed:
        raise ImportFileError(
            _(
                "“%(name)s” lists films, but not whether you watched, liked or want to watch them. "
                "Give it the name that it had: watched.csv, watchlist.csv or films.csv (likes)."
            )
            % {"name": unnamed[0][-60:]}
        )
    files = sorted(files, key=lambda file: ORDER.index(file[2]))
    rated: set[str] = set()
    latest = _latest_diary_stars(files)
    for member, head, section in files:
        if section == "list":
            yield from _list_rows(member, head, notes)
            continue
        for row in rows_of(member, head):
            film = _film(row)
            if film is None:
                continue
            if section == "ratings":
                rated.add(film.key)
            effects = _effects(section, row)
            if section in {"diary", "reviews"} and film.key not in rated:
                effects += _stars_of_diary(row, latest.get(film.key))
            yield SourceRow(member.path, tuple(effects), film)


def _film(row: Row) -> FilmRef | None:
    title = text(row.get("name"))
    return FilmRef(title=title, year=year(row.get("year"))) if title else None


def _effects(section: str, row: Row) -> list[Effect]:
    at = moment(row.get("date"))
    if section == "ratings":
        given = stars(row.get("rating"), out_of=5)
        # A rating of 0 is none; that the film was watched is still said.
        return [Effect(Verb.RATE, at=at, stars=given) if given else Effect(Verb.SEEN, at=at)]
    if section == "likes":
        return [Effect(Verb.LIKE, at=at)]
    if section == "watchlist":
        return [Effect(Verb.WATCHLIST, at=at)]
    if section == "watched":
        return [Effect(Verb.SEEN, at=at)]
    return _viewing(row, at)


def _viewing(row: Row, at: datetime | None) -> list[Effect]:
    """A line of the diary. Without any date it says only that the film was seen."""
    watched_on = day(row.get("watcheddate")) or day(row.get("date"))
    if watched_on is None:
        return [Effect(Verb.SEEN)]
    tags = text(row.get("tags"), 500)
    note = text(row.get("review"), MAX_NOTE)
    note = "\n".join(part for part in (note, f"#{tags}" if tags else "") if part)
    again = row.get("rewatch", "").strip().casefold() in {"yes", "true", "1"}
    return [Effect(Verb.DIARY, at=at, day=watched_on, is_rewatch=again, note=note)]


def _latest_diary_stars(files: list[tuple[Member, Head, str]]) -> dict[str, tuple[str, str]]:
    """The (day, stars) of each film's last rated viewing: a film has one rating here."""
    latest: dict[str, tuple[str, str]] = {}
    for member, head, section in files:
        if section not in {"diary", "reviews"}:
            continue
        for row in rows_of(member, head):
            film = _film(row)
            given = stars(row.get("rating"), out_of=5)
            if film is not None and given:
                latest[film.key] = max(latest.get(film.key, ("", "")), (_day(row), given))
    return latest


def _day(row: Row) -> str:
    found = day(row.get("watcheddate")) or day(row.get("date"))
    return found.isoformat() if found else ""


def _stars_of_diary(row: Row, latest: tuple[str, str] | None) -> list[Effect]:
    given = stars(row.get("rating"), out_of=5)
    if not given or latest != (_day(row), given):
        return []
    at = moment(row.get("watcheddate")) or moment(row.get("date"))
    return [Effect(Verb.RATE, at=at, stars=given)]


def _list_rows(member: Member, head: Head, notes: list[str]) -> Iterator[SourceRow]:
    """A list: some lines about it, then its films in order."""
    about = next((at for at in range(len(head.lines)) if "name" in head.columns(at)), None)
    films = next((at for at in range(len(head.lines)) if "position" in head.columns(at)), None)
    if films is None or about is None or about == films:
        notes.append(_("“%(name)s” is a list without films.") % {"name": member.name[-60:]})
        return
    values = head.lines[about + 1] if about + 1 < films else ()
    said = dict(zip(head.columns(about), values, strict=False))
    name = text(said.get("name"), 80) or text(member.stem, 80)
    note = text(said.get("description"), 1000)
    made_at = moment(said.get("date"))
    for row in rows_of(member, head, header_line=films):
        film = _film(row)
        if film is None:
            continue
        effect = Effect(
            Verb.LIST,
            at=made_at,
            list_name=name,
            list_note=note,
            note=text(row.get("description"), 300),
        )
        yield SourceRow(member.path, (effect,), film)
