"""A circuit breaker: after many failures in a row nobody asks for a while, then one asks first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from catalog.tmdb.errors import BreakerOpenError, OutageError


class Breaker:
    """Shared by the threads of a process.

    ``threshold`` failures in a row open it for ``cooldown_s``; then one caller may try. After
    ``max_openings`` openings without a success in between it stays open.
    """

    def __init__(
        self,
        *,
        threshold: int = 20,
        cooldown_s: float = 30.0,
        max_openings: int = 3,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threshold = threshold
        self._cooldown_s = cooldown_s
        self._max_openings = max_openings
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._openings = 0
        self._open_until: float | None = None
        self._is_probing = False

    def before(self) -> None:
        """Call before a request.

        Raises ``BreakerOpenError`` while it is open, ``OutageError`` when it has given up.
        """
        with self._lock:
            if self._open_until is None:
                return
            if self._openings >= self._max_openings:
                raise OutageError(
                    f"TMDB failed {self._threshold} times in a row, and again after "
                    f"{self._openings - 1} pauses of {self._cooldown_s:.0f} s."
                )
            wait_s = self._open_until - self._clock()
            if wait_s > 0:
                raise BreakerOpenError(wait_s)
            if self._is_probing:
                # Somebody else is asking; whoever comes after looks again soon.
                raise BreakerOpenError(min(1.0, self._cooldown_s))
            self._is_probing = True

    def succeeded(self) -> None:
        """TMDB answered."""
        with self._lock:
            self._failures = self._openings = 0
            self._open_until = None
            self._is_probing = False

    def failed(self) -> None:
        """TMDB did not answer, or answered that it cannot."""
        with self._lock:
            self._failures += 1
            if self._is_probing or (self._open_until is None and self._failures >= self._threshold):
                self._open_until = self._clock() + self._cooldown_s
                self._openings += 1
                self._is_probing = False
