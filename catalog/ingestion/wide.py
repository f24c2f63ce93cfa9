"""One import of a wide table of films from beginning to end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from catalog.ingestion.errors import IngestionError
from catalog.ingestion.tables import TableFilm, open_table, read_rows
from catalog.services.bulk import BulkReport, films_bulk_upsert
from catalog.services.datasets import import_lock_give_back, import_lock_take

# What is being done, how much is done, how much there is.
Progress = Callable[[str, int, int | None], None]
# More unusable rows than this mean that the file is not what it is taken for.
MAX_REJECTED_SHARE = 0.1


@dataclass(frozen=True)
class WideReport:
    """What an import did, and the rows that it could not use, by reason."""

    films: BulkReport
    rejected: Counter[str]


def import_table(path: Path, *, progress: Progress) -> WideReport:
    """Bring a table of films into the catalogue, all or nothing.

    Raises ``IngestionError`` with a sentence for the operator.
    """
    frame = open_table(path)
    if not import_lock_take():
        raise IngestionError("Another import is running. Wait for it to end, then try again.")
    try:
        rejected: Counter[str] = Counter()
        films = _usable(frame, rejected, path=path, progress=progress)
        report = films_bulk_upsert(films, show=lambda what: progress(what, 0, None))
    finally:
        import_lock_give_back()
    return WideReport(films=report, rejected=rejected)


def _usable(
    frame: pl.DataFrame, rejected: Counter[str], *, path: Path, progress: Progress
) -> Iterator[TableFilm]:
    for done, row in enumerate(read_rows(frame), start=1):
        if isinstance(row, str):
            rejected[row] += 1
        else:
            yield row
        if done % 1000 == 0:
            progress("Reading rows", done, len(frame))
    if rejected.total() > MAX_REJECTED_SHARE * len(frame):
        raise IngestionError(
            f"{rejected.total():,} of {len(frame):,} rows of {path} cannot be used, most because "
            f"{rejected.most_common(1)[0][0]}. Nothing was changed."
        )
