"""Nobody reaches what is somebody else's, looking changes nothing; and a hole would be found."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import User
from catalog.models import Movie
from feedback.models import DiaryEntry, FilmList
from tests.security.walkers import KEY, addresses, belongings, walk_looking, walk_others

pytestmark = pytest.mark.django_db

PLANTED = "tests.security.planted"


@pytest.fixture
def own():
    """Everything that a person can have."""
    owner = User.objects.create_user("owner@example.org")
    film = Movie.objects.create(pk=KEY, title="Heat", year=1995)
    return belongings(owner, film)


@pytest.fixture
def others():
    other = User.objects.create_user("other@example.org")
    EmailAddress.objects.create(user=other, email=other.email, verified=True, primary=True)
    client = Client(raise_request_exception=False)
    client.force_login(other)
    return {"another person": client, "a stranger": Client(raise_request_exception=False)}


def test_the_walk_has_somewhere_to_go(own):
    kinds = {type(row) for row in own}
    assert {FilmList, DiaryEntry} <= kinds
    assert len(kinds) >= 15
    assert {f"/lists/{KEY}/", f"/api/v1/me/ratings/{KEY}/"} <= set(addresses())


def test_nobody_reads_or_changes_what_is_somebody_elses(own, others):
    assert walk_others(others, own) == []


def test_a_page_that_hands_out_others_rows_would_be_found(own, others, settings):
    settings.ROOT_URLCONF = PLANTED
    found = {(f.method, f.path, f.what) for f in walk_others(others, own)}
    assert ("get", f"/holes/{KEY}/", "reads the owner's texts") in found
    assert ("post", f"/holes/{KEY}/rename/", "changes the owner's rows") in found


def test_looking_changes_nothing(own, others):
    chief = Client(raise_request_exception=False)
    boss = User.objects.create_superuser("chief@example.org")
    EmailAddress.objects.create(user=boss, email=boss.email, verified=True, primary=True)
    chief.force_login(boss)
    for client in (*others.values(), chief):
        assert walk_looking(client) == []


def test_a_page_that_writes_when_looked_at_would_be_found(own, others, settings):
    settings.ROOT_URLCONF = PLANTED
    found = walk_looking(others["a stranger"])
    assert {(f.path, f.what) for f in found} == {
        (f"/holes/{KEY}/touch/", "changes feedback_filmlist")
    }
