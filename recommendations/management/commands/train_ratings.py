"""``manage.py train_ratings``: trains what predicts stars, beside the policy."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations.models import TrainingRun
from recommendations.services.lease import TrainingBusyError
from recommendations.services.rating_training import train_ratings
from recommendations.training_data import NoTrainingDataError


class Command(BaseCommand):
    help = "Trains the predictor of stars and says how honest its intervals are."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--force", action="store_true", help="also where the data is the same")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = train_ratings(
                is_forced=options["force"],
                on_progress=lambda stage, share: self.stdout.write(f"{100 * share:3.0f} % {stage}"),
            )
        except (TrainingBusyError, NoTrainingDataError) as error:
            raise CommandError(str(error)) from error
        version = run.model_version
        if version is not None:
            for name, value in version.metrics.items():
                self.stdout.write(f"{name} {value:.4g}")
        if run.status == TrainingRun.Status.REFUSED:
            raise CommandError(f"Refused: {run.error}")
        self.stdout.write(run.get_status_display())
