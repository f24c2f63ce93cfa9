"""``manage.py import_catalog PATH``: a wide table of film metadata."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from catalog.ingestion.errors import IngestionError
from catalog.ingestion.wide import import_table
from catalog.management.progress import progress_shown


class Command(BaseCommand):
    """Facts, words and people of many films at once; films that we lack come in too."""

    help = (
        "Import a Parquet or CSV table of film metadata as TMDB has it (tmdb_id and title; "
        "optional: imdb_id, movielens_ids, original_title, original_language, release_date, year, "
        "runtime, genres, overview, tagline, keywords, cast, director, mpaa, poster_path, "
        "backdrop_path, production_countries, votes). In CSV, lists are written a|b|c. Running "
        "it again changes nothing; what editors changed is kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The table."""
        parser.add_argument("path", type=Path, help="a .parquet or .csv file")

    def handle(self, *args: Any, path: Path, **options: Any) -> None:
        """Import, and say what changed."""
        try:
            with progress_shown(is_quiet=options["verbosity"] == 0) as progress:
                report = import_table(path, progress=progress)
        except IngestionError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database refused: {error}. Nothing was changed.") from error
        films = report.films
        self.stdout.write(
            f"Films: {films.created:,} created, {films.updated:,} updated, "
            f"{films.unchanged:,} unchanged"
            + (f", {films.merged:,} listed twice and left out." if films.merged else ".")
        )
        for reason, count in report.rejected.most_common():
            self.stdout.write(f"Left out: {count:,} rows because {reason}.")
        if films.changed == 0:
            self.stdout.write("Everything was here already: 0 rows changed.")
