"""``manage.py build_features``: the Parquet tables of the feature store."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations.feature_store import TABLES, build
from recommendations.training_data import NoTrainingDataError


class Command(BaseCommand):
    """Prints where the tables are and how many rows each has."""

    help = "Build user_features, item_features and genre_item_priors as Parquet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--as-of",
            metavar="DATE",
            help="only events before this moment (ISO, UTC), as for a training split; default: now",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            moment = options["as_of"] and datetime.fromisoformat(options["as_of"])
        except ValueError as error:
            raise CommandError(f"{options['as_of']} is no date.") from error
        if moment is not None and moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        try:
            made = build(as_of=moment or None)
        except NoTrainingDataError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(made.folder))
        for name in TABLES:
            self.stdout.write(f"{name}: {made.table(name).height:,} rows")
