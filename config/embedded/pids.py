"""Process ids on disk that cannot be mistaken for somebody else's process.

A number alone may belong to anybody after a crash or a reboot; together with the start time that
the operating system reports, it names one process.
"""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

# Start times are derived from the clock at boot: they may wobble by a tick, not by seconds.
_START_TOLERANCE_S = 1.0


@dataclass(frozen=True)
class ProcessRecord:
    """A process as it was when it was recorded."""

    pid: int
    started_at: float
    note: str = ""

    def process(self) -> psutil.Process | None:
        """The same process, if it is still alive."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started_at) > _START_TOLERANCE_S:
                return None
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
        except psutil.Error:
            return None
        return process


def write_record(path: Path, pid: int, *, note: str = "") -> None:
    """Record a living process; a process that is already gone leaves no file."""
    try:
        started_at = psutil.Process(pid).create_time()
    except psutil.Error:
        path.unlink(missing_ok=True)
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    text = json.dumps({"pid": pid, "started_at": started_at, "note": note})
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def read_record(path: Path) -> ProcessRecord | None:
    """What was recorded; nothing where the file is missing or unreadable."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return ProcessRecord(
            pid=int(found["pid"]),
            started_at=float(found["started_at"]),
            note=str(found.get("note", "")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def end_process(record: ProcessRecord, *, timeout_s: float, with_group: bool = False) -> bool:
    """End the recorded process, gently and then for good; True where it was still alive.

    ``with_group`` ends its children with it, where it leads a process group of its own.
    """
    was_alive = False
    for number in (signal.SIGTERM, signal.SIGKILL):
        if record.process() is None:
            break
        was_alive = True
        try:
            if with_group and os.getpgid(record.pid) == record.pid:
                os.killpg(record.pid, number)
            else:
                os.kill(record.pid, number)
        except ProcessLookupError:
            break
        # Not psutil's wait(): a dead process whose parent never asks stays on as a zombie.
        deadline = time.monotonic() + timeout_s
        while record.process() is not None and time.monotonic() < deadline:
            time.sleep(0.02)
    return was_alive
