"""Logs of experiments with known answers, as if they had been going on for a month."""

from __future__ import annotations

import uuid
from datetime import timedelta

import numpy as np
from django.utils import timezone

from accounts.models import User
from feedback.models import Impression, Interaction, Slate
from recommendations.experiments.models import Assignment, Experiment, Exposure

START = timezone.now() - timedelta(days=30)


def running(kind, **more) -> Experiment:
    return Experiment.objects.create(
        name=kind, kind=kind, policy_a="popularity", policy_b="edlae",
        status="running", started_at=START, window_hours=more.pop("window_hours", 24), **more,
    )  # fmt: skip


def people_of(n) -> list[User]:
    return User.objects.bulk_create(
        [User(email=f"p{uuid.uuid4().hex}@example.org") for _ in range(n)]
    )


def log_lists(experiment, rows, films) -> None:
    """``rows``: (user, arm, when, {film: (kind, value)}, teams)."""
    slates, impressions, exposures, events = [], [], [], []
    for user, arm, at, said, teams in rows:
        request_id = uuid.uuid4()
        slates.append(
            Slate(request_id=request_id, user=user, surface="api", policy="x", created_at=at)
        )
        impressions += [
            Impression(slate_id=request_id, movie=films[p], position=p, source="x", team=team)
            for p, team in enumerate(teams)
        ]
        exposures.append(
            Exposure(experiment=experiment, user=user, request_id=request_id, arm=arm, shown_at=at)
        )
        events += [
            Interaction(
                event_id=uuid.uuid4(), user=user, movie=films[p], kind=kind, value=value,
                request_id=request_id, position=p, created_at=at + timedelta(minutes=1),
            )
            for p, (kind, value) in said.items()
        ]  # fmt: skip
        Assignment.objects.get_or_create(
            experiment=experiment, user=user, defaults={"arm": arm, "created_at": at}
        )
    Slate.objects.bulk_create(slates)
    Impression.objects.bulk_create(impressions)
    Exposure.objects.bulk_create(exposures)
    Interaction.objects.bulk_create(events)


LIKE, NO = ("react", "like"), ("react", "dislike")


def log_split(experiment, films, *, rate_a, rate_b, n=300, no_b=0.0, seed=1) -> None:
    rng = np.random.default_rng(seed)
    rows = []
    for i, user in enumerate(people_of(n)):
        arm = "AB"[int(rng.random() < 0.5)]
        rate = rate_b if arm == "B" else rate_a
        for j in range(2):
            said = {p: LIKE for p in range(3) if rng.random() < rate}
            if arm == "B" and rng.random() < no_b:
                said[3] = NO
            rows.append((user, arm, START + timedelta(hours=i, minutes=j), said, ""))
    log_lists(experiment, rows, films)
