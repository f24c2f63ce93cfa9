"""A visitor becomes an account: everything they did is the account's from then on.

The rules (ADR 0004), the same for every table of state:

* what only one of the two said is kept;
* where both said something of a film, the newer counts, and the account's where they are as old;
* what the account took back after the visitor had said it stays taken back;
* the log, the quiz and what was shown move as they are: they are history.

Nothing is doubled and nothing is lost to a request under way: services take the person's row before
they write, and a merged visitor's row leads them to the account (:func:`feedback.services.locked`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Max

from accounts.models import TasteSettings, User
from feedback.models import (
    DiaryEntry,
    FilmList,
    Interaction,
    QuizSession,
    Rating,
    Reaction,
    Slate,
    WatchlistEntry,
)

Kind = Interaction.Kind
#: Like and dislike answer one question: the newer of the two answers it.
_OPINION = "opinion"
_OPINIONS = (Reaction.Kind.LIKE, Reaction.Kind.DISLIKE)


@dataclass(frozen=True)
class Merged:
    """What came over: rows by kind, and the number of different films."""

    n_ratings: int = 0
    n_reactions: int = 0
    n_watchlist: int = 0
    n_quizzes: int = 0
    n_films: int = 0


@transaction.atomic
def visitor_merge(*, visitor: User, account: User) -> Merged:
    """Gives all of the visitor's feedback to the account. Once: a second call finds nothing.

    The visitor's row is taken before the account's, here and wherever both are, so that two
    merges and the feedback between them wait for each other and never in a circle.
    """
    visitor = User.objects.select_for_update().get(pk=visitor.pk)
    account = User.objects.select_for_update().get(pk=account.pk)
    if not visitor.is_visitor or visitor.merged_into_id is not None or account.is_visitor:
        return Merged()
    taken_back = _taken_back(account)
    films = set(Interaction.objects.filter(user=visitor).values_list("movie_id", flat=True))
    merged = Merged(
        n_ratings=_merge_ratings(visitor, account, taken_back),
        n_reactions=_merge_reactions(visitor, account, taken_back),
        n_watchlist=_merge_watchlist(visitor, account, taken_back),
        n_quizzes=QuizSession.objects.filter(user=visitor).update(user=account),
        n_films=len(films),
    )
    Interaction.objects.filter(user=visitor).update(user=account)
    Slate.objects.filter(user=visitor).update(user=account)
    FilmList.objects.filter(user=visitor).update(user=account)
    _merge_diary(visitor, account)
    _merge_taste(visitor, account)
    User.objects.filter(pk=account.pk).update(
        feedback_generation=F("feedback_generation") + visitor.feedback_generation + 1
    )
    visitor.merged_into = account
    visitor.visitor_key = None
    visitor.save(update_fields=["merged_into", "visitor_key"])
    return merged


def _taken_back(account: User) -> dict[tuple[int, str], datetime]:
    """When the account last took something back, by film and by what it was."""
    undone = (
        Interaction.objects.filter(user=account)
        .filter(kind__in=[Kind.UNRATE, Kind.UNREACT, Kind.UNWATCHLIST])
        .values_list("movie_id", "kind", "value")
        .annotate(at=Max("created_at"))
    )
    found: dict[tuple[int, str], datetime] = {}
    for movie_id, kind, value, at in undone:
        key = (movie_id, {Kind.UNRATE: "rating", Kind.UNWATCHLIST: "watchlist"}.get(kind, value))
        found[key] = max(at, found.get(key, at))
    return found


def _is_superseded(
    taken_back: dict[tuple[int, str], datetime], movie_id: int, what: str, *, at: datetime
) -> bool:
    undone_at = taken_back.get((movie_id, what))
    return undone_at is not None and undone_at >= at


def _merge_ratings(visitor: User, account: User, taken_back: dict) -> int:
    mine = {row.movie_id: row for row in Rating.objects.filter(user=account)}
    n_kept = 0
    for row in Rating.objects.filter(user=visitor):
        held = mine.get(row.movie_id)
        if held is not None and held.updated_at >= row.updated_at:
            continue
        if _is_superseded(taken_back, row.movie_id, "rating", at=row.updated_at):
            continue
        n_kept += 1
        if held is None:
            _give(row, account)
            continue
        held.stars, held.updated_at = row.stars, row.updated_at
        held.save(update_fields=["stars", "updated_at"])
    Rating.objects.filter(user=visitor).delete()
    return n_kept


def _question(kind: str) -> str:
    return _OPINION if kind in _OPINIONS else kind


def _merge_reactions(visitor: User, account: User, taken_back: dict) -> int:
    mine = {(r.movie_id, _question(r.kind)): r for r in Reaction.objects.filter(user=account)}
    n_kept = 0
    for row in Reaction.objects.filter(user=visitor):
        held = mine.get((row.movie_id, _question(row.kind)))
        if held is not None and held.created_at >= row.created_at:
            continue
        if _is_superseded(taken_back, row.movie_id, row.kind, at=row.created_at):
            continue
        n_kept += 1
        if held is None:
            _give(row, account)
            continue
        held.kind, held.created_at, held.expires_at = row.kind, row.created_at, row.expires_at
        held.save(update_fields=["kind", "created_at", "expires_at"])
    Reaction.objects.filter(user=visitor).delete()
    return n_kept


def _merge_watchlist(visitor: User, account: User, taken_back: dict) -> int:
    mine = set(WatchlistEntry.objects.filter(user=account).values_list("movie_id", flat=True))
    n_kept = 0
    for row in WatchlistEntry.objects.filter(user=visitor):
        is_undone = _is_superseded(taken_back, row.movie_id, "watchlist", at=row.created_at)
        if row.movie_id not in mine and not is_undone:
            _give(row, account)
            n_kept += 1
    WatchlistEntry.objects.filter(user=visitor).delete()
    return n_kept


def _merge_diary(visitor: User, account: User) -> None:
    """All viewings; of two of a film on one day the account's stays, with both notes."""
    mine = {(row.movie_id, row.watched_on): row for row in account.diary_entries.all()}
    for row in DiaryEntry.objects.filter(user=visitor):
        held = mine.get((row.movie_id, row.watched_on))
        if held is None:
            _give(row, account)
        elif row.note and row.note not in held.note:
            held.note = "\n".join(note for note in (held.note, row.note) if note)
            held.save(update_fields=["note"])
    DiaryEntry.objects.filter(user=visitor).delete()


def _give(row: Any, account: User) -> None:
    row.user = account
    row.save(update_fields=["user"])


def _merge_taste(visitor: User, account: User) -> None:
    """Dials that the account set stay; else those of the visitor come over."""
    if not TasteSettings.objects.filter(user=account).exists():
        TasteSettings.objects.filter(user=visitor).update(user=account)
    TasteSettings.objects.filter(user=visitor).delete()
