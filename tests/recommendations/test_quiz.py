"""The quiz: known answers give known films, to anybody, and wrong answers change nothing."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.contrib.sessions.models import Session
from model_bakery import baker

from accounts.models import User
from accounts.services import Taste, taste_settings_set
from catalog.models import Genre, Movie
from feedback import services
from feedback.events import EventContext
from feedback.models import Impression, QuizSession, Reaction, Slate
from ml.intent import ContentType, Intensity, Mood, QuizAnswers, TimeBudget, intent_from_quiz
from recommendations.quiz import QuizForm
from recommendations.quiz_reasons import quiz_reason
from recommendations.tonight import tonight_for
from tests.worlds import make_film

LIGHT_AND_SHORT = {"mood": "happy", "time": "short", "intensity": "low"}


@pytest.fixture
def shelf(db):
    """Comedies, horrors, documentaries and cartoons of 80, 92, 110 and 150 minutes, six each.

    The later a film of a kind was made, the better known it is.
    """
    films = {}
    for name in ("Comedy", "Horror", "Documentary", "Animation"):
        genre = baker.make(Genre, name=name, slug=name.lower())
        for runtime in (80, 92, 110, 150):
            for i in range(6):
                film = make_film(f"{name} {runtime} {i}", year=1990 + i, genre=genre)
                Movie.objects.filter(pk=film.pk).update(
                    runtime_min=runtime, rating_count=10 * i, rating_mean=3.5
                )
                films[film.pk] = (name, runtime, i)
    return films


@pytest.fixture
def person(db):
    return User.objects.create_user("ada@example.org", "a-long-password")


def found(user, shelf, *, n=12, **answers):
    ranked = tonight_for(user, QuizAnswers(**answers), n=n, asked={})
    return [shelf[film.movie_id] for film in ranked.films]


def shown_on(answer):
    return [int(pk) for pk in re.findall(r'data-movie="(\d+)"', answer.content.decode())]


def test_light_and_short_gives_comedies_under_95_minutes_the_known_ones_first(shelf, person):
    films = found(person, shelf, mood=Mood.HAPPY, time=TimeBudget.SHORT, intensity=Intensity.LOW)
    assert {kind for kind, _, _ in films} == {"Comedy"}
    assert {runtime for _, runtime, _ in films} == {80, 92}
    assert [i for _, _, i in films] == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("answers", "kinds", "runtimes"),
    [
        ({"mood": Mood.SCARED}, {"Horror"}, {80, 92, 110, 150}),
        ({"mood": Mood.SCARED, "time": TimeBudget.LONG}, {"Horror"}, {150}),
        ({"mood": Mood.CURIOUS, "time": TimeBudget.MEDIUM}, {"Documentary"}, {92, 110}),
        ({"content_type": ContentType.ANIMATED}, {"Animation"}, {80, 92, 110, 150}),
        ({"genres": ("Documentary",), "mood": Mood.HAPPY}, {"Documentary"}, {80, 92, 110, 150}),
        ({"intensity": Intensity.HIGH, "time": TimeBudget.SHORT}, {"Horror"}, {80, 92}),
    ],
)
def test_every_question_counts(shelf, person, answers, kinds, runtimes):
    films = found(person, shelf, n=6, **answers)
    assert {kind for kind, _, _ in films} == kinds
    assert {runtime for _, runtime, _ in films} <= runtimes


def test_nothing_but_open_answers_gives_the_best_known(shelf, person):
    assert {i for _, _, i in found(person, shelf, n=16)} == {5}


def test_always_n_films_first_those_that_fit_then_the_closest_then_popular(shelf, person):
    answers = QuizAnswers(mood=Mood.SCARED, time=TimeBudget.LONG)
    ranked = tonight_for(person, answers, n=40, asked={})
    films = [shelf[film.movie_id] for film in ranked.films]
    assert len({film.movie_id for film in ranked.films}) == 40
    assert {(kind, runtime) for kind, runtime, _ in films[:6]} == {("Horror", 150)}
    assert {kind for kind, _, _ in films[6:24]} == {"Horror"}
    assert ranked.fallback == "popular"
    assert [film.source for film in ranked.films] == ["quiz"] * 24 + ["popular"] * 16
    assert tonight_for(person, answers, n=12, asked={}).fallback == "wider"
    assert tonight_for(person, answers, n=6, asked={}).fallback == ""


def test_films_of_unknown_length_come_after_those_that_fit(shelf, person):
    shorts = [pk for pk, (kind, runtime, _) in shelf.items() if (kind, runtime) == ("Comedy", 80)]
    Movie.objects.filter(pk__in=shorts).update(runtime_min=None)
    films = found(person, shelf, n=24, mood=Mood.HAPPY, time=TimeBudget.SHORT)
    assert {runtime for kind, runtime, _ in films[:18] if kind == "Comedy"} == {92}
    assert {(kind, runtime) for kind, runtime, _ in films[18:]} == {("Comedy", 80)}


# Muting says "do not learn from it", not "do not show it": the stars that it mutes hide the film.
@pytest.mark.parametrize("kind", [kind for kind in Reaction.Kind if kind != "muted"])
def test_what_somebody_knows_or_refused_is_never_shown(shelf, person, kind):
    wanted = {"mood": Mood.HAPPY, "time": TimeBudget.SHORT, "intensity": Intensity.LOW}
    first = tonight_for(person, QuizAnswers(**wanted), n=3, asked={}).films[0].movie_id
    services.reaction_set(
        user=person, movie=Movie.objects.get(pk=first), kind=kind, event=EventContext()
    )
    shown = tonight_for(person, QuizAnswers(**wanted), n=200, asked={}).films
    assert len(shown) == len(shelf) - 1
    assert first not in {film.movie_id for film in shown}


def test_editors_and_the_persons_own_limits_hold(shelf, person):
    hidden = next(pk for pk, film in shelf.items() if film == ("Comedy", 80, 5))
    Movie.objects.filter(pk=hidden).update(is_hidden=True)
    taste_settings_set(person, Taste(runtime_max_min=92, excluded_genres=("Horror",)))
    films = tonight_for(person, QuizAnswers(mood=Mood.HAPPY), n=200, asked={}).films
    assert hidden not in {film.movie_id for film in films}
    left = {shelf[film.movie_id][:2] for film in films}
    assert {kind for kind, _ in left} == {"Comedy", "Documentary", "Animation"}
    assert {runtime for _, runtime in left} == {80, 92}


def test_a_history_moves_the_list_towards_its_crowd(trained, person):
    everything = QuizAnswers()
    before = [f.movie_id for f in tonight_for(person, everything, n=20, asked={}).films]
    musicals = {film.pk for film in trained.films[1]}
    for film in trained.films[1][:4]:
        services.rating_set(user=person, movie=film, stars=Decimal(5), event=EventContext())
    ranked = tonight_for(person, everything, n=20, asked={})
    after = [film.movie_id for film in ranked.films]
    assert ranked.model_version
    assert len(musicals & set(after)) == 20
    assert len(musicals & set(before)) < 20


@pytest.mark.parametrize(
    ("answers", "genres", "runtime", "meets", "said"),
    [
        (LIGHT_AND_SHORT, ["Comedy"], 92, True, "Light and short: Comedy, 92 minutes"),
        (LIGHT_AND_SHORT, ["Comedy", "Crime"], 92, True, "Short: Comedy, 92 minutes"),
        (LIGHT_AND_SHORT, ["Comedy"], None, True, "Light: Comedy"),
        (LIGHT_AND_SHORT, ["Comedy"], 104, False, "Comedy, but 104 minutes"),
        ({"mood": "scared"}, ["Horror", "Drama"], 100, True, "For a scare: Horror, 100 minutes"),
        ({"mood": "scared"}, ["Drama"], 100, True, "Drama, 100 minutes"),
        ({"mood": "scared"}, [], None, True, ""),
        ({}, ["Horror"], 100, True, ""),
        ({"intensity": "high", "time": "long"}, ["War"], 170, True, "Intense and long: War, 170"),
    ],
)
def test_a_reason_names_only_what_the_film_meets(answers, genres, runtime, meets, said):
    asked = QuizAnswers(
        mood=Mood(answers["mood"]) if "mood" in answers else None,
        time=TimeBudget(answers.get("time", "any")),
        intensity=Intensity(answers.get("intensity", "medium")),
    )
    parts = quiz_reason(
        asked, intent_from_quiz(asked), genre_names=genres, runtime_min=runtime, meets_all=meets
    )
    text = "".join(part.text for part in parts)
    assert text == said if not said.endswith("170") else text == f"{said} minutes"


def test_a_visitor_answers_and_gets_a_list_that_the_log_knows(shelf, client):
    answer = client.post("/quiz/", LIGHT_AND_SHORT)
    assert (answer.status_code, answer["Location"]) == (302, "/tonight/")
    page = client.get("/tonight/")
    html = page.content.decode()
    assert len(shown_on(page)) == 24
    assert "Light and short: <strong>Comedy</strong>, 92 minutes" in html
    assert [chip[1] for chip in page.context["chips"]] == [
        *("A good laugh", "Up to 95 minutes", "Light")
    ]
    slate = Slate.objects.get()
    visitor = User.objects.get(is_visitor=True)
    assert (slate.user, slate.surface, slate.policy) == (visitor, "tonight", "quiz")
    assert slate.context["answers"]["time"] == "short"
    logged = Impression.objects.order_by("position").values_list("movie_id", flat=True)
    assert list(logged) == shown_on(page)
    assert QuizSession.objects.get().user == visitor
    checked = re.findall(r'value="(\w+)"[^>]*checked', client.get("/quiz/").content.decode())
    assert checked == ["happy", "any", "short", "low"]


def test_a_persons_answers_are_kept_with_their_account(shelf, client, person):
    client.force_login(person)
    client.post("/quiz/", {**LIGHT_AND_SHORT, "genres": ["comedy", "horror"]})
    client.post("/quiz/", {"mood": "any"})
    latest = QuizSession.objects.latest("pk")
    assert QuizSession.objects.filter(user=person).count() == 2
    assert latest.answers == {
        **{"mood": "any", "content_type": "any", "time": "any"},
        **{"genres": [], "intensity": "medium"},
    }
    page = client.get("/tonight/")
    assert page.context["chips"] == []
    assert "You left everything open" in page.content.decode()


def test_a_visitors_answers_follow_them_into_their_account(shelf, client, person):
    log_in = {"login": person.email, "password": "a-long-password"}
    client.post("/quiz/", LIGHT_AND_SHORT)
    client.post("/accounts/login/", log_in)
    assert QuizSession.objects.get(user=person).answers["time"] == "short"
    first = client.get("/tonight/").context["chips"]
    assert [chip[1] for chip in first] == ["A good laugh", "Up to 95 minutes", "Light"]
    client.post("/accounts/logout/")
    assert client.get("/tonight/").context["chips"] is None
    client.post("/accounts/login/", log_in)
    assert QuizSession.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        *(("mood", ""), ("mood", "furious"), ("content_type", "opera"), ("time", "forever")),
        *(("genres", "no-such-genre"), ("intensity", "11")),
    ],
)
def test_wrong_answers_name_the_question_and_store_nothing(shelf, client, person, field, wrong):
    answer = client.post("/quiz/", {**LIGHT_AND_SHORT, field: wrong})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert f'href="#q-{field}"' in answer.content.decode()
    assert not Session.objects.exists()
    client.force_login(person)
    assert client.post("/quiz/", {**LIGHT_AND_SHORT, field: wrong}).status_code == 422
    body = {**LIGHT_AND_SHORT, field: [wrong] if field == "genres" else wrong}
    answer = client.post("/api/v1/quiz/", body, content_type="application/json")
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]
    assert not QuizSession.objects.exists()
    assert not Slate.objects.exists()


def test_without_answers_the_list_page_leads_to_the_questions(shelf, client, person):
    for _ in range(2):
        page = client.get("/tonight/")
        assert page.status_code == 200
        assert 'href="/quiz/"' in page.content.decode()
        assert not Slate.objects.exists()
        client.force_login(person)


def test_answers_with_a_genre_that_is_gone_are_asked_again(shelf, client, person):
    services.quiz_answered(user=person, answers={"mood": "happy", "genres": ["mime"]})
    client.force_login(person)
    assert client.get("/tonight/").context["chips"] is None


def test_an_empty_catalogue_is_a_page_with_a_sentence(db, client):
    client.post("/quiz/", {"mood": "happy"})
    page = client.get("/tonight/")
    assert page.status_code == 200
    assert "Nothing left to show" in page.content.decode()


def test_the_api_gives_the_same_list_to_anybody(shelf, client, person):
    body = {**LIGHT_AND_SHORT, "n": 24}
    answer = client.post("/api/v1/quiz/", body, content_type="application/json")
    assert answer.status_code == 200
    films = answer.json()["results"]
    assert not QuizSession.objects.exists()
    client.post("/quiz/", LIGHT_AND_SHORT)
    assert [film["movie_id"] for film in films] == shown_on(client.get("/tonight/"))
    assert films[0]["reason"] == "Light and short: Comedy, 80 minutes"
    assert answer.json()["source"] == "quiz"
    client.force_login(person)
    QuizSession.objects.all().delete()
    client.post("/api/v1/quiz/", LIGHT_AND_SHORT, content_type="application/json")
    assert QuizSession.objects.get().user == person


def test_the_list_costs_the_same_whatever_the_history(
    trained, client, person, django_assert_num_queries
):
    services.quiz_answered(user=person, answers=dict(LIGHT_AND_SHORT))
    client.force_login(person)
    # session, user · answers, genres · feedback · limits, hidden films · films, their genres ·
    # cards: films, genres, simulated · savepoint, slate, release · states: three · simulated
    # (page); with a history also the active model
    for n_ratings, budget in ((0, 19), (1, 20), (6, 20)):
        for film in trained.films[0][:n_ratings]:
            services.rating_set(user=person, movie=film, stars=Decimal(4), event=EventContext())
        with django_assert_num_queries(budget):
            assert client.get("/tonight/").status_code == 200


def test_home_sends_newcomers_to_the_quiz_and_others_to_their_list(trained, client, person):
    def target():
        html = client.get("/").content.decode()
        return re.search(r'button--primary button--large" href="([^"]+)"', html).group(1)

    assert target() == "/quiz/"
    client.force_login(person)
    assert target() == "/quiz/"
    services.rating_set(
        user=person, movie=trained.films[0][0], stars=Decimal(5), event=EventContext()
    )
    assert target() == "/for-you/"


def test_the_form_makes_itself_again_from_what_it_stored(shelf):
    form = QuizForm({**LIGHT_AND_SHORT, "genres": ["comedy"]})
    assert form.is_valid()
    again = QuizForm(form.to_store())
    assert again.is_valid()
    assert again.answers() == form.answers()
    assert form.answers().genres == ("Comedy",)
