"""Browse, search, the film's page and its pictures: what they show, and what they cost."""

import pytest
from django.urls import reverse

from catalog import words
from catalog.models import Credit, ExternalId, Person
from catalog.services.search_index import search_vectors_refresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def films(make_movie):
    """Forty films, one of them hidden."""
    made = [
        make_movie(
            f"Film number {n}",
            1980 + n,
            *(["Crime", "Drama"] if n % 2 else ["Comedy"]),
            language="fr" if n % 4 == 0 else "en",
            runtime_min=80 + n,
            rating_count=n,
            rating_mean=3.0,
        )
        for n in range(40)
    ]
    made[39].is_hidden = True
    made[39].save(update_fields=["is_hidden"])
    return made


def shown(response) -> list[str]:
    return [card.movie.title for card in response.context["cards"]]


def test_browse_shows_the_most_rated_first(client, films):
    response = client.get(reverse("catalog:browse"))
    assert shown(response)[:2] == ["Film number 38", "Film number 37"]
    assert response.context["page_obj"].paginator.count == 39
    second = client.get(reverse("catalog:browse"), {"page": 2})
    assert len(shown(response)) == 30
    assert len(shown(second)) == 9
    assert not set(shown(response)) & set(shown(second))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("genre=crime&genre=drama", 19),
        ("genre=crime&genre=comedy", 0),
        ("decade=1990", 10),
        ("year_from=2000", 19),
        ("language=fr", 10),
        ("runtime_to=90", 11),
        ("min_ratings=30", 9),
        ("genre=crime&decade=1990&min_ratings=12", 4),
        ("genre=unheard-of", 0),
        ("year_from=rubbish&runtime_to=-5&sort=odd&page=99", 39),
    ],
)
def test_browse_is_narrowed_by_its_address(client, films, query, expected):
    response = client.get(reverse("catalog:browse") + "?" + query)
    assert response.status_code == 200
    assert response.context["page_obj"].paginator.count == expected


@pytest.mark.parametrize(
    ("sort", "first"),
    [("newest", "Film number 38"), ("oldest", "Film number 0"), ("title", "Film number 0")],
)
def test_browse_sorts(client, films, sort, first):
    assert shown(client.get(reverse("catalog:browse"), {"sort": sort}))[0] == first


def test_best_rated_does_not_believe_a_single_five(client, films):
    films[1].rating_count, films[1].rating_mean = 1, 5.0
    films[20].rating_count, films[20].rating_mean = 200, 4.4
    for film in films[1], films[20]:
        film.save(update_fields=["rating_count", "rating_mean"])
    titles = shown(client.get(reverse("catalog:browse"), {"sort": "best"}))
    assert titles[:2] == ["Film number 20", "Film number 1"]


def test_chips_take_one_condition_away(client, films):
    response = client.get(reverse("catalog:browse") + "?genre=crime&decade=1990&sort=newest")
    chips = {chip.label: chip.query for chip in response.context["chips"]}
    assert chips == {
        "Crime": "year_from=1990&year_to=1999&sort=newest",
        "1990s": "genre=crime&sort=newest",
    }


def test_htmx_gets_the_part_and_history_the_page(client, films):
    url = reverse("catalog:browse") + "?genre=crime&q="
    part = client.get(url, headers={"HX-Request": "true", "HX-Target": "results"})
    assert b"<html" not in part.content
    assert part.content.lstrip().startswith(b'<section class="results" id="results"')
    assert part.headers["HX-Push-Url"] == "/browse/?genre=crime"
    assert "HX-Request" in part.headers["Vary"]
    back = client.get(
        url,
        headers={
            "HX-Request": "true",
            "HX-Target": "results",
            "HX-History-Restore-Request": "true",
        },
    )
    assert b"<html" in back.content


def test_nothing_found_says_what_next(client, films):
    response = client.get(reverse("catalog:browse"), {"year_from": 2090})
    assert b"No film is all of that" in response.content


def test_search_and_suggestions(client, films, make_movie):
    make_movie("Rashomon", 1950)
    search_vectors_refresh()
    response = client.get(reverse("catalog:search"), {"q": "rashomn"})
    assert shown(response) == ["Rashomon"]
    part = client.get(reverse("catalog:suggest"), {"q": "rash"})
    assert b"Rashomon" in part.content
    assert b"<html" not in part.content
    assert client.get(reverse("catalog:suggest"), {"q": "r"}).content.strip() == b""
    assert b"No film here sounds like that" in client.get("/search/?q=xyzzy").content
    assert client.get(reverse("catalog:search")).status_code == 200


def test_what_was_typed_is_escaped(client, films):
    for url in (reverse("catalog:search"), reverse("catalog:browse")):
        response = client.get(url, {"q": "<script>alert(1)</script>"})
        assert b"<script>alert" not in response.content


# --- The film's page -----------------------------------------------------------------------------


@pytest.fixture
def heat(make_movie):
    """A film with all there is to show."""
    movie = make_movie(
        "Heat", 1995, "Crime", "Drama", synopsis="A thief and a detective.", runtime_min=170,
        language="en", countries=["US"], rating_count=12, rating_mean=4.25,
    )  # fmt: skip
    person = Person.objects.create(name="Michael Mann")
    Credit.objects.create(movie=movie, person=person, role=Credit.Role.DIRECTOR)
    ExternalId.objects.create(movie=movie, source="imdb", value="tt0113277")
    return movie


def test_the_film_page_shows_the_film(client, heat):
    response = client.get(heat.get_absolute_url())
    text = response.content.decode()
    for expected in (
        "2 h 50 min",
        "Michael Mann",
        "A thief and a detective.",
        "United States",
        "from 12 ratings",
        "https://www.imdb.com/title/tt0113277/",
        f'hx-get="/films/{heat.pk}/actions/"',
        f'hx-get="/films/{heat.pk}/similar/"',
        f'href="/films/{heat.pk}/similar/"',
    ):
        assert expected in text


def test_a_bare_film_has_a_page_too(client, make_movie):
    assert client.get(make_movie("Untold").get_absolute_url()).status_code == 200


@pytest.mark.parametrize("name", ["movie", "poster", "backdrop"])
def test_hidden_and_unknown_films_are_not_there(client, heat, name):
    assert client.get(reverse(f"catalog:{name}", args=[heat.pk + 1000])).status_code == 404
    heat.is_hidden = True
    heat.save(update_fields=["is_hidden"])
    assert client.get(reverse(f"catalog:{name}", args=[heat.pk])).status_code == 404


@pytest.mark.parametrize("name", ["poster", "backdrop"])
def test_pictures_are_kept_for_ever_by_version(client, heat, name):
    url = reverse(f"catalog:{name}", args=[heat.pk])
    response = client.get(f"{url}?v={heat.poster_version}")
    assert response.headers["Content-Type"].startswith("image/svg+xml")
    assert response.content.startswith(b"<svg")
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get(f"{url}?v=1").headers["Cache-Control"] == "public, max-age=300"
    again = client.get(url, headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["browse", "search", "suggest"])
def test_pages_only_answer_questions(client, name):
    assert client.post(reverse(f"catalog:{name}")).status_code == 405


# --- What pages cost -----------------------------------------------------------------------------

BROWSE = 7  # genres, languages, count, films, their genres, years, simulated?
PAGES = [
    ("/browse/", BROWSE),
    ("/browse/?genre=crime&decade=1990&sort=newest", BROWSE),
    ("/browse/?sort=best", BROWSE + 1),  # the average film
    ("/browse/?q=film", BROWSE + 3),  # indexed titles, titles, words
    # indexed titles, titles, encoder, the words' stems, indexed words; as nothing is indexed yet,
    # indexed titles, titles and words again; which are visible, films with their genres (a web
    # process has index, encoder and most films on its shelf: tests/catalog/test_shelf.py)
    ("/search/?q=film", 10),
    ("/search/?q=", 0),
    ("/search/suggest/?q=film", 3),  # indexed titles, titles, films with their genres
]


@pytest.mark.parametrize(("url", "n_queries"), PAGES)
@pytest.mark.parametrize("n_films", [3, 40])
def test_lists_cost_the_same_whatever_they_hold(
    client, make_movie, django_assert_num_queries, monkeypatch, url, n_queries, n_films
):
    monkeypatch.setattr(words, "_lexemes", {})  # the stems of "film" are asked for once a process
    for n in range(n_films):
        make_movie(f"Film {n}", 1990, "Crime", "Drama", language="en", rating_count=1)
    search_vectors_refresh()
    with django_assert_num_queries(n_queries):
        assert client.get(url).status_code == 200


def test_a_film_page_costs_seven_queries(client, heat, django_assert_num_queries):
    # film, genres, keywords, external ids, credits with people, sources of fields, simulated?
    with django_assert_num_queries(7):
        client.get(heat.get_absolute_url())


def test_a_picture_costs_two_queries(client, heat, django_assert_num_queries):
    with django_assert_num_queries(2):
        client.get(reverse("catalog:poster", args=[heat.pk]))
