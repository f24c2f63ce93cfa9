"""How exact the index is, and how long a search takes on the running server."""

from __future__ import annotations

import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from benchmarks.clients import Client
from ml.compiled import ROUGH, load_kernels

ROOT = Path(__file__).resolve().parent.parent
K = 20
CLIENTS = 8
ROUNDS = 5
PAGE, API = "/search/", "/api/v1/search/"
# A client takes another address after so many requests.
ASKED_BY_ONE = 60
_addresses = itertools.count(1)


def recall(queries: list[str]) -> dict:
    """Recall@20 of what search takes for the nearest films against every film compared.

    As a web process does it (with the shelf and the table of rounded vectors), and by the index.
    """
    from catalog.conditions import films_meeting
    from catalog.embeddings.encoders import query_vectors
    from catalog.embeddings.nearest import (
        active_space,
        nearest_among,
        nearest_films,
        nearest_meeting,
    )
    from catalog.embeddings.rough import follow_vectors, forget_vectors
    from catalog.hybrid import CANDIDATES
    from catalog.intent import Chip, Kind, Reading
    from catalog.scope import Scope
    from catalog.shelf import forget_shelf, look_for_changes

    space = active_space()
    assert space is not None, "no vectors: run manage.py embed_movies first"
    load_kernels(ROUGH)
    follow_vectors(space)
    vectors = [query_vectors.get(query, encoder=space.encoder, wait_s=120.0) for query in queries]
    filters = {
        "none": (),
        "since 1980": (Chip(Kind.YEARS, "1980-"),),
        "not drama": (Chip(Kind.GENRE, "Drama", True),),
        "drama": (Chip(Kind.GENRE, "Drama"),),
        "since 2000": (Chip(Kind.YEARS, "2000-"),),
        "comedy": (Chip(Kind.GENRE, "Comedy"),),
        "not drama, before 2000": (Chip(Kind.GENRE, "Drama", True), Chip(Kind.YEARS, "-1999")),
        "thriller": (Chip(Kind.GENRE, "Thriller"),),
        "comedy since 2010": (Chip(Kind.GENRE, "Comedy"), Chip(Kind.YEARS, "2010-")),
        "documentary": (Chip(Kind.GENRE, "Documentary"),),
    }
    rows = {}
    for name, chips in filters.items():
        look_for_changes()  # what the shelf knows is used while it is some seconds old
        films = films_meeting(chips)
        ids = list(films.values_list("pk", flat=True))
        scope = Scope.of(Reading(raw="", chips=chips, text=""))
        assert scope.is_everything or scope.known is not None
        rows[name] = _recall_of(
            lambda vector, scope=scope: scope.nearest(vector, space, CANDIDATES),
            lambda vector, ids=ids: nearest_among(vector, space, movie_ids=ids, n=K),
            vectors,
        ) | {"films": len(ids), "how": "table"}
        if name in {"none", "drama", "thriller"}:
            rows[f"{name}, by the index"] = _recall_of(
                lambda vector, films=films, chips=chips: (
                    nearest_meeting(vector, space, films=films, n=K)
                    if chips
                    else nearest_films(vector, space, n=CANDIDATES)
                ),
                lambda vector, ids=ids: nearest_among(vector, space, movie_ids=ids, n=K),
                vectors,
            ) | {"films": len(ids), "how": "index"}
    forget_shelf()
    forget_vectors()
    return {"n_queries": len(queries), "rows": rows}


def _recall_of(served: Callable, exact: Callable, vectors: list) -> dict:
    hits = short = 0
    times = []
    for vector in vectors:
        started = time.perf_counter()
        near = served(vector)
        times.append(time.perf_counter() - started)
        wanted = set(exact(vector).movie_ids)
        hits += len(set(near.movie_ids[:K]) & wanted)
        short += len(near.movie_ids[:K]) < len(wanted)
    return {
        "recall@20": hits / (K * len(vectors)),
        "short_answers": short,
        "median_ms": 1000 * statistics.median(times),
    }


@contextmanager
def server():
    """The web process of the Procfile on a free port; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = next(
        line.removeprefix("web: exec ")
        for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
        if line.startswith("web:")
    )
    env = {**os.environ, "PORT": str(port), "HOST": "127.0.0.1"}
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    env.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    process = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=ROOT, env=env)  # noqa: S603, S607
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(timeout=20)


def latency(queries: list[str]) -> dict:
    """Times of whole search pages, alone and with 8 clients at once; every query is new.

    Each client asks for the next page as soon as it has one: nobody reads in between. Then the same
    of the API's answers, whose requests have their words in reverse, so that they are new, too.
    """
    load = os.getloadavg()[0]
    with server() as (url, process):
        _wait_ready(url)
        loaded_s = _wait_for_meaning(url)
        pages = _measured(url, process.pid, PAGE, queries)
        backwards = [" ".join(reversed(query.split())) for query in queries]
        api = _measured(url, process.pid, API, backwards)
        memory = _memory_mb(process.pid)
    return {
        "cores": os.cpu_count(),
        **pages,
        "api": api,
        "encoder_ready_s": loaded_s,
        "memory_mb": memory,
        "load_average": load,
    }


def _measured(url: str, pid: int, path: str, queries: list[str]) -> dict:
    """A quarter of the queries one after the other; the others by 8 clients, in rounds.

    Every round has its words in another order, so that all are new. The middle round counts: of a
    machine that is shared one minute is half as fast again as the next.
    """
    used = _cpu_s(pid), _database_cpu_s()
    quarter = len(queries) // 4
    alone = _load(url, path, queries[:quarter], clients=1)
    rounds = [
        _load(url, path, [_turned(query, by) for query in queries[quarter:]], clients=CLIENTS)
        for by in range(ROUNDS)
    ]
    runs = [alone, *rounds]
    n = sum(run["requests"] for run in runs)
    return {
        "runs": runs,
        "p95_ms": statistics.median(run["p95_ms"] for run in rounds),
        "errors": sum(run["errors"] for run in runs),
        "cpu_web_ms": 1000 * (_cpu_s(pid) - used[0]) / n,
        "cpu_database_ms": 1000 * (_database_cpu_s() - used[1]) / n,
    }


def _turned(query: str, by: int) -> str:
    """The last ``by`` words first."""
    words = query.split()
    by %= len(words)
    return " ".join(words[-by:] + words[:-by]) if by else query


def _load(url: str, path: str, queries: list[str], *, clients: int) -> dict:
    todo = list(queries)
    times: list[float] = []
    errors: list[str] = []
    lock = threading.Lock()

    def client() -> None:
        for n in itertools.count():
            if n % ASKED_BY_ONE == 0:
                asking = _client(url)
            with lock:
                if not todo:
                    return
                query = todo.pop()
            begin = time.perf_counter()
            try:
                _page(asking, query, path=path)
            except OSError as error:
                with lock:
                    errors.append(str(error))
            with lock:
                times.append(time.perf_counter() - begin)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - begin
    times.sort()
    return {
        "clients": clients,
        "requests": len(times),
        "errors": len(errors),
        "p50_ms": 1000 * times[len(times) // 2],
        "p95_ms": 1000 * times[int(0.95 * len(times))],
        "p99_ms": 1000 * times[int(0.99 * len(times))],
        "per_second": len(times) / wall,
    }


def _client(url: str) -> Client:
    """One with an address of its own: the API answers each so many times a minute."""
    return Client(int(url.rpartition(":")[2]), address=f"127.0.{next(_addresses)}.1")


def _page(client: Client, query: str, *, path: str = PAGE) -> str:
    """The page's text; OSError where it is none."""
    answer = client.get(f"{path}?q={quote(query)}")
    if answer.status != 200:
        msg = f"{answer.status} for {query!r}"
        raise OSError(msg)
    return answer.content.decode()


def _cpu_s(pid: int) -> float:
    """Processor seconds of a process and its children so far."""
    total = 0.0
    for each in _family(pid):
        fields = Path(f"/proc/{each}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _database_cpu_s() -> float:
    """Of the embedded Postgres with all its processes; 0 where the server is another's."""
    from django.conf import settings

    path = Path(settings.VAR_DIR) / "postgres" / "postmaster.pid"
    return _cpu_s(int(path.read_text().splitlines()[0])) if path.exists() else 0.0


def _family(pid: int) -> list[int]:
    pids = [pid]
    for parent in pids:
        for task in Path(f"/proc/{parent}/task").iterdir():
            with suppress(FileNotFoundError):  # a thread that has ended since
                pids += [int(p) for p in (task / "children").read_text().split()]
    return pids


def _wait_ready(url: str) -> None:
    import requests

    for _ in range(600):
        try:
            if requests.get(f"{url}/livez", timeout=2).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    msg = "the server did not start"
    raise RuntimeError(msg)


def _wait_for_meaning(url: str) -> float:
    """Seconds until every process has loaded its encoder, as each does from its start."""
    started = time.perf_counter()
    in_a_row = 0
    while in_a_row < 4 * CLIENTS:  # connections in turn go to each of the processes
        page = _page(_client(url), f"a thief who steals {in_a_row} hats")
        in_a_row = 0 if "data-meaning-off" in page else in_a_row + 1
    return time.perf_counter() - started


def _memory_mb(pid: int) -> float:
    """Proportional memory of a process and its children."""
    total = 0
    for each in _family(pid):
        rollup = Path(f"/proc/{each}/smaps_rollup").read_text(encoding="ascii")
        total += next(int(line.split()[1]) for line in rollup.splitlines() if "Pss:" in line)
    return total / 1024


def plan(query: str) -> str:
    """EXPLAIN of the filtered index scan."""
    from django.db import connection, transaction

    from catalog.conditions import films_meeting
    from catalog.embeddings import nearest
    from catalog.embeddings.encoders import query_vectors
    from catalog.intent import Chip, Kind

    space = nearest.active_space()
    assert space is not None
    vector = query_vectors.get(query, encoder=space.encoder, wait_s=120.0)
    assert vector is not None
    films = films_meeting([Chip(Kind.GENRE, "Drama"), Chip(Kind.YEARS, "1990-")])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(nearest.scan_settings(n=K))
        sql, params = nearest.nearest_sql(vector, space, films=films, n=K)
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
        return json.dumps(cursor.fetchone()[0])
