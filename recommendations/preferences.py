"""What a person's feedback means to the models: one table, used for pages, API and batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from feedback.selectors import HistoryEvent, UserFeedback
from ml.idmap import IdMap
from ml.types import Histories

LIKE_WEIGHT = 0.8
DISLIKE_WEIGHT = -0.4
# What they count as where only stars are understood.
LIKE_AS_STARS = 4.5
DISLIKE_AS_STARS = 1.5


def event_weight(event: HistoryEvent) -> float:
    """How much an event is a wish for more of the same: 1 for five stars, negative for a dislike.

    Half of the models' training events carry four stars or more, so three stars say little and
    fewer say "not this": dislikes count less than half of likes, because people choose what they
    watch and even a disappointing film was once wanted.
    """
    if event.stars is None:
        return LIKE_WEIGHT if event.kind == "like" else DISLIKE_WEIGHT
    stars = float(event.stars)
    return (stars - 2.5) / 2.5 if stars >= 2.5 else (stars - 2.5) / 5.0


def starred(histories: Histories) -> Histories:
    """Likes and dislikes as the stars that training takes them for: the features of a ranker must
    see one history alike, offline and online."""
    as_stars = np.where(histories.weight > 0, LIKE_AS_STARS, DISLIKE_AS_STARS)
    rating = np.where(np.isnan(histories.rating), as_stars, histories.rating)
    return replace(histories, rating=rating.astype(np.float32))


def histories_of(people: Sequence[UserFeedback], items: IdMap) -> Histories:
    """The histories as positions of ``items``; films that the model does not know are -1."""
    return Histories.from_lists(
        [items.index(np.array([e.movie_id for e in p.history], np.int64)) for p in people],
        weights=[[event_weight(e) for e in p.history] for p in people],
        ratings=[
            [np.nan if e.stars is None else float(e.stars) for e in p.history] for p in people
        ],
        timestamps=[[int(e.at.timestamp()) for e in p.history] for p in people],
    )
