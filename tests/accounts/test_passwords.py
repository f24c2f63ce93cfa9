"""Changing a password, and getting back in without one."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.accounts.conftest import EMAIL, PASSWORD

pytestmark = pytest.mark.django_db

NEW = "another-long-phrase"


def test_a_password_is_changed_with_the_old_one_and_the_person_stays_in(client, ada, mailoutbox):
    client.force_login(ada)
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW})
    ada.refresh_from_db()
    assert ada.check_password(NEW)
    assert client.get("/settings/").status_code == 200
    assert [mail.subject for mail in mailoutbox] == ["[Marquee] Your password was changed"]


def test_a_wrong_old_password_changes_nothing(client, ada):
    client.force_login(ada)
    answer = client.post("/accounts/password/change/", {"oldpassword": "no", "password1": NEW})
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)
    assert "This is not your current password." in answer.content.decode()


def test_the_link_in_the_mail_sets_a_new_password_once(client, ada, mailoutbox):
    asked = client.post("/accounts/password/reset/", {"email": EMAIL.upper()})
    assert asked["Location"] == "/accounts/password/reset/done/"
    link = next(word for word in mailoutbox[0].body.split() if "/password/reset/key/" in word)
    form = client.get(link, follow=True)
    page = form.redirect_chain[-1][0]
    done = client.post(page, {"password1": NEW})
    assert done["Location"] == "/accounts/password/reset/key/done/"
    assert User.objects.get().check_password(NEW)
    client.session.flush()
    assert "was used before" in client.get(link, follow=True).content.decode()


def test_asking_for_an_unknown_address_looks_the_same_and_sends_nothing(client, ada, mailoutbox):
    known = client.post("/accounts/password/reset/", {"email": EMAIL})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert [mail.to for mail in mailoutbox] == [[EMAIL]]
