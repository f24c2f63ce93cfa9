"""MovieLens' files of films and links, as records."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from catalog.genres import canonical_genre
from catalog.ingestion.errors import IngestionError
from catalog.ingestion.layouts import Dataset
from catalog.ingestion.rejects import Reject, RejectLog
from catalog.models import ExternalId
from catalog.services.records import FilmRecord
from catalog.titles import parse_movielens_title

# ml-32m's movies.csv has 4.2 MB; a file of another order of size is something else.
MAX_FILE_BYTES = 256 << 20
_U_ITEM_GENRES = (
    *("", "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary"),
    *("Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi"),
    *("Thriller", "War", "Western"),
)
_MAX_INT32 = (1 << 31) - 1


@dataclass(frozen=True)
class Row:
    """One row of a file: its line (the first of several) and its cells."""

    line: int
    cells: list[str]


def read_films(dataset: Dataset, rejects: RejectLog) -> list[FilmRecord]:
    """Every film of the dataset with its links, in the file's order."""
    layout = dataset.layout
    records: dict[str, FilmRecord] = {}
    for row in _rows(dataset.movies, layout.separator, has_header=layout.has_header):
        record = _film(row, dataset)
        if isinstance(record, str):
            reason = record
        elif record.external_ids[0][1] in records:
            reason = "a film with this id came before"
        else:
            records[record.external_ids[0][1]] = record
            continue
        content = layout.separator.join(row.cells)
        rejects.add(Reject(dataset.movies.name, row.line, reason, content))
    if not records:
        raise IngestionError(f"{dataset.movies} holds no film that can be read.")
    links = dataset.optional("links.csv")
    if links is not None and layout.id_source == ExternalId.Source.MOVIELENS:
        _add_links(records, links, rejects)
    return list(records.values())


def _film(row: Row, dataset: Dataset) -> FilmRecord | str:
    """The film in a row, or why there is none."""
    layout = dataset.layout
    is_100k = layout.id_source == ExternalId.Source.MOVIELENS_100K
    n_columns = 24 if is_100k else 3
    if len(row.cells) != n_columns:
        return f"has {len(row.cells)} columns, {n_columns} are due"
    number, raw_title = row.cells[0].strip(), row.cells[1].strip()
    if not _is_id(number):
        return f"film id {number!r} is no positive whole number"
    title = parse_movielens_title(raw_title)
    if not title.title or raw_title == "unknown":
        return "the film has no title"
    if is_100k:
        flags = zip(_U_ITEM_GENRES, row.cells[5:], strict=True)
        names = [name for name, flag in flags if flag.strip() == "1"]
    else:
        names = row.cells[2].split("|")
    genres = dict.fromkeys(canonical_genre(name) for name in names)
    return FilmRecord(
        external_ids=((layout.id_source, str(int(number))),),
        title=title.title,
        year=title.year,
        original_title=title.original_title or None,
        alternative_titles=title.alternatives or None,
        genres=tuple(name for name in genres if name),
    )


def _add_links(records: dict[str, FilmRecord], path: Path, rejects: RejectLog) -> None:
    for row in _rows(path, ",", has_header=True, columns=("movieId", "imdbId", "tmdbId")):
        content = ",".join(row.cells)
        if len(row.cells) != 3 or not _is_id(row.cells[0].strip()):
            rejects.add(Reject(path.name, row.line, "is no link of a film", content))
            continue
        number, imdb, tmdb = (cell.strip() for cell in row.cells)
        record = records.get(str(int(number)))
        if record is None:
            rejects.add(Reject(path.name, row.line, "links an unknown film", content))
            continue
        if any(cell and not _is_id(cell) for cell in (imdb, tmdb)):
            rejects.add(Reject(path.name, row.line, "an id is no whole number", content))
            continue
        ids = list(record.external_ids)
        if imdb:
            ids.append((ExternalId.Source.IMDB, f"tt{int(imdb):07d}"))
        if tmdb:
            ids.append((ExternalId.Source.TMDB, str(int(tmdb))))
        records[str(int(number))] = replace(record, external_ids=tuple(ids))


def _rows(
    path: Path,
    separator: str,
    *,
    has_header: bool,
    columns: tuple[str, ...] = ("movieId", "title", "genres"),
) -> Iterator[Row]:
    text = read_text(path)
    if not has_header:
        # u.item is cut by "|"; the tab is u.data's.
        cut = "|" if separator == "\t" else separator
        for line, content in enumerate(text.split("\n"), start=1):
            if content.strip():
                yield Row(line, content.rstrip("\r").split(cut))
        return
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [cell.strip() for cell in next(reader, [])]
    missing = [name for name in columns if name not in header]
    if missing:
        raise IngestionError(
            f"{path} lacks the column {' and '.join(missing)}; its first line is "
            f"{','.join(header)[:100]!r}."
        )
    order = [header.index(name) for name in columns]
    line = reader.line_num + 1
    try:
        for cells in reader:
            if cells:
                if len(cells) == len(header):
                    yield Row(line, [cells[place] for place in order])
                else:
                    # Never as many cells as asked for: the reader of the row refuses it.
                    yield Row(line, cells if len(cells) != len(columns) else [*cells, ""])
            line = reader.line_num + 1
    except csv.Error as error:
        raise IngestionError(f"{path}, line {line}: {error}.") from error


def read_text(path: Path) -> str:
    """A small text file; UTF-8 (with or without BOM), or Latin-1 as MovieLens 1M and 100K are.

    Latin-1 reads anything, so UTF-8 goes first: an accent of Latin-1 is practically never valid
    UTF-8.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise IngestionError(f"{path} is too big for a list of films.")
        raw = path.read_bytes()
    except OSError as error:
        raise IngestionError(f"{path} cannot be read: {error.strerror}.") from error
    if b"\0" in raw:
        raise IngestionError(f"{path} is not a text file.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= _MAX_INT32
