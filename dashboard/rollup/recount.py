"""A day counted in the plainest way there is, row by row: what the roll-ups are held against.

Shares no query with them on purpose. Slow: for ``manage.py roll_up --check``, not for pages.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from dashboard.models import FeedbackDay, ShownDay
from dashboard.rollup.days import end_of, start_of
from dashboard.rollup.shown import ANSWERED_WITHIN, PEOPLE_SLICES, exposure_of
from feedback.models import Impression, Interaction, Slate

CHUNK = 10_000
_OPINIONS = {"like": 1, "dislike": 0, "never": 0}


def differences(day: date) -> list[str]:
    """What the day's roll-up rows say otherwise than the log; empty where all is the same."""
    did = FeedbackDay.objects.filter(day=day).first() or FeedbackDay(day=day)
    shown = ShownDay.objects.filter(day=day).first() or ShownDay(day=day)
    pairs = [(_rolled_feedback(did), _feedback(day)), (_rolled_shown(shown), _shown(day))]
    return [
        f"{day} {name}: {rolled.get(name)!r} on the dashboard, {counted.get(name)!r} in the log"
        for rolled, counted in pairs
        for name in counted
        if rolled.get(name) != counted[name]
    ]


def _verdict(kind: str, value: str) -> int | None:
    """1 for a yes, 0 for another opinion, None for neither."""
    if kind == Interaction.Kind.RATE:
        return int(float(value) >= 4)
    return _OPINIONS.get(value) if kind == Interaction.Kind.REACT else None


def _feedback(day: date) -> dict[str, Any]:
    people: set[int] = set()
    found: Counter[str] = Counter(n_events=0, n_opinions=0, n_positive=0)
    kinds: Counter[str] = Counter()
    surfaces: Counter[str] = Counter()
    rows = Interaction.objects.filter(created_at__gte=start_of(day), created_at__lt=end_of(day))
    for user_id, kind, value, surface in rows.values_list(
        "user_id", "kind", "value", "surface"
    ).iterator(chunk_size=CHUNK):
        verdict = _verdict(kind, value)
        if user_id is not None:
            people.add(user_id)
        kinds[kind] += 1
        surfaces[surface] += 1
        found.update(n_events=1, n_opinions=int(verdict is not None), n_positive=verdict or 0)
    return {**found, "n_people": len(people), "kind": dict(kinds), "surface": dict(surfaces)}


def _rolled_feedback(row: FeedbackDay) -> dict[str, Any]:
    names = ("n_events", "n_opinions", "n_positive", "n_people")
    return {name: getattr(row, name) for name in names} | {
        name: row.counts.get(name, {}) for name in ("kind", "surface")
    }


def _shown(day: date) -> dict[str, Any]:
    slates = {
        slate.pk: slate
        for slate in Slate.objects.filter(
            created_at__gte=start_of(day), created_at__lt=end_of(day)
        ).iterator(chunk_size=CHUNK)
    }
    films_of: dict[uuid.UUID, set[int]] = {pk: set() for pk in slates}
    exposure: Counter[int] = Counter()
    sources: Counter[str] = Counter()
    impressions = Impression.objects.filter(
        slate__created_at__gte=start_of(day), slate__created_at__lt=end_of(day)
    ).values_list("slate_id", "movie_id", "source")
    for slate_id, movie_id, source in impressions.iterator(chunk_size=CHUNK):
        films_of[slate_id].add(movie_id)
        exposure[movie_id] += 1
        sources[source] += 1
    answered = _answers(slates, films_of, day)
    lists = list(slates.values())
    return {
        "n_lists": len(lists),
        "n_people": len({slate.user_id for slate in lists if slate.user_id}),
        "n_impressions": exposure.total(),
        "n_films": len(exposure),
        "n_fallback": sum(bool(slate.fallback) for slate in lists),
        "exposure": dict(exposure),
        "source": dict(sources),
        "surface": dict(Counter(slate.surface for slate in lists)),
        "policy": dict(Counter(slate.policy for slate in lists)),
        "model_version": dict(Counter(slate.model_version or "none" for slate in lists)),
        "lists by history": _by_history(lists),
        "opinions": sum(answered.values()),
        "positive": answered[1],
    }


def _answers(
    slates: dict[uuid.UUID, Slate], films_of: dict[uuid.UUID, set[int]], day: date
) -> Counter[int]:
    """How many opinions of a film that their list showed, in time, were yes (1) and not (0)."""
    found: Counter[int] = Counter()
    rows = Interaction.objects.filter(
        request_id__isnull=False,
        created_at__gte=start_of(day),
        created_at__lt=end_of(day) + ANSWERED_WITHIN,
    ).values_list("request_id", "movie_id", "kind", "value", "created_at")
    for request_id, movie_id, kind, value, at in rows.iterator(chunk_size=CHUNK):
        verdict = _verdict(kind, value)
        if request_id is None or verdict is None or movie_id not in films_of.get(request_id, ()):
            continue
        if at < slates[request_id].created_at + ANSWERED_WITHIN:
            found[verdict] += 1
    return found


def _by_history(lists: Iterable[Slate]) -> dict[str, int]:
    found = dict.fromkeys(PEOPLE_SLICES, 0)
    nobody, new, light, heavy = PEOPLE_SLICES
    for slate in lists:
        n = slate.context.get("n_history") or 0
        found[nobody if n == 0 else new if n <= 5 else light if n <= 20 else heavy] += 1
    return found


def _rolled_shown(row: ShownDay) -> dict[str, Any]:
    ids, counts = exposure_of(bytes(row.exposure))
    people = [row.slices.get(name, {}) for name in PEOPLE_SLICES]
    names = ("n_lists", "n_people", "n_impressions", "n_films", "n_fallback")
    return {
        **{name: getattr(row, name) for name in names},
        **{
            name: row.counts.get(name, {})
            for name in ("source", "surface", "policy", "model_version")
        },
        "exposure": dict(zip(ids.tolist(), counts.tolist(), strict=True)),
        "lists by history": {
            name: of.get("lists", 0) for name, of in zip(PEOPLE_SLICES, people, strict=True)
        },
        "opinions": sum(of.get("opinions", 0) for of in people),
        "positive": sum(of.get("positive", 0) for of in people),
    }
