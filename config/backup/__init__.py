"""Everything that cannot be made again, in one folder: ``manage.py backup`` and ``restore``.

A backup is a folder with the database as ``pg_dump`` writes it (custom format), the warehouse, the
models, and a manifest that names every file with its size and sha256 and every table with its
number of rows. It is written beside its place and renamed, so a folder of that name is whole.
"""

from __future__ import annotations

from config.backup.create import backup_create
from config.backup.manifest import BackupError, BackupManifest
from config.backup.restore import Restored, backup_restore, backup_try

__all__ = [
    "BackupError",
    "BackupManifest",
    "Restored",
    "backup_create",
    "backup_restore",
    "backup_try",
]
