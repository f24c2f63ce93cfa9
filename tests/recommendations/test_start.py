"""Rate a few: asks, learns at once, forgets nobody's "haven't seen it", stops by itself."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from accounts.models import User
from catalog.models import Movie
from feedback import services
from feedback.events import EventContext
from feedback.models import Interaction, Rating
from feedback.selectors import HistoryEvent
from ml.asking import star_worth
from recommendations import starting
from recommendations.preferences import event_weight
from recommendations.starting import MAX_ANSWERS, MIN_ANSWERS, start_of
from tests.worlds import make_film

pytestmark = pytest.mark.django_db
URL = "/start/rate/"


@pytest.fixture
def person(db):
    return User.objects.create_user("ada@example.org", "a-long-password")


def asked(client):
    page = client.get(URL)
    assert page.status_code == 200
    return page.context["movie"]


def love(user, film, stars="5"):
    services.rating_set(user=user, movie=film, stars=Decimal(stars), event=EventContext())


def test_a_visitor_answers_and_the_list_beside_is_theirs(trained, client):
    musicals = {film.pk for film in trained.films[1]}
    for _ in range(MIN_ANSWERS):
        film = asked(client)
        stars = "5" if film.pk in musicals else "1"
        answer = client.post(URL, {"movie": film.pk, "stars": stars})
        assert (answer.status_code, answer["Location"]) == (302, URL)
    visitor = User.objects.get(is_visitor=True)
    assert Rating.objects.filter(user=visitor).count() == MIN_ANSWERS
    assert set(Interaction.objects.filter(user=visitor).values_list("surface", flat=True)) == {
        "start"
    }
    page = client.get(URL)
    assert {card.movie.pk for card in page.context["cards"]} <= musicals
    assert page.context["start"].n_answers == MIN_ANSWERS
    assert 0 <= page.context["start"].settled <= 1


@pytest.mark.parametrize("way", ["unseen", "skip"])
def test_what_is_passed_by_is_not_asked_again_and_is_no_feedback(trained, client, way):
    seen = []
    for _ in range(4):
        film = asked(client)
        assert film.pk not in seen
        seen.append(film.pk)
        # Without a script the chosen stars, if any, come along with the button: they do not count.
        client.post(URL, {"movie": film.pk, "pass_by": way, "stars": "5"})
    assert not User.objects.filter(is_visitor=True).exists()
    assert not Interaction.objects.exists()


@pytest.mark.parametrize(
    "data", [{"stars": "4.3"}, {"stars": "x"}, {"stars": ""}, {"pass_by": "maybe"}]
)
def test_rubbish_is_refused_with_a_sentence(trained, client, data):
    film = asked(client)
    answer = client.post(URL, {"movie": film.pk, **data})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Rating.objects.filter(user__is_visitor=True).exists()


def test_a_film_that_is_not_there_is_404(trained, client):
    assert client.post(URL, {"movie": 10**9, "stars": "4"}).status_code == 404
    assert client.post(URL, {"stars": "4"}).status_code == 422


def test_htmx_gets_the_next_question_and_a_way_back(trained, client):
    film = asked(client)
    htmx = {"HX-Request": "true", "HX-Target": "start"}
    answer = client.post(URL, {"movie": film.pk, "stars": "4"}, headers=htmx)
    html = answer.content.decode()
    assert html.lstrip().startswith("<section")
    assert f"/films/{film.pk}/rate/" in html
    assert answer.context["movie"].pk != film.pk


def test_it_stops_by_itself_and_goes_on_when_asked_to(trained, client, person):
    client.force_login(person)
    n_asked = 0
    while (film := asked(client)) is not None:
        stars = "5" if film in trained.films[0] else "1"
        client.post(URL, {"movie": film.pk, "stars": stars})
        n_asked += 1
    assert MIN_ANSWERS <= n_asked <= MAX_ANSWERS
    html = client.get(URL).content.decode()
    assert "Your list is settled" in html
    assert 'href="/for-you/"' in html
    assert client.get(f"{URL}?more=1").context["movie"] is not None


def test_what_is_hidden_or_known_or_beyond_limits_is_never_asked(trained, client, person):
    client.force_login(person)
    for film in trained.all_films[2:]:
        Movie.objects.filter(pk=film.pk).update(is_hidden=True)
    first, second = trained.all_films[:2]
    assert asked(client).pk in {first.pk, second.pk}
    love(person, first)
    assert asked(client) == second
    services.reaction_set(
        user=person, movie=second, kind=services.Reaction.Kind.NEVER, event=EventContext()
    )
    assert asked(client) is None


def test_before_anything_was_trained_the_best_known_films_are_asked(client, person):
    for n in (3, 9, 5):
        film = make_film(f"Known to {n}")
        Movie.objects.filter(pk=film.pk).update(rating_count=n)
    client.force_login(person)
    assert asked(client).title == "Known to 9"


def test_nothing_to_ask_is_a_page_with_a_way_on(client):
    html = client.get(URL).content.decode()
    assert "That is every film we would ask about" in html


def test_a_question_is_chosen_within_a_tenth_of_a_second(trained, person):
    for film in trained.films[0][:5]:
        love(person, film)
    start_of(person)  # reads the pool
    took = []
    for _ in range(3):  # of our own work, not of a busy machine's other tasks
        start = time.process_time()
        assert start_of(person).movie is not None
        took.append(time.process_time() - start)
    assert min(took) < 0.1


def test_answers_are_worth_the_same_here_as_in_every_list():
    for halves in range(1, 11):
        stars = Decimal(halves) / 2
        event = HistoryEvent(1, stars, "rate", at=None)
        assert star_worth(float(stars)) == pytest.approx(event_weight(event))


def test_the_page_costs_the_same_whatever_was_answered(
    trained, client, person, django_assert_num_queries
):
    client.force_login(person)
    starting.start_of(person)
    # session, user · feedback · settings, limits · model · standing, facts of films · film, its
    # genres · cards: films, genres, titles, simulated · savepoint, slate, release · simulated
    # (page)
    for n_ratings in (1, 4):
        for film in trained.films[0][:n_ratings]:
            love(person, film)
        with django_assert_num_queries(18):
            assert client.get(URL).status_code == 200
