"""``manage.py cache_images``: posters and backdrops onto our own disk."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from catalog.images import images_cache, images_lost_forget, images_wanted
from catalog.management.progress import progress_shown
from catalog.tmdb.errors import NoKeyError


class Command(BaseCommand):
    """Fetches what TMDB has and we do not; films without a picture keep their drawn one."""

    help = "Fetch posters and backdrops that TMDB has, the most rated films' first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many, and how many at once."""
        parser.add_argument("--limit", type=int, help="at most this many pictures")
        parser.add_argument("--threads", type=int, default=4, help="default 4")

    def handle(self, *args: Any, limit: int | None, threads: int, **options: Any) -> None:
        """Fetch, and say how it went."""
        if not settings.TMDB_API_KEY:
            raise CommandError(str(NoKeyError()))
        images_lost_forget()
        wanted = images_wanted(now=timezone.now(), limit=limit)
        with progress_shown(is_quiet=options["verbosity"] == 0) as progress:
            counts = images_cache(
                wanted,
                threads=max(1, min(threads, 16)),
                on_done=lambda done: progress("Fetching pictures", done, len(wanted)),
            )
        self.stdout.write(f"{counts['cached']:,} pictures cached, {counts['failed']:,} failed.")
