"""One MovieLens import from beginning to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from catalog import warehouse
from catalog.ingestion.errors import IngestionError
from catalog.ingestion.films import read_films
from catalog.ingestion.layouts import Dataset, detect
from catalog.ingestion.ratings import Checks, Counts, rating_tables, repeated_lines, size_of
from catalog.ingestion.rejects import Reject, RejectLog
from catalog.ingestion.sources import located
from catalog.models import DataSource
from catalog.services.datasets import (
    DatasetFacts,
    dataset_set,
    import_lock_give_back,
    import_lock_take,
    simulated_datasets_drop,
)
from catalog.services.films import upsert_films
from catalog.services.records import FilmRecord, UpsertReport
from catalog.services.search_index import search_vectors_refresh
from catalog.services.stats import rating_stats_refresh
from catalog.warehouse import RatingsFile

# More wrong rows than this mean that the file is not what it is taken for.
MAX_REJECTED_SHARE = 0.1
ONE_DAY_S = 86_400
LICENCE = (
    "MovieLens data by GroupLens, University of Minnesota: for research, with acknowledgement "
    "(Harper and Konstan 2015, doi.org/10.1145/2827872); no commercial use without GroupLens' "
    "permission; redistribution only as the dataset's own README allows."
)

# What is being done, how much is done, how much there is (None: unknown).
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class ImportReport:
    """What an import did."""

    dataset: DatasetFacts
    films: UpsertReport
    stats_changed: int
    ratings: RatingsFile
    ratings_changed: bool
    rows_read: int
    rejected: int
    rejected_by_reason: dict[tuple[str, str], int]
    first_rejects: tuple[Reject, ...]
    rejects_path: Path
    dropped: tuple[str, ...]

    @property
    def rows_changed(self) -> int:
        """Rows of films, datasets and statistics that are different now."""
        return (
            self.films.changed + self.stats_changed + int(self.ratings_changed) + len(self.dropped)
        )


def import_movielens(
    target: str, *, progress: Progress, slug: str = "", now_s: int | None = None
) -> ImportReport:
    """Bring a MovieLens folder, ZIP or address into the catalogue and the warehouse.

    All or nothing: films and statistics in one transaction, the ratings' file renamed into place
    inside it. Raises ``IngestionError`` with a sentence for the operator.
    """

    def show(done: int, total: int | None, what: str) -> None:
        progress(what, done, total)

    with (
        alone(),
        warehouse.incoming() as scratch,
        located(target, scratch=scratch, progress=show) as found,
    ):
        dataset = detect(found.folder)
        name = slugify(slug or _name(found.name, dataset))
        rejects_path = Path(settings.VAR_DIR) / "imports" / f"{name}-rejected.csv"
        with RejectLog(rejects_path) as rejects:
            progress("Reading films", 0, None)
            records = read_films(dataset, rejects)
            checks = Checks(
                known_films=frozenset(int(record.external_ids[0][1]) for record in records),
                max_timestamp=(int(time.time()) if now_s is None else now_s) + ONE_DAY_S,
            )
            ratings, rows = _prepare_ratings(dataset, scratch, checks, rejects, progress)
        facts = DatasetFacts(
            slug=name,
            name=f"MovieLens ({name})",
            id_source=dataset.layout.id_source,
            licence_note=LICENCE,
        )
        return _commit(facts, records, ratings, rows=rows, rejects=rejects, progress=progress)


@contextmanager
def alone() -> Iterator[None]:
    """Nobody else imports meanwhile; raises ``IngestionError`` where somebody does."""
    if not import_lock_take():
        raise IngestionError("Another import is running. Wait for it to end, then try again.")
    try:
        # What a killed import left behind; nobody else is writing now.
        warehouse.sweep()
        yield
    finally:
        import_lock_give_back()


def _name(given: str, dataset: Dataset) -> str:
    """A ZIP called download.zip still holds ml-latest-small/."""
    inner = dataset.folder.name
    return inner if inner.startswith("ml-") else given


def _prepare_ratings(
    dataset: Dataset, scratch: Path, checks: Checks, rejects: RejectLog, progress: Progress
) -> tuple[RatingsFile, int]:
    total = size_of(dataset)
    counts = Counts()
    target = scratch / "ratings.parquet"

    def show(done: int) -> None:
        progress("Reading ratings", done, total)

    tables = rating_tables(dataset, checks=checks, rejects=rejects, counts=counts, on_bytes=show)
    file = warehouse.write_ratings(tables, target)
    _check_share(dataset, rejects, counts)
    losers = repeated_lines(dataset, target, checks=checks, rejects=rejects)
    if len(losers):
        again = rating_tables(
            dataset, checks=checks, rejects=None, counts=Counts(), losers=losers, on_bytes=show
        )
        file = warehouse.write_ratings(again, target)
    return file, counts.rows


def _check_share(dataset: Dataset, rejects: RejectLog, counts: Counts) -> None:
    wrong = rejects.of_file(dataset.ratings.name)
    if counts.rows == 0:
        raise IngestionError(f"{dataset.ratings} holds no ratings.")
    if wrong > MAX_REJECTED_SHARE * counts.rows:
        mine = [item for item in rejects.first if item.file == dataset.ratings.name]
        first = f", the first on line {mine[0].line} ({mine[0].reason})" if mine else ""
        raise IngestionError(
            f"{wrong:,} of {counts.rows:,} rows of {dataset.ratings} are wrong{first}: this does "
            f"not look like MovieLens' file. Nothing was changed. All of them: {rejects.path}"
        )


def _commit(
    facts: DatasetFacts,
    records: list[FilmRecord],
    ratings: RatingsFile,
    *,
    rows: int,
    rejects: RejectLog,
    progress: Progress,
) -> ImportReport:
    with transaction.atomic():
        films = upsert_films(
            records,
            source=DataSource.MOVIELENS,
            on_progress=lambda done: progress("Writing films", done, len(records)),
        )
        dropped = simulated_datasets_drop()
        progress("Counting ratings", 0, None)
        ratings_changed = dataset_set(facts, ratings)
        stats_changed = rating_stats_refresh()
        progress("Indexing for search", 0, None)
        search_vectors_refresh(films.changed_ids)
    warehouse.sweep()
    return ImportReport(
        dataset=facts,
        films=films,
        stats_changed=stats_changed,
        ratings=ratings,
        ratings_changed=ratings_changed,
        rows_read=rows,
        rejected=rejects.total,
        rejected_by_reason=dict(rejects.by_reason),
        first_rejects=tuple(rejects.first),
        rejects_path=rejects.path,
        dropped=tuple(dropped),
    )
