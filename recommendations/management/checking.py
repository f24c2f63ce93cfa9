"""What the check commands share."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError

from recommendations.evidence_checks import Check, NothingToCheckError, Report, check
from recommendations.pipeline import DEFAULT_SOURCE
from recommendations.selectors import source_names
from recommendations.snapshot import current_snapshot

SHOWN_WRONG = 5


class CheckCommand(BaseCommand):
    """Runs ``one`` over people; exit status 1 where a statement is false or there was none."""

    claim: ClassVar[str]  # what was checked, in the plural

    def one(self) -> Check:
        """The check of one person."""
        raise TypeError(f"{type(self).__module__} names no check")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--users", type=int, default=200, metavar="N", help="how many people")
        parser.add_argument("--source", default=DEFAULT_SOURCE)

    def handle(self, *args: Any, **options: Any) -> None:
        known = source_names(current_snapshot())
        if options["source"] not in known:
            raise CommandError(
                f"There is no source {options['source']!r}. Known: {', '.join(known)}."
            )
        if options["users"] < 1:
            raise CommandError("--users must be at least 1.")
        try:
            report = check(self.one(), n_users=options["users"], source=options["source"])
        except NothingToCheckError as error:
            raise CommandError(str(error)) from error
        self._print(report)
        if not report.n_checked:
            raise CommandError(f"No {self.claim} to check among these people.")
        if not report.is_passed:
            raise CommandError(
                f"{len(report.wrong)} are false. " + "; ".join(report.wrong[:SHOWN_WRONG])
            )

    def _print(self, report: Report) -> None:
        n_true = report.n_checked - len(report.wrong)
        share = f"{n_true / report.n_checked:.2%}" if report.n_checked else "none"
        self.stdout.write(f"People: {report.n_people}")
        self.stdout.write(f"{self.claim}: {n_true} of {report.n_checked} ({share})")
        if report.worst:
            self.stdout.write(f"Largest deviation: {report.worst:.2e}")
        for name, n in report.notes.items():
            self.stdout.write(f"{name}: {n}")
