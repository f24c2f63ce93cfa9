"""Who was forgotten, as digests: in the database, and in a file that no restore undoes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection

from accounts.models import Tombstone, User


def digest_of(user: User) -> str:
    """The same for the same row in any backup, and for no other row.

    From the row's number and the microsecond of joining, not from the address: addresses can be
    guessed, and whoever registers anew with an old one is somebody new.
    """
    said = f"marquee.person|{user.pk}|{user.date_joined.isoformat(timespec='microseconds')}"
    return hashlib.sha256(said.encode()).hexdigest()


def tombstone_file() -> Path:
    """Beside the database, not in it: keep it apart from backups, and through every restore."""
    return Path(settings.VAR_DIR) / "tombstones.jsonl"


def tombstone_set(digest: str, *, at: datetime) -> None:
    """Writes it to both places; the file first, so that none is only promised."""
    tombstones_write({digest: at}, tombstone_file())
    Tombstone.objects.get_or_create(digest=digest, defaults={"erased_at": at})


def tombstones_write(digests: Mapping[str, datetime], path: Path) -> None:
    """Appends those to a file, and to the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        for digest, at in digests.items():
            file.write(json.dumps({"digest": digest, "erased_at": at.isoformat()}) + "\n")
        file.flush()
        os.fsync(file.fileno())


def tombstones_all(path: Path | None = None) -> dict[str, datetime]:
    """Digests of both places, and of ``path``; a line that a crash cut off is passed over."""
    found = {}
    # A restore asks before there is any table.
    if Tombstone._meta.db_table in connection.introspection.table_names():
        found = dict(Tombstone.objects.values_list("digest", "erased_at"))
    for source in {tombstone_file(), path} - {None}:
        if source is not None:
            found = tombstones_read(source) | found
    return found


def tombstones_read(path: Path) -> dict[str, datetime]:
    """Of a file; empty where there is none."""
    found: dict[str, datetime] = {}
    if not path.exists():
        return found
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
            found.setdefault(entry["digest"], datetime.fromisoformat(entry["erased_at"]))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def people_to_forget_again(path: Path | None = None) -> list[User]:
    """People here who were forgotten: a backup from before brought them back."""
    known = tombstones_all(path)
    if not known:
        return []
    return [user for user in User.objects.all().iterator() if digest_of(user) in known]
