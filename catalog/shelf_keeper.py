"""A thread that keeps a web process' shelf (``catalog.shelf``) as the catalogue is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import Error as DatabaseError
from django.db import connection

from catalog.shelf import Shelf, forget_shelf, look_for_changes
from ml.compiled import POSTINGS, RETRIEVAL, ROUGH, load_kernels

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
REST_S = 5.0


class ShelfKeeper:
    """Looks every ``LOOK_EVERY_S`` whether the catalogue changed, until stopped.

    ``prepare`` is called in its thread once there is a new shelf, for what else the first to ask
    would wait for; ``follow`` after each look, for what changes apart from it.
    """

    def __init__(
        self,
        *,
        look_every_s: float = LOOK_EVERY_S,
        rest_s: float = REST_S,
        prepare: Callable[[], None] = lambda: None,
        follow: Callable[[], None] = lambda: None,
    ) -> None:
        self._look_every_s = look_every_s
        self._rest_s = rest_s
        self._prepare = prepare
        self._follow = follow
        self._shelf: Shelf | None = None
        self._prepared: Shelf | None = None
        self._is_blind = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shelf-keeper", daemon=True)

    def start(self) -> None:
        """Reads the catalogue before it returns, then looks on in a thread of its own."""
        self._attempt(self._look)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; everybody asks the database again."""
        self._stopping.set()
        self._thread.join()
        forget_shelf()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                if self._shelf is not self._prepared:
                    self._prepared = self._shelf
                    self._attempt(self._prepare)
                    self._attempt(self._follow)
                    self._stopping.wait(self._rest_s)
                elif not self._stopping.wait(self._look_every_s):
                    self._attempt(self._look)
                    self._attempt(self._follow)
        finally:
            connection.close()  # this thread's own

    def _look(self) -> None:
        self._shelf = look_for_changes()

    def _attempt(self, step: Callable[[], object]) -> None:
        try:
            step()
        except DatabaseError as error:
            # The shelf grows old and is not used then; the next look takes a new connection.
            if not self._is_blind:
                logger.warning("The catalogue could not be looked at: %s", error)
            self._is_blind = True
            connection.close()
        except Exception as error:  # noqa: BLE001 - the thread must outlive whatever a step meets
            if not self._is_blind:
                logger.error("The shelf could not be kept: %r", error)  # noqa: TRY400 - one line
            self._is_blind = True
        else:
            self._is_blind = False


def start_keeping(prepare: Callable[[], None], follow: Callable[[], None]) -> ShelfKeeper:
    """For the start of a web process; search's sums are compiled for it, too."""
    for name in (POSTINGS, RETRIEVAL, ROUGH):
        load_kernels(name)
    keeper = ShelfKeeper(prepare=prepare, follow=follow)
    keeper.start()
    return keeper
