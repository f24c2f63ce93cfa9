"""Reads of a person's own settings."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.models import TasteSettings, User
from accounts.services import Taste


def taste_of(user: User) -> Taste:
    """The dials of this person; untouched ones for who never set any. One query."""
    return tastes_of([user]).get(user.pk, Taste())


def tastes_of(users: Iterable[User]) -> dict[int, Taste]:
    """The dials by user id, of those who set any. One query."""
    return {row.user_id: _taste(row) for row in TasteSettings.objects.filter(user__in=users)}


def _taste(settings: TasteSettings) -> Taste:
    return Taste(
        surprise=settings.surprise,
        diversity=settings.diversity,
        era=settings.era,
        length=settings.length,
        year_from=settings.year_from,
        year_to=settings.year_to,
        runtime_max_min=settings.runtime_max_min,
        languages=tuple(settings.languages),
        excluded_genres=tuple(settings.excluded_genres),
        muted_reasons=tuple(settings.muted_reasons),
        age_ceiling=settings.age_ceiling,
    )
