"""``manage.py roll_up``: counts what the dashboard shows."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from dashboard.models import FeedbackDay, ShownDay
from dashboard.rollup.incremental import RollUpBusyError, first_kept_day, roll_up, roll_up_range
from dashboard.rollup.recount import differences

SHOWN_LINES = 20


class Command(BaseCommand):
    """Without arguments as the worker does it every five minutes: the days that changed.

    Exit status 1 where ``--check`` finds a figure that the log does not bear out.
    """

    help = "Count feedback, lists and latency by day for the dashboard."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--rebuild", action="store_true", help="count days anew whether they changed or not"
        )
        parser.add_argument(
            "--check",
            action="store_true",
            help="afterwards count every kept day from the raw log, row by row, and compare",
        )
        parser.add_argument("--from", dest="first", metavar="YYYY-MM-DD", help="with --rebuild")
        parser.add_argument("--to", dest="last", metavar="YYYY-MM-DD", help="with --rebuild")

    def handle(self, *args: Any, **options: Any) -> None:
        first, last = _day(options["first"], "--from"), _day(options["last"], "--to")
        if (first or last) and not options["rebuild"]:
            raise CommandError("--from and --to go with --rebuild.")
        if first and last and first > last:
            raise CommandError(f"--from {first} comes after --to {last}.")
        now = timezone.now()

        def tell(day: date, place: int, n_days: int) -> None:
            if options["verbosity"] > 1 or place % 30 == 0:
                self.stdout.write(f"{day} ({place + 1} of {n_days})")

        try:
            if options["rebuild"]:
                rolled = roll_up_range(first, last, now=now, on_progress=tell)
                self.stdout.write(
                    f"Lists before {first_kept_day(now)} are no longer kept: "
                    "what was counted of them stays."
                )
            else:
                rolled = roll_up(now=now, on_progress=tell)
        except RollUpBusyError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Counted {rolled.feedback_days} days of feedback, {rolled.shown_days} days of lists."
        )
        if options["check"]:
            self._check(now)

    def _check(self, now: datetime) -> None:
        kept = first_kept_day(now)
        days = {
            day
            for model in (FeedbackDay, ShownDay)
            for day in model.objects.filter(day__gte=kept).values_list("day", flat=True)
        }
        wrong = [line for day in sorted(days) for line in differences(day)]
        for line in wrong[:SHOWN_LINES]:
            self.stdout.write(line)
        if wrong:
            raise CommandError(
                f"{len(wrong)} figures of {len(days)} days differ from the log. A site in use goes "
                "on while it is counted: run it again at rest, then with --rebuild."
            )
        self.stdout.write(f"All figures of {len(days)} days equal a recount of the raw log.")


def _day(raw: str | None, option: str) -> date | None:
    if raw is None:
        return None
    try:
        return date.fromisoformat(raw)
    except ValueError as error:
        raise CommandError(f"{option} needs a day such as 2026-01-31, not {raw!r}.") from error
