"""``manage.py train_model``: trains the served policy and promotes it if the gate agrees.

``--sources`` trains sources beside it instead: each is a model version of its own.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from recommendations.management.tables import metrics_table
from recommendations.models import TrainingRun
from recommendations.services.lease import TrainingBusyError
from recommendations.services.source_training import sources_train
from recommendations.services.training import train
from recommendations.sources import UnknownSourceError, sources_named
from recommendations.training_data import NoTrainingDataError

COLUMNS = (TextColumn("{task.description:<56}"), BarColumn(), TimeElapsedColumn())


class Command(BaseCommand):
    """Exit status 1 where no model came out of it."""

    help = "Train the recommender on all ratings, measure it, and serve it if it is good enough."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--force", action="store_true", help="train although the data did not change"
        )

        parser.add_argument(
            "--sources",
            metavar="NAMES",
            help="sources to train instead, by name with commas between; light, heavy or all",
        )
        parser.add_argument(
            "--measure", action="store_true", help="measure these sources on the test people too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=cast(IO[str], self.stdout))
        if options["sources"]:
            self._train_sources(console, options)
            return
        try:
            with Progress(*COLUMNS, console=console) as progress:
                task = progress.add_task("Starting", total=1.0)

                def tell(stage: str, share: float) -> None:
                    progress.update(task, description=stage, completed=share)

                run = train(is_forced=options["force"], on_progress=tell)
                progress.update(task, description="Done", completed=1.0)
        except (TrainingBusyError, NoTrainingDataError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            msg = f"{error.strerror or error}: no model was written; the active one still is."
            raise CommandError(msg) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. The model that was active still is.") from error
        self._report(console, run)

    def _train_sources(self, console: Console, options: dict[str, Any]) -> None:
        try:
            wanted = sources_named(name.strip() for name in options["sources"].split(","))
            with Progress(*COLUMNS, console=console) as progress:
                task = progress.add_task("Starting", total=1.0)
                runs = sources_train(
                    wanted,
                    is_forced=options["force"],
                    is_measured=options["measure"],
                    on_progress=lambda what, share: progress.update(
                        task, description=what, completed=share
                    ),
                )
                progress.update(task, description="Done", completed=1.0)
        except (UnknownSourceError, TrainingBusyError, NoTrainingDataError) as error:
            raise CommandError(str(error)) from error
        for run in runs:
            took_s = (run.finished_at - run.started_at).total_seconds() if run.finished_at else 0.0
            said = run.error or str(run.model_version or "")
            console.print(f"{run.kind}: {run.get_status_display()} ({took_s:.1f} s) {said}")
            if options["measure"] and run.model_version and run.model_version.metrics:
                console.print(metrics_table(run.model_version.metrics))
        ended_well = {TrainingRun.Status.DONE, TrainingRun.Status.SKIPPED}
        if failed := [run.kind for run in runs if run.status not in ended_well]:
            raise CommandError(f"Not trained: {', '.join(failed)}.")

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
