"""TMDB's API, version 3: what we ask of it, at whose pace, and what each refusal means."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from django.conf import settings
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from catalog.tmdb.breaker import Breaker
from catalog.tmdb.errors import (
    BadAnswerError,
    BusyError,
    KeyRefusedError,
    NoKeyError,
    NotFoundError,
)
from catalog.tmdb.limiter import SharedPace
from catalog.tmdb.transport import Answer, Transport

logger = logging.getLogger(__name__)

# All that we want to know of a film in one call.
APPENDED = "keywords,credits,release_dates,watch/providers"
MAX_RETRY_AFTER_S = 60.0
NOT_FOUND_CODES = frozenset({6, 34})


class Pace(Protocol):
    """Who may ask when."""

    def turn(self) -> float:
        """Seconds to wait before the next request."""

    def hold(self, pause_s: float) -> None:
        """Nobody asks for that long."""


@dataclass(frozen=True)
class Details:
    """TMDB's answer about a film; ``data`` is None where it is as before (304)."""

    data: dict[str, Any] | None
    etag: str


class TmdbClient:
    """Safe to share between threads."""

    def __init__(
        self,
        transport: Transport,
        *,
        key: str,
        pace: Pace,
        breaker: Breaker,
        max_attempts: int = 6,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transport = transport
        self._key = key
        self._pace = pace
        self._breaker = breaker
        self._sleep = sleep
        self._max_attempts = max_attempts

    def movie(self, tmdb_id: int, *, etag: str = "") -> Details:
        """Everything about a film in one call; ``etag`` of the answer we have saves the body."""
        headers = {"If-None-Match": etag} if etag else {}
        answer = self._get(
            f"/3/movie/{int(tmdb_id)}", {"append_to_response": APPENDED}, headers=headers
        )
        new_etag = answer.headers.get("ETag", "")[:100]
        if answer.status == 304:
            return Details(None, new_etag or etag)
        return Details(_json(answer), new_etag)

    def find_by_imdb(self, imdb_id: str) -> list[dict[str, Any]]:
        """The films that have this IMDb id."""
        answer = self._get(f"/3/find/{imdb_id}", {"external_source": "imdb_id"})
        return _films(_json(answer).get("movie_results"))

    def search(self, title: str, *, year: int | None) -> list[dict[str, Any]]:
        """The first page of films that TMDB thinks are called so."""
        params = {"query": title, "include_adult": "false"}
        if year is not None:
            params["year"] = str(year)
        return _films(_json(self._get("/3/search/movie", params)).get("results"))

    def close(self) -> None:
        """Close this thread's connection."""
        self._transport.close()

    def _get(
        self, path: str, params: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Answer:
        retrying = Retrying(
            retry=retry_if_exception_type(BusyError),
            stop=stop_after_attempt(self._max_attempts),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._once, path, params, headers or {})

    def _once(self, path: str, params: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        if wait_s := self._pace.turn():
            self._sleep(wait_s)
        self._breaker.before()
        # A v4 read token is a JWT and goes into the header, a v3 key into the address.
        if "." in self._key:
            headers = {**headers, "Authorization": f"Bearer {self._key}"}
        else:
            params = {**params, "api_key": self._key}
        try:
            answer = self._transport.get(path, params=params, headers=headers)
            _check(answer)
        except BusyError as error:
            if error.retry_after_s:
                self._pace.hold(error.retry_after_s)
            if error.is_outage:
                self._breaker.failed()
            else:
                self._breaker.succeeded()
            logger.debug("TMDB %s: %s", path, error)
            raise
        except BaseException:
            # It answered, if only nonsense or a refusal: TMDB is there.
            self._breaker.succeeded()
            raise
        self._breaker.succeeded()
        return answer


def client_from_settings() -> TmdbClient:
    """A client as configured; raises ``NoKeyError``."""
    if not settings.TMDB_API_KEY:
        raise NoKeyError
    return TmdbClient(
        Transport(settings.TMDB_BASE_URL),
        key=settings.TMDB_API_KEY,
        pace=SharedPace("tmdb", per_s=settings.TMDB_REQUESTS_PER_S),
        breaker=Breaker(),
    )


_JITTER = wait_random_exponential(multiplier=0.5, max=30)


def _wait(state: RetryCallState) -> float:
    """Full jitter up to 0.5 s, 1 s, 2 s ... 30 s; never before the time that TMDB asked for."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after_s if isinstance(error, BusyError) else None
    return max(_JITTER(state), asked or 0.0)


def _check(answer: Answer) -> None:
    """Raises what the status means; 200 and 304 pass."""
    status = answer.status
    if status in (200, 304):
        return
    code, said = _refusal(answer)
    what = f"answered {status}" + (f" ({said})" if said else "")
    if status == 429:
        asked = retry_after_s(answer.headers.get("Retry-After", ""), now=datetime.now(UTC))
        raise BusyError(what, retry_after_s=asked, is_outage=False)
    if status >= 500 or status == 408:
        raise BusyError(what)
    if status in (401, 403):
        raise KeyRefusedError(
            f"TMDB refuses the API key: it {what}. Check TMDB_API_KEY or TMDB_API_KEY_FILE."
        )
    # A 404 without TMDB's own code comes from something in between: it says nothing of the film.
    if status == 404 and code in NOT_FOUND_CODES:
        raise NotFoundError(what)
    raise BadAnswerError(what)


def _refusal(answer: Answer) -> tuple[int | None, str]:
    try:
        data = json.loads(answer.body)
    except ValueError:
        return None, ""
    if not isinstance(data, dict):
        return None, ""
    code, said = data.get("status_code"), data.get("status_message")
    return (code if isinstance(code, int) else None), (said if isinstance(said, str) else "")[:200]


def retry_after_s(value: str, *, now: datetime) -> float | None:
    """Seconds out of a Retry-After header (seconds or a date), capped; None where it says nothing.

    Source: RFC 9110, 10.2.3.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), MAX_RETRY_AFTER_S)
    try:
        due = parsedate_to_datetime(value)
    except ValueError:
        return None
    if due.tzinfo is None:
        due = due.replace(tzinfo=UTC)
    return min(max((due - now).total_seconds(), 0.0), MAX_RETRY_AFTER_S)


def _json(answer: Answer) -> dict[str, Any]:
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise BadAnswerError(f"an answer that is no JSON ({type(error).__name__})") from error
    if not isinstance(data, dict):
        raise BadAnswerError("an answer that is no object")
    return data


def _films(results: Any) -> list[dict[str, Any]]:
    if not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
        raise BadAnswerError("an answer without a list of films")
    return results
