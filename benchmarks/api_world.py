"""The world that the API is measured in: real films, real ratings, people who are logged in."""

from __future__ import annotations

import csv
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks import serving_world

WORK = serving_world.ROOT / "var" / "bench-api"
PEOPLE = 200  # with accounts; ml-latest-small has 610
MAX_HISTORY = 200


def enter() -> None:
    """This process and its children use the world's own Postgres, Redis and folder."""
    serving_world.enter(WORK)


def make(data: Path) -> dict[str, Any]:
    """What is missing of the world, and how large it is."""
    from django.core.management import call_command

    from catalog.models import Movie
    from feedback.models import Rating

    record = WORK / "world.json"
    done: dict[str, float] = json.loads(record.read_text()) if record.exists() else {}
    steps = {
        "migrate": lambda: call_command("migrate", interactive=False, verbosity=0),
        "catalogue": lambda: call_command(
            "import_catalog", data / "tmdb" / "tmdb_metadata.parquet", verbosity=0
        ),
        "ratings": lambda: call_command(
            "import_movielens", str(data / "ml-latest-small"), verbosity=0
        ),
        "people": lambda: _people(data / "ml-latest-small" / "ratings.csv"),
        "model": lambda: call_command("train_model", verbosity=0),
    }
    for name, step in steps.items():
        if name not in done:
            print(f"making the world: {name}", flush=True)
            started = time.perf_counter()
            step()
            done[name] = round(time.perf_counter() - started, 1)
            record.write_text(json.dumps(done, indent=1))
    return {
        "films": Movie.objects.count(),
        "people": PEOPLE,
        "ratings of people": Rating.objects.count(),
        "seconds to make": done,
    }


def _people(ratings: Path) -> None:
    """Accounts with the histories of MovieLens's first people, and their cookies."""
    from django.test import Client

    from accounts.models import User
    from catalog.models import ExternalId
    from feedback.models import Rating

    films = dict(
        ExternalId.objects.filter(source="movielens").values_list("value", "movie_id").iterator()
    )
    histories: dict[int, list[dict[str, str]]] = defaultdict(list)
    with ratings.open(newline="") as file:
        for row in csv.DictReader(file):
            if int(row["userId"]) <= PEOPLE and row["movieId"] in films:
                histories[int(row["userId"])].append(row)
    cookies = []
    for number, rows in sorted(histories.items()):
        person = User.objects.create(email=f"person{number}@example.org", feedback_generation=1)
        Rating.objects.bulk_create(
            [
                Rating(user=person, movie_id=films[row["movieId"]], stars=row["rating"])
                for row in rows[:MAX_HISTORY]
            ]
        )
        client = Client()
        client.force_login(person)
        cookies.append(client.cookies["sessionid"].value)
    (WORK / "sessions.json").write_text(json.dumps(cookies))


def sessions() -> list[str]:
    """Session keys of the people."""
    return list(json.loads((WORK / "sessions.json").read_text()))


def film_ids(n: int = 500) -> list[int]:
    """The films that most people rated: the ones that are asked for."""
    from catalog.models import Movie

    return list(Movie.objects.order_by("-rating_count", "pk").values_list("pk", flat=True)[:n])


def store_lists(*, are_stored: bool) -> None:
    """Everybody's list from batch inference, or nobody's."""
    from recommendations.models import Recommendation
    from recommendations.services.inference import recommendations_refresh

    Recommendation.objects.all().delete()
    if are_stored:
        recommendations_refresh()
