"""How a request in words is read: by the language model, if there is one, or by the parser here."""

from __future__ import annotations

import threading

from django.utils import timezone

from catalog.intent import Reading, parse
from catalog.known_names import CatalogNames
from catalog.llm.reader import is_configured, read_by_llm

MAX_TEXT = 400


class _NotAtHandError(LookupError):
    """Only Postgres knows."""


class _NamesAtHand(CatalogNames):
    """Those that the process has in memory."""

    def film(self, words: str) -> str | None:
        """Films are Postgres' to know."""
        raise _NotAtHandError(words)


# What this thread has read for the request that it is about to answer.
_ahead = threading.local()


def read_request(raw: str) -> Reading:
    """The request's chips and the words that remain: by the language model, if one is set up.

    The local parser answers where there is none, and where it gave no answer that holds.
    """
    if is_configured():
        reading = read_by_llm(raw, names=CatalogNames(), this_year=timezone.now().year)
        if reading is not None:
            return reading
    return read_locally(raw)


def read_locally(raw: str) -> Reading:
    """As ``read_request``, by the local parser alone."""
    ahead: Reading | None = getattr(_ahead, "reading", None)
    _ahead.reading = None
    return ahead if ahead is not None and ahead.raw == raw else _parsed(raw, CatalogNames())


def read_at_hand(raw: str) -> Reading | None:
    """What ``read_locally`` is going to say when this thread asks next; None if that takes Postgres
    or the language model."""
    if is_configured():
        return None
    try:
        _ahead.reading = _parsed(raw, _NamesAtHand())
    except _NotAtHandError:
        return None
    return _ahead.reading


def tidied(raw: str) -> str:
    """Without line breaks and the like, and no longer than is read."""
    return " ".join(raw.replace("\0", "").split())[:MAX_TEXT]


def is_wish(text: str) -> bool:
    """Whether there is anything to look for: any vector is near something, "???" means nothing."""
    return any(char.isalnum() for char in text)


def _parsed(raw: str, names: CatalogNames) -> Reading:
    return parse(raw, names=names, this_year=timezone.now().year)
