"""Who uses the embedded servers: the last one out stops them.

Every process that called ``ensure_services()`` holds a shared ``flock`` on ``var/services.inuse``
as long as it lives; the kernel drops it even after ``kill -9``. Whoever ends and can turn its share
into an exclusive lock was the last: it stops the servers. Pids would lie after a crash or a reboot;
locks do not.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from config.embedded.places import open_lock_file


class Lease:
    """One process's share in the servers under ``var_dir``."""

    def __init__(self, var_dir: Path) -> None:
        self._descriptor = open_lock_file(var_dir / "services.inuse")
        self._pid = os.getpid()
        # Only the last one out takes it exclusively, and it holds the start lock meanwhile, as
        # every caller of this constructor does: so this never waits.
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    @property
    def is_own(self) -> bool:
        """False in a forked child, which must not stop its parent's servers."""
        return os.getpid() == self._pid

    def is_last(self) -> bool:
        """Whether nobody else uses the servers. Call it under the start lock."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Give the share back."""
        os.close(self._descriptor)
