"""A person's state as entries: (entity, film, key) -> a JSON value, or None where there is none.

One shape for everything that an import may write makes its three questions simple: what would
change (a dry run), what changed (kept to take it back), and is it still as we left it (an undo
takes back nothing that the person changed since).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils import timezone

from accounts.models import TasteSettings, User
from feedback.models import (
    DiaryEntry,
    FilmList,
    Interaction,
    ListItem,
    QuizSession,
    Rating,
    Reaction,
    WatchlistEntry,
)

Value = dict[str, Any] | None
Kind = Interaction.Kind
SURFACE = "import"
_BATCH = 1000


class Key(NamedTuple):
    """``movie_id`` is 0 for what is about no film; ``key`` tells entries of one film apart."""

    entity: str
    movie_id: int
    key: str = ""


class Entries:
    """The entries of one person, read when first asked for, and written back at once."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.now: dict[Key, Value] = {}
        self.before: dict[Key, Value] = {}
        # (film, key) by entity: what stands under a film, without walking all entries.
        self.keys_of: dict[tuple[str, int], set[str]] = {}
        self._loaded: set[int] = set()
        self._is_self_loaded = False

    def get(self, key: Key) -> Value:
        """The value as it is by now."""
        return self.now.get(key)

    def put(self, key: Key, value: Value) -> None:
        """A new value; what it was at first is kept."""
        self.before.setdefault(key, self.now.get(key))
        self.now[key] = value
        keys = self.keys_of.setdefault((key.entity, key.movie_id), set())
        (keys.discard if value is None else keys.add)(key.key)

    def changed(self) -> list[tuple[Key, Value, Value]]:
        """(key, before, after) of everything that differs."""
        return [
            (key, before, self.now[key])
            for key, before in self.before.items()
            if before != self.now[key]
        ]

    def load(self, movie_ids: Iterable[int]) -> None:
        """Reads what stands under these films: six queries, none for films read before."""
        wanted = set(movie_ids) - self._loaded
        self._loaded |= wanted
        if not wanted:
            return
        mine = {"user": self.user, "movie_id__in": wanted}
        for rating in Rating.objects.filter(**mine):
            self._held(Key("rating", rating.movie_id), rating_value(rating))
        for reaction in Reaction.objects.filter(**mine):
            self._held(
                Key("reaction", reaction.movie_id, reaction.kind),
                {
                    "created_at": reaction.created_at.isoformat(),
                    "expires_at": _iso(reaction.expires_at),
                },
            )
        for wanted_row in WatchlistEntry.objects.filter(**mine):
            self._held(
                Key("watchlist", wanted_row.movie_id),
                {"created_at": wanted_row.created_at.isoformat()},
            )
        for entry in DiaryEntry.objects.filter(**mine):
            self._held(
                Key("diary", entry.movie_id, entry.watched_on.isoformat()),
                {
                    "is_rewatch": entry.is_rewatch,
                    "note": entry.note,
                    "created_at": entry.created_at.isoformat(),
                },
            )
        passes = Interaction.objects.filter(**mine, kind__in=[Kind.PASS, Kind.UNPASS])
        for movie_id, kind, at in passes.values_list("movie_id", "kind", "created_at"):
            self._held(Key("pass", movie_id, at.isoformat()), {"is_on": kind == Kind.PASS})

    def load_self(self) -> None:
        """Reads what is about no film: lists with their films, quiz answers, dials."""
        if self._is_self_loaded:
            return
        self._is_self_loaded = True
        for film_list in FilmList.objects.filter(user=self.user):
            self._held(Key("list", 0, str(film_list.pk)), list_value(film_list))
        for item in ListItem.objects.filter(film_list__user=self.user):
            self._held(
                Key("list_item", item.movie_id, str(item.film_list_id)),
                {
                    "position": item.position,
                    "note": item.note,
                    "created_at": item.created_at.isoformat(),
                },
            )
        for quiz in QuizSession.objects.filter(user=self.user):
            self._held(Key("quiz", 0, quiz.created_at.isoformat()), {"answers": quiz.answers})
        taste = TasteSettings.objects.filter(user=self.user).first()
        if taste is not None:
            self._held(Key("taste", 0), taste_value(taste))

    def _held(self, key: Key, value: dict[str, Any]) -> None:
        if key not in self.now:
            self.now[key] = value
            self.keys_of.setdefault((key.entity, key.movie_id), set()).add(key.key)


def rating_value(rating: Rating) -> dict[str, Any]:
    """Stars and times."""
    return {
        "stars": str(rating.stars),
        "created_at": rating.created_at.isoformat(),
        "updated_at": rating.updated_at.isoformat(),
    }


def list_value(film_list: FilmList) -> dict[str, Any]:
    """Name, note and time."""
    return {
        "name": film_list.name,
        "note": film_list.note,
        "created_at": film_list.created_at.isoformat(),
    }


def taste_value(taste: TasteSettings) -> dict[str, Any]:
    """Every dial."""
    fields = [f.name for f in TasteSettings._meta.concrete_fields if f.name not in {"id", "user"}]
    return {name: getattr(taste, name) for name in fields}


def entries_write(user: User, changed: Iterable[tuple[Key, Value, Value]]) -> int:
    """Writes (key, before, after) to the tables and the log; how many. Inside a transaction."""
    by_entity: dict[str, list[tuple[Key, Value, Value]]] = {}
    for key, before, after in changed:
        by_entity.setdefault(key.entity, []).append((key, before, after))
    for entity in sorted(by_entity, key=list(_WRITERS).index):
        _WRITERS[entity](user, by_entity[entity])
    _log(user, [change for entity in by_entity.values() for change in entity])
    return sum(len(changes) for changes in by_entity.values())


Changes = list[tuple[Key, Value, Value]]


def _gone(changes: Changes) -> list[Key]:
    return [key for key, _before, after in changes if after is None]


def _kept(changes: Changes) -> list[tuple[Key, dict[str, Any]]]:
    return [(key, after) for key, _before, after in changes if after is not None]


def _write_ratings(user: User, changes: Changes) -> None:
    Rating.objects.filter(user=user, movie_id__in=[k.movie_id for k in _gone(changes)]).delete()
    rows = [
        Rating(
            user=user,
            movie_id=key.movie_id,
            stars=Decimal(value["stars"]),
            created_at=_time(value["created_at"]),
            updated_at=_time(value["updated_at"]),
        )
        for key, value in _kept(changes)
    ]
    Rating.objects.bulk_create(
        rows,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["user", "movie"],
        update_fields=["stars", "created_at", "updated_at"],
    )


def _write_reactions(user: User, changes: Changes) -> None:
    # What goes, goes first: like and dislike of one film never stand side by side.
    for key in _gone(changes):
        Reaction.objects.filter(user=user, movie_id=key.movie_id, kind=key.key).delete()
    rows = [
        Reaction(
            user=user,
            movie_id=key.movie_id,
            kind=key.key,
            created_at=_time(value["created_at"]),
            expires_at=_time(value["expires_at"]) if value["expires_at"] else None,
        )
        for key, value in _kept(changes)
    ]
    Reaction.objects.bulk_create(
        rows,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["user", "movie", "kind"],
        update_fields=["created_at", "expires_at"],
    )


def _write_watchlist(user: User, changes: Changes) -> None:
    gone = [key.movie_id for key in _gone(changes)]
    WatchlistEntry.objects.filter(user=user, movie_id__in=gone).delete()
    rows = [
        WatchlistEntry(user=user, movie_id=key.movie_id, created_at=_time(value["created_at"]))
        for key, value in _kept(changes)
    ]
    WatchlistEntry.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)


def _write_diary(user: User, changes: Changes) -> None:
    for key in _gone(changes):
        DiaryEntry.objects.filter(
            user=user, movie_id=key.movie_id, watched_on=date.fromisoformat(key.key)
        ).delete()
    rows = [
        DiaryEntry(
            user=user,
            movie_id=key.movie_id,
            watched_on=date.fromisoformat(key.key),
            is_rewatch=value["is_rewatch"],
            note=value["note"],
            created_at=_time(value["created_at"]),
        )
        for key, value in _kept(changes)
    ]
    DiaryEntry.objects.bulk_create(
        rows,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["user", "movie", "watched_on"],
        update_fields=["is_rewatch", "note"],
    )


def _write_lists(user: User, changes: Changes) -> None:
    """Lists are made where their first film is (effects); here they only go."""
    gone = [int(key.key) for key in _gone(changes)]
    # One that holds films by now, put there by hand, stays.
    FilmList.objects.filter(user=user, pk__in=gone, items__isnull=True).delete()


def _write_list_items(user: User, changes: Changes) -> None:
    for key in _gone(changes):
        ListItem.objects.filter(
            film_list__user=user, film_list_id=int(key.key), movie_id=key.movie_id
        ).delete()
    rows = [
        ListItem(
            film_list_id=int(key.key),
            movie_id=key.movie_id,
            position=value["position"],
            note=value["note"],
            created_at=_time(value["created_at"]),
        )
        for key, value in _kept(changes)
    ]
    ListItem.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)
    FilmList.objects.filter(pk__in={row.film_list_id for row in rows}).update(
        updated_at=timezone.now()
    )


def _write_quizzes(user: User, changes: Changes) -> None:
    gone = [_time(key.key) for key in _gone(changes)]
    QuizSession.objects.filter(user=user, created_at__in=gone).delete()
    QuizSession.objects.bulk_create(
        QuizSession(user=user, answers=value["answers"], created_at=_time(key.key))
        for key, value in _kept(changes)
    )


def _write_taste(user: User, changes: Changes) -> None:
    for _key, _before, after in changes:
        if after is None:
            TasteSettings.objects.filter(user=user).delete()
        else:
            TasteSettings.objects.update_or_create(user=user, defaults=after)


def _write_passes(user: User, changes: Changes) -> None:
    """The log is their only place: written with their own time, taken back by an entry more."""
    now = timezone.now()
    rows = [
        (key.movie_id, Kind.PASS if value["is_on"] else Kind.UNPASS, _time(key.key))
        for key, value in _kept(changes)
    ]
    rows += [
        (key.movie_id, Kind.UNPASS, now)
        for key, before, after in changes
        if after is None and before is not None and before["is_on"]
    ]
    Interaction.objects.bulk_create(
        Interaction(
            event_id=uuid.uuid4(),
            user=user,
            movie_id=movie_id,
            kind=kind,
            surface=SURFACE,
            created_at=at,
        )
        for movie_id, kind, at in rows
    )


# Films go before their list does.
_WRITERS = {
    "rating": _write_ratings,
    "reaction": _write_reactions,
    "watchlist": _write_watchlist,
    "diary": _write_diary,
    "list_item": _write_list_items,
    "list": _write_lists,
    "pass": _write_passes,
    "quiz": _write_quizzes,
    "taste": _write_taste,
}


def _log(user: User, changes: Changes) -> None:
    """What happened, for the log: an import is an event of its person like any other."""
    rows = []
    for key, before, after in changes:
        if key.entity == "rating":
            kind, value = (Kind.RATE, after["stars"]) if after else (Kind.UNRATE, "")
            if before and after and before["stars"] == after["stars"]:
                continue
        elif key.entity == "reaction":
            kind, value = (Kind.REACT if after else Kind.UNREACT), key.key
        elif key.entity == "watchlist":
            kind, value = (Kind.WATCHLIST if after else Kind.UNWATCHLIST), ""
        else:
            continue
        rows.append(
            Interaction(
                event_id=uuid.uuid4(),
                user=user,
                movie_id=key.movie_id,
                kind=kind,
                value=value,
                surface=SURFACE,
            )
        )
    Interaction.objects.bulk_create(rows, batch_size=_BATCH)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _time(raw: str) -> datetime:
    return datetime.fromisoformat(raw)
