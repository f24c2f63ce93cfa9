"""``manage.py embed_movies``: vectors for films whose text changed, and the index of words."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from catalog.embeddings.encoders import EncoderUnavailableError, document_encoder
from catalog.models import Movie
from catalog.services.embeddings import films_embed, spaces_drop_others
from catalog.services.search_terms import search_terms_rebuild


class Command(BaseCommand):
    """Only what changed is embedded; a killed run goes on where it stopped."""

    help = (
        "Embed the films whose text changed, with TEXT_ENCODER (or --encoder), and index all "
        "words for search. A new encoder's vectors fill beside the old ones; search switches to "
        "them when every film has one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--encoder, --limit, --drop-others."""
        parser.add_argument(
            "--encoder",
            default=settings.TEXT_ENCODER,
            help="name or local folder of a sentence-transformers model (default: TEXT_ENCODER)",
        )
        parser.add_argument("--limit", type=int, help="embed at most so many films")
        parser.add_argument(
            "--drop-others",
            action="store_true",
            help="afterwards delete the vectors of every encoder but the active one",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Embed, index, say what was done."""
        if not Movie.objects.exists():
            raise CommandError(
                "There are no films yet: run manage.py load_starter, import_movielens or "
                "import_catalog first."
            )
        started_at = time.monotonic()
        n_words = search_terms_rebuild()  # found by words at once, by meaning as the vectors come
        self.stdout.write(f"Words indexed: {n_words:,} ({time.monotonic() - started_at:.1f} s).")
        try:
            encoder = document_encoder(options["encoder"])
        except EncoderUnavailableError as error:
            raise CommandError(str(error)) from error
        loaded_at = time.monotonic()
        console = Console(stderr=True)
        columns = (
            TextColumn("Embedding"),
            BarColumn(complete_style="yellow", finished_style="yellow"),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
        )
        is_quiet = options["verbosity"] == 0 or not console.is_terminal
        try:
            with Progress(*columns, console=console, disable=is_quiet) as bar:
                task = bar.add_task("embed", total=None)
                report = films_embed(
                    encoder,
                    limit=options["limit"],
                    on_progress=lambda done, total: bar.update(task, completed=done, total=total),
                )
        except KeyboardInterrupt as error:
            raise CommandError(
                "Stopped. What was embedded is kept: run it again to go on.", returncode=130
            ) from error
        seconds = time.monotonic() - loaded_at
        rate = f", {report.n_embedded / seconds:.0f} a second" if report.n_embedded else ""
        self.stdout.write(
            f"{report.encoder} ({report.dim} numbers): {report.n_embedded:,} embedded"
            f"{rate}, {report.n_unchanged:,} unchanged."
        )
        if report.has_switched:
            self.stdout.write(f"Search uses {report.encoder} from now on.")
        elif not report.is_active:
            self.stdout.write("Not every film has a vector yet: search keeps what it uses.")
        if options["drop_others"] and (dropped := spaces_drop_others()):
            self.stdout.write(f"Dropped the vectors of {', '.join(dropped)}.")
        self.stdout.write(f"Took {time.monotonic() - started_at:.1f} s.")
