"""How every answer of the API behaves: errors, caches, validators, limits, sizes."""

from __future__ import annotations

import re
import uuid
from base64 import b64encode

import pytest
from django.urls import get_resolver
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts.api.base import MAX_BODY_BYTES, Api
from accounts.api.pages import CursorPages
from accounts.models import User
from catalog.models import Movie
from catalog.search_apis import SearchQuery
from config.error_codes import CODES
from config.throttles import AccountThrottle, VisitorThrottle, caller_network
from tests.worlds import make_film

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def mine(client):
    client.force_login(User.objects.create_user("ada@example.org", "a-long-password"))
    return client


def error_of(answer):
    return answer.json()["error"]


def code_of(answer):
    return error_of(answer)["code"]


def api_views(patterns=None, prefix=""):
    """(address, view class) of everything below /api/v1/ but the schema and its page."""
    for entry in patterns or get_resolver().url_patterns:
        address = prefix + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            yield from api_views(entry.url_patterns, address)
        elif address.startswith("api/v1/"):
            yield address, entry.callback.cls if hasattr(entry.callback, "cls") else None


def test_every_operation_is_built_on_the_base_that_checks_scopes_and_keys():
    others = {"api/v1/schema/", "api/v1/docs/"}
    views = dict(api_views())
    assert len(views) >= 30
    assert [a for a, kind in views.items() if not issubclass(kind, Api)] == sorted(
        others, reverse=True
    )


def test_every_refusal_has_a_listed_code():
    def below(kind):
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    from rest_framework.exceptions import APIException

    ours = [k for k in below(APIException) if not k.__module__.startswith("rest_framework")]
    known = {code for by_code in CODES.values() for code in by_code}
    assert ours
    assert {kind.default_code for kind in ours if "default_code" in vars(kind)} <= known


@pytest.mark.parametrize("path", ["/api/v1/nothing/", "/api/v1/", "/api/v1/genres"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_address_that_is_none_is_404_in_the_one_shape(client, path, method):
    answer = getattr(client, method)(path)
    assert (answer.status_code, code_of(answer)) == (404, "not_found")
    assert set(answer.json()["error"]) == {"code", "message", "fields"}


def test_other_mistakes_of_a_client_are_in_the_one_shape(mine):
    film = make_film("Heat")
    url = f"/api/v1/me/ratings/{film.pk}/"
    found = {
        code_of(mine.post("/api/v1/genres/", {}, content_type=JSON)): 405,
        code_of(mine.get("/api/v1/genres/", headers={"Accept": "text/html"})): 406,
        code_of(mine.put(url, "stars=4", content_type="text/plain")): 415,
        code_of(mine.put(url, "{", content_type=JSON)): 400,
    }
    assert found == {
        "method_not_allowed": 405,
        "not_acceptable": 406,
        "unsupported_media_type": 415,
        "parse_error": 400,
    }


def test_a_body_beyond_the_limit_is_not_read(mine):
    film = make_film("Heat")
    url = f"/api/v1/me/ratings/{film.pk}/"
    fits = '{"stars": 4}'.ljust(MAX_BODY_BYTES)
    assert mine.put(url, fits, content_type=JSON).status_code == 200
    answer = mine.put(url, fits.replace("4", "2") + " ", content_type=JSON)
    assert (answer.status_code, code_of(answer)) == (413, "too_large")
    assert mine.get(url).json()["stars"] == 4


class TestCaching:
    def test_what_is_the_same_for_everybody_may_be_kept_and_is_asked_after(self, mine):
        film = make_film("Heat")
        for path in ("/api/v1/movies/", f"/api/v1/movies/{film.pk}/", "/api/v1/genres/"):
            first = mine.get(path)
            assert first["Cache-Control"] == "public, max-age=60", path
            again = mine.get(path, headers={"If-None-Match": first["ETag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert again["ETag"] == first["ETag"]
        film.title = "Heat 2"
        film.save()
        changed = mine.get(path := f"/api/v1/movies/{film.pk}/", headers={"If-None-Match": '"x"'})
        assert changed.status_code == 200, path

    def test_a_changed_film_is_sent_again(self, client):
        film = make_film("Heat")
        path = f"/api/v1/movies/{film.pk}/"
        etag = client.get(path)["ETag"]
        film.runtime_min = 170
        film.save()
        answer = client.get(path, headers={"If-None-Match": etag})
        assert (answer.status_code, answer.json()["runtime_min"]) == (200, 170)

    def test_what_is_personal_is_kept_by_nobody(self, mine):
        film = make_film("Heat")
        mine.put(f"/api/v1/me/ratings/{film.pk}/", {"stars": 4}, content_type=JSON)
        for path in ("/api/v1/me/", "/api/v1/me/ratings/", f"/api/v1/movies/{film.pk}/similar/"):
            answer = mine.get(path)
            assert answer["Cache-Control"] == "private, no-store", path
        again = mine.get("/api/v1/me/", headers={"If-None-Match": mine.get("/api/v1/me/")["ETag"]})
        assert again.status_code == 304

    def test_errors_are_kept_by_nobody(self, client):
        assert client.get("/api/v1/movies/999999/")["Cache-Control"] == "private, no-store"
        assert client.get("/api/v1/movies/?sort=odd")["Cache-Control"] == "private, no-store"


class TestLimits:
    @pytest.fixture
    def three_a_minute(self, monkeypatch):
        for kind in (VisitorThrottle, AccountThrottle):
            monkeypatch.setattr(kind, "rate", "3/min", raising=False)

    def ask(self, client, address):
        return client.get("/api/v1/genres/", REMOTE_ADDR=address)

    def test_answers_say_how_much_is_left(self, client, three_a_minute):
        address = f"2001:db8:{uuid.uuid4().hex[:4]}::1"
        left = [self.ask(client, address)["RateLimit-Remaining"] for _ in range(3)]
        assert left == ["2", "1", "0"]
        refused = self.ask(client, address)
        assert refused.status_code == 429
        assert refused["RateLimit-Limit"] == "3"
        assert refused["RateLimit-Remaining"] == "0"
        assert 0 < int(refused["RateLimit-Reset"]) <= 60
        assert 0 < int(refused["Retry-After"]) <= 60
        assert refused["RateLimit-Policy"] == "3;w=60"

    def test_a_network_of_ipv6_is_one_caller(self, client, three_a_minute):
        network = f"2001:db8:{uuid.uuid4().hex[:4]}:1"
        found = [self.ask(client, f"{network}::{n:x}").status_code for n in range(1, 5)]
        assert found == [200, 200, 200, 429]
        beside = network[:-1] + "2"
        assert self.ask(client, f"{beside}::1").status_code == 200

    def test_accounts_are_counted_apart_whatever_their_address(self, client, three_a_minute):
        address = f"2001:db8:{uuid.uuid4().hex[:4]}::1"
        for _ in range(4):
            self.ask(client, address)
        client.force_login(User.objects.create_user("ada@example.org", "a-long-password"))
        assert [self.ask(client, address).status_code for _ in range(4)] == [200, 200, 200, 429]

    @pytest.mark.parametrize(
        ("ident", "caller"),
        [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("[2001:db8::1]", "2001:db8::/64"),
            ("unknown", "unknown"),
        ],
    )
    def test_who_a_caller_is(self, ident, caller):
        assert caller_network(ident) == caller


class TestPages:
    def test_films_are_neither_skipped_nor_repeated_while_others_arrive(self, client):
        before = {make_film(f"Film {i}", year=1980 + i % 3).pk for i in range(13)}
        for sort in ("", "?sort=newest", "?sort=oldest", "?sort=title", "?sort=best"):
            seen = []
            url = f"/api/v1/movies/{sort}{'&' if sort else '?'}page_size=4"
            while url:
                page = client.get(url).json()
                seen += [row["id"] for row in page["results"]]
                for year in (1950, 1981, 2020):  # before, among and after what was read
                    make_film(f"Film {year} {len(seen)}", year=year)
                url = page["next"]
            assert len(seen) == len(set(seen)), sort
            assert before <= set(seen), sort

    @pytest.mark.parametrize(
        "size", ["0", "-1", "101", "20.0", "many", "", "null", "1&page_size=2", "9" * 20]
    )
    def test_a_size_that_is_none_is_refused(self, client, size):
        answer = client.get(f"/api/v1/movies/?page_size={size}")
        assert (answer.status_code, list(error_of(answer)["fields"])) == (400, ["page_size"])

    def test_a_page_is_as_large_as_asked_for_up_to_the_limit(self, client):
        Movie.objects.bulk_create([Movie(title=f"Film {i}", year=1990) for i in range(101)])
        for n in (1, CursorPages.max_page_size):
            page = client.get(f"/api/v1/movies/?page_size={n}").json()
            assert len(page["results"]) == n
            assert page["next"]

    @pytest.mark.parametrize(
        "kept",
        [
            "p=yesterday",
            "p=%00",
            "p=9e99",
            f"o={10**30}",
            f"o={2**63}&p=1",
            "o=-1",
            "r=maybe",
        ],
    )
    @pytest.mark.parametrize("path", ["me/ratings", "me/imports", "me/diary", "me/watchlist"])
    def test_a_cursor_that_keeps_no_place_is_refused(self, mine, path, kept):
        cursor = b64encode(kept.encode()).decode()
        answer = mine.get(f"/api/v1/{path}/", {"cursor": cursor})
        assert (answer.status_code, list(error_of(answer)["fields"])) == (400, ["cursor"])

    @pytest.mark.parametrize("cursor", ["", "!!", "\u00e9", "p=1", "bz0x&cursor=bz0x"])
    def test_a_cursor_that_is_none_is_refused(self, client, cursor):
        answer = client.get(f"/api/v1/movies/?cursor={cursor}")
        assert (answer.status_code, list(error_of(answer)["fields"])) == (400, ["cursor"])


@pytest.mark.parametrize("body", ["[" * 30_000, '{"a":' * 10_000])
def test_a_body_that_is_nested_without_end_is_no_json(client, body):
    answer = client.generic("POST", "/api/v1/quiz/", body, content_type=JSON)
    assert (answer.status_code, code_of(answer)) == (400, "parse_error")


@pytest.mark.parametrize("number", ["1e999", "1" + "0" * 400, "1" + "0" * 5000])
def test_a_number_that_is_larger_than_any_is_refused(mine, number):
    for field in ("surprise", "year_from"):
        body = f'{{"{field}": {number}}}'
        answer = mine.generic("PATCH", "/api/v1/me/settings/", body, content_type=JSON)
        assert answer.status_code == 400, (field, number[:9])


def test_times_are_utc_in_iso_8601(mine):
    film = make_film("Heat")
    row = mine.put(f"/api/v1/me/ratings/{film.pk}/", {"stars": 4}, content_type=JSON).json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", row["updated_at"])


def test_an_address_read_before_says_the_same_again_and_a_wrong_one_is_refused_again():
    def asked(text: str) -> Request:
        return Request(APIRequestFactory().get(f"/?{text}"))

    first = SearchQuery.of(asked("q=heat&chip=genre:Drama"))
    first["chip"].append("changed by the caller")
    first["q"] = "changed"
    again = SearchQuery.of(asked("q=heat&chip=genre:Drama"))
    assert (again["q"], again["chip"], again["limit"]) == ("heat", ["genre:Drama"], 20)
    assert SearchQuery.of(asked("q=heat&limit=5"))["limit"] == 5
    for _ in range(2):
        with pytest.raises(ValidationError, match="Send it once"):
            SearchQuery.of(asked("q=heat&q=ronin"))
