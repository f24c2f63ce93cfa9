"""``manage.py forecast SOURCE``: what a policy would have earned, from logged propensities."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ml.experiments.off_policy import Value
from recommendations.experiments.forecast import Forecast, ForecastError, forecast
from recommendations.experiments.models import Experiment
from recommendations.snapshot import Snapshot, current_snapshot
from recommendations.sources import UnknownSourceError


class Command(BaseCommand):
    """Reads only; ``--experiment`` keeps the forecast of A and B on the experiment's page."""

    help = "Judge policies on lists whose tail was shuffled, before anybody is shown them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("sources", nargs="*", metavar="SOURCE", help="hybrid, als, ...")
        parser.add_argument("--experiment", type=int, metavar="ID", help="its two policies")
        parser.add_argument("--lists", type=int, default=2000, help="the latest N shuffled lists")

    def handle(self, *args: Any, **options: Any) -> None:
        experiment = None
        names: list[str] = options["sources"]
        if options["experiment"] is not None:
            experiment = Experiment.objects.filter(pk=options["experiment"]).first()
            if experiment is None:
                raise CommandError(f"There is no experiment {options['experiment']}.")
            names = [experiment.policy_a, experiment.policy_b]
        if not names or options["lists"] < 1:
            raise CommandError("Name a source or --experiment ID, and 1 list or more.")
        snapshot = current_snapshot()
        if snapshot is None:
            raise CommandError("Nothing was trained yet: run manage.py train first.")
        try:
            found = {name: self._one(name, snapshot, options["lists"]) for name in names}
        except (ForecastError, UnknownSourceError) as error:
            raise CommandError(str(error)) from error
        self._show(found)
        if experiment is not None:
            a, b = found[experiment.policy_a], found[experiment.policy_b]
            experiment.forecast = {
                "said_a": _said(a.value.snips, 100),
                "said_b": _said(b.value.snips, 100),
                "n_lists": a.n_lists,
            }
            experiment.save(update_fields=["forecast"])

    def _one(self, name: str, snapshot: Snapshot, n_lists: int) -> Forecast:
        with Progress(console=Console(stderr=True)) as bars:
            bar = bars.add_task(name, total=1.0)
            return forecast(
                name,
                snapshot,
                n_lists=n_lists,
                tell=lambda share: bars.update(bar, completed=share),
            )

    def _show(self, found: dict[str, Forecast]) -> None:
        table = Table("policy", "lists", "IPS", "SNIPS", "DR", "worth places", "could be shown")
        for name, one in found.items():
            value = one.value
            table.add_row(
                *(name, str(one.n_lists), _said(value.ips), _said(value.snips)),
                *(_said(value.dr) if value.dr else "-", f"{value.n_effective:.0f}"),
                f"{one.support:.0%}",
            )
        Console(file=cast(IO[str], self.stdout), width=130).print(table)
        self.stdout.write("Likes per place of the shuffled tail, with 95 % intervals over lists.")
        for name, one in found.items():
            for why, n in one.left_out.items():
                self.stdout.write(f"{name}: left out {n} lists: {why}")


def _said(value: Value, scale: float = 1.0) -> str:
    digits = 1 if scale > 1 else 4
    lo, hi = f"{scale * value.lo:.{digits}f}", f"{scale * value.hi:.{digits}f}"
    return f"{scale * value.mean:.{digits}f} [{lo}, {hi}]"
