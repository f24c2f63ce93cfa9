"""Small helpers of the staff pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django import template
from django.urls import NoReverseMatch, reverse

from dashboard.staff.quality import Interval

register = template.Library()


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
