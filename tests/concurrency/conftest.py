"""Starting several people's acts at one moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection

TIMEOUT_S = 60


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Runs every act in a thread of its own, all let go by one barrier; what each returned.

    An act that raised stands there as its exception. Fails where one does not end: a deadlock that
    Postgres did not see.
    """
    together = threading.Barrier(len(acts))
    outcomes: list[Any] = [None] * len(acts)

    def run(number: int, act: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            together.wait(timeout=TIMEOUT_S)
            outcomes[number] = act()
        except Exception as error:  # noqa: BLE001 - handed to the test, which asks for none
            outcomes[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=TIMEOUT_S)
    assert [thread.is_alive() for thread in threads] == [False] * len(threads)
    return outcomes


def errors(outcomes: Sequence[Any]) -> list[Exception]:
    """Those that raised."""
    return [outcome for outcome in outcomes if isinstance(outcome, Exception)]


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    """Files of the test's own."""
    settings.MODELS_DIR = tmp_path / "models"
    settings.WAREHOUSE_DIR = tmp_path / "warehouse"
