"""``manage.py up``: everything on one machine, from nothing to an address."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from honcho.environ import parse_procfile
from honcho.printer import Printer

from config import env
from config.bootstrap import StepFailed, run_steps
from config.demo import DemoLogin, ensure_demo_login
from config.embedded import Embedded, EmbeddedServiceError, ensure_services
from config.embedded.pids import read_record, write_record
from config.embedded.places import make_folder, open_lock_file
from config.metrics import forget_counts
from config.supervisor import Supervisor, end_recorded

READY_TIMEOUT_S = 120
_WATCH_EVERY_S = 1.0
# What a server listens on where "localhost" finds it.
_THIS_MACHINE = {"127.0.0.1", "0.0.0.0", "::", "::1", "localhost"}  # noqa: S104 - compared


class Command(BaseCommand):
    """Prepare what is missing, then run web, worker and beat until Ctrl-C."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--setup-only", action="store_true", help="prepare everything, start no processes"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Like Ctrl-C: so that what was started is also stopped.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        started_at = time.monotonic()
        self.host = env.text("HOST", "127.0.0.1")
        self.port = env.number("PORT", default=8000, minimum=1, maximum=65535)
        self.run_dir = make_folder(settings.VAR_DIR / "run")
        try:
            self._claim()
            self._end_leftovers()
            forget_counts()
            refuse_busy_port(self.host, self.port)
            self._say("Marquee is getting ready")
            run_steps(self._say)
            login = ensure_demo_login(settings.VAR_DIR) if settings.DEMO_LOGIN else None
            if not options["setup_only"]:
                self._serve(login, started_at)
        except StepFailed as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            # A full disk, most often; Postgres's own complaints come as sentences already.
            msg = f"Marquee cannot go on: {error}."
            raise CommandError(msg) from error
        except KeyboardInterrupt:
            self._say("\nStopped before everything was ready; the next start goes on from here.")
            sys.exit(130)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    @property
    def address(self) -> str:
        """Where a browser on this machine finds the site: by name, because passkeys want one."""
        if self.host in _THIS_MACHINE:
            return f"http://localhost:{self.port}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def _own_address(self) -> str:
        """The same by number: what ``localhost`` means is up to the machine."""
        numbers = {"0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}  # noqa: S104
        host = numbers.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def _claim(self) -> None:
        """One ``up`` per ``var/``: two would share a queue and stop each other's servers."""
        self._lock = open_lock_file(self.run_dir / "up.lock")
        deadline = time.monotonic() + 3
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # The relays of a killed `up` hold the lock until they have noticed: a second.
                if time.monotonic() > deadline:
                    record = read_record(self.run_dir / "up.json")
                    where = f" at {record.note} (process {record.pid})" if record else ""
                    msg = f"Marquee is already running{where}: use it, or stop it first."
                    raise CommandError(msg) from None
                time.sleep(0.1)
        write_record(self.run_dir / "up.json", os.getpid(), note=self.address)

    def _end_leftovers(self) -> None:
        """Processes of an ``up`` that was killed, by recorded pid and start time."""
        for path in sorted(self.run_dir.glob("*.json")):
            if path.name != "up.json" and end_recorded(path):
                self._say(f"  Ended {path.stem}, left over from a start that was killed")

    def _serve(self, login: DemoLogin | None, started_at: float) -> None:
        services = ensure_services()
        # Each process opens its own; a forked connection would be shared.
        connections.close_all()

        def watch(supervisor: Supervisor) -> None:
            if self._wait_until_ready(supervisor):
                self._announce(login, time.monotonic() - started_at)
            self._watch_services(supervisor, services)

        supervisor = Supervisor(run_dir=self.run_dir, printer=Printer(sys.stdout), on_started=watch)
        for name, command in processes().items():
            supervisor.add(name, command, env=self._environment(), cwd=settings.BASE_DIR)
        supervisor.loop()
        (self.run_dir / "up.json").unlink(missing_ok=True)
        if not supervisor.was_asked:
            msg = "Marquee has stopped because one of its processes could not be kept running."
            raise CommandError(msg)
        self._say("Marquee has stopped.")

    def _environment(self) -> dict[str, str]:
        """The Procfile's commands are those of this Python's environment."""
        folder = str(Path(sys.executable).parent)
        return {
            **os.environ,
            "PATH": os.pathsep.join([folder, os.environ.get("PATH", os.defpath)]),
            "HOST": self.host,
            "PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
        }

    def _wait_until_ready(self, supervisor: Supervisor) -> bool:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline and not supervisor.stopping.is_set():
            try:
                with urllib.request.urlopen(f"{self._own_address}/readyz", timeout=5) as answer:  # noqa: S310 - our own address
                    return bool(answer.status == 200)
            except (urllib.error.URLError, OSError):
                supervisor.stopping.wait(0.1)
        return False

    def _announce(self, login: DemoLogin | None, took_s: float) -> None:
        lines = [f"Marquee is ready at {self.address}  ({took_s:.1f} s)"]
        if login is not None:
            lines += ["", f"Demo login   {login.email}", f"Password     {login.password}"]
        lines += ["", "Ctrl-C stops everything."]
        width = max(len(line) for line in lines)
        frame = "─" * (width + 4)
        body = "\n".join(f"│  {line.ljust(width)}  │" for line in lines)
        self._say(f"\n┌{frame}┐\n{body}\n└{frame}┘\n")

    def _watch_services(self, supervisor: Supervisor, services: Embedded) -> None:
        """Bring back an embedded server that was killed; end the whole where that fails."""
        while not supervisor.stopping.wait(_WATCH_EVERY_S):
            lost = services.lost()
            if not lost:
                continue
            self._say(f"{' and '.join(lost)} ended; starting again")
            try:
                services.start()
            except EmbeddedServiceError as error:
                self._say(str(error))
                supervisor.terminate()


def processes() -> dict[str, str]:
    """The Procfile's lines: name -> command."""
    text = (settings.BASE_DIR / "Procfile").read_text(encoding="utf-8")
    return dict(parse_procfile(text).processes)


def refuse_busy_port(host: str, port: int) -> None:
    """Raise ``CommandError`` with one sentence unless a server can listen there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # As servers do: a port whose last connections are still winding down is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except socket.gaierror as error:
        msg = f"HOST={host} is no address of this machine: {error.strerror}."
        raise CommandError(msg) from error
    except PermissionError as error:
        msg = f"Port {port} needs more rights than this user has: choose one above 1023 with PORT."
        raise CommandError(msg) from error
    except OSError as error:
        msg = (
            f"Port {port} on {host} cannot be used ({error.strerror}): stop what uses it, "
            f"or choose another: PORT={port + 1 if port < 65535 else 8001} make run."
        )
        raise CommandError(msg) from error
