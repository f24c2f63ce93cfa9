"""``manage.py import_movielens PATH|ZIP|URL``."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from catalog.ingestion.errors import IngestionError
from catalog.ingestion.movielens import LICENCE, ImportReport, import_movielens
from catalog.management.progress import progress_shown


class Command(BaseCommand):
    """Films and links into the database, ratings into the warehouse; nothing twice."""

    help = (
        "Import MovieLens (ml-latest-small, ml-latest, ml-20m/25m/32m, ml-10m, ml-1m, ml-100k) "
        "from a folder, a ZIP or an address. Running it again changes nothing; what editors "
        "changed is kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One place to read from."""
        parser.add_argument("source", help="folder, ZIP file or http(s) address")
        parser.add_argument("--slug", default="", help="the dataset's name in the warehouse")

    def handle(self, *args: Any, source: str, slug: str, **options: Any) -> None:
        """Import, and say what changed."""
        self.stdout.write(f"Licence: {LICENCE}\n")
        # A polite kill ends like Ctrl-C: the transaction is rolled back, the files are taken away.
        former = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with progress_shown(is_quiet=options["verbosity"] == 0) as progress:
                report = import_movielens(source, progress=progress, slug=slug)
        except IngestionError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. Nothing was changed.", returncode=130) from error
        except DatabaseError as error:
            raise CommandError(f"The database refused: {error}. Nothing was changed.") from error
        except OSError as error:
            raise CommandError(
                f"{error.filename or 'A file'}: {error.strerror}. Nothing was changed."
            ) from error
        finally:
            signal.signal(signal.SIGTERM, former)
        self._tell(report)

    def _tell(self, report: ImportReport) -> None:
        films, ratings = report.films, report.ratings
        self.stdout.write(
            f"Films: {films.created:,} created, {films.updated:,} updated, "
            f"{films.unchanged:,} unchanged"
            + (f", {films.merged:,} listed twice and merged." if films.merged else ".")
        )
        state = "written to the warehouse" if report.ratings_changed else "as before"
        self.stdout.write(
            f"Ratings: {ratings.n_ratings:,} of {ratings.n_users:,} people, {state} "
            f"({report.dataset.slug}); statistics of {report.stats_changed:,} films changed."
        )
        for name in report.dropped:
            self.stdout.write(f"{name} was replaced: real ratings take the place of simulated.")
        for conflict in films.conflicts[:10]:
            self.stdout.write(f"Left alone: {conflict}.")
        if len(films.conflicts) > 10:
            self.stdout.write(f"... and {len(films.conflicts) - 10:,} more such ids.")
        if report.rejected:
            self._tell_rejects(report)
        if report.rows_changed == 0:
            self.stdout.write("Everything was here already: 0 rows changed.")

    def _tell_rejects(self, report: ImportReport) -> None:
        self.stdout.write(f"Rejected rows: {report.rejected:,}, all in {report.rejects_path}")
        for (file, reason), count in sorted(report.rejected_by_reason.items()):
            self.stdout.write(f"  {count:,} x {file}: {reason}")
        for reject in report.first_rejects:
            self.stdout.write(
                f"  {reject.file}, line {reject.line}: {reject.reason}: {reject.content[:80]!r}"
            )
