"""How long a backup of a gigabyte takes to be made and put back.

    python -m benchmarks.restore                       # some 10 minutes, 5 GB under var/
    python -m benchmarks.restore --gigabytes 0.05 --rows 50000 --out /tmp/restore.json

Ratings and their log lie in the database, the rest is files that cannot be compressed (the
warehouse). Every table's rows and every file's sha256 are compared by the restore itself, and
pages are asked. Exit status 1 over half an hour, or below the size.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.own_database import ROOT, manage, own_database

GOAL_S = 1800
GIGABYTE = 10**9
BLOCK_BYTES = 1 << 20
# Every person rates every film of the starter catalogue, until there are enough.
RATINGS = """
INSERT INTO feedback_rating (user_id, movie_id, stars, created_at, updated_at)
SELECT p.id, m.id, (1 + (p.id * 7 + m.id * 3) %% 10) / 2.0, now(), now()
FROM accounts_user p CROSS JOIN catalog_movie m ORDER BY p.id, m.id LIMIT %s
"""
LOG = """
INSERT INTO feedback_interaction
    (event_id, user_id, movie_id, kind, value, surface, created_at)
SELECT gen_random_uuid(), user_id, movie_id, 'rate', stars::text, 'film', created_at
FROM feedback_rating
"""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--rows", type=int, default=2_000_000, help="ratings, and as many events")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "benchmarks" / "results" / "restore.json"
    )
    given = parser.parse_args()
    with own_database("restore") as work:
        result = measured(work, rows=given.rows, n_bytes=round(given.gigabytes * GIGABYTE))
    result["is_met"] = result["restore_s"] < GOAL_S and result["backup_bytes"] >= GIGABYTE
    print(json.dumps(result, indent=1))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if result["restore_s"] >= GOAL_S or result["backup_bytes"] < given.gigabytes * GIGABYTE:
        sys.exit(f"Missed: {given.gigabytes} GB in under {GOAL_S} s.")


def measured(work: Path, *, rows: int, n_bytes: int) -> dict[str, Any]:
    """Fills the place, backs it up, empties it, puts the backup back."""
    from django.db import connection

    backup = work / "backup"
    seconds = {}
    started = time.perf_counter()
    make_rows(rows)
    files = work / "warehouse" / "generated"
    files.mkdir(parents=True)
    with (files / "ratings.parquet").open("wb") as file:
        for _block in range(-(-n_bytes // BLOCK_BYTES)):
            file.write(secrets.token_bytes(BLOCK_BYTES))
    seconds["made_s"] = round(time.perf_counter() - started, 1)
    counts = counted()
    connection.close()

    started = time.perf_counter()
    manage("backup", str(backup))
    seconds["backup_s"] = round(time.perf_counter() - started, 1)

    shutil.rmtree(work / "warehouse")
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE accounts_user, catalog_movie CASCADE")
    connection.close()

    started = time.perf_counter()
    manage("restore", str(backup), "--force")
    seconds["restore_s"] = round(time.perf_counter() - started, 1)
    restored = counted()
    connection.close()
    if restored != counts:
        sys.exit(f"Not the same rows: {restored} instead of {counts}.")
    sizes = {p.relative_to(backup): p.stat().st_size for p in backup.rglob("*") if p.is_file()}
    return {
        "at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "rows": counts,
        "backup_bytes": sum(sizes.values()),
        "of_it_database_bytes": sizes[Path("database.dump")],
        **seconds,
        "goal": f"1 GB in under {GOAL_S} s",
    }


def make_rows(n: int) -> None:
    """Films of the starter catalogue, and people enough for so many ratings."""
    from django.db import connection

    from accounts.models import User
    from catalog.models import Movie

    manage("load_starter", "--verbosity", "0")
    n_people = -(-n // Movie.objects.count())
    User.objects.bulk_create(
        [
            User(email=f"person{i}@example.org", password="!")  # noqa: S106 - opens nothing
            for i in range(n_people)
        ],
        batch_size=2000,
    )
    with connection.cursor() as cursor:
        cursor.execute(RATINGS, [n])
        cursor.execute(LOG)
        cursor.execute("ANALYZE")


def counted() -> dict[str, int]:
    """Rows of the tables that were filled."""
    from accounts.models import User
    from catalog.models import Movie
    from feedback.models import Interaction, Rating

    return {
        model._meta.db_table: model._default_manager.count()
        for model in (User, Movie, Rating, Interaction)
    }


if __name__ == "__main__":
    main()
