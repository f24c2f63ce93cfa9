"""Keeps the processes of the Procfile running, on top of honcho.

honcho starts them, prints what they say and ends all when one ends. Here a process that dies is
started again, with growing pauses; one that cannot stay up ends the whole. Nothing survives a
killed supervisor: the relay between it and each process notices and ends the process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from honcho.manager import Manager
from honcho.printer import Printer
from honcho.process import Process

from config.embedded.pids import end_process, read_record, write_record

# A process that lived this long had started well: its next death counts as the first.
STABLE_AFTER_S = 30.0
MAX_QUICK_DEATHS = 5
MAX_PAUSE_S = 16.0
STOP_TIMEOUT_S = 5.0
_POLL_S = 0.2
# A relay's last message is in the queue within this time after its death, or will never be.
_LOST_AFTER_S = 1.0


class RestartingProcess(Process):
    """One line of the Procfile; ``run`` is the relay, in a process of its own."""

    def __init__(self, cmd: str, *, stopping: Event, record: Path, **options: Any) -> None:
        super().__init__(cmd, **options)
        self._stopping = stopping
        self._record = record

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        """Start the command, again and again until told to stop; honcho's messages throughout."""
        self._events = events
        # Ctrl-C reaches the whole terminal; the supervisor decides who ends when.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        supervisor = os.getppid()
        quick_deaths = 0
        while True:
            started_at = time.monotonic()
            code = self._run_once(supervisor)
            if os.getppid() != supervisor:
                # Nobody reads the messages any more, and waiting for a reader would hang here.
                events.cancel_join_thread()
                break
            if self._stopping.is_set():
                break
            if time.monotonic() - started_at >= STABLE_AFTER_S:
                quick_deaths = 0
            quick_deaths += 1
            if quick_deaths == MAX_QUICK_DEATHS:
                self._say(f"{self.name} {_ending(code)} {quick_deaths} times in a row; giving up")
                break
            pause_s = min(2.0 ** (quick_deaths - 1), MAX_PAUSE_S)
            self._say(f"{self.name} {_ending(code)}; starting it again in {pause_s:.0f} s")
            if self._stopping.wait(pause_s):
                break
        self._record.unlink(missing_ok=True)
        self._send_message({"returncode": code}, type="stop")

    def _run_once(self, supervisor: int) -> int:
        self._child = self._child_ctor(self.cmd, env=self.env, cwd=self.cwd)
        write_record(self._record, self._child.pid)
        self._send_message({"pid": self._child.pid}, type="start")
        reader = threading.Thread(target=self._relay_lines, daemon=True)
        reader.start()
        while not self._has_ended(_POLL_S):
            if os.getppid() != supervisor:
                _signal_group(self._child.pid, signal.SIGTERM)
                self._has_ended(STOP_TIMEOUT_S)
                break
        # What the process left behind in its group (a pool, a server's workers), or all of it.
        _signal_group(self._child.pid, signal.SIGKILL)
        code = self._child.wait()
        reader.join(timeout=1)
        return code

    def _has_ended(self, timeout_s: float) -> bool:
        try:
            self._child.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _relay_lines(self) -> None:
        for line in iter(self._child.stdout.readline, b""):
            self._send_message(line)

    def _say(self, text: str) -> None:
        self._send_message(f"{text}\n")


class _LeadersFirst:
    """Whom honcho's two signals reach: asked to end is the process that leads, killed its group.

    A Celery worker asked so lets its pool finish what it holds. A pool that gets the signal as well
    dies over its tasks, and the worker reports each of them lost, with a traceback.
    """

    @staticmethod
    def terminate(pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)

    @staticmethod
    def kill(pid: int) -> None:
        _signal_group(pid, signal.SIGKILL)


class Supervisor(Manager):
    """Runs processes until one gives up or a signal asks to stop."""

    def __init__(
        self, *, run_dir: Path, printer: Printer, on_started: Callable[[Supervisor], None]
    ) -> None:
        super().__init__(printer)
        self._procmgr = _LeadersFirst()
        self._run_dir = run_dir
        self._on_started = on_started
        self.stopping = multiprocessing.Event()
        self.was_asked = False
        self._lost_since: dict[str, float] = {}

    def add(self, name: str, command: str, *, env: dict[str, str], cwd: Path) -> None:
        """Add a process under a name that is also its record's."""

        def build(cmd: str, **options: Any) -> RestartingProcess:
            return RestartingProcess(
                cmd, stopping=self.stopping, record=self._run_dir / f"{name}.json", **options
            )

        self._process_ctor = build
        self.add_process(name, command, env=env, cwd=str(cwd))

    def terminate(self) -> None:
        """Ask every process to end; those that have not after five seconds are killed."""
        # honcho's signal handlers set the return code before they call this.
        if self.returncode in {130, 143} and not self._terminating:
            self.was_asked = True
        self.stopping.set()
        super().terminate()

    def _start(self) -> None:
        super()._start()
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        # Only now: a thread must not be alive while processes are forked.
        threading.Thread(target=self._on_started, args=(self,), daemon=True).start()

    def _all_started(self) -> bool:
        self._bury_lost_relays()
        return super()._all_started()

    def _any_stopped(self) -> bool:
        # honcho starts its five seconds when the first process has ended; none may ever.
        return self._terminating or super()._any_stopped()

    def _bury_lost_relays(self) -> None:
        """A relay that was killed says nothing: end its process and count it as stopped."""
        for name, entry in self._processes.items():
            relay = entry.get("process")
            if relay is None or relay.is_alive() or "returncode" in entry:
                continue
            first_seen = self._lost_since.setdefault(name, time.monotonic())
            if time.monotonic() - first_seen < _LOST_AFTER_S:
                continue
            end_recorded(self._run_dir / f"{name}.json")
            entry.setdefault("pid", 0)
            entry["returncode"] = 1
            self._system_print(f"the relay of {name} was killed; stopping\n")


def end_recorded(path: Path) -> bool:
    """End the process group that a file records; True where it was still alive."""
    record = read_record(path)
    if record is None:
        return False
    was_alive = end_process(record, timeout_s=STOP_TIMEOUT_S, with_group=True)
    if was_alive:
        # Its leader is gone; whoever of the group ignored the signal is not needed either.
        _signal_group(record.pid, signal.SIGKILL)
    path.unlink(missing_ok=True)
    return was_alive


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _ending(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
