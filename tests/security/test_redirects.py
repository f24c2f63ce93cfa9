"""However ``next`` is spelt, it leads to this site or nowhere."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.security.conftest import EMAIL, PASSWORD
from tests.worlds import make_film

pytestmark = pytest.mark.django_db

PIECES = ["/", "//", "\\", "\\\\", ":", "@", "?", "#", ".", "..", "%2f", "%5c", "%09", "\t", "\n"]
PIECES += ["\r", "\0", " ", "http:", "https:", "HTTPS:", "javascript:", "data:", "ftp:", "http"]
PIECES += [
    "evil.example",
    "testserver",
    "testserver.evil.example",
    "[::1]",
    "127.0.0.1",
    "for-you/",
]
PIECES += ["\u2028", "\uff0f", "\u3002", "é"]
spelt = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), min_size=1, max_size=8).map("".join)


def leads_here(location: str) -> bool:
    """As a browser reads it: backslashes are slashes, tabs and line breaks are not there."""
    read = "".join(c for c in location.replace("\\", "/") if c not in "\t\r\n").strip()
    parts = urlsplit(urljoin("http://testserver/films/1/rate/", read))
    return parts.scheme in {"http", "https"} and parts.hostname == "testserver"


def send(client: Client, where: str, target: str) -> str:
    """Where somebody ends who did something with this ``next``."""
    if where == "login":
        client.logout()
        data = {"login": EMAIL, "password": PASSWORD, "next": target}
        answer = client.post("/accounts/login/", data)
    elif where == "logout":
        answer = client.post("/accounts/logout/", {"next": target})
    elif where == "theme":
        answer = client.post("/theme/", {"theme": "dark", "next": target})
    else:
        answer = client.post(where, {"stars": "4", "on": "1", "kind": "like", "next": target})
    assert answer.status_code == 302, (where, answer.status_code)
    return answer["Location"]


DOORS = ["login", "logout", "theme", "rate", "react", "watchlist"]


@pytest.mark.parametrize("door", DOORS)
def test_nobody_is_led_away(ada, door):
    film = make_film("Heat")
    where = f"/films/{film.pk}/{door}/" if door in {"rate", "react", "watchlist"} else door
    client = Client()
    client.force_login(ada)

    @settings(
        max_examples=60,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        deadline=None,
    )
    @example("//evil.example/")
    @example("/\\evil.example")
    @example("\\\\evil.example")
    @example("https:evil.example")
    @example("/\t/evil.example")
    @example("http://testserver@evil.example/")
    @example("javascript:alert(1)")
    @given(spelt)
    def walk(target: str) -> None:
        assert leads_here(send(client, where, target)), repr(target)

    walk()


@pytest.mark.parametrize("location", ["//evil.example", "/\\evil.example", "/\t/evil.example"])
def test_the_check_itself_sees_an_open_door(location):
    assert not leads_here(location)
