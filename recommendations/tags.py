"""Reason tags: short words on a card, each shown only where it is true of this list.

The conditions are those of :func:`ml.explain.tags`; here is where their facts come from.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from feedback.selectors import UserFeedback
from ml.explain import Evidence, Explanation, Facts, Tag, tags
from recommendations.pipeline import recommend_many
from recommendations.ranked import RankedFilm, RankedList
from recommendations.reranking import ListContext
from recommendations.services.trending import trending_movie_ids
from recommendations.snapshot import Snapshot

MAX_TAGS = 2
RECENT = timedelta(days=1)  # likes that a boost is told of
RECOMPUTED = 100  # places looked at without them
LIKED_STARS = 4.0
# Sources that speak of people with similar ratings.
COLLABORATIVE = frozenset({"edlae", "edlae_recent", "slit", "transition", "item_item", "als"})


def recent_likes(person: UserFeedback, *, now: datetime) -> list[int]:
    """The films that the person liked since yesterday."""
    return [
        event.movie_id
        for event in person.history
        if event.at > now - RECENT
        and (
            event.kind == "like" or (event.stars is not None and float(event.stars) >= LIKED_STARS)
        )
    ]


def tags_of(
    ranked: RankedList,
    person: UserFeedback,
    *,
    snapshot: Snapshot | None,
    barred: frozenset[int],
    context: ListContext,
    muted: Iterable[str] = (),
    now: datetime | None = None,
) -> dict[int, tuple[Tag, ...]]:
    """At most two tags by film id, the most personal first, without those that are ``muted``.

    "Boosted" is recomputed: the list as it would be without the likes since yesterday.
    """
    now = now or timezone.now()
    trending = {pk: place for place, pk in enumerate(trending_movie_ids())}
    recent = recent_likes(person, now=now)
    after: dict[int, int] = {}
    # Of an experiment's list it would have to be made again as the experiment made it: not claimed.
    if recent and snapshot is not None and ranked.trial is None:
        after = _places_without(recent, ranked, person, snapshot, barred=barred, context=context)
    hidden = set(muted)
    found = {}
    for place, film in enumerate(ranked.films):
        facts = Facts(
            trend_place=trending.get(film.movie_id),
            genre_match=film.genre_match or 0.0,
            collaborative_share=collaborative_share(film),
            place=place,
            place_without_recent_likes=after.get(film.movie_id),
            has_recent_likes=bool(recent) and film.score is not None,
        )
        true_here = tags(_explanation(film), facts)
        found[film.movie_id] = tuple(tag for tag in true_here if tag not in hidden)[:MAX_TAGS]
    return found


def _places_without(
    recent: list[int],
    ranked: RankedList,
    person: UserFeedback,
    snapshot: Snapshot,
    *,
    barred: frozenset[int],
    context: ListContext,
) -> dict[int, int]:
    before = person
    for movie_id in recent:
        before = before.without(movie_id)
    lists = recommend_many(
        [before],
        snapshot,
        n=RECOMPUTED,
        source=ranked.source,
        barred=[barred],
        contexts=[context],
        evidence="none",
    )
    return {film.movie_id: place for place, film in enumerate(lists[0].films)}


def collaborative_share(film: RankedFilm) -> float:
    """Of what the sources of a blend say for the film, the part of the collaborative ones."""
    parts = {part.source: max(0.0, part.contribution) for part in film.by_source}
    total = sum(parts.values())
    if total:
        return sum(value for name, value in parts.items() if name in COLLABORATIVE) / total
    return 1.0 if film.source in COLLABORATIVE and film.evidence else 0.0


def _explanation(film: RankedFilm) -> Explanation:
    """The film's evidence as ``ml.explain`` has it; events are places in the evidence."""
    evidence = tuple(
        Evidence(event=i, contribution=part.contribution, share=part.share)
        for i, part in enumerate(film.evidence)
    )
    return Explanation(score=film.score or 0.0, evidence=evidence)
