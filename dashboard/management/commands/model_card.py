"""``manage.py model_card [VERSION]``: a model version's card as Markdown."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dashboard.model_card import card_markdown, model_card
from recommendations.models import ModelVersion
from recommendations.services.registry import version_named


class Command(BaseCommand):
    """To the screen, or into a file."""

    help = "Write a model version's card as Markdown."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", nargs="?", help="the policy being served if not given")
        parser.add_argument("--output", type=Path, metavar="FILE", help="instead of the screen")

    def handle(self, *args: Any, **options: Any) -> None:
        text = card_markdown(model_card(_version(options["version"])))
        if options["output"] is None:
            self.stdout.write(text, ending="")
            return
        try:
            options["output"].write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{options['output']} cannot be written: {error}") from error
        self.stdout.write(f"Written to {options['output']}.")


def _version(name: str | None) -> ModelVersion:
    if name is None:
        version = ModelVersion.objects.filter(kind="hybrid", status="active").first()
        if version is None:
            raise CommandError("No policy is being served. Train one: manage.py train.")
        return version
    try:
        return version_named(name)
    except ModelVersion.DoesNotExist as error:
        raise CommandError(str(error)) from error
