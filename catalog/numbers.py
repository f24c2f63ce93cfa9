"""Numbers as people write them, in the reader's language."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext


def count_text(count: int) -> str:
    """12345 as "12,345"."""
    return str(number_format(count, force_grouping=True))


def decimal_text(value: float, *, places: int = 1) -> str:
    """4.125 as "4.1"."""
    return str(number_format(round(value, places), decimal_pos=places))


def signed_text(value: float, *, places: int = 2) -> str:
    """1.5 as "+1.50"."""
    rounded = round(value, places) + 0.0  # of the two zeros the one without a minus
    return ("" if rounded < 0 else "+") + decimal_text(rounded, places=places)


def stars_text(stars: Decimal | float) -> str:
    """4.5 as "4.5 stars", 0.5 as "half a star"."""
    value = Decimal(str(stars))
    if value == Decimal("0.5"):
        return gettext("half a star")
    # Plural rules count whole things; every fraction above one is a plural in them.
    said = ngettext("%(n)s star", "%(n)s stars", 1 if value == 1 else 2)
    return said % {"n": number_format(f"{value.normalize():f}")}


def short_text(value: float) -> str:
    """4.5 as "4.5", 4.0 as "4"."""
    return str(number_format(f"{float(value):g}"))
