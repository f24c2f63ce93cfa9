"""The API's page under the strict policy, and the page of personal tokens."""

from __future__ import annotations

import os
import re
from itertools import product
from pathlib import Path

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from accounts.models import ApiToken, User
from tests.e2e.test_look import SIZES, THEMES, WIDER, complaints, log_in

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

SHOTS = os.environ.get("MARQUEE_SHOTS")  # a folder for pictures to look at


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.org", "a-long-enough-phrase")


def shot(page, name):
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=not name.startswith("docs"))


def logged_in_an_hour_ago():
    """Of every session: too long ago to count as proof of who sits there."""
    for key in Session.objects.values_list("session_key", flat=True):
        session = SessionStore(key)
        for method in session["account_authentication_methods"]:
            method["at"] -= 3600
        session.save()


def test_the_docs_page_lists_operations_and_tries_one(live_server, page, browser_problems):
    """From our own server alone: the policy forbids any other, and the console stays silent."""
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto(f"{live_server.url}/api/v1/docs/")
    page.locator(".opblock").first.wait_for()
    assert page.locator(".opblock").count() > 60
    shot(page, "docs")
    operation = page.locator("#operations-catalogue-health")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .highlight-code")
    answer.first.wait_for()
    assert '"films"' in answer.first.inner_text()
    shot(page, "docs-tried")
    assert hosts == {live_server.url.split("/")[2]}
    assert browser_problems.all == []


@pytest.mark.parametrize(("size", "theme"), list(product(SIZES, THEMES)))
def test_a_token_is_made_seen_and_revoked(
    live_server, new_page, browser_problems, ada, settings, size, theme
):
    width, height = SIZES[size]
    page = new_page(viewport={"width": width, "height": height})
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    log_in(page, live_server, then="/settings/tokens/")
    shot(page, f"tokens-empty-{size}-{theme}")
    logged_in_an_hour_ago()
    page.get_by_label("Name").fill("Notebook")
    page.get_by_label("Write: rate films").check()
    page.get_by_role("button", name="Make the token").click()
    # What was asked for is done once the password was given.
    page.get_by_label("Password", exact=True).fill("a-long-enough-phrase")
    page.get_by_role("button", name="It is me").click()
    page.get_by_text("Copy it now").wait_for()
    secret = page.get_by_label("Token", exact=True).input_value()
    assert re.fullmatch(r"mq_[\w-]{43}", secret)
    assert ApiToken.objects.get().scopes == ["read", "write"]
    shot(page, f"tokens-made-{size}-{theme}")
    assert complaints(page) == []
    assert page.evaluate(WIDER) == []
    page.goto(f"{live_server.url}/settings/tokens/")
    assert secret not in page.content()
    shot(page, f"tokens-listed-{size}-{theme}")
    assert complaints(page) == []
    page.get_by_role("button", name="Revoke Notebook").click()
    page.get_by_text("There is no token yet").wait_for()
    assert not ApiToken.objects.exists()
    assert browser_problems.all == []
