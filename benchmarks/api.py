"""What the API costs beside a bare list of the same rows, asked of the running server.

    nice -n 10 python -m benchmarks.api --data ../shared/data --share 0.05    # a try: minutes
    python -m benchmarks.api --data ../shared/data                            # on a quiet machine

The catalogue is TMDB's table of 70,470 films by ``manage.py import_catalog``, the ratings and the
model are those of ml-latest-small, the people who ask have histories of its people. The world is
made once and kept in ``var/bench-api``. Every operation is asked by 1 and by 8 clients; ``bare``
is a DRF list of the same 20 films as ``film list`` with nothing of ours around it, and ``ratio`` is
its requests a second by those of the operation. Writes JSON and the table of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import api_world as world
from benchmarks.api_report import table
from benchmarks.clients import Answer, Client
from benchmarks.report import render
from benchmarks.serving_load import Web, hammer, web

OUT = Path("benchmarks/results/api.json")
REQUESTS = 2000
CLIENTS = (1, 8)
LIST = "/api/v1/me/recommendations/?n=20"
WORDS = ("heat", "godfather", "space", "love", "night train", "alien", "paris", "the matrx")
Ask = Callable[[Client, int], Answer]


def _has_20(answer: Answer) -> bool:
    return answer.status == 200 and len(answer.body["results"]) == 20


def _is_list(answer: Answer, *, is_stored: bool) -> bool:
    return _has_20(answer) and answer.body["is_stored"] is is_stored


def _is_ok(answer: Answer) -> bool:
    return answer.status == 200


def operations(films: list[int]) -> dict[str, tuple[Ask, Callable[[Answer], bool]]]:
    """Name -> (the request, whether its answer is right); ``films`` are ids to ask for."""

    def film(i: int) -> int:
        return films[i % len(films)]

    def rate(client: Client, i: int) -> Answer:
        return client.put(f"/api/v1/me/ratings/{film(i)}/", {"stars": 1 + i % 9 / 2})

    return {
        "bare": (lambda client, _: client.get("/bench/bare/"), _has_20),
        "film list": (lambda client, _: client.get("/api/v1/movies/?page_size=20"), _has_20),
        "film": (lambda client, i: client.get(f"/api/v1/movies/{film(i)}/"), _is_ok),
        "search": (
            lambda client, i: client.get(f"/api/v1/search/?q={WORDS[i % 8].replace(' ', '+')}"),
            _is_ok,
        ),
        "recommend, stored": (
            lambda client, _: client.get(LIST),
            lambda answer: _is_list(answer, is_stored=True),
        ),
        "recommend, recomputed": (
            lambda client, _: client.get(LIST),
            lambda answer: _is_list(answer, is_stored=False),
        ),
        "rating write": (rate, _is_ok),
    }


def measure(server: Web, sessions: list[str], films: list[int], n: int) -> dict[str, Any]:
    """Operation -> clients -> figures; rows are prepared before each."""
    found: dict[str, Any] = {}
    for name, (ask, is_right) in operations(films).items():
        if name.startswith("recommend"):
            world.store_lists(are_stored=name.endswith("stored"))
        hammer(server, ask, sessions=sessions, n=max(8, n // 10), clients=8)  # every thread is warm
        found[name] = {
            str(clients): hammer(
                server, ask, sessions=sessions, n=n, clients=clients, is_right=is_right
            ).as_dict()
            for clients in CLIENTS
        }
        print(name, json.dumps(found[name]["1"]), flush=True)
    for name, by_clients in found.items():
        for clients, figures in by_clients.items():
            bare = found["bare"][clients]["per_s"]
            found[name][clients] = figures | {"ratio": round(bare / figures["per_s"], 2)}
    return found


def main() -> None:
    """The command line; ends with 1 where an answer was wrong."""
    parser = argparse.ArgumentParser(description="Measure the API beside a bare list.")
    parser.add_argument("--data", type=Path, required=True, help="the folder of tmdb/, ml-*/")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--share", type=float, default=1.0, help=f"of {REQUESTS} requests each")
    given = parser.parse_args()
    world.enter()
    made = world.make(given.data)
    n = max(20, round(given.share * REQUESTS))
    load = round(os.getloadavg()[0], 1)
    with web() as server:
        found = measure(server, world.sessions(), world.film_ids(), n)
    result = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": f"python -m benchmarks.api --share {given.share}",
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load at the start": load,
        "requests": n,
        "world": made,
        "operations": found,
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(result, indent=1) + "\n")
    print("\n".join(table(result)))
    if given.out == OUT:
        render(OUT.parent, Path("docs"))
    if any(row["errors"] for by in found.values() for row in by.values()):
        raise SystemExit("Some answers were wrong; see above.")


if __name__ == "__main__":
    main()
