"""The same rating eight times, double submits, registering twice, merging while rating."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import User
from feedback import services
from feedback.events import EventContext
from feedback.merging import Merged, visitor_merge
from feedback.models import FilmList, Interaction, Rating, Reaction, WatchlistEntry
from tests.concurrency.conftest import at_once, errors
from tests.worlds import make_film

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "a-long-enough-phrase"


@pytest.fixture
def heat():
    return make_film("Heat", year=1995)


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.org", PASSWORD)


def rating(user, movie, stars: str, event: uuid.UUID | None = None):
    context = EventContext(event_id=event or uuid.uuid4())
    return lambda: services.rating_set(user=user, movie=movie, stars=Decimal(stars), event=context)


def generation(user) -> int:
    return User.objects.get(pk=user.pk).feedback_generation


def test_one_event_sent_eight_times_counts_once(ada, heat):
    event = uuid.uuid4()
    outcomes = at_once(*[rating(ada, heat, "4.5", event) for _ in range(8)])
    assert errors(outcomes) == []
    assert sorted(done.is_new for done in outcomes) == [False] * 7 + [True]
    assert Interaction.objects.count() == 1
    assert [r.stars for r in Rating.objects.all()] == [Decimal("4.5")]
    assert generation(ada) == 1


def test_eight_changes_of_mind_are_all_logged_and_the_last_one_stands(ada, heat):
    outcomes = at_once(*[rating(ada, heat, f"{n / 2}") for n in range(1, 9)])
    assert errors(outcomes) == []
    assert Interaction.objects.count() == 8
    last = Interaction.objects.order_by("pk").last()
    assert Rating.objects.get().stars == Decimal(last.value)
    assert generation(ada) == 8


def test_eight_people_rate_one_film_and_nobody_waits_in_a_circle(heat):
    other = make_film("Ronin")
    people = [User.objects.create_user(f"p{n}@example.org") for n in range(8)]
    acts = [
        rating(person, movie, "3")
        for n, person in enumerate(people)
        for movie in ((heat, other) if n % 2 else (other, heat))
    ]
    assert errors(at_once(*acts)) == []
    assert Rating.objects.count() == 16


@pytest.mark.parametrize(
    ("door", "data", "model"),
    [
        ("rate", {"stars": "4"}, Rating),
        ("react", {"kind": "like", "on": "1"}, Reaction),
        ("watchlist", {"on": "1"}, WatchlistEntry),
    ],
)
def test_a_form_sent_twice_is_one_act(ada, heat, door, data, model):
    event = str(uuid.uuid4())
    clients = [Client() for _ in range(4)]
    for client in clients:
        client.force_login(ada)

    def send(client):
        return lambda: client.post(f"/films/{heat.pk}/{door}/", {**data, "event_id": event})

    answers = at_once(*[send(client) for client in clients])
    assert [answer.status_code for answer in answers] == [302] * 4
    assert model.objects.filter(user=ada).count() == 1
    assert Interaction.objects.count() == 1


def test_registering_twice_makes_one_account_and_no_error(settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    data = {"email": "new@example.org", "password1": PASSWORD}

    def sign_up():
        return Client(raise_request_exception=False).post("/accounts/signup/", data)

    answers = at_once(*[sign_up] * 4)
    assert {answer.status_code for answer in answers} <= {200, 302}
    assert User.objects.filter(email="new@example.org").count() == 1


def test_a_visitor_is_merged_while_they_rate(ada):
    films = [make_film(f"Film {n}") for n in range(8)]
    visitor = User.objects.create_visitor()
    services.rating_set(
        user=visitor, movie=films[0], stars=Decimal("2"), event=EventContext(event_id=uuid.uuid4())
    )
    outcomes = at_once(
        lambda: visitor_merge(visitor=visitor, account=ada),
        *[rating(visitor, film, "4") for film in films[1:]],
        lambda: visitor_merge(visitor=visitor, account=ada),
    )
    assert errors(outcomes) == []
    merged = [outcome for outcome in outcomes if isinstance(outcome, Merged)]
    assert sorted(m.n_ratings > 0 for m in merged) == [False, True]
    assert Rating.objects.filter(user=visitor).count() == 0
    assert {r.movie_id for r in Rating.objects.filter(user=ada)} == {film.pk for film in films}
    assert Interaction.objects.filter(user=ada).count() == 8
    assert Interaction.objects.count() == 8


def test_two_accounts_cannot_both_have_the_visitors_films(ada):
    bob = User.objects.create_user("bob@example.org")
    visitor = User.objects.create_visitor()
    heat = make_film("Heat")
    rating(visitor, heat, "5")()
    at_once(
        lambda: visitor_merge(visitor=visitor, account=ada),
        lambda: visitor_merge(visitor=visitor, account=bob),
    )
    assert Rating.objects.count() == 1
    assert Rating.objects.get().user in {ada, bob}


def test_the_same_list_made_four_times_is_no_error(ada):
    clients = [Client(raise_request_exception=False) for _ in range(4)]
    for client in clients:
        client.force_login(ada)
    answers = at_once(*[lambda c=c: c.post("/lists/new/", {"name": "Noir"}) for c in clients])
    assert {answer.status_code for answer in answers} <= {302, 422}
    assert 1 <= FilmList.objects.filter(user=ada).count() <= 4
