"""Python in a process of its own: commands under another environment than the tests'."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def python(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What it printed and how it ended; four minutes at most."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
