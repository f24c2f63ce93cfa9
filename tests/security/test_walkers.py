"""Nobody reaches what is somebody else's, looking changes nothing; and a hole would be found."""

from __future__ import annotations

import logging

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.test import Client

from accounts.models import User
from catalog.models import Movie
from feedback.models import DiaryEntry, FilmList
from tests.security.addresses import KEY, UUID_KEY, addresses
from tests.security.belongings import belongings
from tests.security.walkers import walk_looking, walk_others

pytestmark = pytest.mark.django_db

PLANTED = "tests.security.planted"


def logged_in(user: User) -> Client:
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.fixture(autouse=True)
def silence():
    """Thousands of refusals are not worth a line each."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def owner():
    return User.objects.create_user("owner@example.org", pk=KEY)


@pytest.fixture
def own(owner):
    """Everything that a person can have.

    Their device is one that is logged in: allauth takes rows of ended sessions away when it lists
    them, and that is no change that anybody could see.
    """
    rows = belongings(owner, Movie.objects.create(pk=KEY, title="Heat", year=1995))
    device = Client()
    device.force_login(owner)
    UserSession.objects.filter(pk=KEY).update(session_key=device.session.session_key)
    return rows


@pytest.fixture
def others():
    return {
        "another person": logged_in(User.objects.create_user("other@example.org")),
        "a stranger": Client(raise_request_exception=False),
    }


def test_the_walk_has_somewhere_to_go(own):
    kinds = {type(row) for row in own}
    assert {User, FilmList, DiaryEntry} <= kinds
    assert len(kinds) >= 15
    assert {f"/lists/{KEY}/", f"/settings/import/{UUID_KEY}/"} <= set(addresses())


def test_nobody_reads_or_changes_what_is_somebody_elses(own, others):
    assert walk_others(others, own) == []


def test_the_owner_reaches_what_the_others_did_not(own, owner):
    """Else the walk would have knocked at doors that open for nobody."""
    found = walk_others({"the owner": logged_in(owner)}, own)
    assert [f for f in found if f.what.startswith("breaks")] == []
    read = {f.path for f in found if f.method == "get" and f.what.startswith("reads")}
    assert read >= {
        *("/accounts/email/", "/diary/", "/lists/", "/settings/tokens/", "/settings/import/"),
        *(f"/lists/{KEY}/", f"/settings/import/{UUID_KEY}/", f"/films/{KEY}/journal/"),
        *("/api/v1/me/diary/", "/api/v1/me/history/", "/api/v1/me/lists/", "/api/v1/me/tokens/"),
        f"/api/v1/me/lists/{KEY}/",
    }
    changed = {(f.method, f.path) for f in found if f.what.startswith("changes")}
    assert changed >= {
        *(("post", f"/lists/{KEY}/{act}/") for act in ("change", "delete", "share")),
        *(("post", f"/films/{KEY}/{act}/") for act in ("rate", "react", "watchlist")),
        *(("post", path) for path in (f"/diary/{KEY}/remove/", f"/settings/tokens/{KEY}/revoke/")),
        *(("post", path) for path in ("/settings/", "/settings/keep/", "/for-you/dials/")),
        *(("put", f"/api/v1/me/{kind}/{KEY}/") for kind in ("ratings", "watchlist")),
        ("delete", f"/api/v1/me/reactions/{KEY}/like/"),
        *(("delete", f"/api/v1/me/{kind}/{KEY}/") for kind in ("devices", "diary", "tokens")),
        ("patch", f"/api/v1/me/lists/{KEY}/"),
        ("patch", "/api/v1/me/"),
    }


def test_a_page_that_hands_out_others_rows_would_be_found(own, others, settings):
    settings.ROOT_URLCONF = PLANTED
    found = {(f.who, f.method, f.path, f.what) for f in walk_others(others, own)}
    assert {path for _, _, path, _ in found} == {
        f"/holes/{KEY}/{rest}" for rest in ("", "rename/", "touch/")
    }
    assert found >= {
        (who, *hole)
        for who in others
        for hole in (
            ("get", f"/holes/{KEY}/", "reads the owner's texts"),
            ("post", f"/holes/{KEY}/rename/", "changes feedback_filmlist"),
        )
    }


def test_looking_changes_nothing(own, owner, others):
    chief = User.objects.create_superuser("chief@example.org")
    everybody = others | {"the owner": logged_in(owner), "a chief": logged_in(chief)}
    assert walk_looking(everybody) == []


def test_a_page_that_writes_when_looked_at_would_be_found(own, others, settings):
    settings.ROOT_URLCONF = PLANTED
    found = walk_looking(others)
    assert {(f.who, f.path, f.what) for f in found} == {
        (who, f"/holes/{KEY}/touch/", "changes feedback_filmlist") for who in others
    }
