"""One site for all faults; ``make faults`` runs all of them and writes the table."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.faults.site import Person, Site
from tests.faults.table import Matrix

_MATRIX = Matrix()
IS_WHOLE = os.environ.get("MARQUEE_FAULTS") == "1"


def pytest_collection_modifyitems(config, items):
    """The slow half runs where it was asked for."""
    if IS_WHOLE:
        return
    slow = [item for item in items if item.get_closest_marker("faults")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


def pytest_terminal_summary(terminalreporter):
    """Prints the matrix; ``make faults`` also writes it."""
    if not _MATRIX.rows:
        return
    today = datetime.now(tz=UTC).date()
    terminalreporter.section("fault matrix")
    terminalreporter.write(_MATRIX.markdown())
    # A fault whose test failed has added no row: what is written was seen.
    if IS_WHOLE:
        _MATRIX.write(today)


@pytest.fixture(scope="session")
def matrix() -> Matrix:
    """Where each test writes its row."""
    return _MATRIX


@pytest.fixture(scope="session")
def running_site() -> Iterator[Site]:
    """Started by the first test that asks."""
    made = Site()
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def site(running_site) -> Site:
    """Well before the fault; each test waits until it is well again."""
    running_site.heal()
    return running_site


@pytest.fixture
def reader(site) -> Person:
    """A visitor with some ratings, whose list the model makes."""
    with site.sql() as opened:
        rows = opened.execute("SELECT id FROM catalog_movie ORDER BY id LIMIT 4").fetchall()
    person = Person(site, [row[0] for row in rows])
    person.begin()
    return person
