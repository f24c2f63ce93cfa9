"""CSV members, read row by row: whatever the encoding, the separator and the line ends."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext as _

from feedback.imports.archive import (
    MAX_ROWS,
    READ_ERRORS,
    Member,
    damaged,
    printable,
    too_many_rows,
)
from feedback.imports.errors import ImportFileError

_CHUNK = 256 * 1024
_SEPARATORS = (",", ";", "\t")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
# A header stands at the top; a Letterboxd list has five lines above it.
_HEAD_LINES = 12
MAX_LINE = 1024 * 1024

Row = dict[str, str]


@dataclass(frozen=True)
class Head:
    """The first lines of a table, split into cells, and how the whole is to be read."""

    encoding: str
    separator: str
    lines: tuple[tuple[str, ...], ...]

    def columns(self, line: int = 0) -> tuple[str, ...]:
        """The names of the columns in that line: lower case, letters and digits only."""
        return tuple(column(cell) for cell in self.lines[line]) if line < len(self.lines) else ()


def column(cell: str) -> str:
    """ "Letterboxd URI" as "letterboxduri"."""
    return _NOT_WORD.sub("", cell.casefold())


def head_of(member: Member) -> Head:
    """Looks at the top of a table. Raises ImportFileError where it is no text, or unreadable."""
    encoding = _encoding(member)
    first = [_first_lines(member, encoding, separator) for separator in _SEPARATORS]
    # The separator that makes the most of the first lines; the comma where none does.
    best = max(range(len(first)), key=lambda i: (max(map(len, first[i]), default=0), -i))
    return Head(encoding, _SEPARATORS[best], tuple(first[best]))


def rows_of(member: Member, head: Head, *, header_line: int = 0) -> Iterator[Row]:
    """Rows as {column: cell}; empty lines are left out. Raises ImportFileError."""
    names = head.columns(header_line)
    for at, cells in enumerate(_lines(member, head.encoding, head.separator)):
        if at > header_line + MAX_ROWS:
            raise too_many_rows()
        if at <= header_line or not any(cell.strip() for cell in cells):
            continue
        yield dict(zip(names, [*cells, *[""] * (len(names) - len(cells))], strict=False))


def _first_lines(member: Member, encoding: str, separator: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for cells in _lines(member, encoding, separator):
        found.append(tuple(cells))
        if len(found) == _HEAD_LINES:
            break
    return found


def _lines(member: Member, encoding: str, separator: str) -> Iterator[list[str]]:
    try:
        with io.TextIOWrapper(member.open(), encoding, errors="replace", newline="") as stream:
            yield from csv.reader(_short_lines(stream), delimiter=separator)
    except csv.Error as error:
        raise ImportFileError(
            _(
                "“%(name)s” is no table that can be read (%(why)s). If it was edited, save it as "
                "CSV again, or import the file as it was downloaded."
            )
            % {"name": printable(member.name)[-60:], "why": error}
        ) from error
    except READ_ERRORS as error:
        raise damaged(member.name) from error


def _short_lines(stream: io.TextIOWrapper) -> Iterator[str]:
    """Lines; one of a million characters belongs to no table, and would be a million cells."""
    while line := stream.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise csv.Error(gettext("a line is too long"))
        yield line


def _encoding(member: Member) -> str:
    """UTF-8 where every byte agrees, UTF-16 by its mark, else what Excel writes."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with member.open() as stream:
            chunk = stream.read(_CHUNK)
            if chunk[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                return "utf-16"
            if chunk.count(b"\0") > len(chunk) // 50:
                raise ImportFileError(
                    _("“%(name)s” is no text. Import a CSV, JSON or ZIP file.")
                    % {"name": printable(member.name)[-60:]}
                )
            while chunk:
                decoder.decode(chunk)
                chunk = stream.read(_CHUNK)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    except READ_ERRORS as error:
        raise damaged(member.name) from error
    return "utf-8-sig"
