"""Genres and films through the API."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Credit, ExternalId, Person
from catalog.services.search_index import search_vectors_refresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def films(make_movie):
    """Thirty films; ten share each rating count."""
    made = [
        make_movie(f"Film {n:02d}", 1990 + n if n else None, "Crime", rating_count=n // 10)
        for n in range(30)
    ]
    search_vectors_refresh()
    return made


def walk(client, url: str) -> list[str]:
    """All titles, page by page."""
    titles: list[str] = []
    while url:
        page = client.get(url).json()
        titles += [film["title"] for film in page["results"]]
        assert len(titles) <= 100, "going round in circles"
        url = page["next"]
    return titles


def test_health_says_whether_there_are_films(client, make_movie):
    assert client.get("/api/v1/health/").json() == {"status": "ok", "films": False}
    make_movie("Heat")
    assert client.get("/api/v1/health/").json() == {"status": "ok", "films": True}


def test_genres_are_listed(client, films):
    assert client.get("/api/v1/genres/").json() == [{"slug": "crime", "name": "Crime"}]


@pytest.mark.parametrize("sort", ["", "popular", "best", "newest", "oldest", "title"])
def test_pages_hold_every_film_once(client, films, sort):
    url = f"/api/v1/movies/?page_size=7{'&sort=' + sort if sort else ''}"
    titles = walk(client, url)
    assert len(titles) == 30
    assert len(set(titles)) == 30


@pytest.mark.parametrize("sort", ["popular", "newest", "oldest", "title", "best"])
def test_the_api_and_the_page_agree_on_the_order(client, films, sort):
    page = client.get(f"/browse/?sort={sort}")
    expected = [card.movie.title for card in page.context["cards"]]
    assert walk(client, f"/api/v1/movies/?page_size=7&sort={sort}") == expected


def test_a_thousand_ties_do_not_go_round_in_circles(client, films, django_assert_num_queries):
    with django_assert_num_queries(2):
        first = client.get("/api/v1/movies/?page_size=2").json()
    assert len(first["results"]) == 2
    assert "o=" not in first["next"]


def test_films_are_filtered_and_searched(client, films):
    data = client.get("/api/v1/movies/?year_from=2000&year_to=2004&genre=crime").json()
    assert len(data["results"]) == 5
    found = client.get("/api/v1/movies/?q=flim 07").json()["results"]
    assert found[0]["title"] == "Film 07"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("year_from=x", "year_from"),
        ("year_from=2000&year_to=1990", "year_to"),
        ("sort=odd", "sort"),
        ("runtime_to=0", "runtime_to"),
        ("q=" + "a" * 200, "q"),
    ],
)
def test_wrong_parameters_are_named(client, query, field):
    response = client.get(f"/api/v1/movies/?{query}")
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "invalid"
    assert field in error["fields"]


def test_a_film_with_all_its_facts(client, make_movie):
    movie = make_movie("Heat", 1995, "Drama", "Crime", synopsis="Cops.", countries=["US"])
    person = Person.objects.create(name="Michael Mann")
    Credit.objects.create(movie=movie, person=person, role=Credit.Role.DIRECTOR)
    ExternalId.objects.create(movie=movie, source="imdb", value="tt0113277")
    assert client.get(f"/api/v1/movies/{movie.pk}/").json() == {
        "id": movie.pk,
        "title": "Heat",
        "original_title": "",
        "alternative_titles": [],
        "year": 1995,
        "runtime_min": None,
        "language": "",
        "countries": ["US"],
        "certification": "",
        "genres": ["Crime", "Drama"],
        "main_genre": "Crime",
        "rating_count": 0,
        "rating_mean": None,
        "tagline": "",
        "synopsis": "Cops.",
        "keywords": [],
        "credits": [{"name": "Michael Mann", "role": "director", "character": ""}],
        "external_ids": [{"source": "imdb", "value": "tt0113277"}],
        "poster_url": f"/films/{movie.pk}/poster.svg?v={movie.poster_version}",
        "backdrop_url": f"/films/{movie.pk}/backdrop.svg?v={movie.poster_version}",
        "url": f"/films/{movie.pk}/",
    }


def test_hidden_and_unknown_films_are_404(client, make_movie):
    hidden = make_movie("Hidden", is_hidden=True)
    for pk in (hidden.pk, hidden.pk + 1000):
        response = client.get(f"/api/v1/movies/{pk}/")
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "not_found"
    assert client.get("/api/v1/movies/").json()["results"] == []


@pytest.mark.parametrize("cursor", ["", "after the first page"])
def test_the_list_that_asks_for_no_order_is_read_from_its_index(client, films, cursor):
    page = {"page_size": 1}
    if cursor:
        first = client.get("/api/v1/movies/", page).json()
        page["cursor"] = parse_qs(urlsplit(first["next"]).query)["cursor"][0]
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/api/v1/movies/", page).status_code == 200
    (listed,) = (q["sql"] for q in queries if "LIMIT" in q["sql"] and "title" in q["sql"])
    with connection.cursor() as asked:
        # So few films are sorted sooner than an index is opened; of many it is what remains.
        asked.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        asked.execute(f"EXPLAIN {listed}")
        plan = "\n".join(row[0] for row in asked.fetchall())
    assert "Index Scan using catalog_movie_in_turn" in plan
