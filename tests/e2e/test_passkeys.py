"""A key made by one's own device opens the account: with Chromium's virtual authenticator."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator

from accounts.models import User
from tests.e2e.test_look import log_in

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def ada(transactional_db):
    user = User.objects.create_user("ada@example.org", "a-long-enough-phrase")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def with_device(page):
    """The page's device holds keys and says yes."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})


def test_a_passkey_is_added_and_opens_the_account(live_server, page, browser_problems, ada):
    assert "localhost" in live_server.url  # the name that `manage.py up` prints, too
    with_device(page)
    log_in(page, live_server, then="/accounts/2fa/")
    page.get_by_role("link", name="Add a key").click()
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add this key").click()
    page.get_by_text("The key is added.").wait_for()
    assert Authenticator.objects.filter(user=ada, type=Authenticator.Type.WEBAUTHN).count() == 1
    page.context.clear_cookies()
    page.goto(f"{live_server.url}/accounts/login/?next=/about/")
    page.get_by_role("button", name="Log in with a passkey").click()
    page.wait_for_url(f"{live_server.url}/about/")
    assert page.get_by_text("Account of").count() == 1
    assert browser_problems.all == []


def test_a_device_without_the_key_is_told_in_words(live_server, page, browser_problems, ada):
    with_device(page)
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_role("button", name="Log in with a passkey").click()
    page.locator("#toasts").get_by_text("The key did not answer").wait_for()
    assert browser_problems.all == []


def test_at_a_number_no_key_is_offered(live_server, page, browser_problems, ada):
    by_number = live_server.url.replace("localhost", "127.0.0.1")
    page.goto(f"{by_number}/accounts/login/")
    assert page.get_by_role("button", name="Log in", exact=True).count() == 1
    assert page.get_by_role("button", name="Log in with a passkey").count() == 0
    assert browser_problems.all == []
