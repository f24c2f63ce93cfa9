"""``manage.py train_model``: trains the served policy and promotes it if the gate agrees."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from recommendations.management.tables import metrics_table
from recommendations.models import TrainingRun
from recommendations.services.lease import TrainingBusyError
from recommendations.services.training import train
from recommendations.training_data import NoTrainingDataError


class Command(BaseCommand):
    """Exit status 1 where no model came out of it."""

    help = "Train the recommender on all ratings, measure it, and serve it if it is good enough."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--force", action="store_true", help="train although the data did not change"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=cast(IO[str], self.stdout))
        columns = (TextColumn("{task.description:<56}"), BarColumn(), TimeElapsedColumn())
        try:
            with Progress(*columns, console=console) as progress:
                task = progress.add_task("Starting", total=1.0)

                def tell(stage: str, share: float) -> None:
                    progress.update(task, description=stage, completed=share)

                run = train(is_forced=options["force"], on_progress=tell)
                progress.update(task, description="Done", completed=1.0)
        except (TrainingBusyError, NoTrainingDataError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. The model that was active still is.") from error
        self._report(console, run)

    def _report(self, console: Console, run: TrainingRun) -> None:
        if run.status == TrainingRun.Status.SKIPPED:
            console.print(
                "Nothing new since the active model was trained: skipped (--force trains)."
            )
            return
        version = run.model_version
        metrics = version.metrics if version else {}
        if metrics:
            console.print(metrics_table(metrics))
        elif version:
            console.print(version.note)
        if run.status != TrainingRun.Status.DONE:
            raise CommandError(f"The gate refused the new model. {run.error}")
        console.print(f"Now serving {version}.")
