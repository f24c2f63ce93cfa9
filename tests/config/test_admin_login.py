"""The admin has no door of its own."""

from __future__ import annotations

import pytest

from accounts.models import User
from feedback.models import Rating
from tests.worlds import make_film

pytestmark = pytest.mark.django_db

PASSWORD = "a-long-enough-phrase"


def test_the_admin_sends_people_to_the_one_login_and_back(client):
    film = make_film("Heat", year=1995)
    client.post(f"/films/{film.pk}/rate/", {"stars": "4"})
    root = User.objects.create_superuser("root@example.org", PASSWORD)
    answer = client.get("/admin/", follow=True)
    where, _status = answer.redirect_chain[-1]
    assert where.startswith("/accounts/login/?next=")
    login = {"login": "root@example.org", "password": PASSWORD}
    answer = client.post(where, login, follow=True)
    assert answer.redirect_chain[-1] == ("/admin/", 302)
    assert answer.status_code == 200
    # What the visitor said before is the account's.
    assert list(Rating.objects.values_list("user_id", flat=True)) == [root.pk]


@pytest.mark.parametrize("path", ["/admin/", "/staff/enrichment/"])
def test_who_has_no_right_is_told_so_and_not_sent_round(client, path):
    client.force_login(User.objects.create_user("ada@example.org", PASSWORD))
    answer = client.get(path, follow=True)
    assert answer.status_code == 403
    assert "Not yours to see" in answer.content.decode()
    assert len(answer.redirect_chain) <= 1
