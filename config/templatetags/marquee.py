"""Small helpers of the templates: ids for events, look-ups, the string of bulbs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, PasswordInput
from django.utils.translation import gettext, ngettext

register = template.Library()

#: Every value that a rating may have, in the order of the radio buttons.
HALF_STARS = tuple(Decimal(halves) / 2 for halves in range(1, 11))


@register.simple_tag
def new_event_id() -> str:
    """A fresh UUID: a form rendered twice is two events, a form sent twice is one."""
    return str(uuid.uuid4())


@register.filter
def lookup(mapping: Mapping[Any, Any] | None, key: object) -> Any:
    """``mapping[key]``, or None where there is no mapping or no such key."""
    return mapping.get(key) if mapping else None


@register.simple_tag
def half_stars() -> list[tuple[str, str]]:
    """(value, what a screen reader says) for each possible rating."""
    return [(f"{stars:.1f}", stars_text(stars)) for stars in HALF_STARS]


@register.filter
def stars_text(stars: Decimal | float) -> str:
    """4.5 as "4.5 stars", 0.5 as "half a star"."""
    value = Decimal(str(stars))
    if value == Decimal("0.5"):
        return gettext("half a star")
    shown = f"{value.normalize():f}"
    # Plural rules count whole things; every fraction above one is a plural in them.
    return ngettext("%(n)s star", "%(n)s stars", 1 if value == 1 else 2) % {"n": shown}


@register.filter
def stars_key(stars: Decimal | float | None) -> str:
    """4 as "4.0": the form in which ratings are compared and styled."""
    return "" if stars is None else f"{Decimal(str(stars)):.1f}"


@register.inclusion_tag("components/_bulbs.html")
def bulbs(lit: int, total: int, label: str) -> dict[str, object]:
    """A string of ``total`` bulbs of which the first ``lit`` shine; ``label`` names the progress."""
    lit = max(0, min(lit, total))
    return {
        "bulbs": [position < lit for position in range(total)],
        "lit": lit,
        "total": total,
        "label": label,
    }


@register.filter
def field_kind(field: BoundField) -> str:
    """How a form field is laid out: check, checks, password or plain."""
    widget = field.field.widget
    if isinstance(widget, CheckboxSelectMultiple):
        return "checks"
    if isinstance(widget, CheckboxInput):
        return "check"
    if isinstance(widget, PasswordInput):
        return "password"
    return "plain"
