"""How busy the other web processes of this machine are.

A client keeps its connection, and the kernel gave it to a process by chance: of eight clients on
two processes five or more share one of them two times of three, and wait for each other while the
other process rests. A process that has more to do than a neighbour closes a connection with its
answer; the client's next request makes a new one, and chance decides again.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
from functools import lru_cache
from pathlib import Path

logger = logging.getLogger(__name__)

PLACES = 64
MOST = 254
_NOBODY = 255


class Neighbours:
    """One byte a process, in a file that all of them have mapped.

    A process holds its place by a lock, which ends with it however it ends; whoever starts next
    takes such a place or clears it. Beyond ``PLACES`` processes nobody is compared.
    Raises OSError where the file cannot be had.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        if path.stat().st_size < PLACES:
            self._file.write(bytes([_NOBODY]) * (PLACES - path.stat().st_size))
            self._file.flush()
        self._busy = mmap.mmap(self._file.fileno(), PLACES)
        self._own = self._take_place()

    def _take_place(self) -> int | None:
        own = None
        for place in range(PLACES):
            if not self._lock(place):
                continue
            if own is None:
                own = place
                self._busy[place] = 0
            else:
                self._busy[place] = _NOBODY
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)
        return own

    def _lock(self, place: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except OSError:
            return False
        return True

    def tell(self, n: int) -> None:
        """This process has ``n`` requests inside."""
        if self._own is not None:
            self._busy[self._own] = min(n, MOST)

    def least(self) -> int | None:
        """The fewest that another process has; None where there is no other."""
        others = (n for place, n in enumerate(self._busy[:]) if place != self._own)
        least = min(others, default=_NOBODY)
        return None if least == _NOBODY or self._own is None else least


@lru_cache(maxsize=1)
def neighbours_at(path: Path) -> Neighbours | None:
    """The one of this process: closing a second file would end the first one's lock.

    None where there can be no such file.
    """
    try:
        return Neighbours(path)
    except OSError as error:
        logger.warning("Web processes do not know of each other: %s", error)
        return None
