"""``manage.py find_clusters``: the kinds of audience, found anew."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from dashboard.clusters.finding import ClustersBusyError, clusters_find
from dashboard.clusters.words import cluster_name
from ml.clusters import TooFewPeopleError
from recommendations.training_data import NoTrainingDataError


class Command(BaseCommand):
    """As the worker does it every six hours."""

    help = "Group people by what they like, and name the groups, for My taste and the dashboard."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--force", action="store_true", help="even where no rating changed since"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = clusters_find(now=timezone.now(), is_forced=options["force"])
        except (ClustersBusyError, NoTrainingDataError, TooFewPeopleError) as error:
            raise CommandError(str(error)) from error
        table = Table("cluster", "people", "share", "liked films", "films per sitting")
        for row in found.clusters.all():
            table.add_row(
                *(cluster_name(row.marks, key=row.key), str(row.n_people)),
                f"{row.n_people / found.n_people:.0%}",
                f"{row.figures['liked']:.0f}",
                f"{row.figures['per_sitting']:.1f}",
            )
        Console(file=cast(IO[str], self.stdout), width=100).print(table)
        self.stdout.write(
            f"{found.n_people} people, silhouette {found.width:.3f}, "
            f"found {found.computed_at:%Y-%m-%d %H:%M}."
        )
