"""Writes of a person's own settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.db import transaction
from django.db.models import F

from accounts.models import TasteSettings, User


@dataclass(frozen=True)
class Taste:
    """The dials as a person set them; every default means "untouched"."""

    surprise: float = 0.0
    diversity: float = 0.0
    era: float = 0.0
    length: float = 0.0
    year_from: int | None = None
    year_to: int | None = None
    runtime_max_min: int | None = None
    languages: tuple[str, ...] = ()
    excluded_genres: tuple[str, ...] = ()
    muted_reasons: tuple[str, ...] = ()
    age_ceiling: int | None = None


def display_name_set(user: User, display_name: str) -> None:
    """What pages call this person; empty for the first part of the e-mail address."""
    user.display_name = display_name.strip()
    user.save(update_fields=["display_name"])


def language_set(user: User, language: str) -> None:
    """The language of this person's pages, on every device that they log in from."""
    if user.language != language:
        user.language = language
        user.save(update_fields=["language"])


@transaction.atomic
def taste_settings_set(user: User, taste: Taste) -> bool:
    """Store the dials; True where something changed.

    A change makes stored recommendations stale, as feedback does: the generation goes up.
    """
    values = {
        **asdict(taste),
        "languages": list(taste.languages),
        "excluded_genres": list(taste.excluded_genres),
        "muted_reasons": list(taste.muted_reasons),
    }
    # The row is locked, so that of two tabs saving at once the later one wins whole.
    settings, is_new = TasteSettings.objects.select_for_update().get_or_create(
        user=user, defaults=values
    )
    changed = [name for name, value in values.items() if getattr(settings, name) != value]
    if is_new:
        changed = [name for name, value in asdict(Taste()).items() if _differs(taste, name, value)]
    elif changed:
        for name in changed:
            setattr(settings, name, values[name])
        settings.save(update_fields=changed)
    if changed:
        User.objects.filter(pk=user.pk).update(feedback_generation=F("feedback_generation") + 1)
    return bool(changed)


def _differs(taste: Taste, name: str, default: object) -> bool:
    return getattr(taste, name) != default
