"""One thread per web process keeps the served model current: requests never wait for files.

The running experiment is looked for along with it.
"""

from __future__ import annotations

import logging
import threading

import numpy as np
from django.db import Error as DatabaseError
from django.db import connection

from ml.compiled import HYBRID, ITEM_TO_ITEM, RETRIEVAL, load_kernels
from ml.models.base import LinearRecommender
from ml.models.hybrid import Hybrid
from ml.retrieval import top_k
from recommendations.experiments import serving as experiments
from recommendations.services.gate import golden_histories
from recommendations.snapshot import keep_watched, look_for_snapshot

logger = logging.getLogger(__name__)

# A promotion is to be noticed within two seconds: one to look and one to load. Under load 15 on two
# cores 5.65 s were seen.
LOOK_EVERY_S = 0.5


class SnapshotWatch:
    """Looks for a promotion every ``LOOK_EVERY_S`` and swaps the model in, until stopped."""

    def __init__(self, *, look_every_s: float = LOOK_EVERY_S) -> None:
        self._look_every_s = look_every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="snapshot-watch", daemon=True)
        self._served: int | None = None

    def start(self) -> None:
        """Loads the active model before it returns, then looks on in a thread of its own."""
        self._look()
        keep_watched(True)
        experiments.keep_watched(True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; requests look for themselves again."""
        self._stopping.set()
        self._thread.join()
        keep_watched(False)
        experiments.keep_watched(False)

    def _run(self) -> None:
        try:
            while not self._stopping.wait(self._look_every_s):
                self._look()
        finally:
            connection.close()  # this thread's own

    def _look(self) -> None:
        try:
            snapshot = look_for_snapshot()
            experiments.look_for_experiment()
        except DatabaseError as error:
            # What is in memory goes on being served; the next look takes a new connection.
            logger.warning("The active model could not be looked up: %s", error)
            connection.close()
            return
        except Exception as error:  # noqa: BLE001 - the thread must outlive whatever a look meets
            logger.error("The active model could not be looked up: %r", error)  # noqa: TRY400
            return
        found = snapshot.version_id if snapshot is not None else None
        if snapshot is not None and found != self._served:
            _warm_up(snapshot.hybrid)
        self._served = found


def _warm_up(policy: Hybrid) -> None:
    """The first scores and reasons compile and page in: not at somebody's request."""
    for name in (ITEM_TO_ITEM, HYBRID, RETRIEVAL):
        load_kernels(name)
    golden = golden_histories(policy.n_items)
    top_k(policy.score(golden), 1)
    one, films = golden.select(np.array([len(golden) - 1])), np.arange(1)
    for model in policy.models.values():
        model.score(one)
        if isinstance(model, LinearRecommender):
            model.contributions(one, films)


def start_watching() -> SnapshotWatch:
    """For the start of a web process."""
    watch = SnapshotWatch()
    watch.start()
    return watch
