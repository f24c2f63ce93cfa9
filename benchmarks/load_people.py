"""Who uses the site under load, as locust reads it: 70 % browse, 15 % rate or swipe, 10 % ask for
recommendations, 5 % search.

What they need to know comes in the JSON file that ``MARQUEE_LOAD`` names: ``films`` (ids, the most
popular first), ``searches``, ``sessions`` (cookies of people who are logged in), ``pause_s``
(seconds between two requests of one person, on average) and ``is_overload``.
"""

from __future__ import annotations

import json
import os
import random
import uuid
from itertools import count
from pathlib import Path
from typing import Any

from locust import HttpUser, task

GIVEN: dict[str, Any] = json.loads(Path(os.environ["MARQUEE_LOAD"]).read_text(encoding="utf-8"))
FILMS: list[int] = GIVEN["films"]
TURNED_AWAY = "turned away"
NUMBERS = count()


def some_film() -> int:
    """Popular ones far more often, as people choose."""
    return FILMS[min(len(FILMS) - 1, int(random.paretovariate(0.6)) - 1)]


class Person(HttpUser):
    """Somebody with an account."""

    def on_start(self) -> None:
        """Comes with a session, as from the page before."""
        sessions = GIVEN["sessions"]
        self.client.cookies.set("sessionid", sessions[next(NUMBERS) % len(sessions)])
        self.client.cookies.set("csrftoken", "x" * 32)
        self.rest_s = 0.0

    def wait_time(self) -> float:
        """Half to one and a half times the pause; who was turned away waits as long as told."""
        return self.rest_s or GIVEN["pause_s"] * random.uniform(0.5, 1.5)

    def ask(self, kind: str, path: str, form: dict[str, Any] | None = None) -> None:
        """One request. In an overload a 503 that says when to come back is no failure."""
        self.rest_s = 0.0
        with self.client.request(
            "GET" if form is None else "POST",
            path,
            data=form,
            headers={"X-CSRFToken": "x" * 32},
            name=kind,
            allow_redirects=False,
            timeout=60,
            catch_response=True,
        ) as answer:
            wanted = 200 if form is None else 302
            wait = answer.headers.get("Retry-After", "") if answer.headers else ""
            if answer.status_code == wanted:
                answer.success()
            elif answer.status_code == 503 and wait and GIVEN["is_overload"]:
                self.rest_s = float(wait)
                answer.request_meta["name"] = TURNED_AWAY
                answer.success()
            else:
                answer.failure(f"{answer.status_code} instead of {wanted}")

    @task(14)
    def home(self) -> None:
        """The first page."""
        self.ask("browse", "/")

    @task(28)
    def shelves(self) -> None:
        """The catalogue, page by page."""
        self.ask("browse", f"/browse/?page={random.randint(1, max(1, len(FILMS) // 24))}")

    @task(28)
    def film(self) -> None:
        """A film's page."""
        self.ask("browse", f"/films/{some_film()}/")

    @task(8)
    def rate(self) -> None:
        """Stars for a film."""
        form = {
            "stars": f"{random.randint(1, 10) / 2:g}",
            "event_id": str(uuid.uuid4()),
            "next": "/about/",
        }
        self.ask("rate or swipe", f"/films/{some_film()}/rate/", form)

    @task(7)
    def swipe(self) -> None:
        """An answer in the swipe deck."""
        form = {
            "movie": some_film(),
            "verb": random.choice(["like", "dislike", "not_seen"]),
            "event_id": str(uuid.uuid4()),
        }
        self.ask("rate or swipe", "/swipe/answer/", form)

    @task(10)
    def recommend(self) -> None:
        """What the site would see today."""
        self.ask("recommend", "/for-you/")

    @task(5)
    def search(self) -> None:
        """Words of a title."""
        self.ask("search", f"/search/?q={random.choice(GIVEN['searches'])}")
