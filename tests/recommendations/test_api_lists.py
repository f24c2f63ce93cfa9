"""The pages' lists over the API, and a list for what is asked in so many words."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import User
from accounts.selectors import taste_of
from accounts.tokens import token_create
from feedback import services
from feedback.events import EventContext
from feedback.models import Slate
from recommendations.models import Recommendation, ScheduledRun
from recommendations.services.inference import recommendations_refresh
from tests.worlds import make_film

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.org", "a-long-password")


@pytest.fixture
def mine(client, ada):
    client.force_login(ada)
    return client


def rate(user, films, stars="5"):
    for film in films:
        services.rating_set(user=user, movie=film, stars=Decimal(stars), event=EventContext())


def ask(client, **body):
    return client.post("/api/v1/recommend/", body, content_type=JSON)


def ids(answer):
    return [row["movie_id"] for row in answer.json()["results"]]


# One trained world for all of a test's questions: a model takes seconds to train.
def test_what_is_asked_decides_the_list(trained, mine, ada):
    crime = {film.pk for film in trained.films[0]}
    rate(ada, trained.films[0][:6])
    own = ask(mine, n=8)
    assert ids(own) == ids(mine.get("/api/v1/me/recommendations/?n=8"))
    assert set(ids(own)) <= crime
    # a mood and filters narrow it, whoever recommends
    for recommender in ("auto", "cf", "hybrid", "als", "popularity"):
        narrowed = ask(mine, n=5, recommender=recommender, filters={"genres": ["musical"]})
        assert not set(ids(narrowed)) & crime, recommender
        assert len(ids(narrowed)) == 5, recommender
        tense = ask(mine, n=5, recommender=recommender, mood="tense")
        assert set(ids(tense)) <= crime, recommender
    assert own.json()["source"] == "hybrid"
    assert ask(mine, recommender="cf").json()["source"] == "edlae"
    assert ask(mine, recommender="als").json()["source"] == "als"
    # the baseline knows nobody's history, but what the person saw stays out of it
    baseline = ask(mine, n=8, recommender="baseline")
    assert baseline.json()["source"] == "popular"
    assert set(ids(baseline)) - crime
    assert not set(ids(baseline)) & {film.pk for film in trained.films[0][:6]}
    # years and runtimes hold for every film, the popular ones that fill up too
    late = ask(mine, n=10, filters={"year_from": 1960, "year_to": 1965})
    years = [row["year"] for row in late.json()["results"]]
    assert years
    assert all(1960 <= year <= 1965 for year in years)
    # dials hold for the one list
    turned = ask(mine, n=8, dials={"era": 1}).json()
    mean = {
        name: sum(row["year"] for row in answer["results"]) / 8
        for name, answer in {"own": own.json(), "turned": turned}.items()
    }
    assert mean["turned"] > mean["own"]
    assert taste_of(ada).era == 0
    # and each was logged with what was asked
    slate = Slate.objects.get(request_id=turned["request_id"])
    assert slate.surface == "api"
    assert slate.context["answers"] == {"recommender": "auto", "dials": {"era": 1.0}}


def test_a_sentence_is_understood_and_every_condition_holds(trained, mine, ada):
    rate(ada, trained.films[0][:6])
    for recommender in ("auto", "baseline", "cf"):
        answer = ask(mine, text="crime from the 1960s", recommender=recommender).json()
        assert [chip["label"] for chip in answer["chips"]], recommender
        films = [(row["year"], row["genres"]) for row in answer["results"]]
        assert films, recommender
        assert all(1960 <= year < 1970 and genres == ["Crime"] for year, genres in films)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"recommender": "magic"}, "recommender"),
        ({"mood": "purple"}, "mood"),
        ({"n": 0}, "n"),
        ({"chips": ["nonsense"]}, "chips"),
        ({"filters": {"year_from": 1990, "year_to": 1980}}, "filters"),
        ({"filters": {"min_rating": 9}}, "filters"),
        ({"dials": {"era": 7}}, "dials"),
    ],
)
def test_nonsense_is_named_and_nothing_is_logged(mine, body, field):
    answer = ask(mine, **body)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]
    assert not Slate.objects.exists()


def test_before_anything_is_trained_there_is_a_list(mine):
    films = {make_film(f"Film {i}").pk for i in range(4)}
    assert set(ids(ask(mine, n=4))) == films
    assert ask(mine, recommender="cf").status_code == 400
    assert mine.get("/api/v1/sources/").json()["results"][0]["name"] == "hybrid"


def test_a_token_that_may_read_may_ask(client, ada):
    make_film("Heat")
    made = token_create(user=ada, name="x", scopes=["read"], days=1)
    headers = {"Authorization": f"Bearer {made.secret}"}
    answer = client.post("/api/v1/recommend/", {}, content_type=JSON, headers=headers)
    assert answer.status_code == 200
    answer = client.post("/api/v1/quiz/", {"mood": "any"}, content_type=JSON, headers=headers)
    assert answer.status_code == 403


def test_filters_reach_past_the_stored_list(trained, mine, ada):
    rate(ada, trained.films[0][:6])
    recommendations_refresh()
    assert Recommendation.objects.filter(user=ada).exists()
    kept = [film.pk for film in trained.films[0] if film.year == 1960]
    assert ids(ask(mine, filters={"year_from": 1960, "year_to": 1960, "genres": ["crime"]})) == kept


def test_rate_a_few_asks_until_it_is_settled(trained, mine, ada):
    asked = []
    for _ in range(12):
        now = mine.get("/api/v1/me/next-film/").json()
        if now["is_done"]:
            break
        asked.append(now["movie"]["id"])
        url = f"/api/v1/me/ratings/{asked[-1]}/"
        mine.put(url, {"stars": 4}, content_type=JSON)
    assert now["n_answers"] == len(set(asked)) == len(asked)
    assert now["is_done"] is True
    assert now["list_so_far"]["results"]
    passed = mine.get(f"/api/v1/me/next-film/?passed={now['movie']['id']}").json()
    assert passed["movie"]["id"] != now["movie"]["id"]
    assert mine.get("/api/v1/me/next-film/?passed=x").status_code == 400


def test_home_tonight_surprise_and_a_guess(trained, mine, ada):
    assert mine.get("/api/v1/me/tonight/").status_code == 404
    rate(ada, trained.films[0][:6])
    home = mine.get("/api/v1/home/").json()
    first = home["rows"][0]
    assert (home["is_personal"], first["slug"]) == (True, "for-you")
    assert Slate.objects.get(request_id=first["request_id"]).surface == "home"
    shown = [film["movie"]["id"] for row in home["rows"] for film in row["films"]]
    assert len(shown) == len(set(shown))
    assert Client().get("/api/v1/home/").json()["is_personal"] is False
    mine.post("/api/v1/quiz/", {"mood": "tense"}, content_type=JSON)
    tonight = mine.get("/api/v1/me/tonight/")
    assert set(ids(tonight)[:5]) <= {film.pk for film in trained.films[0]}
    drawn = mine.get("/api/v1/surprise/").json()
    assert drawn["movie"]["id"] not in {film.pk for film in trained.films[0][:6]}
    assert 0 < drawn["propensity"] < 1
    assert mine.get("/api/v1/surprise/?source=watchlist").status_code == 404
    film = trained.films[1][0]
    mine.put(f"/api/v1/me/watchlist/{film.pk}/", {}, content_type=JSON)
    saved = mine.get("/api/v1/surprise/?source=watchlist").json()
    assert saved["movie"]["id"] == film.pk
    guess = mine.get(f"/api/v1/me/predictions/{film.pk}/").json()
    assert guess == {"movie_id": film.pk, "stars": None, "low": None, "high": None, "n_missing": 0}


def test_taste_is_the_numbers_of_the_page(trained, mine, ada):
    empty = mine.get("/api/v1/me/taste/").json()
    assert (empty["n_films"], empty["label"], empty["profiles"]) == (0, None, [])
    rate(ada, trained.films[0][:6])
    found = mine.get("/api/v1/me/taste/").json()
    assert (found["n_films"], found["n_liked"], found["mean_stars"]) == (6, 6, 5.0)
    genres = next(p for p in found["profiles"] if p["name"] == "genres")
    assert genres["shares"] == [{"name": "Crime", "mine": 1.0, "all_films": 0.5}]
    assert found["label"]["n_films"] == 24


def test_a_reason_is_muted_and_said_again(mine, ada):
    url = "/api/v1/me/muted-reasons/trending_now/"
    for _ in range(2):
        assert mine.put(url).json() == {"muted_reasons": ["trending_now"]}
    assert mine.get("/api/v1/me/settings/").json()["muted_reasons"] == ["trending_now"]
    assert mine.delete(url).json() == {"muted_reasons": []}
    assert mine.put("/api/v1/me/muted-reasons/weather/").status_code == 404
    assert taste_of(ada).muted_reasons == ()


def test_jobs_are_for_staff(mine, ada):
    ScheduledRun.objects.create(name="check-drift", outcome={"is_drifted": False})
    assert mine.get("/api/v1/jobs/").status_code == 403
    User.objects.filter(pk=ada.pk).update(is_staff=True)
    (job,) = mine.get("/api/v1/jobs/").json()["results"]
    assert (job["name"], job["outcome"]) == ("check-drift", {"is_drifted": False})


# With the session and its account.
BUDGETS = {
    "/api/v1/sources/": 3,
    "/api/v1/me/predictions/{film}/": 5,
    "/api/v1/me/tonight/": 16,
    "/api/v1/home/": 24,
    "/api/v1/surprise/": 12,
    "/api/v1/me/taste/": 18,
    "/api/v1/me/next-film/": 16,
}


def test_each_costs_the_same_whatever_the_history(trained, mine, ada, django_assert_num_queries):
    rate(ada, trained.films[0][:6])
    mine.post("/api/v1/quiz/", {"mood": "tense"}, content_type=JSON)
    for n in (8, 12):
        for path, budget in BUDGETS.items():
            url = path.format(film=trained.films[1][0].pk)
            mine.get(url)  # what is read once per process
            with django_assert_num_queries(budget):
                assert mine.get(url).status_code == 200, url
        body = {"mood": "tense", "recommender": "cf", "filters": {"genres": ["crime"]}}
        with django_assert_num_queries(19):
            assert ask(mine, **body).status_code == 200
        rate(ada, trained.films[0][6:n])


@pytest.mark.parametrize("film", [0, -1, 2**63, 10**30])
def test_what_can_be_no_film_is_refused_by_name(world, mine, film):
    """The largest number that a row can have is 2**63 - 1; there are none so far."""
    for name in ("held", "first"):
        answer = mine.post("/api/v1/swipe/", {name: [film]}, content_type=JSON)
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [name])
    answer = mine.get("/api/v1/me/next-film/", {"passed": film})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["passed"])


def test_the_largest_number_is_a_film_that_is_not_there(trained, mine):
    last = 2**63 - 1
    for name in ("held", "first"):
        answer = mine.post("/api/v1/swipe/", {name: [last], "n": 2}, content_type=JSON)
        assert len(answer.json()["cards"]) == 2
    assert mine.get("/api/v1/me/next-film/", {"passed": last}).status_code == 200


@pytest.mark.parametrize(("word", "is_read"), [("true", False), ("1", False), ("false", True)])
def test_a_sentence_is_taken_as_it_is_where_the_client_says_so(world, client, word, is_read):
    """A generated client writes a boolean as the document has it: true, not 1."""
    asked = {"q": "crime from the 1950s", "understood": word}
    chips = client.get("/api/v1/search/", asked).json()["chips"]
    assert bool(chips) is is_read
