"""How long an import of 100,000 rows takes its worker, the largest that is allowed.

    python -m benchmarks.import_speed --movielens data/ml-latest-small

A diary as Letterboxd gives it: viewings of the catalogue's films, each on a day of its own, and
one row in twenty of a film that nobody knows. Read, matched and counted (what the person sees
first), then written, then taken back. Memory is the peak of this process over what it needs idle.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.own_database import ROOT, manage, own_database

UNKNOWN_EVERY = 20
HEAD = "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--movielens", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument(
        "--out", type=Path, default=ROOT / "benchmarks" / "results" / "import_speed.json"
    )
    given = parser.parse_args()
    with own_database("import_speed"):
        manage("import_movielens", str(given.movielens), "--verbosity", "0")
        result = measured(given.rows)
    print(json.dumps(result, indent=1))
    given.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def diary(n: int) -> bytes:
    """``n`` rows; no film twice on one day."""
    from catalog.models import Movie

    films = list(Movie.objects.exclude(year=None).order_by("pk").values_list("title", "year"))
    rows = [HEAD]
    for i in range(n):
        title, year = films[i % len(films)]
        if i % UNKNOWN_EVERY == 0:
            title = f"Nobody Knows {i:06}"
        day = date(1990, 1, 1) + timedelta(days=i % 12_000)
        name = title.replace('"', '""')
        rows.append(f'{day},"{name}",{year},https://boxd.it/{i},4,,,{day}')
    return "\n".join(rows).encode()


def measured(n_rows: int) -> dict[str, Any]:
    """Seconds of each step, and what came of it."""
    from accounts.models import User
    from feedback.imports.jobs import import_run
    from feedback.imports.models import ImportFile, ImportJob
    from feedback.imports.services import import_apply, import_undo
    from feedback.models import DiaryEntry

    content = diary(n_rows)
    person = User.objects.create_user("importer@example.org")
    job = ImportJob.objects.create(user=person, filename="diary.csv")
    ImportFile.objects.create(job=job, content=content)
    idle_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds: dict[str, float] = {}

    def timed(name: str) -> None:
        started = time.perf_counter()
        import_run(job.pk)
        seconds[name] = round(time.perf_counter() - started, 1)
        job.refresh_from_db()
        print(f"{name}: {seconds[name]}", flush=True)

    timed("read_and_match_s")
    if job.status != "ready":
        sys.exit(f"The import is {job.status}: {job.message}")
    n_found = job.films.filter(state="found").count()
    n_films = job.films.count()
    import_apply(job)
    timed("write_s")
    n_written = DiaryEntry.objects.filter(user=person).count()
    import_undo(job)
    timed("take_back_s")
    if job.status != "undone" or DiaryEntry.objects.filter(user=person).exists():
        sys.exit(f"The import was not taken back: {job.status}")
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "rows": n_rows,
        "bytes": len(content),
        "films": n_films,
        "films_found": n_found,
        "diary_entries_written": n_written,
        **seconds,
        "memory_mib": round((peak_kib - idle_kib) / 1024),
    }


if __name__ == "__main__":
    main()
