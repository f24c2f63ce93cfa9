"""Promotes and rolls back 50 times while people ask: no error, no answer of two versions.

    python -m benchmarks.promotions --out benchmarks/results/promotions.json

In the world of :mod:`benchmarks.serving`, whose two versions have different tables. Half of the
answers are one source's lists, compared film by film and score by score with the list that the
version named in the answer gives that person, computed here; the other half are the policy's,
whose parts must add up to the score (those of another version do not).
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import serving_world as world
from benchmarks.clients import Client
from benchmarks.serving_load import latency, web

ROUNDS = 50
REQUESTS = 8000  # at least 5,000, and as many as the promotions last
CLIENTS = 8
PEOPLE = 60
SOURCE = "edlae"
Lists = dict[str, dict[int, list[tuple[int, float]]]]


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer: when it was asked for, how long it took, its version, what is wrong with it."""

    at: float
    took_s: float
    version: str
    wrong: str


def expected_lists(user_ids: Sequence[int]) -> Lists:
    """{version: {user: [(film, score)]}} as each of the two versions gives them."""
    from accounts.models import User
    from feedback.selectors import feedback_of_users
    from recommendations.limits import barred_for_users
    from recommendations.models import ModelVersion
    from recommendations.pipeline import recommend_many
    from recommendations.snapshot import load_snapshot

    people = list(User.objects.filter(pk__in=user_ids).order_by("pk"))
    feedback = feedback_of_users(people)
    found: Lists = {}
    for version in ModelVersion.objects.filter(version__startswith="generated-"):
        lists = recommend_many(
            [feedback[user.pk] for user in people],
            load_snapshot(version),
            n=20,
            source=SOURCE,
            barred=barred_for_users(people),
        )
        found[version.version] = {
            user.pk: [(film.movie_id, float(film.score or 0)) for film in ranked.films]
            for user, ranked in zip(people, lists, strict=True)
        }
    return found


def fault(body: dict[str, Any], user_id: int, expected: Lists) -> str:
    """What is wrong with an answer; empty where it is of one version through and through."""
    films = body["results"]
    if body["model_version"] not in expected or len(films) != 20 or body["fallback"]:
        return f"version {body['model_version']!r}, {len(films)} films, {body['fallback']!r}"
    if body["source"] == SOURCE:
        wanted = expected[body["model_version"]][user_id]
        if [film["movie_id"] for film in films] != [pk for pk, _ in wanted]:
            return f"not the films of {body['model_version']}"
        if not np.allclose([f["score"] for f in films], [s for _, s in wanted], atol=1e-4):
            return f"not the scores of {body['model_version']}"
        return ""
    for film in films:
        parts = film["baseline"] + film["other"] + sum(e["contribution"] for e in film["evidence"])
        parts += sum(part["contribution"] for part in (*film["terms"], *film["features"]))
        if abs(parts - film["score"]) > 1e-4:
            return f"parts add up to {parts}, not to {film['score']}"
    return ""


def drill() -> dict[str, Any]:
    """The requests and the promotions, side by side."""
    rows = json.loads((world.WORK / "sessions.json").read_text())[:PEOPLE]
    expected = expected_lists([row["user_id"] for row in rows])
    a, b = (list(lists.values()) for lists in expected.values())
    assert a != b, "the two versions must differ"
    seen: list[Seen] = []
    numbers = iter(range(REQUESTS))
    lock = threading.Lock()

    def ask(port: int) -> None:
        client = Client(port)
        while True:
            with lock:
                i = next(numbers, None)
            if i is None:
                return
            row = rows[i % len(rows)]
            client.session = row["session"]
            source = SOURCE if i % 2 else "hybrid"
            at = time.monotonic()
            try:
                answer = client.get(f"/api/v1/me/recommendations/?n=20&source={source}")
                wrong = "" if answer.status == 200 else f"status {answer.status}"
                wrong = wrong or fault(answer.body, row["user_id"], expected)
                version = answer.body.get("model_version", "") if answer.status == 200 else ""
            except OSError as error:
                wrong, version = f"dropped: {error}", ""
                client = Client(port)
            seen.append(Seen(at, time.monotonic() - at, version, wrong))

    with web() as server:
        threads = [threading.Thread(target=ask, args=(server.port,)) for _ in range(CLIENTS)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        flips = _flip_while(threads)
        for thread in threads:
            thread.join()
    seconds = time.monotonic() - started
    return _report(seen, flips, seconds)


def _flip_while(threads: Sequence[threading.Thread]) -> list[tuple[float, str]]:
    """Promotes one version and rolls back, ROUNDS times, spread over the requests."""
    from recommendations.models import ModelVersion
    from recommendations.services.registry import model_promote, model_rollback

    flips: list[tuple[float, str]] = []
    for _ in range(ROUNDS):
        other = ModelVersion.objects.get(kind="hybrid", status="retired", version__startswith="gen")
        flips.append((0.0, model_promote(other).version))
        flips[-1] = (time.monotonic(), flips[-1][1])
        time.sleep(0.3)
        version = model_rollback()
        flips.append((time.monotonic(), version.version))
        time.sleep(0.3)
    if not any(thread.is_alive() for thread in threads):
        raise SystemExit("The requests were over before the promotions: raise REQUESTS.")
    return flips


def _report(seen: list[Seen], flips: list[tuple[float, str]], seconds: float) -> dict[str, Any]:
    wrong = [one.wrong for one in seen if one.wrong]
    took = [one.took_s for one in seen]
    late = [
        one.at - at
        for (at, version), (until, _) in zip(flips, [*flips[1:], (float("inf"), "")], strict=True)
        for one in seen
        if at < one.at < until and one.version != version
    ]
    errors = [text for text in wrong if text.startswith(("status", "dropped"))]
    mixed = [text for text in wrong if not text.startswith(("status", "dropped"))]
    return {
        "goal": "0 errors, 0 answers of mixed versions",
        "is_met": len(seen) == REQUESTS and not wrong,
        "requests": len(seen),
        "promotions and rollbacks": len(flips),
        "errors": len(errors),
        "mixed": len(mixed),
        "first faults": wrong[:3],
        "answers by version": {
            version: sum(one.version == version for one in seen)
            for version in sorted({one.version for one in seen})
        },
        "longest time until noticed, s": round(max(late, default=0.0), 2),
        "latency": latency(took, clients=CLIENTS, seconds=seconds, errors=len(wrong)).as_dict(),
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Swap models while people ask.")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/promotions.json"))
    given = parser.parse_args()
    world.enter()
    world.make(lambda said: print(said, flush=True))
    from recommendations.models import Recommendation

    Recommendation.objects.all().delete()
    result = drill()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))
    if not result["is_met"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
