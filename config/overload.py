"""More requests than this process can answer in time are told so at once, instead of all waiting.

The server's threads stand in three groups: ``WEB_THREADS`` work, ``WEB_QUEUE`` wait for their turn
at most ``WEB_QUEUE_S`` seconds, and a few are left over to say no. A queue without an end would
make everybody wait until nobody is answered in time: the work is then done for people who left.
Health answers come before this, so that a full process is not taken for a dead one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config.faults import overloaded
from config.neighbours import neighbours_at

RETRY_AFTER_S = 2


class Gate:
    """``n_working`` at once, ``n_waiting`` more in a line with an end and a limit of time.

    Whoever leaves hands the place to the first in line: with a plain semaphore those who come take
    it from under those who wait, and some of 40 people waited over 30 s (measured).
    """

    def __init__(
        self,
        *,
        n_working: int,
        n_waiting: int,
        wait_s: float,
        on_change: Callable[[int], None] | None = None,
    ) -> None:
        self._n_working = self._n_free = n_working
        self._n_places = n_waiting
        self._wait_s = wait_s
        self._line: deque[threading.Event] = deque()
        self._lock = threading.Lock()
        self._on_change = on_change

    @property
    def n_inside(self) -> int:
        """How many work or stand in line."""
        return self._n_working - self._n_free + len(self._line)

    @property
    def n_waiting(self) -> int:
        """How many stand in line."""
        return len(self._line)

    @contextmanager
    def passed(self) -> Iterator[bool]:
        """Whether it is one's turn; False where the line is full, or one's time in it is over."""
        is_in = self._enter()
        try:
            yield is_in
        finally:
            if is_in:
                self._leave()

    def _enter(self) -> bool:
        with self._lock:
            if self._n_free > 0:
                self._n_free -= 1
                self._tell()
                return True
            if len(self._line) >= self._n_places:
                return False
            turn = threading.Event()
            self._line.append(turn)
            self._tell()
        if turn.wait(self._wait_s):
            return True
        with self._lock:
            # The place may have been handed over at the very end of the wait.
            if turn.is_set():
                return True
            self._line.remove(turn)
            self._tell()
            return False

    def _leave(self) -> None:
        with self._lock:
            if self._line:
                self._line.popleft().set()
            else:
                self._n_free += 1
            self._tell()

    def _tell(self) -> None:
        if self._on_change is not None:
            self._on_change(self.n_inside)


class OverloadMiddleware:
    """Lets as many requests through as the gate does."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._neighbours = neighbours_at(Path(settings.VAR_DIR, "web-load"))
        self.gate = Gate(
            n_working=settings.WEB_THREADS,
            n_waiting=settings.WEB_QUEUE,
            wait_s=settings.WEB_QUEUE_S,
            on_change=self._neighbours.tell if self._neighbours is not None else None,
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with self.gate.passed() as is_in:
            if not is_in:
                return overloaded(request, retry_after_s=RETRY_AFTER_S)
            response = self.get_response(request)
            # Other servers than ours (runserver, tests) do not let a view say this.
            if request.META.get("SERVER_SOFTWARE") == "Granian" and self.is_busier():
                response["Connection"] = "close"
            return response

    def is_busier(self) -> bool:
        """Whether another process of this machine has at least two requests fewer."""
        least = None if self._neighbours is None else self._neighbours.least()
        return least is not None and self.gate.n_inside > least + 1
