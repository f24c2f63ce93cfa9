"""Feedback is written once, whole, and in order."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from feedback import services
from feedback.events import EventConflictError, EventContext
from feedback.models import Interaction, Rating, Reaction, WatchlistEntry
from feedback.selectors import feedback_of, film_states
from tests.worlds import make_film

Kind = Reaction.Kind


@pytest.fixture
def user(db):
    return User.objects.create_user("ada@example.org", "a-long-password")


@pytest.fixture
def movie(db):
    return make_film("Heat", year=1995)


def test_a_rating_replaces_the_one_before_and_says_what_it_was(user, movie):
    first = services.rating_set(user=user, movie=movie, stars=Decimal("4"), event=EventContext())
    second = services.rating_set(user=user, movie=movie, stars=Decimal("2.5"), event=EventContext())
    assert (first.previous, second.previous) == ("", "4.0")
    assert list(Rating.objects.values_list("stars", flat=True)) == [Decimal("2.5")]
    assert Interaction.objects.count() == 2
    user.refresh_from_db()
    assert user.feedback_generation == 2


def test_the_same_event_twice_counts_once(user, movie):
    event = EventContext(event_id=uuid.uuid4())
    assert services.rating_set(user=user, movie=movie, stars=Decimal("4"), event=event).is_new
    again = services.rating_set(user=user, movie=movie, stars=Decimal("4"), event=event)
    assert not again.is_new
    assert Interaction.objects.count() == 1
    user.refresh_from_db()
    assert user.feedback_generation == 1


def test_an_event_id_cannot_be_used_for_something_else_or_by_somebody_else(user, movie):
    event = EventContext(event_id=uuid.uuid4())
    services.rating_set(user=user, movie=movie, stars=Decimal("4"), event=event)
    other = User.objects.create_user("eve@example.org", "a-long-password")
    with pytest.raises(EventConflictError):
        services.rating_set(user=user, movie=movie, stars=Decimal("1"), event=event)
    with pytest.raises(EventConflictError):
        services.rating_set(user=other, movie=movie, stars=Decimal("4"), event=event)
    assert list(Rating.objects.values_list("user_id", "stars")) == [(user.pk, Decimal("4"))]
    other.refresh_from_db()
    assert other.feedback_generation == 0


@pytest.mark.parametrize("stars", ["0", "0.4", "5.5", "4.2", "-1", "nan", "inf", "", "five", None])
def test_stars_off_the_half_star_grid_are_refused_and_change_nothing(user, movie, stars):
    with pytest.raises(services.FeedbackError, match=r"0\.5 to 5"):
        services.rating_set(user=user, movie=movie, stars=stars, event=EventContext())
    assert not Rating.objects.exists()
    assert not Interaction.objects.exists()


@pytest.mark.parametrize("stars", ["0.4", "5.5", "4.2"])
def test_the_database_itself_refuses_other_stars(user, movie, stars):
    with pytest.raises(IntegrityError), transaction.atomic():
        Rating.objects.create(user=user, movie=movie, stars=Decimal(stars))


def test_like_and_dislike_replace_each_other(user, movie):
    services.reaction_set(user=user, movie=movie, kind=Kind.LIKE, event=EventContext())
    done = services.reaction_set(user=user, movie=movie, kind=Kind.DISLIKE, event=EventContext())
    assert done.previous == "like"
    assert list(Reaction.objects.values_list("kind", flat=True)) == ["dislike"]


def test_not_tonight_is_over_tomorrow_and_never_is_not(user, movie):
    other = make_film("Ronin", year=1998)
    services.reaction_set(user=user, movie=movie, kind=Kind.NOT_TONIGHT, event=EventContext())
    services.reaction_set(user=user, movie=other, kind=Kind.NEVER, event=EventContext())
    assert feedback_of(user).hidden_ids == {movie.pk, other.pk}
    tomorrow = timezone.now() + timedelta(hours=24)
    assert feedback_of(user, now=tomorrow).hidden_ids == {other.pk}
    states = film_states(user=user, movie_ids=[movie.pk, other.pk], now=tomorrow)
    assert states == {other.pk: states[other.pk]}
    assert states[other.pk].is_never


def test_taking_things_back_leaves_no_state_and_keeps_the_log(user, movie):
    services.rating_set(user=user, movie=movie, stars=Decimal("4"), event=EventContext())
    services.rating_clear(user=user, movie=movie, event=EventContext())
    services.reaction_set(user=user, movie=movie, kind=Kind.SEEN, event=EventContext())
    services.reaction_clear(user=user, movie=movie, kind=Kind.SEEN, event=EventContext())
    services.watchlist_set(user=user, movie=movie, is_on=True, event=EventContext())
    services.watchlist_set(user=user, movie=movie, is_on=False, event=EventContext())
    assert not Rating.objects.exists()
    assert not Reaction.objects.exists()
    assert not WatchlistEntry.objects.exists()
    assert list(Interaction.objects.order_by("pk").values_list("kind", flat=True)) == [
        *("rate", "unrate", "react", "unreact", "watchlist", "unwatchlist")
    ]


def test_history_is_in_order_of_time_and_stars_replace_a_like(user, movie):
    other = make_film("Ronin", year=1998)
    services.reaction_set(user=user, movie=other, kind=Kind.LIKE, event=EventContext())
    services.reaction_set(user=user, movie=movie, kind=Kind.LIKE, event=EventContext())
    services.rating_set(user=user, movie=other, stars=Decimal("4.5"), event=EventContext())
    history = feedback_of(user).history
    assert [(e.movie_id, e.stars, e.kind) for e in history] == [
        (movie.pk, None, "like"),
        (other.pk, Decimal("4.5"), "rate"),
    ]


@pytest.mark.django_db(transaction=True)
def test_eight_writers_of_one_rating_leave_one_row_and_eight_events():
    user = User.objects.create_user("ada@example.org", "a-long-password")
    movie = make_film("Heat", year=1995)
    barrier = threading.Barrier(8)
    errors: list[BaseException] = []

    def write(stars: Decimal) -> None:
        try:
            barrier.wait(timeout=10)
            services.rating_set(user=user, movie=movie, stars=stars, event=EventContext())
        except BaseException as error:  # handed to the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(Decimal(i + 2) / 2,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Rating.objects.count() == 1
    assert Interaction.objects.count() == 8
    user.refresh_from_db()
    assert user.feedback_generation == 8
