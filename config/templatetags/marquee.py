"""Small helpers of the templates: ids for events, look-ups, the string of bulbs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from decimal import Decimal
from html import escape  # Django's own asks each text whether it is a lazy one
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, PasswordInput
from django.template import Context
from django.utils.crypto import salted_hmac
from django.utils.safestring import SafeString

from accounts.devices import device_name
from catalog.numbers import stars_text

register = template.Library()
register.filter("stars_text", stars_text)
register.filter("device_name", device_name)

#: Every value that a rating may have, in the order of the radio buttons.
HALF_STARS = tuple(Decimal(halves) / 2 for halves in range(1, 11))
PROGRESS_BULBS = 24


@register.simple_tag
def new_event_id() -> str:
    """A fresh UUID: a form rendered twice is two events, a form sent twice is one."""
    return str(uuid.uuid4())


@register.simple_tag(takes_context=True)
def event_fields(context: Context, card: Any = None, surface: str = "") -> SafeString:
    """The hidden fields that every feedback form carries.

    ``card`` (a MovieCard or nothing) ties the event to the slate that showed the film. In Python
    rather than a template: a home page has some two hundred of these.
    """
    if "event_fields" in context:  # where a template is rendered without a request (cards.py)
        return context["event_fields"]
    where = getattr(card, "surface", "") or surface
    fields = [("event_id", new_event_id())]
    if request_id := getattr(card, "request_id", ""):
        fields.append(("request_id", str(request_id)))
        if card.position is not None:
            fields.append(("position", str(card.position)))
    return SafeString(_page_fields(context, where) + _hidden_fields(fields))


def _page_fields(context: Context, surface: str) -> str:
    """The fields that all forms of a surface share on this page, written once for all of them."""
    request = context["request"]
    next_url = context.get("next_url")
    written = request.__dict__.setdefault("_marquee_page_fields", {})
    if (surface, next_url) not in written:
        fields = [
            ("csrfmiddlewaretoken", str(context["csrf_token"])),
            ("surface", surface),
            ("next", next_url or request.get_full_path()),
        ]
        written[surface, next_url] = _hidden_fields(fields)
    return written[surface, next_url]


def _hidden_fields(fields: Sequence[tuple[str, str]]) -> str:
    # Names are ours. format_html_join looks at each of them, too, and took three times as long.
    return "".join(
        f'<input type="hidden" name="{name}" value="{escape(str(value))}">'
        for name, value in fields
        if value
    )


@register.filter
def person_key(user: Any) -> str:
    """An account's name for its own browser: answers kept there are only sent by the same one."""
    return salted_hmac("marquee.person", str(user.pk)).hexdigest()[:16]


@register.simple_tag
def half_stars() -> list[tuple[str, str]]:
    """(value, what a screen reader says) for each possible rating."""
    return [(f"{stars:.1f}", stars_text(stars)) for stars in HALF_STARS]


@register.filter
def stars_key(stars: Decimal | float | str | None) -> str:
    """4 as "4.0", the form in which ratings are compared and styled; "" where there is none."""
    return f"{Decimal(str(stars)):.1f}" if stars else ""


@register.inclusion_tag("components/_bulbs.html")
def bulbs(lit: int, total: int, label: str) -> dict[str, object]:
    """A string of ``total`` bulbs, the first ``lit`` of them lit; ``label`` names the progress."""
    lit = max(0, min(lit, total))
    return {
        "bulbs": [position < lit for position in range(total)],
        "lit": lit,
        "total": total,
        "label": label,
    }


@register.inclusion_tag("components/_progress.html")
def progress_bulbs(done: int, total: int, label: str) -> dict[str, object]:
    """Long work as a string of 24 bulbs: all of it, whatever the number of its parts."""
    share = min(1.0, done / total) if total else 0.0
    lit = int(share * PROGRESS_BULBS)
    return {
        "bulbs": [position < lit for position in range(PROGRESS_BULBS)],
        "done": done,
        "total": total,
        "percent": int(100 * share),
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
