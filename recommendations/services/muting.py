"""Which kinds of reason a person's cards say."""

from __future__ import annotations

from dataclasses import replace

from accounts.models import User
from accounts.selectors import taste_of
from accounts.services import taste_settings_set
from ml.explain import Tag


def reason_mute(*, user: User, reason: Tag, is_muted: bool) -> tuple[str, ...]:
    """Takes a kind of reason off the person's cards, or puts it back; those that are off then."""
    taste = taste_of(user)
    muted = tuple(name for name in taste.muted_reasons if name != reason.value)
    if is_muted:
        muted = (*muted, reason.value)
    taste_settings_set(user, replace(taste, muted_reasons=muted))
    return muted
