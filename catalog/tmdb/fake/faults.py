"""How the fake misbehaves: at given rates, or by a script that a test wrote."""

from __future__ import annotations

import enum
import random
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass


class Fault(enum.StrEnum):
    """What goes wrong with one request; NONE is a good answer."""

    NONE = "none"
    BUSY = "429"
    BUSY_RETRY_AFTER = "429-retry-after"
    ERROR = "500"
    UNAVAILABLE_HTML = "503-html"
    TRUNCATED = "truncated"
    WRONG_TYPES = "wrong-types"
    NOT_JSON = "not-json"
    RESET = "reset"
    CUT_OFF = "cut-off"
    DRIP = "drip"
    OVERSIZED = "oversized"
    REDIRECT = "redirect"
    HANG = "hang"


_BROKEN = (Fault.TRUNCATED, Fault.WRONG_TYPES, Fault.NOT_JSON)


@dataclass(frozen=True)
class Rates:
    """Shares of requests (0-1) that go wrong; what is left over gets a good answer."""

    busy: float = 0.0
    error: float = 0.0
    broken: float = 0.0
    reset: float = 0.0
    drip: float = 0.0
    oversized: float = 0.0
    # Of the busy answers, how many say when to come back.
    busy_with_retry_after: float = 0.5
    retry_after_s: int = 1
    # An error comes in a burst of this many answers.
    error_burst: int = 1


class Mischief:
    """Decides what happens to the next request. The script comes first, then the rates."""

    def __init__(
        self, rates: Rates | None = None, *, seed: int = 0, script: Iterable[Fault] = ()
    ) -> None:
        self.rates = rates or Rates()
        self.script = deque(script)
        self._dice = random.Random(seed)  # noqa: S311 - faults need no secrecy
        self._burst = 0
        self._lock = threading.Lock()

    def next(self) -> Fault:
        """What happens now."""
        with self._lock:
            if self.script:
                return self.script.popleft()
            if self._burst:
                self._burst -= 1
                return Fault.ERROR
            fault = self._roll()
            if fault == Fault.ERROR:
                self._burst = self.rates.error_burst - 1
            return fault

    def _roll(self) -> Fault:
        rates, roll = self.rates, self._dice.random()
        busy = (
            Fault.BUSY_RETRY_AFTER
            if self._dice.random() < rates.busy_with_retry_after
            else Fault.BUSY
        )
        broken = self._dice.choice(_BROKEN)
        # A burst of n answers begins with a chance of 1/n of the rate, so that the share holds.
        error = rates.error / max(1, rates.error_burst)
        for share, fault in (
            (rates.busy, busy),
            (error, Fault.ERROR),
            (rates.broken, broken),
            (rates.reset, Fault.RESET),
            (rates.drip, Fault.DRIP),
            (rates.oversized, Fault.OVERSIZED),
        ):
            if roll < share:
                return fault
            roll -= share
        return Fault.NONE
