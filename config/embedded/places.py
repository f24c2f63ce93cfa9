"""Folders, sockets and locks of the embedded servers."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from config.embedded.errors import EmbeddedServiceError, disk_full, explain_os_error

BASE_DIR = Path(__file__).resolve().parent.parent.parent

# A fresh cluster takes 40 MB and its first write-ahead segments 32 MB more.
MIN_FREE_BYTES = 150 * 1024 * 1024
# sun_path holds 108 bytes on Linux and 104 on macOS, the final zero included.
MAX_SOCKET_BYTES = 100
# What needs no quoting in a URL, a shell or postgresql.conf.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./-]+")
# Whoever holds the lock may be creating a cluster on a slow disk.
LOCK_TIMEOUT_S = 120


def var_dir() -> Path:
    """Where everything that runs keeps its files; absolute."""
    return Path(os.environ.get("MARQUEE_VAR") or BASE_DIR / "var").absolute()


def make_folder(path: Path) -> Path:
    """Create ``path``, private to this user below ``var/``; a refusal becomes one sentence."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain_os_error(error, path) from error
    return path


def check_disk_space(path: Path) -> None:
    """Refuse to create servers on a disk that would fill up under them."""
    if shutil.disk_usage(path).free < MIN_FREE_BYTES:
        raise disk_full(path)


def socket_folder(service_folder: Path, *, socket_name: str) -> Path:
    """A folder whose path is short and plain enough for a Unix socket.

    Usually the service's own. Where the project lies too deep, or its path holds a space, it is a
    private folder under the temporary folder, named after the service's folder.
    """
    wanted = service_folder / socket_name
    if len(os.fsencode(wanted)) < MAX_SOCKET_BYTES and _PLAIN_PATH.fullmatch(str(wanted)):
        return service_folder
    digest = hashlib.sha256(os.fsencode(service_folder)).hexdigest()[:12]
    name = f"marquee-{os.geteuid()}-{digest}"
    base = Path(tempfile.gettempdir())
    if len(os.fsencode(base / name / socket_name)) >= MAX_SOCKET_BYTES:
        base = Path("/tmp")  # noqa: S108 - the folder below is private and its owner is checked
    return _private_folder(base / name)


def _private_folder(path: Path) -> Path:
    """``path`` as a folder of mode 0700 that nobody else put there."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise explain_os_error(error, path) from error
    # As root, the folder belongs to the server's user after the first start.
    is_ours = found.st_uid == os.geteuid() or os.geteuid() == 0
    if not stat.S_ISDIR(found.st_mode) or not is_ours:
        msg = f"{path} belongs to somebody else: remove it, or set TMPDIR to another folder."
        raise EmbeddedServiceError(msg)
    return path


def remove_private_folder(path: Path, service_folder: Path) -> None:
    """Tidy up behind ``socket_folder``, once the server has stopped and removed its socket."""
    if path != service_folder:
        # Somebody's file in it is none of our business: then it stays.
        with suppress(OSError):
            path.rmdir()


def open_lock_file(path: Path) -> int:
    """A descriptor for ``flock``; child programs do not inherit it."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise explain_os_error(error, path) from error


@contextmanager
def exclusive(path: Path, *, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    """Hold the lock file at ``path`` alone; the kernel lets go of it even when we are killed."""
    descriptor = open_lock_file(path)
    try:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    msg = (
                        f"Another process has been starting Marquee's servers for {timeout_s:.0f} "
                        f"seconds (it holds {path}): end it and try again."
                    )
                    raise EmbeddedServiceError(msg) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)
