"""What is kept about one person that shapes their list, read together.

Settings, hidden films, the last visit and the stored list were five questions to the database; most
of what a short question costs is the asking.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.prepared import prepared_cursor
from accounts.services import Taste
from feedback.models import VISITED_SURFACES
from recommendations.limits import barred_movie_ids, has_limits
from recommendations.snapshot import Serving
from recommendations.visits import today_starts

_TASTE_FIELDS = tuple(field.name for field in fields(Taste))


@dataclass(frozen=True)
class StoredList:
    """A row of ``Recommendation``, cut to the films that are wanted (``evidence`` is of all).

    ``known_ids`` are those of them that the person rated or reacted to nevertheless.
    """

    generation: int
    movie_ids: tuple[int, ...]
    scores: tuple[float, ...]
    evidence: bytes
    context: Mapping[str, Any] = field(default_factory=dict)
    last_visit_on: date | None = None
    known_ids: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Standing:
    """``barred`` are the films that the person may not be shown; ``last_visit_on`` the day of the
    last visit before today; ``stored`` the stored list of the version and generation asked for."""

    taste: Taste
    barred: frozenset[int]
    last_visit_on: date | None = None
    stored: StoredList | None = None


# The surfaces are written out: a plan that is kept (accounts.prepared) sees then that the index of
# visits holds all that is asked for.
_SQL = f"""
    SELECT
        (SELECT to_jsonb(taste) FROM accounts_tastesettings taste WHERE taste.user_id = %(user)s),
        ARRAY(SELECT id FROM catalog_movie WHERE is_hidden),
        (
            SELECT max(created_at) FROM feedback_slate
            WHERE user_id = %(user)s AND surface IN {VISITED_SURFACES} AND created_at < %(today)s
        ),
        list.movie_ids[:%(n)s], list.scores[:%(n)s],
        list.evidence, list.context, list.last_visit_on,
        CASE WHEN list.user_id IS NOT NULL THEN ARRAY(
            SELECT movie_id FROM feedback_rating
            WHERE user_id = %(user)s AND movie_id = ANY(list.movie_ids[:%(n)s])
            UNION ALL
            SELECT movie_id FROM feedback_reaction
            WHERE user_id = %(user)s AND movie_id = ANY(list.movie_ids[:%(n)s])
                AND kind <> 'muted' AND (expires_at IS NULL OR expires_at > %(now)s)
        ) END
    FROM (SELECT) one
    LEFT JOIN recommendations_recommendation list
        ON list.user_id = %(user)s AND list.source = %(source)s
        AND list.model_version_id = %(version)s AND list.feedback_generation = %(generation)s
        AND cardinality(list.movie_ids) >= %(n)s
"""  # noqa: S608 - names of ours


def standing_of(
    user: User, serving: Serving | None, *, n: int, generation: int, now: datetime | None = None
) -> Standing:
    """One query, and one more for settings that rule films out.

    ``stored`` only if it holds ``n`` films of ``serving`` and has seen the feedback up to
    ``generation``.
    """
    now = now or timezone.now()
    asked: dict[str, Any] = {
        "user": user.pk,
        "today": today_starts(now),
        "now": now,
        "n": n,
        "source": serving.source if serving else "",
        "version": serving.version_id if serving else None,
        "generation": generation,
    }
    with prepared_cursor() as cursor:
        cursor.execute(_SQL, asked)
        taste, hidden, visited, movie_ids, scores, evidence, context, made_for, known = (
            cursor.fetchone()
        )
    # JSON comes as text: that is how Django sets its connections up.
    found = Taste() if taste is None else _taste(json.loads(taste))
    stored = None
    if movie_ids is not None:
        stored = StoredList(
            generation=generation,
            movie_ids=tuple(movie_ids),
            scores=tuple(scores),
            evidence=bytes(evidence),
            context=json.loads(context),
            last_visit_on=made_for,
            known_ids=frozenset(known),
        )
    return Standing(
        taste=found,
        barred=barred_movie_ids(found) if has_limits(found) else frozenset(hidden),
        last_visit_on=visited.astimezone(UTC).date() if visited else None,
        stored=stored,
    )


def _taste(row: Mapping[str, Any]) -> Taste:
    values: dict[str, Any] = {
        name: tuple(row[name]) if isinstance(row[name], list) else row[name]
        for name in _TASTE_FIELDS
    }
    return Taste(**values)
