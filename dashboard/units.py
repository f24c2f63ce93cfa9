"""What a figure is a figure of: how it is written on an axis, in a table and in a sentence."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.formats import number_format

Unit = Callable[[float], str]


def _rounded(value: float, places: int) -> str:
    """Django's number_format cuts off; a figure is rounded."""
    return number_format(f"{value:.{places}f}", places, force_grouping=True)


def as_number(value: float) -> str:
    """1234.5 as "1,235"; small figures keep what they say."""
    return _rounded(value, 2 if abs(value) < 10 and value != round(value) else 0)


def as_percent(value: float) -> str:
    """0.034 as "3.4 %"."""
    percent = 100 * value
    return f"{_rounded(percent, 1 if abs(percent) < 10 and percent != 0 else 0)} %"


def as_ms(value: float) -> str:
    """12.345 as "12 ms"."""
    return f"{_rounded(value, 1 if value < 10 and value != round(value) else 0)} ms"


def as_ratio(value: float) -> str:
    """0.5 as "0.50"."""
    return _rounded(value, 2)


def as_score(value: float) -> str:
    """0.51234 as "0.512": a measure between 0 and 1."""
    return _rounded(value, 3)
