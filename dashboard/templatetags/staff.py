"""Small helpers of the staff pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from dashboard.staff.quality import Interval

register = template.Library()

# What a run in the background keeps of who asked for it.
_ASKED = {
    "admin": _("somebody in the admin"),
    "api": _("the API"),
    "command": _("a command"),
    "refresh": _("the clock: what grew old"),
    "schedule": _("the clock"),
    "slice": _("the clock: what is missing"),
    "staff": _("somebody on this page"),
}


@register.filter
def who_asked(trigger: str) -> str:
    """The ``trigger`` of a run in words; a name from elsewhere as it is."""
    return str(_ASKED.get(trigger, trigger))


@register.filter
def metric_cells(values: Mapping[str, Interval], names: Sequence[str]) -> list[str]:
    """One text per metric of a row; a dash where it was not measured."""
    return [values[name].text if name in values else "–" for name in names]


@register.simple_tag
def url_if_any(name: str) -> str:
    """The address of a page that another app may bring; "" where it does not."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
