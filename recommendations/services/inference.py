"""Batch inference: the lists of people whose feedback is newer than what is stored for them."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import User
from feedback.models import Interaction
from feedback.selectors import feedback_of_users
from ml.resources import one_blas_thread
from recommendations.limits import barred_for_users
from recommendations.models import Recommendation
from recommendations.pipeline import DEFAULT_SOURCE, recommend_many
from recommendations.ranked import RankedList
from recommendations.reranking import contexts_of
from recommendations.snapshot import Snapshot, current_snapshot

BATCH_USERS = 256
# What a page shows and some to spare; who asks for more gets a list made anew.
STORED_FILMS = 48
MAX_EVIDENCE = 8  # what a card can need, with some to spare


def stale_users(snapshot: Snapshot, *, source: str = DEFAULT_SOURCE) -> QuerySet[User]:
    """People with feedback whose stored list is missing, older than it, or of another model."""
    fresh = Recommendation.objects.filter(
        user=OuterRef("pk"),
        source=source,
        model_version_id=snapshot.serving(source).version_id,
        feedback_generation=OuterRef("feedback_generation"),
    )
    return User.objects.filter(~Exists(fresh), is_active=True, feedback_generation__gt=0).order_by(
        "pk"
    )


def recommendations_refresh(
    *,
    sources: Sequence[str] = (DEFAULT_SOURCE,),
    limit: int | None = None,
    users: tuple[int, int] | None = None,
) -> int:
    """Recomputes and stores the lists of everybody whose list is stale; how many people.

    ``users`` are the first and the last user id of a shard; everybody where it is not given. Who
    has a fresh list from the first source has fresh ones from all: they are stored together.
    """
    snapshot = current_snapshot()
    if snapshot is None:
        return 0
    stale = stale_users(snapshot, source=sources[0])
    if users is not None:
        stale = stale.filter(pk__range=users)
    n_done = 0
    # Other workers use the other cores; on systems as small as one person's, a second thread of
    # BLAS waits longer than it works.
    with one_blas_thread(), _without_collector():
        for people in _batches(stale[: limit or 1_000_000]):
            _refresh(people, snapshot, sources=sources)
            n_done += len(people)
    return n_done


@contextmanager
def _without_collector() -> Iterator[None]:
    """A batch makes hundreds of thousands of small objects and no cycles: the collector, walking
    over them and all of Django again and again, took a quarter of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _refresh(people: list[User], snapshot: Snapshot, *, sources: Sequence[str]) -> None:
    feedback = feedback_of_users(people)
    barred, contexts = barred_for_users(people), contexts_of(people)
    histories = [feedback[user.pk] for user in people]
    # The first source last: its row says that the person is done.
    for source in reversed(sources):
        lists = recommend_many(
            histories,
            snapshot,
            n=STORED_FILMS,
            source=source,
            barred=barred,
            contexts=contexts,
            evidence="packed",
            max_parts=MAX_EVIDENCE,
        )
        _store([user.pk for user in people], lists, source=source)


def stale_ranges(*, size: int, source: str = DEFAULT_SOURCE) -> list[tuple[int, int]]:
    """Ranges of user ids, first and last, with at most ``size`` people each whose list is stale."""
    snapshot = current_snapshot()
    if snapshot is None:
        return []
    ids = list(stale_users(snapshot, source=source).values_list("pk", flat=True))
    return [
        (chunk[0], chunk[-1]) for chunk in (ids[i : i + size] for i in range(0, len(ids), size))
    ]


def _batches(users: QuerySet[User]) -> Iterator[list[User]]:
    batch: list[User] = []
    for user in users.iterator(chunk_size=BATCH_USERS):
        batch.append(user)
        if len(batch) == BATCH_USERS:
            yield batch
            batch = []
    if batch:
        yield batch


def _store(user_ids: list[int], lists: list[RankedList], *, source: str) -> None:
    """One upsert for the batch; a list carries the generation that it has seen."""
    now = timezone.now()
    Recommendation.objects.bulk_create(
        [
            Recommendation(
                user_id=user_id,
                source=source,
                movie_ids=[film.movie_id for film in ranked.films],
                scores=[film.score for film in ranked.films],
                evidence=ranked.packed,
                model_version_id=ranked.model_version_id,
                feedback_generation=ranked.generation,
                last_visit_on=ranked.context["last_visit_on"],
                context=ranked.context,
                computed_at=now,
            )
            for user_id, ranked in zip(user_ids, lists, strict=True)
            if ranked.model_version_id is not None
        ],
        update_conflicts=True,
        unique_fields=["user", "source"],
        update_fields=[
            *("movie_ids", "scores", "evidence"),
            *("model_version", "feedback_generation", "computed_at"),
            *("last_visit_on", "context"),
        ],
    )


def feedback_since(interaction_id: int) -> int:
    """New feedback events of accounts after ``interaction_id``, counted no further than needed."""
    newer = Interaction.objects.filter(pk__gt=interaction_id, user__is_visitor=False).exclude(
        kind=Interaction.Kind.OPEN
    )
    return newer[: settings.RETRAIN_AFTER].count()
