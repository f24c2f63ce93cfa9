"""Batch inference: the lists of people whose feedback is newer than what is stored for them."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import User
from feedback.models import Interaction
from feedback.selectors import feedback_of_users
from recommendations.limits import barred_for_users
from recommendations.models import Recommendation
from recommendations.pipeline import DEFAULT_SOURCE, recommend_many
from recommendations.ranked import RankedList
from recommendations.selectors import MAX_FILMS
from recommendations.snapshot import Snapshot, current_snapshot

BATCH_USERS = 256
MAX_EVIDENCE = 8  # what a card can need, with some to spare


def stale_users(snapshot: Snapshot, *, source: str = DEFAULT_SOURCE) -> QuerySet[User]:
    """People with feedback whose stored list is missing, older than it, or of another model."""
    fresh = Recommendation.objects.filter(
        user=OuterRef("pk"),
        source=source,
        model_version_id=snapshot.version_id,
        feedback_generation=OuterRef("feedback_generation"),
    )
    return User.objects.filter(~Exists(fresh), is_active=True, feedback_generation__gt=0).order_by(
        "pk"
    )


def recommendations_refresh(*, source: str = DEFAULT_SOURCE, limit: int | None = None) -> int:
    """Recomputes and stores the list of everybody whose list is stale; how many people."""
    snapshot = current_snapshot()
    if snapshot is None:
        return 0
    n_done = 0
    for people in _batches(stale_users(snapshot, source=source)[: limit or 1_000_000]):
        feedback = feedback_of_users(people)
        lists = recommend_many(
            [feedback[user.pk] for user in people],
            snapshot,
            n=MAX_FILMS,
            source=source,
            barred=barred_for_users(people),
        )
        _store([user.pk for user in people], lists, source=source, snapshot=snapshot)
        n_done += len(people)
    return n_done


def _batches(users: QuerySet[User]) -> Iterator[list[User]]:
    batch: list[User] = []
    for user in users.iterator(chunk_size=BATCH_USERS):
        batch.append(user)
        if len(batch) == BATCH_USERS:
            yield batch
            batch = []
    if batch:
        yield batch


def _store(
    user_ids: list[int], lists: list[RankedList], *, source: str, snapshot: Snapshot
) -> None:
    """One upsert for the batch; a list carries the generation that it has seen."""
    now = timezone.now()
    Recommendation.objects.bulk_create(
        [
            Recommendation(
                user_id=user_id,
                source=source,
                movie_ids=[film.movie_id for film in ranked.films],
                scores=[film.score for film in ranked.films],
                evidence=[film.shortened(MAX_EVIDENCE).evidence_json() for film in ranked.films],
                model_version_id=snapshot.version_id,
                feedback_generation=ranked.generation,
                computed_at=now,
            )
            for user_id, ranked in zip(user_ids, lists, strict=True)
        ],
        update_conflicts=True,
        unique_fields=["user", "source"],
        update_fields=[
            *("movie_ids", "scores", "evidence"),
            *("model_version", "feedback_generation", "computed_at"),
        ],
    )


def feedback_since(interaction_id: int) -> int:
    """New feedback events of accounts after ``interaction_id``, counted no further than needed."""
    newer = Interaction.objects.filter(pk__gt=interaction_id, user__is_visitor=False).exclude(
        kind=Interaction.Kind.OPEN
    )
    return newer[: settings.RETRAIN_AFTER].count()
