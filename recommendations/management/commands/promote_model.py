"""``manage.py promote_model VERSION | --from FOLDER``: serves a version, past the gate."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations.models import ModelVersion
from recommendations.services.registry import (
    PromotionError,
    model_promote,
    version_named,
    version_register,
)


class Command(BaseCommand):
    """Exit status 1, with the reason, where the version cannot be served."""

    help = "Serve this model version: running processes swap to it within seconds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("version", nargs="?", help="its name, as evaluate_model lists it")
        which.add_argument(
            "--from",
            dest="folder",
            type=Path,
            metavar="FOLDER",
            help="take in a model that was made elsewhere",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["folder"]:
                version = version_register(options["folder"])
            else:
                version = version_named(options["version"])
        except (ModelVersion.DoesNotExist, PromotionError) as error:
            raise CommandError(str(error)) from error
        was_active = version.status == ModelVersion.Status.ACTIVE
        try:
            model_promote(version)
        except PromotionError as error:
            raise CommandError(f"{error} What was served still is.") from error
        if was_active:
            self.stdout.write(f"{version.version} was being served already.")
        else:
            self.stdout.write(f"Now serving {version.version}.")
