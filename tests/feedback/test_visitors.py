"""Visitors: whose films are whose before there is an account, and what registering does to it."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import authenticate
from django.contrib.sessions.models import Session
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import TasteSettings, User
from accounts.services import Taste, taste_settings_set
from accounts.visitors import SESSION_KEY, visitors_sweep
from feedback import services
from feedback.events import EventContext
from feedback.merging import Merged, visitor_merge
from feedback.models import Interaction, QuizSession, Rating, Reaction, Slate, WatchlistEntry
from recommendations.services.inference import feedback_since
from tests.worlds import make_film

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password"
#: Tables of the person that a merge hands over, and those that stay with who they are about.
MERGED = {
    *("accounts.TasteSettings", "feedback.Rating", "feedback.Reaction", "feedback.WatchlistEntry"),
    *("feedback.QuizSession", "feedback.Interaction", "feedback.Slate"),
    *("feedback.DiaryEntry", "feedback.FilmList"),
}
STAYING = {
    "accounts.User",  # the way from a former visitor to the account
    *("account.EmailAddress", "mfa.Authenticator", "usersessions.UserSession"),  # accounts only
    *("admin.LogEntry", "catalog.EnrichmentRun"),  # staff only
    *("recommendations.Recommendation", "dashboard.ClusterMember"),  # computed anew
    # Accounts only.
    *("feedback.ImportJob", "feedback.ExportJob", "accounts.DeletionRequest"),
    *("accounts.ApiToken", "accounts.KeptAnswer"),
    "recommendations.Experiment",  # staff only
    # What a visitor was assigned and saw counts for the visitor: the account has its own.
    *("recommendations.Assignment", "recommendations.Exposure"),
}


@pytest.fixture
def heat():
    return make_film("Heat", year=1995)


@pytest.fixture
def ronin():
    return make_film("Ronin", year=1998)


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.org", PASSWORD)


@pytest.fixture
def visitor():
    return User.objects.create_visitor()


def log_in(client, email="ada@example.org"):
    answer = client.post("/accounts/login/", {"login": email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    return answer


def rate(client, movie, stars="4.5"):
    answer = client.post(f"/films/{movie.pk}/rate/", {"stars": stars})
    assert answer.status_code == 302


def stars_of(user):
    return {r.movie.title: float(r.stars) for r in Rating.objects.filter(user=user)}


def test_looking_around_makes_nobody(client, heat):
    for path in ("/", "/browse/", "/watchlist/", "/ratings/", "/hidden/", "/for-you/", "/tonight/"):
        assert client.get(path).status_code == 200
    assert client.get(f"/films/{heat.pk}/actions/").status_code == 200
    assert not User.objects.exists()
    assert not Session.objects.exists()


def test_the_first_act_makes_a_visitor_whose_films_are_there_at_once(client, heat, ronin):
    rate(client, heat)
    client.post(f"/films/{ronin.pk}/react/", {"kind": "never", "on": "1"})
    client.post(f"/films/{ronin.pk}/watchlist/", {"on": "1"})
    visitor = User.objects.get()
    assert (visitor.is_visitor, visitor.is_active, visitor.email) == (True, False, None)
    assert visitor.feedback_generation == 3
    assert "Heat" in client.get("/ratings/").content.decode()
    assert "Ronin" in client.get("/hidden/").content.decode()
    assert "Ronin" in client.get("/watchlist/").content.decode()
    assert client.get("/api/v1/me/ratings/").json()["results"][0]["stars"] == 4.5


@pytest.mark.parametrize(
    ("path", "data"), [("rate", {"stars": "six"}), ("react", {"kind": "adore"})]
)
def test_rubbish_makes_no_visitor(client, heat, path, data):
    assert client.post(f"/films/{heat.pk}/{path}/", data).status_code == 400
    assert not User.objects.exists()


def test_a_visitor_is_no_account(client, heat):
    rate(client, heat)
    visitor = User.objects.get()
    assert client.get("/settings/")["Location"].startswith("/accounts/login/")
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert client.get("/api/v1/models/").status_code in {401, 403}
    assert not client.get("/").wsgi_request.user.is_authenticated
    assert authenticate(username=None, password="") is None
    assert not visitor.has_usable_password()
    assert User.objects.accounts().count() == 0
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=visitor.pk).update(is_active=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=visitor.pk).update(is_staff=True)


def test_nobody_reaches_another_visitor(client, heat, ronin):
    rate(client, heat)
    visitor = User.objects.get()
    stranger = Client()
    rate(stranger, ronin)
    assert User.objects.filter(is_visitor=True).count() == 2
    for forged in (visitor.pk, str(visitor.pk), None, "", "x" * 43, [visitor.visitor_key]):
        session = stranger.session
        session[SESSION_KEY] = forged
        session.save()
        assert "Heat" not in stranger.get("/ratings/").content.decode()
        assert stranger.get("/api/v1/me/ratings/").status_code == 401
    stranger.post(f"/films/{heat.pk}/rate/", {"stars": "1", "user": visitor.pk})
    assert stars_of(visitor) == {"Heat": 4.5}


def test_a_session_known_before_holds_nothing_of_the_visitor(client, heat):
    planted = client.session
    planted["quiz"] = "anything"
    planted.save()
    client.cookies["sessionid"] = planted.session_key
    rate(client, heat)
    assert client.cookies["sessionid"].value != planted.session_key
    attacker = Client()
    attacker.cookies["sessionid"] = planted.session_key
    assert "Heat" not in attacker.get("/ratings/").content.decode()


def test_a_visitors_session_needs_the_csrf_token_on_the_api(heat):
    client = Client(enforce_csrf_checks=True)
    url = f"/api/v1/me/ratings/{heat.pk}/"
    put = {"path": url, "data": {"stars": 4}, "content_type": "application/json"}
    assert client.put(**put).status_code == 401  # nobody, and no token
    assert not User.objects.exists()
    client.get("/accounts/login/")
    token = {"X-CSRFToken": client.cookies["csrftoken"].value}
    assert client.put(**put, headers=token).status_code == 200
    assert client.put(**put).status_code == 403
    assert Interaction.objects.count() == 1


@pytest.mark.parametrize("is_new", [True, False])
def test_registering_and_logging_in_keep_everything(client, heat, ronin, is_new):
    if not is_new:
        User.objects.create_user("ada@example.org", PASSWORD)
    client.post("/quiz/", {"mood": "happy"})
    rate(client, heat)
    client.post(f"/films/{ronin.pk}/react/", {"kind": "like", "on": "1"})
    client.post(f"/films/{ronin.pk}/watchlist/", {"on": "1"})
    client.get("/tonight/")
    if is_new:
        client.post("/accounts/signup/", {"email": "ada@example.org", "password1": PASSWORD})
    else:
        log_in(client)
    ada = User.objects.accounts().get()
    assert client.get("/").wsgi_request.user == ada
    assert stars_of(ada) == {"Heat": 4.5}
    assert Reaction.objects.get().user == ada
    assert WatchlistEntry.objects.get().user == ada
    assert QuizSession.objects.get().user == ada
    assert Slate.objects.filter(user=ada, surface="tonight").count() == 1
    assert Interaction.objects.filter(user=ada).count() == 3
    assert ada.feedback_generation == 4
    assert SESSION_KEY not in client.session
    client.post("/accounts/logout/")
    assert "Heat" not in client.get("/ratings/").content.decode()


def test_a_wrong_password_merges_nothing(client, ada, heat):
    rate(client, heat)
    client.post("/accounts/login/", {"login": ada.email, "password": "not-the-password"})
    assert stars_of(ada) == {}
    assert "Heat" in client.get("/ratings/").content.decode()


def at(days):
    return timezone.now() - timedelta(days=days)


@pytest.mark.parametrize(
    ("account_days", "visitor_days", "stars"), [(1, 2, 2.0), (2, 1, 5.0), (1, 1, 2.0)]
)
def test_of_two_ratings_of_a_film_the_newer_counts(
    ada, visitor, heat, account_days, visitor_days, stars
):
    now = timezone.now()
    for user, given, days in ((ada, 2, account_days), (visitor, 5, visitor_days)):
        when = now - timedelta(days=days)
        Rating.objects.create(
            user=user, movie=heat, stars=Decimal(given), created_at=when, updated_at=when
        )
    visitor_merge(visitor=visitor, account=ada)
    assert stars_of(ada) == {"Heat": stars}
    assert Rating.objects.count() == 1


@pytest.mark.parametrize(("account_days", "kind"), [(1, "dislike"), (3, "like")])
def test_like_and_dislike_are_one_question(ada, visitor, heat, account_days, kind):
    Reaction.objects.create(user=ada, movie=heat, kind="dislike", created_at=at(account_days))
    Reaction.objects.create(user=visitor, movie=heat, kind="like", created_at=at(2))
    Reaction.objects.create(user=visitor, movie=heat, kind="seen", created_at=at(2))
    assert visitor_merge(visitor=visitor, account=ada).n_reactions == 1 + (kind == "like")
    found = Reaction.objects.filter(user=ada).values_list("kind", flat=True)
    assert sorted(found) == sorted([kind, "seen"])


def test_what_the_account_took_back_later_stays_taken_back(ada, visitor, heat, ronin):
    for movie in (heat, ronin):
        services.rating_set(user=visitor, movie=movie, stars=Decimal(5), event=EventContext())
        services.watchlist_set(user=visitor, movie=movie, is_on=True, event=EventContext())
        services.reaction_set(
            user=visitor, movie=movie, kind=Reaction.Kind.NEVER, event=EventContext()
        )
    services.rating_clear(user=ada, movie=heat, event=EventContext())
    services.watchlist_set(user=ada, movie=heat, is_on=False, event=EventContext())
    services.reaction_clear(user=ada, movie=heat, kind=Reaction.Kind.NEVER, event=EventContext())
    assert visitor_merge(visitor=visitor, account=ada) == Merged(1, 1, 1, 0, 2)
    assert stars_of(ada) == {"Ronin": 5.0}
    assert WatchlistEntry.objects.get().movie == ronin
    assert Reaction.objects.get().movie == ronin


def test_dials_of_the_account_stay_and_else_the_visitors_come_over(ada, visitor):
    taste_settings_set(visitor, Taste(year_from=1990))
    visitor_merge(visitor=visitor, account=ada)
    assert TasteSettings.objects.get().user == ada
    other = User.objects.create_visitor()
    taste_settings_set(other, Taste(year_from=1950))
    visitor_merge(visitor=other, account=ada)
    assert TasteSettings.objects.get().year_from == 1990


def test_a_visitor_turns_the_dials_and_keeps_them(client, ada, heat):
    rate(client, heat)
    client.post("/for-you/dials/", {"surprise": "0.5"})
    visitor = User.objects.get(is_visitor=True)
    assert TasteSettings.objects.get(user=visitor).surprise == 0.5
    log_in(client)
    assert TasteSettings.objects.get(user=ada).surprise == 0.5


def test_merging_twice_changes_nothing_the_second_time(ada, visitor, heat):
    services.rating_set(user=visitor, movie=heat, stars=Decimal(5), event=EventContext())
    event = EventContext()
    services.reaction_set(user=visitor, movie=heat, kind=Reaction.Kind.SEEN, event=event)
    assert visitor_merge(visitor=visitor, account=ada) == Merged(1, 1, 0, 0, 1)
    ada.refresh_from_db()
    eve = User.objects.create_user("eve@example.org", PASSWORD)
    for account in (ada, eve):
        assert visitor_merge(visitor=visitor, account=account) == Merged()
    assert stars_of(eve) == {}
    # A client that sends an event again, because its answer was lost, is answered as before.
    again = services.reaction_set(user=ada, movie=heat, kind=Reaction.Kind.SEEN, event=event)
    assert not again.is_new
    generation = ada.feedback_generation
    ada.refresh_from_db()
    assert ada.feedback_generation == generation == 3


def test_an_account_is_never_merged_into_another(ada, visitor, heat):
    services.rating_set(user=ada, movie=heat, stars=Decimal(5), event=EventContext())
    eve = User.objects.create_user("eve@example.org", PASSWORD)
    assert visitor_merge(visitor=ada, account=eve) == Merged()
    assert visitor_merge(visitor=visitor, account=User.objects.create_visitor()) == Merged()
    assert stars_of(ada) == {"Heat": 5.0}


@pytest.mark.django_db(transaction=True)
def test_ratings_under_way_while_merging_are_the_accounts():
    ada = User.objects.create_user("ada@example.org", PASSWORD)
    visitor = User.objects.create_visitor()
    films = [make_film(f"Film {i}") for i in range(6)]
    for film in films[:2]:
        services.rating_set(user=visitor, movie=film, stars=Decimal(3), event=EventContext())
    barrier = threading.Barrier(8)
    errors: list[BaseException] = []

    def at_once(work, **arguments):
        def run():
            try:
                barrier.wait(timeout=10)
                work(**arguments)
            except BaseException as error:  # handed to the test
                errors.append(error)
            finally:
                connection.close()

        return threading.Thread(target=run)

    threads = [
        *(at_once(visitor_merge, visitor=visitor, account=ada) for _ in range(2)),
        *(
            at_once(
                services.rating_set,
                user=visitor,
                movie=film,
                stars=Decimal(4),
                event=EventContext(),
            )
            for film in films
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert stars_of(ada) == {film.title: 4.0 for film in films}
    assert Rating.objects.count() == 6
    assert Interaction.objects.filter(user=ada).count() == Interaction.objects.count() == 8


def test_visitors_are_no_training_data_until_they_are_accounts(ada, visitor, heat):
    services.rating_set(user=visitor, movie=heat, stars=Decimal(5), event=EventContext())
    assert feedback_since(0) == 0
    visitor_merge(visitor=visitor, account=ada)
    assert feedback_since(0) == 1


def test_idle_visitors_are_swept_with_all_that_was_theirs(client, settings, heat, ada):
    settings.VISITOR_IDLE_DAYS = 10
    rate(client, heat)
    services.rating_set(user=ada, movie=heat, stars=Decimal(5), event=EventContext())
    assert visitors_sweep(now=timezone.now() + timedelta(days=9)) == 0
    User.objects.filter(is_visitor=True).update(visitor_seen_at=at(9))
    rate(client, heat, "3")  # an act puts the end off
    assert visitors_sweep(now=timezone.now() + timedelta(days=9)) == 0
    assert visitors_sweep(now=timezone.now() + timedelta(days=11)) == 1
    assert list(User.objects.all()) == [ada]
    assert Interaction.objects.get().user == ada
    assert client.get("/ratings/").status_code == 200
    rate(client, heat)  # and a new visitor begins
    assert User.objects.filter(is_visitor=True).count() == 1


def test_every_table_of_a_person_is_merged_or_named_as_staying():
    relations = User._meta.get_fields(include_hidden=True)
    found = {
        relation.related_model._meta.label
        for relation in relations
        if (relation.one_to_many or relation.one_to_one)
        and not relation.related_model._meta.auto_created
    }
    assert found == MERGED | STAYING


def test_a_visitor_costs_one_query_and_nobody_none(client, heat, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/about/")
    rate(client, heat)
    with django_assert_num_queries(2):  # session, visitor
        client.get("/about/")
