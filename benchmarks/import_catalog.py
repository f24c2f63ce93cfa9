"""How long the wide catalogue takes to import, and that a second import changes nothing.

    python benchmarks/import_catalog.py --movielens data/ml-latest-small --tmdb data/films.parquet

Exit status 1 where the first import took two minutes or more, or the second changed anything.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.own_database import manage, own_database  # noqa: E402 - the path comes first

LIMIT_S = 120


def main() -> None:
    """Import twice, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--movielens", type=Path, help="films to have first")
    parser.add_argument("--tmdb", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/import_catalog.json")
    args = parser.parse_args()
    with own_database("import"):
        if args.movielens:
            manage("import_movielens", str(args.movielens), "--verbosity", "0")
        rows = {"first": measured(args.tmdb), "second": measured(args.tmdb)}
    print(f"{'':<8} {'seconds':>9} {'CPU s':>9} {'created':>9} {'updated':>9} {'unchanged':>9}")
    for name, row in rows.items():
        print(
            f"{name:<8} {row['seconds']:>9.1f} {row['cpu_seconds']:>9.1f} {row['created']:>9,} "
            f"{row['updated']:>9,} {row['unchanged']:>9,}"
        )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    if rows["first"]["seconds"] >= LIMIT_S:
        sys.exit(f"The first import took over {LIMIT_S} s.")
    if rows["second"]["created"] or rows["second"]["updated"]:
        sys.exit("The second import changed something.")


def measured(table: Path) -> dict[str, float]:
    """One import: wall time, and processor time of this process and of its Postgres backend."""
    from django.db import connection

    from catalog.ingestion.wide import import_table

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    cpu, begin = cpu_seconds(backend), time.monotonic()
    report = import_table(table, progress=lambda what, done, total: None).films
    return {
        "seconds": round(time.monotonic() - begin, 1),
        "cpu_seconds": round(cpu_seconds(backend) - cpu, 1),
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "merged": report.merged,
    }


def cpu_seconds(backend: int) -> float:
    """User and system time so far, in seconds (proc(5): fields 14 and 15, in ticks of 1/100 s)."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    fields = Path(f"/proc/{backend}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return usage.ru_utime + usage.ru_stime + (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    main()
