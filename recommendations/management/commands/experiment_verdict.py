"""``manage.py experiment_verdict ID --from-log``: the page's answer, computed once more."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from recommendations.experiments.models import Experiment
from recommendations.experiments.verdicts import Verdict, verdict_from_log
from recommendations.experiments.words import answer_said, details_said

SHOWN = (
    *("answer", "n", "n_a", "n_b", "n_lists", "n_people", "n_waiting", "estimate", "lo", "hi"),
    *("p_value", "mean_a", "mean_b", "explained", "more", "split_p_value", "noes", "filled"),
)


class Command(BaseCommand):
    """Exit status 1 where the log says something else than the reading that the page shows."""

    help = "Print an experiment's answer; --from-log computes it again and compares."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("experiment_id", metavar="ID", type=int)
        parser.add_argument(
            "--from-log",
            action="store_true",
            help="compute the page's newest reading again from the raw log, and compare",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        experiment = Experiment.objects.filter(pk=options["experiment_id"]).first()
        if experiment is None:
            known = ", ".join(f"{e.pk} ({e.name})" for e in Experiment.objects.order_by("pk")[:20])
            raise CommandError(
                f"There is no experiment {options['experiment_id']}. Known: {known or 'none'}."
            )
        reading = experiment.readings.order_by("-taken_at").first()
        if options["from_log"] and reading is None:
            raise CommandError("The page shows no reading yet: nothing to compare.")
        upto = reading.taken_at if options["from_log"] and reading else timezone.now()
        found = verdict_from_log(experiment, upto=upto).to_json()
        stored = reading.figures if options["from_log"] and reading else None
        self._show(experiment, found, stored)
        if stored is not None:
            differing = [name for name, value in found.items() if stored.get(name) != value]
            if differing:
                raise CommandError(f"The log says something else of: {', '.join(differing)}.")
            self.stdout.write(f"The reading of {upto:%Y-%m-%d %H:%M:%S} UTC equals the log.")

    def _show(
        self, experiment: Experiment, found: dict[str, Any], stored: dict[str, Any] | None
    ) -> None:
        verdict = Verdict.of_json(found)
        self.stdout.write(
            f"{experiment.name}: {experiment.policy_a} (A), {experiment.policy_b} (B)"
        )
        self.stdout.write(answer_said(experiment, verdict))
        for line in details_said(experiment, verdict):
            self.stdout.write(line)
        table = Table("", "from the log", *(["on the page"] if stored is not None else []))
        for name in SHOWN:
            row = [name, str(found[name])]
            if stored is not None:
                row.append(str(stored.get(name)))
            table.add_row(*row)
        Console(file=cast(IO[str], self.stdout), width=100).print(table)
