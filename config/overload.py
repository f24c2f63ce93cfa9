"""More requests than this process can answer in time are told so at once, instead of all waiting.

The server's threads stand in three groups: ``WEB_THREADS`` work, ``WEB_TURNS`` of them undisturbed
for a moment; ``WEB_QUEUE`` wait for their turn at most ``WEB_QUEUE_S`` seconds, and a few are left
over to say no. A queue without an end would make everybody wait until nobody is answered in time:
the work is then done for people who left. Whoever waits may do meanwhile what ``WHILE_IN_LINE``
says. Health answers come before this, so that a full process is not taken for a dead one.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from config.faults import overloaded
from config.neighbours import neighbours_at

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 2
TURN_S = 0.1  # a list made anew takes .02


class _Visit:
    """Somebody at the gate: in line until ``let_in``, alone in their turn until ``turn_ends``."""

    __slots__ = ("let_in", "turn_ends")

    def __init__(self) -> None:
        self.let_in = threading.Event()
        self.turn_ends = 0.0


class Gate:
    """``n_working`` at once, ``n_waiting`` more in a line with an end and a limit of time.

    Who comes first goes first: with a plain semaphore those who come take the place from under
    those who wait, and some of 40 people waited over 30 s (measured).

    ``n_turns`` of those inside (all, if not given) have their turn: the next one is let in when one
    of them leaves, or has been inside for ``turn_s`` seconds. Python runs one thread at a time
    anyway: four that share it change places every few milliseconds, and each lasts as long as the
    last of them. Whoever waits for another machine's answer holds nobody up beyond the turn.
    """

    def __init__(
        self,
        *,
        n_working: int,
        n_waiting: int,
        wait_s: float,
        n_turns: int | None = None,
        turn_s: float = TURN_S,
        on_change: Callable[[int], None] | None = None,
    ) -> None:
        self._n_working, self._n_waiting = n_working, n_waiting
        self._n_turns = n_working if n_turns is None else n_turns
        self._wait_s, self._turn_s = wait_s, turn_s
        self._inside: list[_Visit] = []
        self._line: deque[_Visit] = deque()
        self._lock = threading.Lock()
        self._on_change = on_change

    @property
    def n_inside(self) -> int:
        """How many work or stand in line."""
        return len(self._inside) + len(self._line)

    @property
    def n_waiting(self) -> int:
        """How many stand in line."""
        return len(self._line)

    @contextmanager
    def passed(self, in_line: Callable[[], None] | None = None) -> Iterator[bool]:
        """Whether it is one's turn; False where the line is full, or one's time in it is over.

        Who has to wait does ``in_line`` first, which must not raise.
        """
        visit = self._enter(in_line)
        try:
            yield visit is not None
        finally:
            if visit is not None:
                self._leave(visit)

    def _enter(self, in_line: Callable[[], None] | None) -> _Visit | None:
        visit, gives_up_at = _Visit(), monotonic() + self._wait_s
        with self._lock:
            if self.n_inside >= self._n_working + self._n_waiting:
                return None
            self._line.append(visit)
            self._let_in()
        if in_line is not None and not visit.let_in.is_set():
            in_line()
        while not visit.let_in.wait(self._next_look_s(gives_up_at)):
            with self._lock:
                self._let_in()
                if not visit.let_in.is_set() and monotonic() >= gives_up_at:
                    self._line.remove(visit)
                    self._tell()
                    return None
        return visit

    def _leave(self, visit: _Visit) -> None:
        with self._lock:
            self._inside.remove(visit)
            self._let_in()

    def _let_in(self) -> None:
        """Whoever may come in now does; the lock is held."""
        now = monotonic()
        while self._line and len(self._inside) < self._n_working:
            if sum(one.turn_ends > now for one in self._inside) >= self._n_turns:
                break
            visit = self._line.popleft()
            visit.turn_ends = now + self._turn_s
            self._inside.append(visit)
            visit.let_in.set()
        self._tell()

    def _next_look_s(self, gives_up_at: float) -> float:
        """Until a turn ends without anybody leaving, or one's patience does."""
        now = monotonic()
        with self._lock:
            ends = [one.turn_ends for one in self._inside if one.turn_ends > now]
        return max(0.0, min([gives_up_at, *ends]) - now)

    def _tell(self) -> None:
        if self._on_change is not None:
            self._on_change(self.n_inside)


class OverloadMiddleware:
    """Lets as many requests through as the gate does."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._while_in_line = [import_string(name) for name in settings.WHILE_IN_LINE]
        self._neighbours = neighbours_at(Path(settings.VAR_DIR, "web-load"))
        self.gate = Gate(
            n_working=settings.WEB_THREADS,
            n_waiting=settings.WEB_QUEUE,
            wait_s=settings.WEB_QUEUE_S,
            n_turns=settings.WEB_TURNS,
            on_change=self._neighbours.tell if self._neighbours is not None else None,
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with self.gate.passed(partial(self._look_ahead, request)) as is_in:
            if not is_in:
                return overloaded(request, retry_after_s=RETRY_AFTER_S)
            response = self.get_response(request)
            # Other servers than ours (runserver, tests) do not let a view say this.
            if request.META.get("SERVER_SOFTWARE") == "Granian" and self.is_busier():
                response["Connection"] = "close"
            return response

    def _look_ahead(self, request: HttpRequest) -> None:
        """What can be done for a request before its turn; its answer never depends on it."""
        for step in self._while_in_line:
            try:
                step(request)
            except Exception:  # whatever a look meets, the request itself is still answered
                logger.exception("Looking ahead failed for %s", request.path)

    def is_busier(self) -> bool:
        """Whether another process of this machine has at least two requests fewer."""
        least = None if self._neighbours is None else self._neighbours.least()
        return least is not None and self.gate.n_inside > least + 1
