"""``manage.py load_starter``: the bundled films, for machines without a network."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.ingestion.errors import IngestionError
from catalog.ingestion.movielens import alone
from catalog.management.progress import progress_shown
from catalog.services.starter import starter_load


class Command(BaseCommand):
    """Films, people, keywords and synopses of the starter catalogue, with a simulated audience."""

    help = "Load the bundled starter catalogue. Running it again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, and say what changed."""
        try:
            with alone(), progress_shown(is_quiet=options["verbosity"] == 0) as progress:
                report = starter_load(progress)
        except IngestionError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. Nothing was changed.", returncode=130) from error
        films = report.films
        self.stdout.write(
            f"Films: {films.created:,} created, {films.updated:,} updated, "
            f"{films.unchanged:,} unchanged."
        )
        if report.audience is None:
            self.stdout.write("Audience: none simulated, there are real ratings.")
        else:
            state = "written to the warehouse" if report.audience_changed else "as before"
            self.stdout.write(
                f"Audience (simulated): {report.audience.n_ratings:,} ratings of "
                f"{report.audience.n_users:,} invented people, {state}."
            )
        if report.rows_changed == 0:
            self.stdout.write("Everything was here already: 0 rows changed.")
