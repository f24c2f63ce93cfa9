"""Operations that will go: what says so in every answer, and in the document (docs/api.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.urls import reverse
from django.utils.http import http_date

#: Clients have at least so long to move on.
NOTICE = timedelta(days=183)


@dataclass(frozen=True)
class Ending:
    """Told since ``since``, gone from ``until`` on; ``instead`` is an operation's id.

    Raises ValueError where that leaves clients less than six months.
    """

    since: date
    until: date
    instead: str

    def __post_init__(self) -> None:
        if self.until < self.since + NOTICE:
            msg = f"Clients have {NOTICE.days} days: no end before {self.since + NOTICE}."
            raise ValueError(msg)

    def headers(self) -> dict[str, str]:
        """``Deprecation`` (RFC 9745), ``Sunset`` (RFC 8594), and where to read what replaces it."""
        return {
            "Deprecation": f"@{_seconds(self.since)}",
            "Sunset": http_date(_seconds(self.until)),
            "Link": f'<{reverse("api-docs")}>; rel="deprecation"; type="text/html"',
        }

    def said(self) -> str:
        """For the document."""
        return f"Ends on {self.until}: use `{self.instead}`."


def _seconds(day: date) -> int:
    """Since 1970, at the day's first moment in UTC."""
    return int(datetime.combine(day, time(), tzinfo=UTC).timestamp())
