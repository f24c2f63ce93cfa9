"""What a program needs of the API to behave like a person: a list, and what was done with it."""

from __future__ import annotations

import ipaddress
import secrets
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from requests.adapters import HTTPAdapter

from accounts.models import User

TIMEOUT_S = 30.0


class TrafficError(Exception):
    """The server cannot be used so; the message says what to do."""


@dataclass(frozen=True)
class ApiList:
    """A list as the API answered it."""

    request_id: str
    movie_ids: list[int]
    model_version: str


@dataclass(frozen=True)
class Act:
    """One thing that a person does: a verb, with stars for "rate"."""

    movie_id: int
    verb: str
    stars: float | None = None
    request_id: str | None = None
    position: int | None = None


def loopback_url(url: str) -> str:
    """``url`` without its end slash. Raises TrafficError unless it is this machine's own."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if parts.scheme not in ("http", "https") or not is_loopback:
        raise TrafficError(
            f"{url} is not on this machine: invented people are for a server of one's own, "
            "such as http://127.0.0.1:8000."
        )
    return url.rstrip("/")


def session_of(user: User) -> str:
    """A log-in for ``user`` without a password: a session row, as logging in makes one."""
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return str(store.session_key)


class ApiClient:
    """Speaks for many people, one request each; threads may share it (one pool of connections)."""

    def __init__(self, url: str, *, n_connections: int) -> None:
        self._url = loopback_url(url)
        self._http = requests.Session()
        self._http.trust_env = False  # a proxy of the environment is not this machine
        self._http.mount(self._url, HTTPAdapter(pool_maxsize=n_connections))
        self._csrf = secrets.token_hex(16)

    def check(self, session: str) -> None:
        """That the server knows the log-in: else it would take everybody for a new visitor.

        Raises TrafficError.
        """
        self._ask("GET", "/api/v1/me/ratings/", session)

    def recommendations(self, session: str, *, n: int) -> ApiList:
        """The person's list. Raises TrafficError."""
        body = self._ask("GET", "/api/v1/me/recommendations/", session, params={"n": n})
        return ApiList(
            request_id=body["request_id"],
            movie_ids=[item["movie_id"] for item in body["results"]],
            model_version=body["model_version"],
        )

    def feedback(self, session: str, acts: list[Act]) -> int:
        """Sends what was done; how much of it was recorded. Raises TrafficError."""
        events = [
            {
                "event_id": str(uuid.uuid4()),
                "movie_id": act.movie_id,
                "verb": act.verb,
                **({"stars": act.stars} if act.stars is not None else {}),
                "surface": "api",
                "request_id": act.request_id,
                "position": act.position,
            }
            for act in acts
        ]
        body = self._ask("POST", "/api/v1/feedback/", session, json={"events": events})
        return int(body["recorded"])

    def _ask(self, method: str, path: str, session: str, **options: Any) -> dict[str, Any]:
        cookies = {settings.SESSION_COOKIE_NAME: session, settings.CSRF_COOKIE_NAME: self._csrf}
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": self._csrf,
            "Referer": f"{self._url}/",
        }
        try:
            answer = self._http.request(
                method, f"{self._url}{path}", headers=headers, timeout=TIMEOUT_S, **options
            )
        except requests.RequestException as error:
            raise TrafficError(f"{self._url} does not answer: {error}. Is it running?") from error
        if answer.status_code in (401, 403):
            raise TrafficError(
                f"{self._url} does not know people of this database ({answer.status_code}): start "
                "the server from the same folder and with the same settings."
            )
        if not answer.ok:
            raise TrafficError(
                f"{method} {path} answered {answer.status_code}: {answer.text[:200]}"
            )
        return dict(answer.json())
