"""Every page and mail that allauth serves is one of ours."""

from __future__ import annotations

from pathlib import Path

import allauth
import pytest
from django.conf import settings
from django.template.loader import get_template
from django.urls import reverse

pytestmark = pytest.mark.django_db

ANYBODY = ["account_login", "account_signup", "account_reset_password", "account_inactive"]
ANYBODY += ["account_reset_password_done", "account_email_verification_sent"]
ANYBODY += ["account_reset_password_from_key_done"]
MINE = ["account_logout", "account_email", "account_change_password", "mfa_index"]
MINE += ["usersessions_list", "account_reauthenticate"]
GUARDED = ["mfa_activate_totp", "mfa_add_webauthn", "mfa_list_webauthn"]

# Served only with settings that we do not use: codes by mail or phone, one address per person.
UNUSED = {
    "account/confirm_email_verification_code.html",
    "account/confirm_login_code.html",
    "account/confirm_password_reset_code.html",
    "account/confirm_phone_verification_code.html",
    "account/email_change.html",
    "account/phone_change.html",
    "account/request_login_code.html",
    "account/signup_by_passkey.html",
    "mfa/trust.html",
    "mfa/webauthn/signup_form.html",
}


@pytest.mark.parametrize("name", ANYBODY)
def test_pages_for_anybody_are_ours(client, name):
    html = client.get(reverse(name)).content.decode()
    assert 'class="wordmark"' in html
    assert "<h1>" in html


@pytest.mark.parametrize("name", MINE + GUARDED)
def test_pages_of_an_account_are_ours(client, ada, name):
    client.force_login(ada)
    answer = client.get(reverse(name), follow=True)
    assert answer.status_code == 200
    assert 'class="wordmark"' in answer.content.decode()


def test_no_page_of_allauth_shows_through():
    folder = Path(allauth.__file__).parent / "templates"
    theirs = [
        path.relative_to(folder).as_posix()
        for app in ("account", "mfa", "usersessions")
        for path in sorted((folder / app).rglob("*.html"))
        if "base" not in path.name and "snippets" not in path.parts
    ]
    ours = settings.BASE_DIR / "templates"
    shown = [name for name in theirs if name not in UNUSED and not (ours / name).exists()]
    assert len(theirs) > 30
    assert shown == []


def test_every_mail_is_ours():
    folder = Path(allauth.__file__).parent / "templates"
    codes = {"login_code", "password_reset_code"}
    theirs = [
        path.relative_to(folder).as_posix()
        for app in ("account", "mfa")
        for path in sorted((folder / app / "email").glob("*.txt"))
        if not any(path.name.startswith(code) for code in codes)
    ]
    origins = {name: get_template(name).origin.name for name in theirs}
    assert len(theirs) > 30
    assert [n for n, o in origins.items() if not o.startswith(str(settings.BASE_DIR))] == []


def test_fields_say_what_browsers_should_fill_in(client):
    login = client.get("/accounts/login/").content.decode()
    signup = client.get("/accounts/signup/").content.decode()
    assert 'autocomplete="username"' in login
    assert 'autocomplete="current-password"' in login
    assert 'autocomplete="email"' in signup
    assert 'autocomplete="new-password"' in signup
    assert '<label for="id_login">' in login
    assert "placeholder" not in login.partition("<main")[2]


def test_the_admin_makes_people_by_address(admin_client):
    answer = admin_client.post(
        "/admin/accounts/user/add/",
        {
            "email": "Grace@Example.org",
            "usable_password": "true",
            "password1": "a-long-enough-phrase",
            "password2": "a-long-enough-phrase",
            "taste_settings-TOTAL_FORMS": "0",
            "taste_settings-INITIAL_FORMS": "0",
        },
    )
    from accounts.models import User

    assert answer.status_code == 302
    grace = User.objects.get(email="grace@example.org")
    assert admin_client.get(f"/admin/accounts/user/{grace.pk}/change/").status_code == 200
    assert admin_client.get("/admin/accounts/user/?q=grace").status_code == 200
