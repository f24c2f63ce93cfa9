"""One adapter from the warehouse and live feedback to what models learn from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import polars as pl
from django.db.models import Max
from django.utils import timezone

from catalog import warehouse
from catalog.models import Movie
from feedback.models import Interaction, Rating, Reaction
from ml.data import Dataset
from ml.idmap import IdMap
from ml.types import Interactions, ItemFeatures
from recommendations.item_facts import item_facts
from recommendations.preferences import DISLIKE_AS_STARS, LIKE_AS_STARS

# Films with fewer ratings carry no collaborative signal; they are for content-based sources.
MIN_ITEM_RATINGS = 3
# EASE inverts a dense films x films matrix: 20,000 films are 1.6 GB and a minute on two cores.
MAX_ITEMS = 20_000
# Live people get keys above every warehouse key.
LIVE_USER_OFFSET = 1 << 60

RATINGS_SCHEMA = {
    "user_key": pl.Int64,
    "movie_id": pl.Int64,
    "rating": pl.Float32,
    "timestamp": pl.Int64,
}


@dataclass(frozen=True)
class TrainingData:
    """Everything that one training sees. ``items`` maps positions to film ids."""

    dataset: Dataset
    features: ItemFeatures
    fingerprint: str
    last_interaction_id: int
    # Before the first row was read: what changed after it is not in.
    read_at: datetime = field(default_factory=timezone.now)

    @property
    def items(self) -> IdMap:
        """Positions of films."""
        return self.dataset.items


class NoTrainingDataError(Exception):
    """There is nothing to learn from; the message says what to import."""


def training_data(*, before: int | None = None) -> TrainingData:
    """Reads the warehouse and live ratings and reactions. Raises NoTrainingDataError if empty.

    ``before`` (seconds) leaves out everything from that moment on, also from the choice of films.
    """
    read_at = timezone.now()
    # The watermark is read first: what arrives while reading counts towards the next training.
    last_id = Interaction.objects.aggregate(last=Max("pk"))["last"] or 0
    frame = pl.concat([warehouse.read_ratings().select(*RATINGS_SCHEMA), _live_ratings()])
    if before is not None:
        frame = frame.filter(pl.col("timestamp") < before)
    counts = frame.group_by("movie_id").len().filter(pl.col("len") >= MIN_ITEM_RATINGS)
    kept = counts.sort(["len", "movie_id"], descending=[True, False]).head(MAX_ITEMS)
    frame = frame.join(kept.select("movie_id"), on="movie_id", how="semi", maintain_order="left")
    if frame.is_empty():
        raise NoTrainingDataError(
            "There are no ratings to learn from. Import some: manage.py import_movielens FOLDER, "
            "or manage.py load_starter."
        )
    return TrainingData(
        dataset=_dataset(frame),
        features=item_facts(IdMap.of(frame["movie_id"].to_numpy())),
        fingerprint=_fingerprint(frame),
        last_interaction_id=last_id,
        read_at=read_at,
    )


def widened(data: TrainingData) -> TrainingData:
    """The same ratings over the whole catalogue, with text, people and keywords.

    For models that know films by their facts: they can recommend what nobody has rated yet.
    """
    films = Movie.objects.visible().order_by("pk").values_list("pk", flat=True)
    items = IdMap.of(np.concatenate([data.items.ids, np.fromiter(films, dtype=np.int64)]))
    return replace(
        data,
        dataset=_renamed(data.dataset, items),
        features=item_facts(items, with_text=True),
    )


def narrowed(data: TrainingData, *, max_items: int) -> TrainingData:
    """Only the ``max_items`` films with the most ratings: for tables of films by films."""
    if len(data.items) <= max_items:
        return data
    events = data.dataset.interactions
    count = np.bincount(events.item_index, minlength=events.n_items)
    kept = np.sort(np.argsort(-count, kind="stable")[:max_items])
    items = IdMap.of(data.items.ids[kept])
    is_kept = np.isin(events.item_index, kept)
    dataset = replace(data.dataset, interactions=events.select(is_kept))
    return replace(data, dataset=_renamed(dataset, items), features=item_facts(items))


def _renamed(dataset: Dataset, items: IdMap) -> Dataset:
    """The same events with the positions of ``items``."""
    events = dataset.interactions
    renamed = replace(
        events,
        item_index=items.index(dataset.items.id(events.item_index)).astype(np.int32),
        n_items=len(items),
    )
    return replace(dataset, interactions=renamed, items=items)


def _live_ratings() -> pl.DataFrame:
    """What people with accounts said. Visitors wait until they have one (ADR 0004)."""
    muted = set(
        Reaction.objects.filter(kind=Reaction.Kind.MUTED).values_list("user_id", "movie_id")
    )
    rows = [
        (LIVE_USER_OFFSET + user_id, movie_id, float(stars), int(at.timestamp()))
        for user_id, movie_id, stars, at in Rating.objects.filter(user__is_visitor=False)
        .order_by("updated_at", "pk")
        .values_list("user_id", "movie_id", "stars", "updated_at")
        .iterator(chunk_size=10_000)
        if (user_id, movie_id) not in muted
    ]
    rated = {(user, movie) for user, movie, _, _ in rows}
    as_stars = {Reaction.Kind.LIKE: LIKE_AS_STARS, Reaction.Kind.DISLIKE: DISLIKE_AS_STARS}
    reactions = (
        Reaction.objects.filter(kind__in=as_stars, user__is_visitor=False)
        .order_by("created_at", "pk")
        .values_list("user_id", "movie_id", "kind", "created_at")
    )
    for user_id, movie_id, kind, at in reactions.iterator(chunk_size=10_000):
        key = LIVE_USER_OFFSET + user_id
        if (key, movie_id) not in rated and (user_id, movie_id) not in muted:
            rows.append((key, movie_id, as_stars[Reaction.Kind(kind)], int(at.timestamp())))
    return pl.DataFrame(rows, schema=RATINGS_SCHEMA, orient="row")


def _dataset(frame: pl.DataFrame) -> Dataset:
    users = IdMap.of(frame["user_key"].to_numpy())
    items = IdMap.of(frame["movie_id"].to_numpy())
    return Dataset(
        name="marquee",
        interactions=Interactions(
            user_index=users.index(frame["user_key"].to_numpy()),
            item_index=items.index(frame["movie_id"].to_numpy()),
            rating=frame["rating"].to_numpy().astype(np.float32),
            timestamp=frame["timestamp"].to_numpy().astype(np.int64),
            n_users=len(users),
            n_items=len(items),
        ),
        users=users,
        items=items,
        has_timestamps=True,
    )


def _fingerprint(frame: pl.DataFrame) -> str:
    digest = hashlib.sha256()
    for column in ("user_key", "movie_id", "rating", "timestamp"):
        digest.update(frame[column].to_numpy().tobytes())
    return digest.hexdigest()
