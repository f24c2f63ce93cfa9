"""Postgres refuses to run as root: under root it runs as the system user ``pgserver``.

That user owns the data folder and must be able to reach it. So those parent folders (and the
installed binaries) that others cannot pass get the right to be passed, ``o+x``, and nothing more:
their contents stay unlisted. An ordinary user needs none of this.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from config.embedded.errors import EmbeddedServiceError

NAME = "pgserver"


@dataclass(frozen=True)
class ServerUser:
    """Who the server runs as, instead of root."""

    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Make the user the owner of one file or folder."""
        os.chown(path, self.uid, self.gid)

    def take_over(self, folder: Path, *, binaries: Path) -> None:
        """Give a fresh data folder to the user."""
        self.own(folder)
        self.reach(folder, binaries=binaries)

    def reach(self, folder: Path, *, binaries: Path) -> None:
        """Let the user pass to its data folder and to the installed binaries."""
        for parent in [*folder.resolve().parents, *binaries.resolve().parents]:
            _let_pass(parent)
        # Under umask 077 the package was installed readable for root alone.
        if not _is_open(binaries, stat.S_IROTH | stat.S_IXOTH):
            _open_tree(binaries)


def server_user(folder: Path) -> ServerUser | None:
    """The user for the server of ``folder``; nobody else than ourselves unless we are root."""
    if os.geteuid() != 0:
        return None
    try:
        found = folder.stat()
        if found.st_uid != 0:
            return ServerUser(uid=found.st_uid, gid=found.st_gid)
    except FileNotFoundError:
        pass
    entry = _system_user()
    return ServerUser(uid=entry.pw_uid, gid=entry.pw_gid)


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    command = [useradd or "useradd", "--system", "--no-create-home", "--user-group", NAME]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - fixed arguments
        return pwd.getpwnam(NAME)
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        msg = (
            f"Postgres does not run as root, and the system user {NAME} cannot be created: "
            f"create it (useradd --system {NAME}), or start Marquee as an ordinary user."
        )
        raise EmbeddedServiceError(msg) from error


def _is_open(path: Path, bits: int) -> bool:
    return path.stat().st_mode & bits == bits


def _let_pass(folder: Path) -> None:
    if not _is_open(folder, stat.S_IXOTH):
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXOTH)


def _open_tree(root: Path) -> None:
    for path in [root, *root.rglob("*")]:
        if path.is_symlink():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        passing = stat.S_IXOTH if mode & stat.S_IXUSR else 0
        path.chmod(mode | stat.S_IROTH | passing)
