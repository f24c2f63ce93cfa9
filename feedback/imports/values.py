"""Cells of files as values: forgiving where the meaning is plain, nothing where it is not."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.dateparse import parse_datetime

MAX_TITLE = 300
MAX_NOTE = 10_000
# Films are shown since 1874, "Passage de Vénus"; Letterboxd and TMDB list it.
FIRST_YEAR, LAST_YEAR = 1870, 2100
FIRST_DAY = date(1895, 1, 1)
NOON = time(12, 0)
_IMDB = re.compile(r"(?:tt)?(\d{1,10})")
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_HALF = Decimal("0.5")


def text(raw: Any, limit: int = MAX_TITLE) -> str:
    """Trimmed, without what Postgres cannot hold (NUL, halves of surrogate pairs)."""
    if not isinstance(raw, str):
        return ""
    if not raw.isascii():
        raw = raw.encode("utf-8", "ignore").decode("utf-8", "ignore")
    return raw.replace("\0", "").strip()[:limit]


def whole(raw: Any, *, low: int, high: int) -> int | None:
    """An integer within its bounds; "1995.0" is one, too."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    if isinstance(raw, str):
        raw = raw.strip()
        if not raw.isascii() or len(raw) > 20:
            return None
    try:
        value = Decimal(str(raw))
        if not value.is_finite() or value != value.to_integral_value():
            return None
        number = int(value)
    except (InvalidOperation, ValueError):
        return None
    return number if low <= number <= high else None


def year(raw: Any) -> int | None:
    """A year in which a film can have been made."""
    return whole(raw, low=FIRST_YEAR, high=LAST_YEAR)


def identity(raw: Any) -> str:
    """A positive number as ids are written, or ""."""
    number = whole(raw, low=1, high=2_000_000_000)
    return str(number) if number else ""


def imdb_id(raw: Any) -> str:
    """``tt0113277`` from itself, from 113277 or from an address; "" where there is none."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = str(raw)
    if not isinstance(raw, str):
        return ""
    raw = raw.strip().rstrip("/").rpartition("/")[2]
    match = _IMDB.fullmatch(raw)
    return f"tt{int(match[1]):07d}" if match and raw.isascii() and int(match[1]) else ""


def stars(raw: Any, *, out_of: int) -> str:
    """Half stars as "4.5", from a scale to 5 or 10; "" for 0, nothing and nonsense."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return ""
    cell = str(raw).strip()
    if len(cell) > 12 or not cell.isascii():
        return ""
    try:
        value = Decimal(cell) * 5 / out_of
    except InvalidOperation:
        return ""
    if not value.is_finite() or not 0 < value <= 5:
        return ""
    halves = max(1, int((value * 2).to_integral_value()))
    return str((halves * _HALF).quantize(Decimal("0.1")))


def day(raw: Any) -> date | None:
    """A date, or the date of a time; None where it is none, or before there were films."""
    if not isinstance(raw, str):
        return None
    match = _DATE.match(raw.strip())
    if match is None or not match[0].isascii():
        return None
    try:
        found = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
    return found if found >= FIRST_DAY else None


def moment(raw: Any) -> datetime | None:
    """An aware time; a mere date is its noon, UTC."""
    if not isinstance(raw, str):
        return None
    try:
        found = parse_datetime(raw.strip()) if "T" in raw or ":" in raw else None
        if found is not None:
            found = found if found.tzinfo else found.replace(tzinfo=UTC)
            found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if found is None:
        only = day(raw)
        return datetime.combine(only, NOON, tzinfo=UTC) if only else None
    return found if found.date() >= FIRST_DAY else None


def from_seconds(raw: Any) -> datetime | None:
    """A time from seconds since 1970."""
    number = whole(raw, low=1, high=4_102_444_800)  # the year 2100
    return datetime.fromtimestamp(number, tz=UTC) if number else None


def storable(raw: Any) -> Any:
    """What Postgres can hold as JSON of an answer or a dial: no NUL, no NaN, one list deep."""
    if isinstance(raw, str):
        return text(raw, 120)
    if isinstance(raw, float):
        return raw if math.isfinite(raw) else None
    if isinstance(raw, list):
        return [text(one, 120) for one in raw[:200] if isinstance(one, str)]
    return raw if isinstance(raw, bool) or (isinstance(raw, int) and abs(raw) < 2**31) else None
