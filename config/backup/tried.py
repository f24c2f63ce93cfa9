"""What the last trial of a restore came to: written beside the backups, read by ``/status/``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from config.backup.manifest import BackupError, BackupManifest, write_flushed
from dashboard.monitoring.status import RESTORE_TEST


@contextmanager
def failure_noted(manifest: BackupManifest) -> Iterator[None]:
    """A ``BackupError`` in the block says that this backup could not be restored."""
    try:
        yield
    except BackupError as error:
        try:
            note(manifest, is_passed=False, said=str(error))
        except BackupError as unwritten:
            raise BackupError(f"{error} {unwritten}") from error
        raise


def note(manifest: BackupManifest, *, is_passed: bool, said: str) -> Path:
    """Writes the outcome in place of the last one. Raises ``BackupError`` where it cannot."""
    file = Path(settings.BACKUPS_DIR) / RESTORE_TEST
    content = {
        "at": timezone.now().isoformat(),
        "is_passed": is_passed,
        "said": said,
        "backup_created_at": manifest.created_at,
    }
    draft = file.with_suffix(".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_flushed(draft, (json.dumps(content, indent=1) + "\n").encode())
        draft.replace(file)
    except OSError as error:
        msg = f"The outcome could not be written to {file}: {error.strerror}."
        raise BackupError(msg) from error
    return file
