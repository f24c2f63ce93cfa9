"""Days of a log made by hand, and what roll-ups must say of them, counted in the plainest way."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest

from catalog.models import Movie
from dashboard.models import FeedbackDay, ShownDay
from dashboard.rollup.days import start_of
from dashboard.rollup.shown import exposure_of
from feedback.models import Impression, Interaction, Slate


def make_slate(user, films, at, *, n_history=0, fallback="", is_stored=False, stages=None):
    slate = Slate.objects.create(
        user=user,
        surface="home",
        policy="hybrid",
        model_version="v1",
        fallback=fallback,
        created_at=at,
        context={
            "n_history": n_history,
            "is_stored": is_stored,
            "stages_ms": stages or {},
            "skipped": {"als": "failed: ValueError"} if fallback else {},
        },
    )
    extend(slate, films)
    return slate


def extend(slate, films):
    first = slate.impressions.count()
    Impression.objects.bulk_create(
        Impression(
            slate=slate,
            movie=film,
            position=first + i,
            source="hybrid",
            score=1.0,
            reason={"evidence": [{"movie_id": film.pk}] if i % 2 else []},
        )
        for i, film in enumerate(films)
    )


def make_event(user, film, at, *, kind="rate", value="4.0", slate=None):
    return Interaction.objects.create(
        event_id=uuid.uuid4(),
        user=user,
        movie=film,
        kind=kind,
        value=value,
        surface="home",
        request_id=slate.pk if slate else None,
        created_at=at,
    )


def is_opinion(event):
    return event.kind == "rate" or event.value in ("like", "dislike", "never")


def is_positive(event):
    return event.value == "like" or (event.kind == "rate" and float(event.value) >= 4)


def recounted_feedback(day: date) -> dict:
    """One day, counted in the plainest way there is."""
    events = [e for e in Interaction.objects.all() if e.created_at.date() == day]
    return {
        "n_events": len(events),
        "n_people": len({e.user_id for e in events}),
        "n_opinions": sum(is_opinion(e) for e in events),
        "n_positive": sum(is_positive(e) for e in events),
        "kind": dict(Counter(e.kind for e in events)),
    }


def slice_of(slate):
    n = slate.context["n_history"]
    return "nothing known" if n == 0 else "new" if n <= 5 else "light" if n <= 20 else "heavy"


def recounted_shown(day: date) -> dict:
    slates = [s for s in Slate.objects.all() if s.created_at.date() == day]
    impressions = list(Impression.objects.filter(slate__in=slates).order_by("position"))
    exposure = Counter(i.movie_id for i in impressions)
    answers: Counter[str] = Counter()
    for slate in slates:
        films = {i.movie_id for i in impressions if i.slate_id == slate.pk}
        for event in Interaction.objects.filter(request_id=slate.pk, movie_id__in=films):
            is_in_time = event.created_at < slate.created_at + timedelta(days=7)
            is_after = event.created_at >= start_of(day)
            if is_in_time and is_after and is_opinion(event):
                answers[slice_of(slate)] += 1
    counts = sorted([exposure.get(pk, 0) for pk in Movie.objects.values_list("pk", flat=True)])
    mean_gap = np.mean([abs(a - b) for a in counts for b in counts])
    return {
        "n_lists": len(slates),
        "n_people": len({s.user_id for s in slates}),
        "n_impressions": len(impressions),
        "n_cold": sum(s.context["n_history"] == 0 for s in slates),
        "n_fallback": sum(bool(s.fallback) for s in slates),
        "exposure": dict(exposure),
        "gini": float(mean_gap / (2 * np.mean(counts))) if impressions else None,
        "own films": sum(bool(i.reason["evidence"]) for i in impressions),
        "opinions": {name: n for name, n in answers.items() if n},
    }


def rolled_shown(row: ShownDay) -> dict:
    ids, counts = exposure_of(bytes(row.exposure))
    return {
        **{n: getattr(row, n) for n in ("n_lists", "n_people", "n_impressions")},
        **{n: getattr(row, n) for n in ("n_cold", "n_fallback")},
        "exposure": dict(zip(ids.tolist(), counts.tolist(), strict=True)),
        "gini": row.gini,
        "own films": row.counts.get("reason", {}).get("own films", 0),
        "opinions": {
            name: row.slices[name]["opinions"]
            for name in ("nothing known", "new", "light", "heavy")
            if row.slices[name]["opinions"]
        },
    }


def assert_equals_a_recount(days):
    for day in days:
        wanted, row = recounted_feedback(day), FeedbackDay.objects.filter(day=day).first()
        if row is None:
            assert wanted["n_events"] == 0, day
        else:
            found = {name: getattr(row, name) for name in list(wanted)[:4]}
            assert {**found, "kind": row.counts["kind"]} == wanted, day
        wanted, shown = recounted_shown(day), ShownDay.objects.filter(day=day).first()
        if shown is None:
            assert wanted["n_lists"] == 0, day
        else:
            found = rolled_shown(shown)
            assert found.pop("gini") == pytest.approx(wanted.pop("gini")), day
            assert found == wanted, day
