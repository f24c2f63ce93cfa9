"""What a backup holds, and whether it still does."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

FORMAT = 1
NAME = "manifest.json"
DUMP = "database.dump"
_BLOCK = 1 << 20

#: What is done, how much of it, and how much there is (bytes).
Show = Callable[[str, int, int | None], None]


class BackupError(Exception):
    """A backup cannot be made or used; the message says why and what to do."""


@dataclass(frozen=True)
class FileEntry:
    """One file, by its path inside the backup."""

    path: str
    n_bytes: int
    sha256: str


@dataclass(frozen=True)
class BackupManifest:
    """The description beside the files. ``tables`` counts rows in the snapshot that was dumped."""

    created_at: str
    postgres: str
    migrations: dict[str, list[str]]
    tables: dict[str, int]
    files: list[FileEntry]
    warnings: list[str] = field(default_factory=list)
    format: int = FORMAT

    @property
    def n_bytes(self) -> int:
        """The size of all files."""
        return sum(file.n_bytes for file in self.files)

    def write(self, folder: Path) -> None:
        """Write it, its own sha256 in the first line of a file beside it."""
        text = json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"
        write_flushed(folder / NAME, text.encode())
        digest = hashlib.sha256(text.encode()).hexdigest()
        write_flushed(folder / f"{NAME}.sha256", f"{digest}  {NAME}\n".encode())


def read_manifest(folder: Path) -> BackupManifest:
    """The manifest of a backup. Raises ``BackupError`` where it is missing or was changed."""
    try:
        text = (folder / NAME).read_text(encoding="utf-8")
        digest = (folder / f"{NAME}.sha256").read_text(encoding="ascii").split()[0]
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        msg = f"{folder} is no backup of Marquee, or a half one: {missing} is missing."
        raise BackupError(msg) from error
    except (OSError, ValueError, IndexError) as error:
        msg = f"The manifest of {folder} cannot be read ({error}): take another backup."
        raise BackupError(msg) from error
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        msg = (
            f"The manifest of {folder} was changed since the backup was made: take another backup."
        )
        raise BackupError(msg)
    try:
        raw: dict[str, Any] = json.loads(text)
        if raw["format"] != FORMAT:
            msg = f"{folder} is a backup of format {raw['format']}, this Marquee reads {FORMAT}."
            raise BackupError(msg)
        return BackupManifest(**{**raw, "files": [FileEntry(**entry) for entry in raw["files"]]})
    except (ValueError, KeyError, TypeError) as error:
        msg = f"The manifest of {folder} lacks or misnames a field ({error})."
        raise BackupError(msg) from error


def verify_files(folder: Path, manifest: BackupManifest, show: Show) -> None:
    """Read every file and compare; raises ``BackupError`` with all that is wrong."""
    wrong: list[str] = []
    n_done = 0
    for entry in manifest.files:
        path = _inside(folder, entry.path)
        try:
            n_bytes, digest = path.stat().st_size, sha256_of(path)
        except FileNotFoundError:
            wrong.append(f"{entry.path} is missing")
            continue
        except OSError as error:
            wrong.append(f"{entry.path} cannot be read ({error.strerror})")
            continue
        if n_bytes != entry.n_bytes:
            wrong.append(f"{entry.path} has {n_bytes} bytes instead of {entry.n_bytes}")
        elif digest != entry.sha256:
            wrong.append(f"{entry.path} is damaged (its sha256 is another)")
        n_done += entry.n_bytes
        show("Checking files", n_done, manifest.n_bytes)
    if wrong:
        shown = "; ".join(wrong[:5]) + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        msg = f"The backup is damaged: {shown}. Take another one; nothing was changed."
        raise BackupError(msg)


def copy_hashed(source: Path, target: Path) -> FileEntry:
    """Copy one file, flushed to disk; ``path`` of the entry is the target's name alone."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with source.open("rb") as reading, target.open("wb") as writing:
        while block := reading.read(_BLOCK):
            digest.update(block)
            writing.write(block)
        writing.flush()
        os.fsync(writing.fileno())
    return FileEntry(target.name, target.stat().st_size, digest.hexdigest())


def sha256_of(path: Path) -> str:
    """In hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_flushed(path: Path, content: bytes) -> None:
    """A small file, on disk when this returns."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """The names in a folder, on disk when this returns."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _inside(folder: Path, name: str) -> Path:
    """Where a file of the manifest lies; a name that leads out of the backup is refused."""
    parts = PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts:
        msg = f"The manifest names a file outside the backup: {name}."
        raise BackupError(msg)
    return folder / parts
