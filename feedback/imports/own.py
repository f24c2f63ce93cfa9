"""Marquee's own export, taken in without loss: times to the microsecond, order, notes and dials."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from feedback.imports.archive import READ_ERRORS, Member, damaged
from feedback.imports.errors import ImportFileError
from feedback.imports.records import Effect, FilmRef, SourceRow, Verb
from feedback.imports.trakt import elements
from feedback.imports.values import (
    MAX_NOTE,
    day,
    identity,
    imdb_id,
    moment,
    stars,
    storable,
    text,
    year,
)
from feedback.portable import FOLDER, FORMAT, MANIFEST, SITE, VERSION

_MAX_MANIFEST_BYTES = 1024 * 1024
_REACTIONS = {
    verb.value: verb
    for verb in (Verb.LIKE, Verb.DISLIKE, Verb.SEEN, Verb.NEVER, Verb.NOT_TONIGHT, Verb.MUTED)
}


def manifest_of(member: Member) -> dict[str, Any]:
    """The export's table of contents. Raises ImportFileError."""
    if member.size > _MAX_MANIFEST_BYTES:
        raise damaged(MANIFEST)
    try:
        with member.open() as stream:
            manifest = json.loads(stream.read())
    except (*READ_ERRORS, RecursionError) as error:
        raise damaged(MANIFEST) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ImportFileError(_("“%(name)s” is not from Marquee.") % {"name": MANIFEST})
    version = manifest.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise ImportFileError(
            _("This export is from a newer Marquee. Update this one first, then import it again.")
        )
    return manifest


def read(members: list[Member], manifest: dict[str, Any], *, site: str) -> Iterator[SourceRow]:
    """All rows. ``site`` is ours: film ids of another installation mean other films."""
    by_path = {member.path: member for member in members}
    is_ours = manifest.get("site") == site
    for section, convert in _SECTIONS.items():
        member = by_path.get(f"{FOLDER}/{section}.json")
        if member is None:
            continue
        for row in elements(member):
            if isinstance(row, dict):
                for film, effect in convert(row, is_ours):
                    yield SourceRow(section, (effect,), film)


def film_of(raw: Any, is_ours: bool) -> FilmRef | None:
    """A film as exports name it."""
    if not isinstance(raw, dict):
        return None
    given = raw.get("ids")
    ids = given if isinstance(given, dict) else {}
    known = [
        (SITE, identity(ids.get(SITE)) if is_ours else ""),
        ("imdb", imdb_id(ids.get("imdb"))),
        ("tmdb", identity(ids.get("tmdb"))),
        ("movielens", identity(ids.get("movielens"))),
    ]
    found = tuple((source, value) for source, value in known if value)
    title = text(raw.get("title"))
    if not title and not found:
        return None
    return FilmRef(
        title=title,
        year=year(raw.get("year")),
        ids=found,
        original_title=text(raw.get("original_title")),
    )


Said = Iterator[tuple[FilmRef | None, Effect]]


def _about_film(
    make: Callable[[dict[str, Any]], Effect | None],
) -> Callable[[dict[str, Any], bool], Said]:
    """A section whose rows are about one film each."""

    def convert(row: dict[str, Any], is_ours: bool) -> Said:
        film, effect = film_of(row.get("film"), is_ours), make(row)
        if film is not None and effect is not None:
            yield film, effect

    return convert


def _rating(row: dict[str, Any]) -> Effect | None:
    given = stars(row.get("stars"), out_of=5)
    if not given:
        return None
    at, changed_at = moment(row.get("rated_at")), moment(row.get("changed_at"))
    return Effect(Verb.RATE, at=changed_at or at, stars=given, changed_at=at)


def _reaction(row: dict[str, Any]) -> Effect | None:
    verb = _REACTIONS.get(str(row.get("kind")))
    if verb is None:
        return None
    return Effect(verb, at=moment(row.get("at")), expires_at=moment(row.get("until")))


def _wanted(row: dict[str, Any]) -> Effect:
    return Effect(Verb.WATCHLIST, at=moment(row.get("added_at")))


def _viewing(row: dict[str, Any]) -> Effect | None:
    watched_on = day(row.get("watched_on"))
    if watched_on is None:
        return None
    return Effect(
        Verb.DIARY,
        at=moment(row.get("written_at")),
        day=watched_on,
        is_rewatch=row.get("is_rewatch") is True,
        note=text(row.get("note"), MAX_NOTE),
    )


def _passed(row: dict[str, Any]) -> Effect | None:
    if row.get("kind") not in ("pass", "unpass"):
        return None
    is_on = row["kind"] == "pass"
    return Effect(Verb.PASS, at=moment(row.get("at")), values={"is_on": is_on})


def _listed(row: dict[str, Any], is_ours: bool) -> Said:
    name = text(row.get("name"), 80)
    about: dict[str, Any] = {"list_name": name, "list_note": text(row.get("note"), 1000)}
    made_at = moment(row.get("made_at"))
    films = row.get("films")
    if not name:
        return
    if not films:
        # A list that waits for its films is one, too.
        yield None, Effect(Verb.LIST, at=made_at, **about)
    for item in films if isinstance(films, list) else []:
        film = film_of(item.get("film"), is_ours) if isinstance(item, dict) else None
        if film is not None:
            note = text(item.get("note"), 300)
            yield film, Effect(Verb.LIST, at=made_at, note=note, **about)


def _quiz(row: dict[str, Any], is_ours: bool) -> Said:
    answers = row.get("answers")
    if isinstance(answers, dict):
        kept = {text(key, 40): storable(value) for key, value in answers.items()}
        yield None, Effect(Verb.QUIZ, at=moment(row.get("at")), values=kept)


def _taste(row: dict[str, Any], is_ours: bool) -> Said:
    yield None, Effect(Verb.TASTE, values={text(k, 40): storable(v) for k, v in row.items()})


_SECTIONS: dict[str, Callable[[dict[str, Any], bool], Said]] = {
    "taste": _taste,
    "ratings": _about_film(_rating),
    "reactions": _about_film(_reaction),
    "watchlist": _about_film(_wanted),
    "diary": _about_film(_viewing),
    "lists": _listed,
    "quiz": _quiz,
    "log": _about_film(_passed),
}
