"""``manage.py enrich_tmdb``: words, people and pictures' addresses from TMDB."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from catalog.management.progress import progress_shown
from catalog.tmdb.client import client_from_settings
from catalog.tmdb.enrichment import Options, Report, enrich
from catalog.tmdb.errors import NoKeyError
from catalog.tmdb.retention import MAX_AGE, REFRESH_AFTER, expired_drop
from catalog.tmdb.runs import AlreadyRunningError, run_create


class Command(BaseCommand):
    """Asks TMDB about films that it was not asked about yet, and about those asked long ago."""

    help = (
        "Fetch synopses, keywords, credits, age ratings and picture addresses from TMDB. What "
        "editors changed is kept; a killed run goes on where it stopped; a second run fetches "
        "nothing. Needs TMDB_API_KEY or TMDB_API_KEY_FILE."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to ask for."""
        parser.add_argument("--limit", type=_positive, help="at most this many films")
        age = parser.add_mutually_exclusive_group()
        age.add_argument(
            "--only-missing", action="store_true", help="no film that was enriched before"
        )
        age.add_argument(
            "--refresh-older-than",
            type=_positive,
            default=REFRESH_AFTER.days,
            metavar="DAYS",
            help=f"also films fetched longer ago (default {REFRESH_AFTER.days})",
        )
        parser.add_argument("--threads", type=_positive, default=4, help="default 4")
        parser.add_argument(
            "--drop-expired",
            action="store_true",
            help=f"only forget what was fetched over {MAX_AGE.days} days ago; needs no key",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Enrich, and say what came of it."""
        if options["drop_expired"]:
            dropped = expired_drop(now=timezone.now())
            self.stdout.write(f"TMDB's data of {dropped:,} films was dropped.")
            return
        try:
            client = client_from_settings()
        except NoKeyError as error:
            raise CommandError(str(error)) from error
        days = None if options["only_missing"] else options["refresh_older_than"]
        run = run_create(
            trigger="command",
            now=timezone.now(),
            max_films=options["limit"],
            refresh_older_than_days=days,
        )
        wanted = Options(
            limit=options["limit"],
            refresh_older_than=timedelta(days=days) if days is not None else None,
            threads=min(options["threads"], 32),
            region=settings.TMDB_REGION,
        )
        # A polite kill ends like Ctrl-C: what is under way is kept and written.
        former = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with progress_shown(is_quiet=options["verbosity"] == 0) as progress:
                report = enrich(client, run, wanted, progress=progress)
        except AlreadyRunningError as error:
            run.delete()
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError(
                "Stopped. What was fetched is kept; run it again to go on.", returncode=130
            ) from error
        finally:
            signal.signal(signal.SIGTERM, former)
        self._tell(report)

    def _tell(self, report: Report) -> None:
        counts = report.counts
        self.stdout.write(
            f"{report.total:,} films due: {counts['enriched']:,} fetched "
            f"({report.films_changed:,} films changed), {counts['unchanged']:,} as before, "
            f"{counts['not_found']:,} not at TMDB, {counts['unsure']:,} left as unsure, "
            f"{counts['failed']:,} failed."
        )
        if counts["unsure"] or counts["failed"] or counts["not_found"]:
            self.stdout.write("The reasons are in the admin, under enrichment states.")
        if report.error:
            raise CommandError(
                f"{report.error} {report.left:,} films are left; run it again to go on."
            )


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value
