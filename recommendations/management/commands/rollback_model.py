"""``manage.py rollback_model``: back to the version that was served before."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations.services.registry import PromotionError, model_rollback


class Command(BaseCommand):
    """Exit status 1 where there is nothing to go back to."""

    help = "Serve the model version that was active before this one."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            version = model_rollback()
        except PromotionError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Now serving {version.version}.")
