"""Trakt's JSON: lists of ratings, plays, the watchlist and lists. Films have ids."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from feedback.imports.archive import (
    MAX_ROWS,
    READ_ERRORS,
    Member,
    damaged,
    printable,
    too_many_rows,
)
from feedback.imports.errors import ImportFileError, no_films
from feedback.imports.records import Effect, FilmRef, SourceRow, Verb
from feedback.imports.values import day, identity, imdb_id, moment, stars, text, year

# A table of 100,000 films is smaller; the text is in memory while it is read.
MAX_JSON_BYTES = 40 * 1024 * 1024
_SPACE = re.compile(r"[\s,]*")
_LIST_NAME = re.compile(r"^lists?-(?:list-)?(?:\d+-)?")
_MARKS = ("rated_at", "watched_at", "last_watched_at", "listed_at", "collected_at")


def elements(member: Member) -> Iterator[Any]:
    """The elements of a JSON list, one by one. Raises ImportFileError."""
    source = _text(member)
    start = _SPACE.match(source).end()  # type: ignore[union-attr]  # it matches nothing, too
    if source[start : start + 1] != "[":
        raise ImportFileError(
            _("“%(name)s” is JSON, but no list of films.") % {"name": printable(member.name)[-60:]}
        )
    decoder = json.JSONDecoder()
    at, n_read = start + 1, 0
    while True:
        at = _SPACE.match(source, at).end()  # type: ignore[union-attr]
        if source[at : at + 1] == "]":
            return
        try:
            element, at = decoder.raw_decode(source, at)
        except (ValueError, RecursionError) as error:
            raise ImportFileError(
                _("“%(name)s” ends in the middle, or is no JSON. Download it again.")
                % {"name": printable(member.name)[-60:]}
            ) from error
        n_read += 1
        if n_read > MAX_ROWS:
            raise too_many_rows()
        yield element


def _text(member: Member) -> str:
    if member.size > MAX_JSON_BYTES:
        raise ImportFileError(
            _("“%(name)s” is larger than %(mb)s MB: this is no export of films.")
            % {"name": printable(member.name)[-60:], "mb": MAX_JSON_BYTES // 1024 // 1024}
        )
    try:
        with member.open() as stream:
            return stream.read().decode("utf-8-sig", errors="replace")
    except READ_ERRORS as error:
        raise damaged(member.name) from error


def is_trakt(member: Member) -> bool:
    """By the first element. Raises ImportFileError where it is no JSON."""
    first = next(elements(member), None)
    return isinstance(first, dict) and (
        any(mark in first for mark in _MARKS) or "item_count" in first
    )


def read(files: list[Member], notes: list[str]) -> Iterator[SourceRow]:
    """All rows of these files."""
    names = _list_names(files)
    n_other = 0
    for member in files:
        for element in elements(member):
            if not isinstance(element, dict) or "item_count" in element:
                continue
            film = _film(element.get("movie"))
            if film is None:
                n_other += 1
                continue
            effects = _effects(member, element, names)
            yield SourceRow(member.path, tuple(effects), film)
    if n_other:
        notes.append(no_films(n_other))


def _list_names(files: list[Member]) -> dict[str, tuple[str, str]]:
    """(name, note) of lists by their slug."""
    names: dict[str, tuple[str, str]] = {}
    for member in files:
        for element in elements(member):
            if not isinstance(element, dict) or "item_count" not in element:
                break
            ids = element.get("ids")
            slug = text(ids.get("slug")) if isinstance(ids, dict) else ""
            name = text(element.get("name"), 80)
            if slug and name:
                names[slug] = (name, text(element.get("description"), 1000))
    return names


def _film(raw: Any) -> FilmRef | None:
    if not isinstance(raw, dict):
        return None
    given = raw.get("ids")
    ids = given if isinstance(given, dict) else {}
    known = (("imdb", imdb_id(ids.get("imdb"))), ("tmdb", identity(ids.get("tmdb"))))
    found = tuple((source, value) for source, value in known if value)
    title = text(raw.get("title"))
    if not title and not found:
        return None
    return FilmRef(title=title, year=year(raw.get("year")), ids=found)


def _effects(
    member: Member, row: dict[str, Any], names: dict[str, tuple[str, str]]
) -> list[Effect]:
    if "rating" in row:
        given = stars(row["rating"], out_of=10)
        at = moment(row.get("rated_at"))
        return [Effect(Verb.RATE, at=at, stars=given) if given else Effect(Verb.SEEN, at=at)]
    if "watched_at" in row:
        at = moment(row["watched_at"])
        watched_on = day(row["watched_at"])
        return [Effect(Verb.DIARY, at=at, day=watched_on) if watched_on else Effect(Verb.SEEN)]
    if "last_watched_at" in row:
        return [Effect(Verb.SEEN, at=moment(row["last_watched_at"]))]
    if "listed_at" not in row:
        return []  # a collection says what one owns, not what one likes
    at = moment(row["listed_at"])
    if "watchlist" in member.name.casefold():
        return [Effect(Verb.WATCHLIST, at=at)]
    slug = _LIST_NAME.sub("", member.stem)
    name, note = names.get(slug, (text(slug.replace("-", " ").capitalize(), 80) or "Trakt", ""))
    return [
        Effect(Verb.LIST, at=at, list_name=name, list_note=note, note=text(row.get("notes"), 300))
    ]
