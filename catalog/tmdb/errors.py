"""What can go wrong between TMDB and us, by what to do about it."""

from __future__ import annotations


class TmdbError(Exception):
    """Anything that keeps an answer from us; the message is for people."""


class NoKeyError(TmdbError):
    """No API key is configured."""

    def __init__(self) -> None:
        super().__init__(
            "No TMDB API key. Ask for a free one in your TMDB account (Settings, API), then set "
            "TMDB_API_KEY=... or TMDB_API_KEY_FILE=/path/to/a/file that holds it. Everything else "
            "works without one. To try enrichment offline: manage.py fake_tmdb --data PATH."
        )


class KeyRefusedError(TmdbError):
    """TMDB does not accept the key: no request will succeed until a person acts."""


class NotFoundError(TmdbError):
    """TMDB has nothing under this address."""


class BadAnswerError(TmdbError):
    """An answer that is not what TMDB documents: asking again at once would not help."""


class BusyError(TmdbError):
    """TMDB is busy, failing or silent: worth another try.

    ``retry_after_s`` is what it asked for (429), None where it asked for nothing.
    """

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, is_outage: bool = True
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        # A 429 says that TMDB is well and we are too fast: it does not count towards the breaker.
        self.is_outage = is_outage


class BreakerOpenError(TmdbError):
    """Too many failures in a row: nobody asks for ``wait_s`` seconds."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"TMDB keeps failing; nobody asks for {wait_s:.0f} s")
        self.wait_s = wait_s


class OutageError(TmdbError):
    """TMDB failed again after every pause of the breaker: the run ends here."""
