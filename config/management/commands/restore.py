"""``manage.py restore DIR``."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.management.progress import progress_shown
from config.backup import BackupError, backup_restore, backup_try


class Command(BaseCommand):
    """A backup into this place, checked before anything here is touched."""

    help = (
        "Restore a backup made by `manage.py backup` into the database and folders that the "
        "settings name. Stop web, worker and beat first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="the backup")
        parser.add_argument(
            "--force", action="store_true", help="replace the films and people that are here"
        )
        parser.add_argument(
            "--try",
            action="store_true",
            dest="is_trial",
            help="restore beside what is here, check it, take it away again: nothing has to stop",
        )

    def handle(self, *args: Any, folder: Path, force: bool, is_trial: bool, **options: Any) -> None:
        if is_trial and force:
            raise CommandError("--try replaces nothing: leave --force away.")
        started_at = time.monotonic()
        former = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with progress_shown(is_quiet=options["verbosity"] == 0) as show:
                if is_trial:
                    done = backup_try(folder, show=show, say=self._say)
                else:
                    done = backup_restore(folder, is_forced=force, show=show, say=self._say)
        except BackupError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. Nothing was changed.", returncode=130) from error
        finally:
            signal.signal(signal.SIGTERM, former)
        for warning in done.manifest.warnings:
            self.stderr.write(self.style.WARNING(f"Missing in the backup: {warning}."))
        self._say(done.smoke)
        what = "Could restore" if is_trial else "Restored"
        self._say(
            f"{what} the backup of {done.manifest.created_at}: "
            f"{sum(done.manifest.tables.values()):,} rows of {len(done.manifest.tables)} tables, "
            f"{len(done.manifest.files) - 1} files, {time.monotonic() - started_at:.1f} s."
        )

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
