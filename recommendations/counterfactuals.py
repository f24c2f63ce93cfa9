"""Claims of the form "without your rating of X", recomputed before they are made."""

from __future__ import annotations

from collections.abc import Sequence

from feedback.selectors import UserFeedback
from recommendations.pipeline import DEFAULT_SOURCE
from recommendations.reranking import ListContext
from recommendations.selectors import lists_without
from recommendations.snapshot import Snapshot

FIRST = 20  # the claim is about the first 20 films
MAX_TRIED = 8  # each film tried is a list computed anew


def sole_cause_ids(
    person: UserFeedback,
    tried: Sequence[int],
    *,
    snapshot: Snapshot,
    movie_id: int,
    barred: frozenset[int],
    context: ListContext,
    source: str = DEFAULT_SOURCE,
) -> tuple[int, ...]:
    """The films among the first :data:`MAX_TRIED` of ``tried`` that alone keep ``movie_id`` there.

    For each of them: ``movie_id`` is in the person's first 20 now, and would not be if no list
    learned from that film. Not estimated from contributions: the whole list is computed again,
    fallback included, as in ``ml.explain.leaves_top_k_without``.
    """
    tried = tried[:MAX_TRIED]
    now, without = lists_without(
        person, tried, snapshot=snapshot, barred=barred, context=context, n=FIRST, source=source
    )
    if movie_id not in {film.movie_id for film in now.films}:
        return ()
    return tuple(
        cause
        for cause, found in zip(tried, without, strict=True)
        if movie_id not in {film.movie_id for film in found.films}
    )
