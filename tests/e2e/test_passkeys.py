"""Where a key cannot help, people are told so in words, or are not offered it."""

from __future__ import annotations

import pytest

from accounts.models import User

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
    return User.objects.create_user("ada@example.org", "a-long-enough-phrase")


def with_device(page):
    """The page's device holds keys and says yes."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})


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
