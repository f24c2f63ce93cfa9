"""Ten minutes of people on a whole running site in a large world, then more than it can answer.

    python -m benchmarks.load                               # make load: the whole, 15 minutes
    python -m benchmarks.load --people 8 --seconds 60 --overload-seconds 20 --out /tmp/load.json

The world is that of benchmarks.serving (138,493 people, 70,470 films, 20 million ratings), made
once and kept. ``manage.py up`` runs on it: web, worker, beat, Postgres and Redis; the crowd runs on
the same machine, so times are upper bounds. Without ``--out`` the table goes into
docs/reliability.md. Exit status 1 where a goal was missed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from benchmarks import serving_world
from benchmarks.load_run import Crowd, Watch, World, growth, recovery_s, run_crowd
from benchmarks.load_table import load_table
from benchmarks.marked_page import write_marked

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "benchmarks" / "results" / "load.json"
READY_TIMEOUT_S = 240
MAX_GROWTH = 0.10
# A page is answered as quickly as this again when the crowd is gone.
RECOVERED_WITHIN_S = 1.0
MAX_RECOVERY_S = 10.0


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=20, help="at once, with pauses")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two requests")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--overload-people", type=int, default=150, help="without a pause")
    parser.add_argument("--overload-seconds", type=int, default=60)
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--out", type=Path, help=f"JSON instead of {OUT.relative_to(ROOT)}")
    given = parser.parse_args()
    serving_world.enter()
    serving_world.make(lambda said: print(said, flush=True))
    steady = Crowd(people=given.people, seconds=given.seconds, pause_s=given.pause)
    over = Crowd(
        people=given.overload_people,
        seconds=given.overload_seconds,
        pause_s=0.0,
        is_overload=True,
    )
    with running_site(given.port) as (url, pids):
        found = measured(url, pids, large_world(), steady=steady, over=over)
    found["world"] = {
        "people": serving_world.USERS,
        "accounts": serving_world.LIVE,
        "films": serving_world.FILMS,
        "ratings": serving_world.EVENTS,
    }
    table = load_table(found)
    print(table)
    out = given.out or OUT
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if given.out is None:
        write_marked("load", table)
    if missed := [goal for goal, is_met in found["goals"].items() if not is_met]:
        sys.exit(f"Missed: {'; '.join(missed)}.")


def measured(
    url: str, pids: dict[str, int], world: World, *, steady: Crowd, over: Crowd
) -> dict[str, Any]:
    """Warms up, lets the steady crowd come, then the other, and looks how soon it is over."""
    load = os.getloadavg()[0]
    run_crowd(url, world, Crowd(people=steady.people, seconds=20, pause_s=steady.pause_s))
    with Watch(pids, open_connections) as watch:
        calm = run_crowd(url, world, steady)
    over_time = watch.over_time()
    with Watch(pids, open_connections) as watch:
        crowded = run_crowd(url, world, over)
    back_s = recovery_s(url, world.sessions[0], within_s=RECOVERED_WITHIN_S)
    return {
        "at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load_before": round(load, 1),
        "steady": {"people": steady.people, "seconds": steady.seconds, "pause_s": steady.pause_s}
        | calm,
        "over_time": over_time,
        "overload": {"people": over.people, "seconds": over.seconds} | crowded,
        "overload_over_time": watch.over_time(),
        "recovery_s": round(back_s, 2),
        "goals": {
            "no errors and nobody turned away": calm["errors"] == calm["turned_away"] == 0,
            f"memory and connections grow by at most {MAX_GROWTH:.0%}": all(
                growth(quarters) <= MAX_GROWTH for quarters in over_time.values()
            ),
            "overload is turned away with 503 and Retry-After, without an error": (
                crowded["turned_away"] > 0 and crowded["errors"] == 0
            ),
            f"quick again within {MAX_RECOVERY_S:.0f} s": back_s <= MAX_RECOVERY_S,
        },
    }


def large_world() -> World:
    """The generated world's popular films, words of their titles, and its accounts' cookies."""
    from catalog.models import Movie

    rows = json.loads((serving_world.WORK / "sessions.json").read_text(encoding="utf-8"))
    films = Movie.objects.order_by("-rating_count", "pk").values_list("pk", "title")[:5000]
    return World(
        films=[pk for pk, _title in films],
        searches=sorted({word for _pk, title in films for word in title.split()[:2]}),
        sessions=[row["session"] for row in rows],
    )


def open_connections() -> int:
    """To the database, of everybody but this process."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


@contextmanager
def running_site(port: int) -> Iterator[tuple[str, dict[str, int]]]:
    """``manage.py up`` in the world's folder; yields its address and the pids of its processes."""
    from django.conf import settings

    from config.embedded.pids import read_record

    url = f"http://127.0.0.1:{port}"
    # Training on 20 million ratings is measured by benchmarks.serving; here it would only be noise.
    env = {**os.environ, "PORT": str(port), "RETRAIN_AFTER": "1000000000", "LOG_LEVEL": "WARNING"}
    with tempfile.TemporaryFile() as log:
        site = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            if not is_ready(url, site):
                log.seek(0)
                sys.exit("The site did not become ready:\n" + log.read().decode()[-4000:])
            records = {
                name: read_record(settings.VAR_DIR / "run" / f"{name}.json")
                for name in ("web", "worker", "beat")
            }
            yield url, {name: record.pid for name, record in records.items() if record}
        finally:
            site.send_signal(signal.SIGINT)
            site.wait(timeout=120)


def is_ready(url: str, site: subprocess.Popen[bytes]) -> bool:
    """Once it answers; False when it has ended or the time is up."""
    ends_at = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < ends_at and site.poll() is None:
        try:
            if requests.get(f"{url}/readyz", timeout=5).status_code == 200:
                return True
        except requests.RequestException:
            time.sleep(0.2)
    return False


if __name__ == "__main__":
    main()
