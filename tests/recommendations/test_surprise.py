"""Surprise me: a film of one's own best, never one that is known, hidden or beyond limits."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import User
from accounts.services import Taste, taste_settings_set
from feedback import services
from feedback.events import EventContext
from feedback.models import Impression, Reaction, WatchlistEntry

pytestmark = pytest.mark.django_db


def drawn(client):
    return int(client.get("/surprise/")["Location"].split("/")[2])


def test_the_draw_is_logged_with_its_chance_and_leaves_out_what_is_known(trained, client):
    user = User.objects.create_user("ada@example.org", "a-long-password")
    client.force_login(user)
    known, refused = trained.films[0][0], trained.films[0][1]
    services.rating_set(user=user, movie=known, stars=Decimal(5), event=EventContext())
    services.reaction_set(user=user, movie=refused, kind=Reaction.Kind.NEVER, event=EventContext())
    found = {drawn(client) for _ in range(30)}
    assert not found & {known.pk, refused.pk}
    assert len(found) > 5
    shown = Impression.objects.filter(slate__surface="surprise")
    assert shown.count() == 30
    # Fewer films are left than the draw is among: 48 without the two.
    assert {round(chance, 9) for chance in shown.values_list("propensity", flat=True)} == {
        round(1 / 46, 9)
    }


def test_a_saved_film_beyond_the_limits_is_not_drawn(trained, client):
    user = User.objects.create_user("ada@example.org", "a-long-password")
    client.force_login(user)
    old, new = trained.films[0][0], trained.films[0][20]
    for film in (old, new):
        WatchlistEntry.objects.create(user=user, movie=film)
    taste_settings_set(user, Taste(year_from=new.year))
    for _ in range(5):
        assert client.get("/surprise/?from=watchlist")["Location"] == f"/films/{new.pk}/"


def test_an_empty_catalogue_leads_on(client):
    assert client.get("/surprise/")["Location"] == "/browse/"
