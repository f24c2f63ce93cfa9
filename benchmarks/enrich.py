"""The enrichment drill: every film of a MovieLens folder, a misbehaving TMDB, two kills with -9.

    python benchmarks/enrich.py --movielens data/ml-latest-small --tmdb data/tmdb_metadata.parquet

It makes a database of its own, imports the films, changes some as an editor would, starts the fake
TMDB with faults and the enrichment beside it, kills the enrichment with SIGKILL at a third and at
two thirds of the films, lets it end, and checks from the fake's own log and from the database that
every film that TMDB has was enriched, that none was fetched again once its answer had been taken,
and that the edits stand. Exit status 1 where any of that fails.

A request on a connection says that the answer before it on that connection was taken (the client
keeps an answer before it asks again); the last answer on a connection that a kill cut may be lost.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.own_database import manage, own_database  # noqa: E402 - the path comes first

N_EDITS = 50
EDITED = "An editor wrote this."


@dataclass
class Figures:
    """What the drill found."""

    films: int
    at_tmdb: int
    enriched: int
    not_found: int
    unsure: int
    failed: int
    requests: int
    answers_429: int
    answers_500: int
    answers_broken: int
    kills: int
    lost_in_kills: int
    fetched_again_after_taken: int
    wrong_links: int
    fetched_never: int
    edits_checked: int
    edits_lost: int
    second_run_requests: int
    seconds: float


def main() -> None:
    """Drill, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--movielens", type=Path, required=True)
    parser.add_argument("--tmdb", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/enrich.json")
    parser.add_argument("--per-s", type=int, default=400, help="pace of the requests")
    parser.add_argument("--threads", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with own_database("enrich") as work:
        figures = drill(args, work)
    report(figures, args.out)


def drill(args: argparse.Namespace, work: Path) -> Figures:
    """The whole run; raises where something cannot even start."""
    manage("import_movielens", str(args.movielens), "--verbosity", "0")
    edits = edit_films()
    log = work / "requests.jsonl"
    fake = start_fake(args, log)
    try:
        os.environ.update(
            TMDB_BASE_URL=fake_address(fake),
            TMDB_API_KEY="drill",
            LOG_LEVEL="WARNING",
            TMDB_REQUESTS_PER_S=str(args.per_s),
        )
        begin = time.monotonic()
        kills = run_with_kills(args, log)
        seconds = time.monotonic() - begin
        before = n_requests(log)
        enrich(args).wait()
        second = n_requests(log) - before
    finally:
        fake.kill()
        fake.wait()
    return figures_of(
        args, log, edits=edits, kills=kills, seconds=seconds, second_run_requests=second
    )


def edit_films() -> dict[int, str]:
    """Films at even distances get a synopsis from an editor, as the admin writes it."""
    from catalog.models import DataSource, FieldSource, Movie

    ids = list(Movie.objects.order_by("pk").values_list("pk", flat=True))
    edited = ids[:: max(1, len(ids) // N_EDITS)]
    Movie.objects.filter(pk__in=edited).update(synopsis=EDITED)
    FieldSource.objects.bulk_create(
        [FieldSource(movie_id=pk, field="synopsis", source=DataSource.EDITOR) for pk in edited]
    )
    return dict.fromkeys(edited, EDITED)


def start_fake(args: argparse.Namespace, log: Path) -> subprocess.Popen[str]:
    """The fake with the drill's faults: 5 % 429, 2 % 500, 1 % broken."""
    command = [sys.executable, "manage.py", "fake_tmdb", "--data", str(args.tmdb), "--port", "0"]
    command += ["--rate-429", "0.05", "--rate-500", "0.02", "--broken", "0.01"]
    command += ["--retry-after", "1", "--seed", str(args.seed), "--log", str(log)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def fake_address(fake: subprocess.Popen[str]) -> str:
    """Printed once it serves: "70,470 films on http://127.0.0.1:1234. In ..."."""
    assert fake.stdout is not None
    line = fake.stdout.readline()
    return line.split(" films on ")[1].split(". In ")[0]


def run_with_kills(args: argparse.Namespace, log: Path) -> int:
    """Two runs that are killed, one that ends; returns the number of kills."""
    from catalog.models import Movie

    n_films = Movie.objects.count()
    kills = 0
    for share in (1 / 3, 2 / 3):
        process = enrich(args)
        while process.poll() is None and n_requests(log) < share * n_films:
            time.sleep(0.02)
        if process.poll() is None:
            process.kill()
            kills += 1
        process.wait()
    last = enrich(args)
    if last.wait() != 0:
        sys.exit(f"The last run ended with {last.returncode}.")
    return kills


def enrich(args: argparse.Namespace) -> subprocess.Popen[bytes]:
    """The command as an operator starts it."""
    command = [sys.executable, "manage.py", "enrich_tmdb", "--threads", str(args.threads)]
    return subprocess.Popen(command, cwd=ROOT)


def n_requests(log: Path) -> int:
    """Lines so far."""
    return log.read_bytes().count(b"\n") if log.exists() else 0


def figures_of(
    args: argparse.Namespace,
    log: Path,
    *,
    edits: dict[int, str],
    kills: int,
    seconds: float,
    second_run_requests: int,
) -> Figures:
    """From the fake's log and the database."""
    import polars as pl

    from catalog.models import ExternalId, Movie
    from catalog.tmdb.fake.server import read_log
    from catalog.tmdb.models import EnrichmentState

    requests = read_log(log)
    lost, again = taken_twice(requests)
    known = set(pl.read_parquet(args.tmdb, columns=["tmdb_id"])["tmdb_id"].to_list())
    links = ExternalId.objects.filter(source="tmdb").values_list("movie_id", "value")
    available = {movie_id for movie_id, value in links if int(value) in known}
    states = dict(EnrichmentState.objects.values_list("movie_id", "status"))
    by_status = Counter(states.values())
    # The data set's link leads to another film (another IMDb id, another title): left, with this
    # reason, rather than given the other film's words.
    wrong_links = set(
        EnrichmentState.objects.filter(
            status="unsure", reason__startswith="the link leads to"
        ).values_list("movie_id", flat=True)
    )
    done = {pk for pk, status in states.items() if status == "done"}
    now = dict(Movie.objects.filter(pk__in=edits).values_list("pk", "synopsis"))
    broken = ("truncated", "wrong-types", "not-json")
    return Figures(
        films=Movie.objects.count(),
        at_tmdb=len(available),
        enriched=by_status["done"],
        not_found=by_status["not_found"],
        unsure=by_status["unsure"],
        failed=by_status["failed"] + by_status["fetched"],
        requests=len(requests),
        answers_429=sum(request.status == 429 for request in requests),
        answers_500=sum(request.status == 500 for request in requests),
        answers_broken=sum(request.fault in broken for request in requests),
        kills=kills,
        lost_in_kills=lost,
        fetched_again_after_taken=again,
        wrong_links=len(wrong_links),
        fetched_never=len(available - done - wrong_links),
        edits_checked=len(edits),
        edits_lost=sum(now.get(pk) != text for pk, text in edits.items()),
        second_run_requests=second_run_requests,
        seconds=round(seconds, 1),
    )


def taken_twice(requests: list[Any]) -> tuple[int, int]:
    """Good answers that a kill lost, and films fetched again although their answer was taken."""
    last_on = {request.connection: place for place, request in enumerate(requests)}
    good: dict[str, list[bool]] = defaultdict(list)
    for place, request in enumerate(requests):
        is_film = request.path.startswith("/3/movie/")
        if is_film and request.status == 200 and request.fault == "none" and request.is_sent:
            was_taken = last_on[request.connection] > place
            good[request.path].append(was_taken)
    lost = again = 0
    for taken in good.values():
        # Of several answers about a film only the last may have been kept.
        again += sum(taken[:-1])
        lost += len(taken) - 1 - sum(taken[:-1])
    return lost, again


def report(figures: Figures, out: Path) -> None:
    """A table, a file, and the exit status."""
    rows = asdict(figures)
    for name, value in rows.items():
        print(f"{name.replace('_', ' '):<28} {value:>12,}")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    zeros = ("failed", "fetched_again_after_taken", "fetched_never", "edits_lost")
    wrong = [name for name in (*zeros, "second_run_requests") if rows[name]]
    if figures.kills != 2:
        wrong.append("kills")
    if wrong:
        sys.exit(f"Not as it has to be: {', '.join(wrong)}.")
    print("Every film that TMDB has was enriched, each fetched once; the edits stand.")


if __name__ == "__main__":
    main()
