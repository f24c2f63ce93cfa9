"""``manage.py backup DIR``."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from catalog.management.progress import progress_shown
from config.backup import BackupError, backup_create


class Command(BaseCommand):
    """Database, warehouse and models into one folder, while everything runs."""

    help = (
        "Back up the database, the warehouse and the models into a new folder, with checksums. "
        "Marquee may go on running. Settings and secrets (.env) are not part of it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="a folder that does not exist yet")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        started_at = time.monotonic()
        former = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with progress_shown(is_quiet=options["verbosity"] == 0) as show:
                manifest = backup_create(folder, now=timezone.now(), show=show)
        except BackupError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. No backup was made.", returncode=130) from error
        finally:
            signal.signal(signal.SIGTERM, former)
        for warning in manifest.warnings:
            self.stderr.write(self.style.WARNING(f"Warning: {warning}."))
        rows = sum(manifest.tables.values())
        self.stdout.write(
            f"Backed up {rows:,} rows of {len(manifest.tables)} tables and "
            f"{len(manifest.files) - 1} files, {manifest.n_bytes / 1e6:,.1f} MB, "
            f"to {folder} in {time.monotonic() - started_at:.1f} s."
        )
