"""Whose file this is, and all its rows. Knows no database; whatever it is given, it answers.

Memory stays within some times the largest file that is accepted: tables are read row by row, JSON
element by element, and everything has its limit.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from feedback.imports import imdb, letterboxd, movielens, own, trakt
from feedback.imports.archive import MAX_ROWS, Member, members_of, printable, too_many_rows
from feedback.imports.errors import ImportFileError
from feedback.imports.records import Reading, SourceRow
from feedback.imports.tables import Head, head_of
from feedback.portable import MANIFEST, site_key

_NOT_ASKED_FOR = ("profile.csv", "comments.csv", "readme.txt", "links.csv", "tags.csv")


def read_upload(content: bytes, filename: str) -> Reading:
    """Looks at an upload and says whose it is; its rows come when asked for.

    Raises ImportFileError, here or while rows are read, with a sentence for the file's owner.
    """
    members = members_of(content, filename)
    by_path = {member.path: member for member in members}
    if MANIFEST in by_path:
        manifest = own.manifest_of(by_path[MANIFEST])
        return _limited("marquee", own.read(members, manifest, site=site_key()), [])
    notes: list[str] = []
    found: dict[str, list[tuple[Member, Head, str]]] = {}
    jsons: list[Member] = []
    for member in members:
        _sort(member, found, jsons, notes, is_alone=len(members) == 1)
    kinds = [kind for kind in ("letterboxd", "imdb", "movielens") if found.get(kind)]
    if jsons:
        kinds.append("trakt")
    if not kinds:
        raise ImportFileError(_nothing_known(members))
    if len(kinds) > 1:
        raise ImportFileError(
            _("This holds files of several services. Import those of one at a time.")
        )
    kind = kinds[0]
    if kind == "trakt":
        return _limited(kind, trakt.read(jsons, notes), notes)
    files = found[kind]
    if kind == "letterboxd":
        return _limited(kind, letterboxd.read(files, notes), notes)
    plain = [(member, head) for member, head, _section in files]
    reader = imdb.read if kind == "imdb" else movielens.read
    return _limited(kind, reader(plain, notes), notes)


def _sort(
    member: Member,
    found: dict[str, list[tuple[Member, Head, str]]],
    jsons: list[Member],
    notes: list[str],
    *,
    is_alone: bool,
) -> None:
    """Puts a member where its reader finds it, or into the notes."""
    if member.name.startswith(".") or member.path.startswith("__MACOSX/"):
        return
    if letterboxd.is_left_aside(member) and not is_alone:
        return
    if member.suffix == ".json":
        if trakt.is_trakt(member):
            jsons.append(member)
        else:
            notes.append(_("“%(name)s” was left aside.") % {"name": printable(member.path)[-80:]})
        return
    if member.suffix in {".csv", ".txt", ".tsv", ""} or is_alone:
        head = head_of(member)
        if section := letterboxd.section_of(member, head):
            found.setdefault("letterboxd", []).append((member, head, section))
            return
        if imdb.is_imdb(head):
            found.setdefault("imdb", []).append((member, head, ""))
            return
        if movielens.is_movielens(head):
            found.setdefault("movielens", []).append((member, head, ""))
            return
    if member.name.casefold() not in _NOT_ASKED_FOR:
        notes.append(_("“%(name)s” was left aside.") % {"name": printable(member.path)[-80:]})


def _nothing_known(members: list[Member]) -> str:
    if len(members) == 1:
        return _(
            "This is no file of Letterboxd, IMDb, Trakt, MovieLens or Marquee: its first line does "
            "not name their columns. If it was edited, keep the line with the columns' names."
        )
    return _(
        "No file in this ZIP is from Letterboxd, IMDb, Trakt, MovieLens or Marquee. Import the ZIP "
        "as it was downloaded."
    )


def _limited(source: str, rows: Iterator[SourceRow], notes: list[str]) -> Reading:
    def counted() -> Iterator[SourceRow]:
        for number, row in enumerate(rows, start=1):
            if number > MAX_ROWS:
                raise too_many_rows()
            if row.effects:
                yield row

    return Reading(source, counted(), notes)
