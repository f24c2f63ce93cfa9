"""Other databases and folders than the test's own, for commands that run in processes of theirs."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.backup import postgres
from tests.processes import python


class Place:
    """A database and a ``var/`` that hold nothing yet."""

    def __init__(self, folder: Path) -> None:
        self.var = folder
        self.database = postgres.Database.of_django().named(f"place_{secrets.token_hex(4)}")
        self.env = {
            **os.environ,
            "DATABASE_URL": self.database.url(),
            "MARQUEE_VAR": str(folder),
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
        }

    @classmethod
    @contextmanager
    def made(cls, folder: Path) -> Iterator[Place]:
        """One with an empty database, which goes when the block ends."""
        place = cls(folder)
        postgres.create(place.database)
        try:
            yield place
        finally:
            postgres.drop(place.database)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command there."""
        return self.run("manage.py", *arguments)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A Python there."""
        return python(*arguments, env=self.env)

    def counts(self) -> dict[str, int]:
        """Rows by table."""
        with self.database.connected() as opened:
            return postgres.table_counts(opened)
