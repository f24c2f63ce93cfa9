"""``manage.py simulate_traffic``: invented people use the running server through its API."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from recommendations.models import ModelVersion
from recommendations.snapshot import current_snapshot
from recommendations.traffic.client import ApiClient, TrafficError
from recommendations.traffic.month import (
    Day,
    Month,
    Simulation,
    people_forget,
)
from recommendations.traffic.trainings import Training, trainings_wait
from recommendations.traffic.world import NoVectorsError

MAX_PEOPLE, MAX_ROUNDS, MAX_THREADS, MAX_FIRST = 20_000, 366, 32, 100


class Command(BaseCommand):
    """Loopback only. What it makes are accounts under simulated.invalid; --forget deletes them."""

    help = "People with latent tastes ask for lists and answer them; compared to popularity."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default="http://127.0.0.1:8000")
        parser.add_argument("--people", type=int, default=1000)
        parser.add_argument("--rounds", type=int, default=30, help="days, one after the other")
        parser.add_argument("--visits", type=float, default=0.2, help="share of people in a round")
        parser.add_argument("--keep", type=float, default=0.97, help="of each taste, day to day")
        parser.add_argument(
            "--first", type=int, default=10, help="films that everybody rates before the first day"
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--threads", type=int, default=4)
        parser.add_argument(
            "--wait-training",
            type=float,
            default=0.0,
            metavar="SECONDS",
            help="after a day wait so long for the trainings it made due (0: go on at once)",
        )
        parser.add_argument("--json", metavar="FILE", help="write the rounds here, each as it ends")
        parser.add_argument("--forget", action="store_true", help="delete all simulated people")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["forget"]:
            self.stdout.write(f"Deleted {people_forget()} simulated people with all they did.")
            return
        month = _month(options)
        path = Path(options["json"]) if options["json"] else None
        if path is not None and not path.parent.is_dir():
            raise CommandError(f"{path}: the folder {path.parent} does not exist.")
        snapshot = current_snapshot()
        if snapshot is None:
            raise CommandError("Nothing was trained yet: run manage.py train first.")
        days: list[Day] = []
        trainings: list[Training] = []
        wait_s = options["wait_training"]

        def rest(after_day: int) -> None:
            if wait_s:
                trainings.extend(trainings_wait(after_day=after_day, limit_s=wait_s))

        try:
            client = ApiClient(options["url"], n_connections=month.n_threads)
            simulation = Simulation(month, snapshot, client)
            with Progress(console=Console(stderr=True)) as bars:
                bar = bars.add_task("", total=1.0)

                def tell(what: str, share: float) -> None:
                    bars.update(bar, description=what, completed=share)

                n_first = simulation.first_day(tell)
                rest(0)
                for number in range(1, month.n_rounds + 1):
                    days.append(simulation.day(number, tell))
                    if number < month.n_rounds:
                        rest(number)
                    if path is not None:
                        _write(path, simulation, n_first, days, trainings)
        except (TrafficError, NoVectorsError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stdout.write("\nStopped; what was done so far is done.")
        self._show(days)
        for training in trainings:
            self.stdout.write(
                f"Training after day {training.after_day}: {training.status} "
                f"{training.version} in {training.seconds:.0f} s. {training.said}".rstrip()
            )

    def _show(self, days: list[Day]) -> None:
        table = Table("days", "lists", "positive rate", "frozen popularity", "coverage", "models")
        for part in np.array_split(np.arange(len(days)), min(6, len(days))) if days else []:
            some = [days[i] for i in part]
            weights = [max(day.n_lists, 1) for day in some]
            table.add_row(
                f"{some[0].number}-{some[-1].number}",
                str(sum(day.n_lists for day in some)),
                f"{np.average([day.positive_rate for day in some], weights=weights):.4f}",
                f"{np.average([day.frozen_rate for day in some], weights=weights):.4f}",
                f"{np.mean([day.coverage for day in some]):.3f}",
                str(len({name for day in some for name in day.model_versions})),
            )
        Console(file=cast(IO[str], self.stdout), width=100).print(table)
        used = {name for day in days for name in day.model_versions}
        n_kept = ModelVersion.objects.filter(version__in=used).count()
        self.stdout.write(f"Model versions that made the lists: {len(used)} ({n_kept} still kept).")


def _month(options: dict[str, Any]) -> Month:
    if not 1 <= options["people"] <= MAX_PEOPLE or not 1 <= options["rounds"] <= MAX_ROUNDS:
        raise CommandError(f"--people must be 1 to {MAX_PEOPLE}, --rounds 1 to {MAX_ROUNDS}.")
    if not 0 < options["visits"] <= 1 or not 0 <= options["keep"] <= 1:
        raise CommandError("--visits must be above 0 and at most 1, --keep from 0 to 1.")
    if not 1 <= options["first"] <= MAX_FIRST:
        raise CommandError(f"--first must be from 1 to {MAX_FIRST}.")
    if options["wait_training"] < 0:
        raise CommandError("--wait-training must be 0 (do not wait) or more seconds.")
    if not 1 <= options["threads"] <= MAX_THREADS:
        raise CommandError(f"--threads must be 1 to {MAX_THREADS}.")
    return Month(
        n_people=options["people"],
        n_rounds=options["rounds"],
        visits=options["visits"],
        keep=options["keep"],
        n_first=options["first"],
        seed=options["seed"],
        n_threads=options["threads"],
    )


def _write(
    path: Path, simulation: Simulation, n_first: int, days: list[Day], trainings: list[Training]
) -> None:
    month = simulation.month
    content = {
        "date": datetime.now(UTC).date().isoformat(),
        "people": month.n_people,
        "visits": month.visits,
        "keep": month.keep,
        "seed": month.seed,
        "tastes_of": simulation.n_real,
        "first_ratings": n_first,
        "retrain_after": settings.RETRAIN_AFTER,
        "trainings": [training.to_json() for training in trainings],
        "leads": [lead.to_json() for lead in simulation.leads()],
        "days": [day.to_json() for day in days],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
