"""``manage.py evaluate_model [VERSION]``: what a version reached when it was measured."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from recommendations.management.tables import metrics_table, versions_table
from recommendations.models import ModelVersion
from recommendations.services.registry import version_named


class Command(BaseCommand):
    """Without a version: all versions there are, and the figures of the one being served."""

    help = "Show a model version's figures on the held-out people of its training."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", nargs="?", help="the one being served if not given")

    def handle(self, *args: Any, **options: Any) -> None:
        # Wide enough for the table where nobody looks (a file, a pipe).
        stream = cast(IO[str], self.stdout)
        console = Console(file=stream, width=None if self.stdout.isatty() else 160)
        if options["version"]:
            try:
                version = version_named(options["version"])
            except ModelVersion.DoesNotExist as error:
                raise CommandError(str(error)) from error
        else:
            versions = list(ModelVersion.objects.order_by("-created_at"))
            if not versions:
                raise CommandError("There is no model version yet. Train one: manage.py train.")
            console.print(versions_table(versions))
            active = [v for v in versions if v.status == ModelVersion.Status.ACTIVE]
            if not active:
                raise CommandError("None of them is being served. Serve one: promote_model.")
            version = active[0]
        console.print(f"{version.version} ({version.get_status_display()})")
        if version.note:
            console.print(version.note)
        if version.metrics:
            console.print(metrics_table(version.metrics))
