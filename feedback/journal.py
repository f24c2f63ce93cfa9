"""Writing the diary and one's own lists. Only their person ever reads or changes them by id."""

from __future__ import annotations

import secrets
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from catalog.models import Movie
from catalog.numbers import count_text
from feedback.events import EventContext
from feedback.models import DiaryEntry, FilmList, ListItem, Rating, Reaction
from feedback.services import FeedbackError, locked, reaction_set

MAX_LISTS = 200
MAX_ITEMS = 1000


@transaction.atomic
def diary_add(
    *, user: User, movie: Movie, watched_on: date, is_rewatch: bool = False, note: str = ""
) -> DiaryEntry:
    """Writes a viewing down; the same film on the same day again changes that entry.

    A film with an earlier entry is a rewatch whatever is said. Who watched a film has seen it: it
    leaves the lists, unless their stars keep it out already. FeedbackError for a day to come.
    """
    # A day more than ours: it is tomorrow in half of the world before it is here.
    if watched_on > timezone.now().date() + timedelta(days=1):
        raise FeedbackError(_("This day has not come yet."))
    person = locked(user)
    viewings = DiaryEntry.objects.filter(user=person, movie=movie)
    is_again = is_rewatch or viewings.filter(watched_on__lt=watched_on).exists()
    entry, _is_new = DiaryEntry.objects.update_or_create(
        user=person,
        movie=movie,
        watched_on=watched_on,
        defaults={"is_rewatch": is_again, "note": note.strip()},
    )
    is_known = (
        Rating.objects.filter(user=person, movie=movie).exists()
        or Reaction.objects.filter(user=person, movie=movie, kind=Reaction.Kind.SEEN).exists()
    )
    if not is_known:
        seen = EventContext(surface="diary")
        reaction_set(user=person, movie=movie, kind=Reaction.Kind.SEEN, event=seen)
    return entry


def diary_remove(*, entry: DiaryEntry) -> None:
    """Takes a viewing out. That the film was seen stays said: that is another question."""
    entry.delete()


@transaction.atomic
def list_create(*, user: User, name: str, note: str = "") -> FilmList:
    """A new list, read by nobody else. FeedbackError where there are too many."""
    person = locked(user)
    if FilmList.objects.filter(user=person).count() >= MAX_LISTS:
        raise FeedbackError(
            _("There is room for %(n)s lists. Delete one first.") % {"n": count_text(MAX_LISTS)}
        )
    return FilmList.objects.create(user=person, name=name.strip(), note=note.strip())


def list_edit(*, film_list: FilmList, name: str, note: str) -> None:
    """A new name and note."""
    film_list.name, film_list.note = name.strip(), note.strip()
    film_list.updated_at = timezone.now()
    film_list.save(update_fields=["name", "note", "updated_at"])


def list_share(*, film_list: FilmList, is_on: bool) -> None:
    """Gives the list an address that can be passed on, or takes it back.

    Shared again it gets another one: who had the old address does not get in.
    """
    if bool(film_list.share_key) == is_on:
        return
    film_list.share_key = secrets.token_urlsafe(24) if is_on else None
    film_list.save(update_fields=["share_key"])


@transaction.atomic
def list_put(*, film_list: FilmList, movie: Movie, is_in: bool) -> bool:
    """Puts a film at the end of the list or takes it out; whether anything changed."""
    held = FilmList.objects.select_for_update().get(pk=film_list.pk)
    if not is_in:
        removed = ListItem.objects.filter(film_list=held, movie=movie).delete()[0]
        return bool(removed)
    items = ListItem.objects.filter(film_list=held)
    if items.filter(movie=movie).exists():
        return False
    if items.count() >= MAX_ITEMS:
        raise FeedbackError(_("A list has room for %(n)s films.") % {"n": count_text(MAX_ITEMS)})
    last = items.aggregate(last=Max("position"))["last"]
    ListItem.objects.create(film_list=held, movie=movie, position=0 if last is None else last + 1)
    held.updated_at = timezone.now()
    held.save(update_fields=["updated_at"])
    return True


@transaction.atomic
def list_move(*, film_list: FilmList, movie: Movie, to: int) -> None:
    """Gives a film the place ``to`` (0 is the first; beyond the end is the last)."""
    FilmList.objects.select_for_update().get(pk=film_list.pk)
    items = list(ListItem.objects.filter(film_list=film_list).order_by("position", "pk"))
    moved = next((item for item in items if item.movie_id == movie.pk), None)
    if moved is None:
        return
    items.remove(moved)
    items.insert(max(0, min(to, len(items))), moved)
    changed = []
    for place, item in enumerate(items):
        if item.position != place:
            item.position = place
            changed.append(item)
    ListItem.objects.bulk_update(changed, ["position"])


def list_item_note(*, film_list: FilmList, movie: Movie, note: str) -> None:
    """What the person says of the film in this list."""
    ListItem.objects.filter(film_list=film_list, movie=movie).update(note=note.strip())


def list_delete(*, film_list: FilmList) -> None:
    """The list, not its films."""
    film_list.delete()
