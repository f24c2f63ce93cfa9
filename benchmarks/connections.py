"""Connections to Postgres under many requests at once, and what a cheap page takes.

    python -m benchmarks.connections            # both ways, twice each, a small world of its own

Two web processes, ``--people`` clients without a pause on a page that asks the database a few
questions; with a connection per thread (WEB_CONNECTIONS=0), then with the pool of the Procfile.
The clients run on the same machine: times are upper bounds, the comparison is what counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import requests

from benchmarks.load_run import percentile
from tests.faults.site import Person, Site

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "benchmarks" / "results" / "connections.json"
# A person's page with some queries and a small answer.
PAGE = "/watchlist/"
WEB_CONNECTIONS = """
SELECT pid FROM pg_stat_activity
WHERE datname = 'marquee' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=48)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--alone", type=int, default=300, help="requests of one person")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    rows = []
    for number in range(given.rounds):
        for way in ("a connection per thread", "pool"):
            row = {"way": way, "round": number + 1, **measured(way == "pool", given)}
            print(json.dumps(row), flush=True)
            rows.append(row)
    found = {
        "at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "people": given.people,
        "seconds": given.seconds,
        "page": PAGE,
        "rows": rows,
    }
    given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def measured(is_pooled: bool, given: argparse.Namespace) -> dict[str, Any]:
    """A site of its own: one person first, then all of them."""
    site = Site()
    # As the Procfile has it, not as the faults need it.
    for name in ("WEB_QUEUE", "WEB_QUEUE_S"):
        del site.env[name]
    if not is_pooled:
        site.env["WEB_CONNECTIONS"] = "0"
    try:
        site.start()
        with site.sql() as opened:
            row = opened.execute("SELECT id FROM catalog_movie ORDER BY id LIMIT 1").fetchone()
        assert row is not None
        person = Person(site, [row[0]])
        person.begin()
        for _ in range(50):  # both processes are warm
            person.session.get(f"{site.url}{PAGE}", timeout=30)
        alone = Counter(_ask(person.session, site)[1] for _ in range(given.alone))
        at_rest = _web(site)
        crowd, statuses = _crowd(site, person, given)
        open_now = _web(site)
        return {
            "alone_p50_ms": percentile(alone, 0.5),
            "alone_p95_ms": percentile(alone, 0.95),
            "connections_before": len(at_rest),
            "connections": len(open_now),
            "postgres_mib": round(_mib(open_now)),
            "answered_per_s": round(statuses[200] / given.seconds, 1),
            "crowd_p50_ms": round(statistics.median(crowd)),
            "crowd_p95_ms": round(sorted(crowd)[int(0.95 * len(crowd))]),
            "statuses": {str(code): n for code, n in sorted(statuses.items())},
        }
    finally:
        site.stop()


def _ask(session: requests.Session, site: Site) -> tuple[int, float]:
    """(status, ms to the tenth)."""
    started_at = time.perf_counter()
    answer = session.get(f"{site.url}{PAGE}", timeout=60)
    return answer.status_code, round(1000 * (time.perf_counter() - started_at), 1)


def _crowd(
    site: Site, person: Person, given: argparse.Namespace
) -> tuple[list[float], Counter[int]]:
    """Milliseconds of the pages that were answered, and all statuses."""
    times: list[float] = []
    statuses: Counter[int] = Counter()
    lock = threading.Lock()
    ends_at = time.monotonic() + given.seconds

    def go() -> None:
        session = requests.Session()
        session.cookies.update(person.session.cookies)
        while time.monotonic() < ends_at:
            status, ms = _ask(session, site)
            with lock:
                statuses[status] += 1
                if status == 200:
                    times.append(ms)

    threads = [threading.Thread(target=go) for _ in range(given.people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, statuses


def _web(site: Site) -> list[int]:
    """Postgres's processes for this site's connections."""
    with site.sql() as opened:
        return [row[0] for row in opened.execute(WEB_CONNECTIONS)]


def _mib(pids: list[int]) -> float:
    """MiB of their own, without what they share."""
    return sum(psutil.Process(pid).memory_full_info().uss for pid in pids) / 2**20


if __name__ == "__main__":
    main()
