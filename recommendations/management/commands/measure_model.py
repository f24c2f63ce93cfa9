"""``manage.py measure_model [VERSION]``: a version's recipe on every protocol."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from ml.protocols import UnknownProtocolError
from recommendations.management.tables import protocols_table
from recommendations.models import ModelVersion
from recommendations.services.measuring import PROTOCOLS, NotMeasurableError, version_measure
from recommendations.services.registry import version_named
from recommendations.training_data import NoTrainingDataError


class Command(BaseCommand):
    """Fits the recipe once per protocol, so it takes minutes; the figures stay with the version."""

    help = "Measure a model version's recipe on every protocol and keep the figures."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", nargs="?", help="the policy being served if not given")
        parser.add_argument(
            "--protocols",
            default=",".join(PROTOCOLS),
            help=f"by name, with commas between (default: {','.join(PROTOCOLS)})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(
            file=cast(IO[str], self.stdout), width=None if self.stdout.isatty() else 160
        )
        try:
            version = version_named(options["version"]) if options["version"] else _served()
            found = version_measure(
                version,
                [name.strip() for name in options["protocols"].split(",")],
                on_progress=lambda name, share: console.print(f"{share:4.0%} {name}"),
            )
        except (
            ModelVersion.DoesNotExist,
            UnknownProtocolError,
            NotMeasurableError,
            NoTrainingDataError,
        ) as error:
            raise CommandError(str(error)) from error
        console.print(protocols_table(version.kind, found))


def _served() -> ModelVersion:
    version = ModelVersion.objects.filter(kind="hybrid", status="active").first()
    if version is None:
        raise CommandError("No policy is being served. Train one: manage.py train.")
    return version
