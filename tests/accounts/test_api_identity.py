"""Who asks: personal tokens and their scopes, an app's session, devices."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.devices import device_name, devices_of
from accounts.models import ApiToken, User
from accounts.tokens import MAX_TOKENS, TokenError, token_create
from tests.accounts.conftest import EMAIL, PASSWORD

pytestmark = pytest.mark.django_db
JSON = "application/json"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0"


def token(user, *scopes, days=30):
    return token_create(user=user, name="Script", scopes=scopes, days=days)


def bearer(made):
    return {"Authorization": f"Bearer {made.secret}"}


def prove(client):
    """The password, once more."""
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302


def code_of(answer):
    return answer.json()["error"]["code"]


class TestTokens:
    def test_a_token_is_shown_once_and_kept_as_a_digest(self, client, ada):
        client.force_login(ada)
        body = {"name": "Notebook", "scopes": ["read"], "days": 7}
        answer = client.post("/api/v1/me/tokens/", body, content_type=JSON)
        assert (answer.status_code, code_of(answer)) == (403, "reauthentication_required")
        assert not ApiToken.objects.exists()
        prove(client)
        answer = client.post("/api/v1/me/tokens/", body, content_type=JSON)
        assert answer.status_code == 201
        secret = answer.json()["token"]
        row = ApiToken.objects.get()
        kept = {str(value) for value in vars(row).values()}
        assert re.fullmatch(r"mq_[\w-]{43}", secret)
        assert secret not in kept
        listed = client.get("/api/v1/me/tokens/").json()["results"]
        assert [entry["start"] for entry in listed] == [secret[:11]]
        assert "token" not in listed[0]
        client.logout()
        header = {"Authorization": f"Bearer {secret}"}
        assert client.get("/api/v1/me/", headers=header).json()["email"] == EMAIL

    def test_reading_does_not_open_writing(self, client, ada):
        made = token(ada, "read")
        assert client.get("/api/v1/me/ratings/", headers=bearer(made)).status_code == 200
        answer = client.patch(
            "/api/v1/me/", {"display_name": "Eve"}, content_type=JSON, headers=bearer(made)
        )
        assert (answer.status_code, code_of(answer)) == (403, "insufficient_scope")
        ada.refresh_from_db()
        assert ada.display_name == ""

    def test_writing_does_not_open_reading(self, client, ada):
        made = token(ada, "write")
        answer = client.get("/api/v1/me/ratings/", headers=bearer(made))
        assert (answer.status_code, code_of(answer)) == (403, "insufficient_scope")
        answer = client.patch(
            "/api/v1/me/", {"display_name": "Ada"}, content_type=JSON, headers=bearer(made)
        )
        assert answer.status_code == 200

    def test_what_is_for_staff_needs_staff_and_the_scope(self, client, ada):
        made = token(ada, "read")
        assert client.get("/api/v1/models/", headers=bearer(made)).status_code == 403
        ada.is_staff = True
        ada.save()
        answer = client.get("/api/v1/models/", headers=bearer(made))
        assert (answer.status_code, code_of(answer)) == (403, "insufficient_scope")
        both = token(ada, "read", "staff")
        assert client.get("/api/v1/models/", headers=bearer(both)).status_code == 200

    def test_nobody_else_makes_tokens_for_staff(self, ada):
        with pytest.raises(TokenError):
            token(ada, "read", "staff")
        assert not ApiToken.objects.exists()

    def test_a_token_cannot_make_tokens_or_end_sessions(self, client, ada):
        made = token(ada, "read", "write")
        body = {"name": "Child", "scopes": ["write"]}
        answer = client.post("/api/v1/me/tokens/", body, content_type=JSON, headers=bearer(made))
        assert (answer.status_code, code_of(answer)) == (403, "login_required")
        assert client.delete("/api/v1/me/devices/1/", headers=bearer(made)).status_code == 403
        assert ApiToken.objects.count() == 1

    @pytest.mark.parametrize("end", ["revoked", "expired", "switched off", "wrong"])
    def test_a_token_that_ended_opens_nothing_not_even_what_is_open(self, client, ada, end):
        made = token(ada, "read")
        secret = made.secret
        if end == "revoked":
            made.token.delete()
        elif end == "expired":
            ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        elif end == "switched off":
            User.objects.filter(pk=ada.pk).update(is_active=False)
        else:
            secret = secret[:-1] + ("A" if secret[-1] != "A" else "B")
        for path in ("/api/v1/me/ratings/", "/api/v1/genres/"):
            answer = client.get(path, headers={"Authorization": f"Bearer {secret}"})
            assert (answer.status_code, code_of(answer)) == (401, "invalid_token")
            assert answer["WWW-Authenticate"].startswith("Bearer")

    def test_another_persons_token_is_404_and_stays(self, client, ada):
        made = token(ada, "read")
        client.force_login(User.objects.create_user("eve@example.org", "a-long-password"))
        assert client.delete(f"/api/v1/me/tokens/{made.token.pk}/").status_code == 404
        assert client.post(f"/settings/tokens/{made.token.pk}/revoke/").status_code == 404
        assert ApiToken.objects.count() == 1

    def test_there_is_an_end_to_how_many(self, ada):
        rows = [
            ApiToken(
                user=ada,
                name="x",
                digest=str(i),
                start="mq_",
                scopes=["read"],
                expires_at=timezone.now() + timedelta(days=1),
            )
            for i in range(MAX_TOKENS)
        ]
        ApiToken.objects.bulk_create(rows)
        with pytest.raises(TokenError, match="Revoke one first"):
            token(ada, "read")
        ApiToken.objects.filter(digest="0").update(expires_at=timezone.now())
        assert token(ada, "read").token.pk

    def test_use_is_noted_once_in_a_while(self, client, ada, django_assert_num_queries):
        made = token(ada, "read")
        client.get("/api/v1/me/", headers=bearer(made))
        first = ApiToken.objects.get().last_used_at
        assert first is not None
        with django_assert_num_queries(1):  # the token with its user
            client.get("/api/v1/me/", headers=bearer(made))
        assert ApiToken.objects.get().last_used_at == first

    def test_no_cookie_is_needed_and_no_csrf_token(self, ada):
        strict = Client(enforce_csrf_checks=True)
        made = token(ada, "write")
        body = {"display_name": "Ada"}
        answer = strict.patch("/api/v1/me/", body, content_type=JSON, headers=bearer(made))
        assert answer.status_code == 200
        assert not answer.cookies
        strict.force_login(ada)
        answer = strict.patch("/api/v1/me/", body, content_type=JSON)
        assert (answer.status_code, code_of(answer)) == (403, "csrf_failed")


class TestTokenPage:
    def test_make_see_once_and_revoke(self, client, ada):
        client.force_login(ada)
        body = {"name": "Shell", "scopes": ["read", "write"], "days": "30"}
        answer = client.post("/settings/tokens/", body)
        assert "/reauthenticate/" in answer["Location"]
        assert not ApiToken.objects.exists()
        prove(client)
        page = client.post("/settings/tokens/", body)
        assert page.status_code == 201
        secret = re.search(r"mq_[\w-]{43}", page.content.decode())[0]
        assert page["Cache-Control"].count("no-store")
        again = client.get("/settings/tokens/").content.decode()
        assert secret not in again
        assert secret[:11] in again
        row = ApiToken.objects.get()
        assert row.scopes == ["read", "write"]
        answer = client.post(f"/settings/tokens/{row.pk}/revoke/", follow=True)
        assert "opens nothing any more" in answer.content.decode()
        assert not ApiToken.objects.exists()

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"name": "x", "days": "30"},
            {"name": "x", "scopes": ["staff"], "days": "30"},
            {"name": "x", "scopes": ["read"], "days": "9999"},
        ],
    )
    def test_what_is_missing_is_said_and_nothing_is_made(self, client, ada, body):
        client.force_login(ada)
        prove(client)
        page = client.post("/settings/tokens/", body)
        assert page.status_code == 422
        assert not ApiToken.objects.exists()

    def test_only_for_accounts(self, client):
        assert client.get("/settings/tokens/").status_code == 302


APP = "/_allauth/app/v1"


def app_login(client, email=EMAIL, password=PASSWORD):
    body = {"email": email, "password": password}
    return client.post(f"{APP}/auth/login", body, content_type=JSON)


class TestApps:
    def test_register_and_use_the_session(self, client):
        body = {"email": "new@example.org", "password": "a-long-enough-phrase"}
        answer = client.post(f"{APP}/auth/signup", body, content_type=JSON)
        assert answer.status_code == 200
        header = {"X-Session-Token": answer.json()["meta"]["session_token"]}
        client.cookies.clear()
        assert client.get("/api/v1/me/", headers=header).json()["email"] == "new@example.org"
        body = {"display_name": "New"}
        answer = client.patch("/api/v1/me/", body, content_type=JSON, headers=header)
        assert answer.json()["short_name"] == "New"

    def test_log_in_ask_and_log_out(self, client, ada):
        answer = app_login(client)
        header = {"X-Session-Token": answer.json()["meta"]["session_token"]}
        assert client.get("/api/v1/me/", headers=header).status_code == 200
        client.delete(f"{APP}/auth/session", headers=header)
        answer = client.get("/api/v1/me/", headers=header)
        assert (answer.status_code, code_of(answer)) == (401, "invalid_session")

    def test_a_wrong_password_opens_nothing(self, client, ada):
        answer = app_login(client, password="another-long-phrase")
        assert answer.status_code == 400
        assert "session_token" not in answer.json().get("meta", {})

    def test_the_second_factor_comes_before_the_session_is_one(self, client, ada):
        secret = generate_totp_secret()
        TOTP.activate(ada, secret)
        answer = app_login(client)
        assert answer.status_code == 401
        flows = {flow["id"] for flow in answer.json()["data"]["flows"] if flow.get("is_pending")}
        assert flows == {"mfa_authenticate"}
        header = {"X-Session-Token": answer.json()["meta"]["session_token"]}
        early = client.get("/api/v1/me/", headers=header)
        assert (early.status_code, code_of(early)) == (401, "invalid_session")
        counter = next(yield_hotp_counters_from_time())
        body = {"code": f"{hotp_value(secret, counter):06d}"}
        answer = client.post(
            f"{APP}/auth/2fa/authenticate", body, content_type=JSON, headers=header
        )
        assert answer.status_code == 200
        header = {
            "X-Session-Token": answer.json()["meta"].get("session_token")
            or header["X-Session-Token"]
        }
        assert client.get("/api/v1/me/", headers=header).json()["email"] == EMAIL

    def test_browsers_have_pages_and_no_such_door(self, client):
        assert client.get("/_allauth/browser/v1/config").status_code == 404


class TestDevices:
    def test_a_device_is_listed_and_logged_out(self, client, ada):
        phone = app_login(client).json()["meta"]["session_token"]
        client.cookies.clear()
        laptop = app_login(client).json()["meta"]["session_token"]
        rows = client.get("/api/v1/me/devices/", headers={"X-Session-Token": laptop}).json()
        assert [row["is_current"] for row in rows["results"]].count(True) == 1
        other = next(row for row in rows["results"] if not row["is_current"])
        url = f"/api/v1/me/devices/{other['id']}/"
        assert client.delete(url, headers={"X-Session-Token": laptop}).status_code == 204
        assert client.get("/api/v1/me/", headers={"X-Session-Token": phone}).status_code == 401
        assert client.get("/api/v1/me/", headers={"X-Session-Token": laptop}).status_code == 200

    def test_a_device_has_a_name_that_people_know(self, client, ada):
        firefox = Client(headers={"user-agent": FIREFOX})
        firefox.post("/accounts/login/", {"login": EMAIL, "password": PASSWORD})
        (row,) = firefox.get("/api/v1/me/devices/").json()["results"]
        assert (row["name"], row["user_agent"]) == ("Firefox on Windows", FIREFOX)
        page = firefox.get("/accounts/sessions/").content.decode()
        assert "Firefox on Windows" in page

    def test_another_persons_device_is_404_and_stays_logged_in(self, client, ada):
        mine = app_login(client).json()["meta"]["session_token"]
        client.cookies.clear()
        rows = client.get("/api/v1/me/devices/", headers={"X-Session-Token": mine}).json()
        url = f"/api/v1/me/devices/{rows['results'][0]['id']}/"
        client.force_login(User.objects.create_user("eve@example.org", "a-long-password"))
        assert client.delete(url).status_code == 404
        client.logout()
        assert client.get("/api/v1/me/", headers={"X-Session-Token": mine}).status_code == 200

    def test_what_ended_is_not_listed_and_looking_deletes_nothing(self, client, ada):
        mine = app_login(client).json()["meta"]["session_token"]
        for _ in range(3):
            client.cookies.clear()
            app_login(client)
        forged, expired, _ = UserSession.objects.exclude(session_key=mine).order_by("pk")
        eve = Client()
        eve.force_login(User.objects.create_user("eve@example.org", "a-long-password"))
        theirs = Session.objects.get(pk=eve.session.session_key).session_data
        Session.objects.filter(pk=forged.session_key).update(session_data=theirs)
        Session.objects.filter(pk=expired.session_key).update(expire_date=timezone.now())
        headers = {"X-Session-Token": mine}
        rows = client.get("/api/v1/me/devices/", headers=headers).json()["results"]
        assert len(rows) == 2
        assert {forged.pk, expired.pk}.isdisjoint(row["id"] for row in rows)
        assert UserSession.objects.filter(user=ada).count() == 4

    def test_a_new_password_ends_the_others(self, client, ada):
        app_login(client)
        assert len(devices_of(ada)) == 1
        ada.set_password("another-long-enough-phrase")
        ada.save()
        assert devices_of(ada) == []
        assert len(devices_of(User.objects.create_user("eve@example.org"))) == 0

    def test_any_number_of_devices_costs_two_queries(self, client, ada, django_assert_num_queries):
        for n in (1, 4):
            for _ in range(n):
                client.cookies.clear()
                app_login(client)
            with django_assert_num_queries(2):
                devices_of(ada)


class TestSettings:
    def test_read_change_and_keep_the_rest(self, client, ada):
        client.force_login(ada)
        url = "/api/v1/me/settings/"
        assert client.get(url).json()["surprise"] == 0
        body = {"surprise": 0.3, "languages": ["fr"], "year_from": 1990}
        changed = client.patch(url, body, content_type=JSON).json()
        assert (changed["surprise"], changed["languages"]) == (0.25, ["fr"])
        again = client.patch(url, {"era": -1}, content_type=JSON).json()
        assert (again["surprise"], again["era"], again["year_from"]) == (0.25, -1, 1990)
        assert client.get(url).json() == again

    @pytest.mark.parametrize(
        "body",
        [
            {"surprise": 2},
            {"surprise": "NaN"},
            {"length": -1.4e308},
            {"languages": ["xx"]},
            {"year_from": 1999, "year_to": 1990},
            {"excluded_genres": ["Opera"]},
            {"era": None},
        ],
    )
    def test_nonsense_is_named_and_changes_nothing(self, client, ada, body):
        client.force_login(ada)
        before = client.get("/api/v1/me/settings/").json()
        answer = client.patch("/api/v1/me/settings/", body, content_type=JSON)
        assert (answer.status_code, code_of(answer)) == (400, "invalid")
        assert client.get("/api/v1/me/settings/").json() == before


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (FIREFOX, "Firefox on Windows"),
        ("MarqueePhone/1.2 (Android)", "MarqueePhone/1.2 (Android)"),
        ("python-requests/2.34.2", "Python Requests"),
        ("   ", "Unknown"),
        ("<b>" + "x" * 500, "<b>" + "x" * 57),
    ],
)
def test_a_browser_says_its_name_and_an_app_its_own(said, name):
    assert device_name(said) == name
