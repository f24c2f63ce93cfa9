"""The second factor, from setting it up to the day when the phone is gone."""

from __future__ import annotations

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from accounts.tokens import token_create
from config.settings import base
from tests.security.conftest import EMAIL, PASSWORD

pytestmark = pytest.mark.django_db


def log_in(client, email=EMAIL):
    return client.post("/accounts/login/", {"login": email, "password": PASSWORD})


def is_in(client) -> bool:
    return "_auth_user_id" in client.session


def code_of(secret: str, *, steps_ago: int = 0) -> str:
    """What the phone shows."""
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 - steps_ago))


def show_again(client, path: str) -> None:
    """The password once more, where a page asks for it."""
    asked = client.get(path)
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert client.post(asked["Location"], {"password": PASSWORD}).status_code == 302


def set_up(client) -> str:
    """Walks through the page; the secret."""
    show_again(client, "/accounts/2fa/totp/activate/")
    assert client.get("/accounts/2fa/totp/activate/").status_code == 200
    secret = client.session["mfa.totp.secret"]
    done = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert done.status_code == 302, done.content.decode()
    return secret


@pytest.fixture
def secret(ada, client):
    """Ada has an authenticator app; the client is still logged in."""
    log_in(client)
    return set_up(client)


def test_a_password_alone_no_longer_opens_the_account(secret):
    client = Client()
    answer = log_in(client)
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert not is_in(client)
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert wrong.status_code == 200
    assert not is_in(client)
    cache.clear()  # as a step later: the code that set it up is used already
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert is_in(client)


def test_a_code_opens_once(secret):
    first, second = Client(), Client()
    cache.clear()
    log_in(first)
    log_in(second)
    code = code_of(secret)
    first.post("/accounts/2fa/authenticate/", {"code": code})
    second.post("/accounts/2fa/authenticate/", {"code": code})
    assert (is_in(first), is_in(second)) == (True, False)


def test_recovery_codes_open_once_each(secret, client):
    page = client.get("/accounts/2fa/recovery-codes/")
    authenticator = Authenticator.objects.get(type="recovery_codes")
    codes = authenticator.wrap().get_unused_codes()
    assert len(codes) == 10
    assert all(code in page.content.decode() for code in codes)
    for opens in (True, False):
        lost = Client()
        log_in(lost)
        lost.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        assert is_in(lost) is opens


@pytest.mark.parametrize(
    "path", ["/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/add/", "/accounts/email/"]
)
def test_changing_the_locks_takes_the_password_once_more_and_again_later(ada, client, path):
    log_in(client)

    def ask():
        if path == "/accounts/email/":
            return client.post(path, {"action_add": "", "email": "other@example.org"})
        return client.get(path)

    for _ in range(2):
        answer = ask()
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/reauthenticate/")
        assert client.post(answer["Location"], {"password": "not-it"}).status_code == 200
        assert "/reauthenticate/" in ask()["Location"]
        assert ada.emailaddress_set.count() == 1
        client.post("/accounts/reauthenticate/?next=/settings/", {"password": PASSWORD})
        assert client.get(path).status_code == 200
        # A browser left open: five minutes later it is asked again.
        session = client.session
        for method in session["account_authentication_methods"]:
            method["at"] -= 301
        session.save()


def test_devices_are_listed_and_sent_away(ada):
    here, there = Client(HTTP_USER_AGENT="Here/1"), Client(HTTP_USER_AGENT="There/2")
    log_in(here)
    log_in(there)
    html = here.get("/accounts/sessions/").content.decode()
    assert "Here/1" in html
    assert "There/2" in html
    here.post("/accounts/sessions/")
    assert is_in(here)
    assert there.get("/settings/").status_code == 302
    assert UserSession.objects.count() == 1


def test_a_new_password_ends_the_other_sessions(ada):
    here, there = Client(), Client()
    log_in(here)
    log_in(there)
    new = {"oldpassword": PASSWORD, "password1": "another-long-phrase"}
    assert here.post("/accounts/password/change/", new).status_code == 302
    assert here.get("/settings/").status_code == 200
    assert there.get("/settings/").status_code == 302


def test_a_reset_does_not_pass_by_the_factor(secret, mailoutbox):
    client = Client()
    client.post("/accounts/password/reset/", {"email": EMAIL})
    link = next(word for word in mailoutbox[-1].body.split() if "/password/reset/key/" in word)
    page = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(page, {"password1": "another-long-phrase"})
    assert not is_in(client)
    data = {"login": EMAIL, "password": "another-long-phrase"}
    assert client.post("/accounts/login/", data)["Location"].startswith("/accounts/2fa/")
    assert not is_in(client)


def test_the_session_is_out_of_reach_for_scripts(ada, client):
    cookie = log_in(client).cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_logging_in_gives_the_session_a_new_name(ada, client):
    client.post("/accounts/login/", {"login": EMAIL, "password": "not-it-at-all"})
    session = client.session
    session["planted"] = "before"
    session.save()
    client.cookies["sessionid"] = session.session_key
    log_in(client)
    assert is_in(client)
    assert client.session.session_key != session.session_key
    assert not client.session.exists(session.session_key)


def test_an_account_that_is_switched_off_is_out_at_once(ada, client):
    log_in(client)
    assert client.get("/settings/").status_code == 200
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert client.get("/settings/").status_code == 302


def test_a_long_password_counts_to_its_last_letter(ada):
    long = "correct horse battery staple " * 4
    ada.set_password(long)
    ada.save(update_fields=["password"])
    for password, opens in ((long[:-1], False), (long[:72], False), (long, True)):
        client = Client()
        client.post("/accounts/login/", {"login": EMAIL, "password": password})
        assert is_in(client) is opens


def test_passwords_are_kept_by_argon2(ada, settings):
    settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS
    ada.set_password(PASSWORD)
    assert ada.password.startswith("argon2$argon2id$")


class TestStaff:
    """Whoever has power over others."""

    @pytest.fixture(autouse=True)
    def _required(self, settings):
        settings.STAFF_MFA_REQUIRED = True

    def test_the_admin_is_behind_the_one_log_in(self, chief):
        client = Client()
        answer = client.get("/admin/", follow=True)
        assert answer.redirect_chain[-1][0] == "/accounts/login/?next=%2Fadmin%2F"
        # Django's own form, which knows neither limits nor factors, is not there to be posted to.
        data = {"username": chief.email, "password": PASSWORD}
        client.post("/admin/login/", data)
        assert not is_in(client)

    @pytest.mark.parametrize("path", ["/admin/", "/", "/staff/enrichment/", "/settings/"])
    def test_without_a_factor_they_only_get_to_where_it_is_set_up(self, chief, client, path):
        log_in(client, chief.email)
        answer = client.get(path)
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/")
        page = client.get("/accounts/2fa/")
        assert page.status_code == 200
        assert "Staff accounts need a second factor" in page.content.decode()
        assert client.get("/livez").status_code == 200

    def test_nor_does_the_api_do_anything_for_them(self, chief, client):
        log_in(client, chief.email)
        answer = client.post("/api/v1/models/rollback/")
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "second_factor_required"

    def test_nor_with_a_token_or_an_apps_session(self, chief, client):
        token = token_create(user=chief, name="x", scopes=["read", "staff"], days=30)
        by_token = {"Authorization": f"Bearer {token.secret}"}
        data = {"email": chief.email, "password": PASSWORD}
        login = "/_allauth/app/v1/auth/login"
        app = Client().post(login, data, content_type="application/json").json()
        by_session = {"X-Session-Token": app["meta"]["session_token"]}
        for headers in (by_token, by_session):
            answer = Client().get("/api/v1/models/", headers=headers)
            assert answer.status_code == 403
            assert answer.json()["error"]["code"] == "second_factor_required"
        Authenticator.objects.create(user=chief, type="totp", data={"secret": "x"})
        for headers in (by_token, by_session):
            assert Client().get("/api/v1/models/", headers=headers).status_code == 200

    def test_with_one_they_are_in(self, chief, client):
        log_in(client, chief.email)
        set_up(client)
        assert client.get("/admin/").status_code == 200
        User.objects.filter(pk=chief.pk).update(is_superuser=False, is_staff=False)
        Authenticator.objects.all().delete()
        assert client.get("/").status_code == 200

    def test_people_without_power_are_asked_for_nothing(self, ada, client):
        log_in(client)
        assert client.get("/settings/").status_code == 200


@pytest.mark.e2e
@pytest.mark.django_db(transaction=True)
def test_a_passkey_is_added_and_opens_the_account_alone(live_server, new_page, ada, settings):
    page = new_page()
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    key = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": key})
    # Passkeys belong to a name, which an address in figures is not.
    home = live_server.url.replace("127.0.0.1", "localhost")
    page.goto(f"{home}/accounts/login/")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name=re.compile("log in", re.IGNORECASE)).first.click()
    page.wait_for_url(f"{home}/")
    page.goto(f"{home}/accounts/2fa/webauthn/add/")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="It is me").click()
    page.wait_for_url(f"{home}/accounts/2fa/webauthn/add/")
    passwordless = page.get_by_role("checkbox")
    if passwordless.count():
        passwordless.first.check()
    page.locator("#mfa_webauthn_add").click()
    page.wait_for_url(re.compile(r"/accounts/2fa/(?!webauthn/add)"))
    assert Authenticator.objects.filter(user=ada, type="webauthn").count() == 1
    page.context.clear_cookies()
    page.goto(f"{home}/accounts/login/")
    page.locator("#passkey_login").click()
    page.wait_for_url(f"{home}/")
    page.goto(f"{home}/settings/")
    assert page.url == f"{home}/settings/"


def test_factors_lie_encrypted_in_the_database(secret, client, settings, caplog):
    client.get("/accounts/2fa/recovery-codes/")
    kept = Authenticator.objects.get(type="totp").data["secret"]
    seed = Authenticator.objects.get(type="recovery_codes").data["seed"]
    assert secret not in kept
    assert [text[:5] for text in (kept, seed)] == ["gAAAA", "gAAAA"]
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    # A key that is replaced but kept as an earlier one still opens; without it nothing does.
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key"
    assert Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes() == codes
    settings.SECRET_KEY_FALLBACKS = []
    cache.clear()
    lost = Authenticator.objects.get(type="totp").wrap()
    assert not lost.validate_code(code_of(secret))
    assert not Authenticator.objects.get(type="recovery_codes").wrap().validate_code(codes[0])
    assert "stored under another key of this site" in caplog.text
