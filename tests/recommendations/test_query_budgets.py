"""Every page and fragment costs a fixed number of queries, whatever a person did before.

Browse, search and the film page have theirs in ``tests/catalog``, the lists of one's own films in
``tests/feedback``; home, For you and the API in ``test_pages``.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import User
from feedback import services
from feedback.events import EventContext

# session, user
SIGNED_IN = 2
BUDGETS = {
    # film, its genres · active model · feedback · settings, limits · films liked by the
    # same people, their series · who made it, its vector · films, genres · states: ratings,
    # reactions, watchlist
    # films near it in the model's vectors, where few share raters: five more
    "/films/{film}/similar/": SIGNED_IN + 20,
    # film, its genres · states
    "/films/{film}/actions/": SIGNED_IN + 5,
    "/settings/": SIGNED_IN + 1,
    "/about/": SIGNED_IN,
    "/accounts/email/": SIGNED_IN + 2,
    "/accounts/password/change/": SIGNED_IN,
    "/accounts/logout/": SIGNED_IN,
    "/api/v1/health/": 3,
}


@pytest.mark.parametrize("path", BUDGETS)
def test_a_page_costs_the_same_for_a_newcomer_and_for_an_old_hand(
    trained, client, django_assert_num_queries, path
):
    user = User.objects.create_user("ada@example.org", "a-long-password")
    client.force_login(user)
    url = path.format(film=trained.films[0][3].pk)
    client.get(url)  # what is made once per account (its e-mail row) is made now
    with django_assert_num_queries(BUDGETS[path]):
        assert client.get(url).status_code == 200
    for film in trained.films[0][4:12]:
        services.rating_set(user=user, movie=film, stars=Decimal("4"), event=EventContext())
    with django_assert_num_queries(BUDGETS[path]):
        assert client.get(url).status_code == 200
