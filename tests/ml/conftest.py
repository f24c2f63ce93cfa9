"""Where the real data sets are, for the tests marked ``data``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of MARQUEE_DATA_DIR; the test is skipped by name without it."""
    given = os.environ.get("MARQUEE_DATA_DIR")
    if not given or not Path(given).is_dir():
        pytest.skip("needs MARQUEE_DATA_DIR with MovieLens folders")
    return Path(given)
