"""What a row changes, given what the person said here already.

The rules are those of merging a visitor (ADR 0004): what only one side said is kept; where both
said something, the newer counts, and what was said here where they are as old, or the file gives
no date.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import TasteSettings
from feedback.imports.entries import Entries, Key
from feedback.imports.models import ImportJob, ImportRow
from feedback.imports.records import Effect, Verb
from feedback.journal import MAX_ITEMS, MAX_LISTS
from feedback.models import FilmList

_OPPOSITE = {Verb.LIKE: Verb.DISLIKE, Verb.DISLIKE: Verb.LIKE}


class Effects:
    """Turns the rows of one import into changed entries. Nothing is written here but new lists.

    ``is_dry``: not even those. ``refused`` counts what cannot be kept and why.
    """

    def __init__(self, job: ImportJob, entries: Entries, *, is_dry: bool) -> None:
        self.job = job
        self.entries = entries
        self.is_dry = is_dry
        self.refused: Counter[str] = Counter()
        self.newest = job.created_at
        self.undated = min(job.oldest_at or job.created_at, job.created_at)
        self._lists: dict[str, str] | None = None
        self._positions: dict[str, int] = {}
        # An export says itself what was seen; other services say it by what was rated and watched.
        self.is_own = job.source == ImportJob.Source.MARQUEE

    def apply(self, rows: Iterable[tuple[ImportRow, int]]) -> None:
        """All effects of (row, film's id); the id is 0 where a row is about no film."""
        rows = list(rows)
        self.entries.load(movie_id for _row, movie_id in rows if movie_id)
        for row, movie_id in rows:
            for raw in row.effects:
                effect = Effect.from_json(raw)
                _HANDLERS[effect.verb](self, movie_id, effect)

    def at(self, effect: Effect) -> datetime:
        """When it was said: not in the future, and as old as the oldest where nobody knows."""
        return min(effect.at, self.newest) if effect.at else self.undated

    def is_newer(self, effect: Effect, held_at: str) -> bool:
        """Newer than what stands here."""
        return effect.at is not None and self.at(effect) > datetime.fromisoformat(held_at)

    def rate(self, movie_id: int, effect: Effect) -> None:
        """Stars, in place of older ones."""
        key = Key("rating", movie_id)
        held = self.entries.get(key)
        if held and held["stars"] == effect.stars:
            return
        if held and not self.is_newer(effect, held["updated_at"]):
            self.refused["rating_older"] += 1
            return
        at = self.at(effect).isoformat()
        made = min(effect.changed_at, self.newest).isoformat() if effect.changed_at else at
        made = held["created_at"] if held else made
        self.entries.put(key, {"stars": effect.stars, "created_at": made, "updated_at": at})

    def react(self, movie_id: int, effect: Effect) -> None:
        """A verb. Like and dislike are one question."""
        key = Key("reaction", movie_id, effect.verb.value)
        if self.entries.get(key):
            return
        opposite = _OPPOSITE.get(effect.verb)
        if opposite:
            other = Key("reaction", movie_id, opposite.value)
            held = self.entries.get(other)
            if held and not self.is_newer(effect, held["created_at"]):
                self.refused["reaction_older"] += 1
                return
            if held:
                self.entries.put(other, None)
        expires_at = effect.expires_at.isoformat() if effect.expires_at else None
        self.entries.put(key, {"created_at": self.at(effect).isoformat(), "expires_at": expires_at})

    def not_tonight(self, movie_id: int, effect: Effect) -> None:
        """Only while that night lasts."""
        if effect.expires_at and effect.expires_at > timezone.now():
            self.react(movie_id, effect)

    def seen(self, movie_id: int, effect: Effect) -> None:
        """Stars say that, too."""
        if self.is_own or not self.entries.get(Key("rating", movie_id)):
            self.react(movie_id, effect)

    def watchlist(self, movie_id: int, effect: Effect) -> None:
        """Means to watch it."""
        key = Key("watchlist", movie_id)
        if not self.entries.get(key):
            self.entries.put(key, {"created_at": self.at(effect).isoformat()})

    def diary(self, movie_id: int, effect: Effect) -> None:
        """A viewing; of one film on one day there is one, with all notes."""
        assert effect.day is not None  # noqa: S101 - readers make none without
        if effect.day > self.newest.date() + timedelta(days=1):
            self.refused["day_to_come"] += 1
            return
        day = effect.day.isoformat()
        key = Key("diary", movie_id, day)
        held = self.entries.get(key)
        earlier = any(other < day for other in self.entries.keys_of.get(("diary", movie_id), ()))
        is_rewatch = effect.is_rewatch or (earlier and not self.is_own)
        value = {
            "is_rewatch": is_rewatch or bool(held and held["is_rewatch"]),
            "note": _joined(held["note"] if held else "", effect.note),
            "created_at": held["created_at"] if held else self._written_at(effect),
        }
        self.entries.put(key, value)
        if not self.is_own:
            self.seen(movie_id, Effect(Verb.SEEN, at=effect.at))

    def _written_at(self, effect: Effect) -> str:
        return (min(effect.at, self.newest) if effect.at else self.newest).isoformat()

    def listed(self, movie_id: int, effect: Effect) -> None:
        """A film at the end of the list of that name; the list is made where there is none."""
        list_key = self._list_key(effect)
        if list_key is None:
            self.refused["too_many_lists"] += 1
            return
        key = Key("list_item", movie_id, list_key)
        if not movie_id or self.entries.get(key):
            return
        position = self._positions.get(list_key, 0)
        if position >= MAX_ITEMS:
            self.refused["list_full"] += 1
            return
        self._positions[list_key] = position + 1
        value = {"position": position, "note": effect.note, "created_at": self._written_at(effect)}
        self.entries.put(key, value)

    def _list_key(self, effect: Effect) -> str | None:
        if self._lists is None:
            self.entries.load_self()
            self._lists = {}
            for key, value in self.entries.now.items():
                if key.entity == "list" and value:
                    self._lists.setdefault(value["name"], key.key)
                if key.entity == "list_item" and value:
                    last = self._positions.get(key.key, 0)
                    self._positions[key.key] = max(last, value["position"] + 1)
        if effect.list_name not in self._lists:
            if len(self._lists) >= MAX_LISTS:
                return None
            self._lists[effect.list_name] = self._new_list(effect)
        return self._lists[effect.list_name]

    def _new_list(self, effect: Effect) -> str:
        made_at = min(effect.at, self.newest) if effect.at else self.newest
        value = {
            "name": effect.list_name,
            "note": effect.list_note,
            "created_at": made_at.isoformat(),
        }
        if self.is_dry:
            list_key = f"new:{effect.list_name}"
        else:
            made = FilmList.objects.create(
                user=self.entries.user,
                name=effect.list_name,
                note=effect.list_note,
                created_at=made_at,
            )
            list_key = str(made.pk)
        self.entries.put(Key("list", 0, list_key), value)
        return list_key

    def passed(self, movie_id: int, effect: Effect) -> None:
        """Only the log knows; an entry of that very time is the same one."""
        key = Key("pass", movie_id, self.at(effect).isoformat())
        if not self.entries.get(key):
            self.entries.put(key, {"is_on": bool((effect.values or {}).get("is_on"))})

    def quiz(self, _movie_id: int, effect: Effect) -> None:
        """One run through the quiz, at its time."""
        self.entries.load_self()
        key = Key("quiz", 0, self.at(effect).isoformat())
        if not self.entries.get(key):
            self.entries.put(key, {"answers": effect.values or {}})

    def taste(self, _movie_id: int, effect: Effect) -> None:
        """Dials, unless some are set here; each that makes no sense is left out."""
        self.entries.load_self()
        key = Key("taste", 0)
        if self.entries.get(key):
            return
        dials = valid_dials(effect.values or {})
        if dials:
            self.entries.put(key, dials)


def valid_dials(raw: dict[str, Any]) -> dict[str, Any]:
    """The dials that mean something; {} where all stand as untouched."""
    untouched = TasteSettings()
    dials: dict[str, Any] = {}
    for field in TasteSettings._meta.concrete_fields:
        if field.name in {"id", "user"}:
            continue
        dials[field.name] = getattr(untouched, field.name)
        if field.name in raw:
            try:
                dials[field.name] = field.clean(raw[field.name], untouched)
            except (ValidationError, TypeError, ValueError):
                continue
    is_touched = any(value != getattr(untouched, name) for name, value in dials.items())
    return dials if is_touched else {}


def _joined(held: str, said: str) -> str:
    """Both notes; one of them where it holds the other."""
    if said in held:
        return held
    return said if held in said else f"{held}\n{said}"


_HANDLERS = {
    Verb.RATE: Effects.rate,
    Verb.LIKE: Effects.react,
    Verb.DISLIKE: Effects.react,
    Verb.NEVER: Effects.react,
    Verb.MUTED: Effects.react,
    Verb.NOT_TONIGHT: Effects.not_tonight,
    Verb.SEEN: Effects.seen,
    Verb.WATCHLIST: Effects.watchlist,
    Verb.DIARY: Effects.diary,
    Verb.LIST: Effects.listed,
    Verb.PASS: Effects.passed,
    Verb.QUIZ: Effects.quiz,
    Verb.TASTE: Effects.taste,
}
