"""Reading one's own films as lists: what pages and API show alike, whose they are included."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from feedback.models import (
    DiaryEntry,
    FilmList,
    Interaction,
    ListItem,
    Rating,
    Reaction,
    WatchlistEntry,
)

Rows = TypeVar("Rows", bound=QuerySet[Any])

#: What takes a film off every list by the person's own wish, and can be taken back.
HIDING = (Reaction.Kind.NEVER, Reaction.Kind.NOT_TONIGHT, Reaction.Kind.DISLIKE)


def ratings_of(person_id: int) -> QuerySet[Rating]:
    """Films with the person's stars."""
    return _with_films(Rating.objects.filter(user_id=person_id, movie__is_hidden=False))


def reactions_of(person_id: int) -> QuerySet[Reaction]:
    """Verbs that still hold."""
    alive = Reaction.objects.filter(user_id=person_id, movie__is_hidden=False)
    return _with_films(alive.exclude(expires_at__lte=timezone.now()))


def hidden_of(person_id: int) -> QuerySet[Reaction]:
    """Films that the person does not want to be shown."""
    return reactions_of(person_id).filter(kind__in=HIDING)


def watchlist_of(person_id: int) -> QuerySet[WatchlistEntry]:
    """Films that the person means to watch."""
    return _with_films(WatchlistEntry.objects.filter(user_id=person_id, movie__is_hidden=False))


def diary_of(person_id: int) -> QuerySet[DiaryEntry]:
    """Viewings, the latest first."""
    rows = DiaryEntry.objects.filter(user_id=person_id, movie__is_hidden=False)
    return _with_films(rows).order_by("-watched_on", "-pk")


def history_of(person_id: int) -> QuerySet[Interaction]:
    """Everything that the person did with films, as it happened."""
    return _with_films(Interaction.objects.filter(user_id=person_id, movie__is_hidden=False))


def lists_of(person_id: int) -> QuerySet[FilmList]:
    """The person's own lists with ``n_films``, the latest changed first."""
    shown = Count("items", filter=Q(items__movie__is_hidden=False))
    return (
        FilmList.objects.filter(user_id=person_id)
        .annotate(n_films=shown)
        .order_by("-updated_at", "-pk")
    )


def items_of(film_list: FilmList) -> QuerySet[ListItem]:
    """A list's films in their order."""
    return _with_films(film_list.items.filter(movie__is_hidden=False))


def _with_films(rows: Rows) -> Rows:
    return rows.select_related("movie").prefetch_related("movie__genres")
