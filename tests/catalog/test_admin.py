"""Editors: their changes are noted, found and kept; hiding works in bulk."""

import pytest
from django.urls import reverse

from accounts.models import User
from catalog.models import (
    Collection,
    Credit,
    ExternalId,
    FieldSource,
    Genre,
    Movie,
    Person,
)
from catalog.search import search_films
from catalog.selectors import picks_shown
from catalog.services.embeddings import changed_films_embed
from catalog.services.merging import MergeRefusedError, movies_merge
from feedback.models import Rating

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client):
    """Logged in with every right."""
    user = User.objects.create_superuser("editor@example.com", "a-long-password")
    client.force_login(user)
    return user


def form_data(movie: Movie, **changes: object) -> dict[str, object]:
    """The change form as the browser would send it."""
    data: dict[str, object] = {
        **{"title": movie.title, "original_title": "", "alternative_titles": ""},
        **{"year": movie.year or "", "runtime_min": "", "language": "", "countries": ""},
        **{"certification": "", "tagline": "", "synopsis": movie.synopsis},
        **{"poster_path": "", "backdrop_path": "", "keywords": []},
        "genres": [genre.pk for genre in movie.genres.all()],
    }
    for prefix in ("credits", "external_ids", "field_sources"):
        total = movie.field_sources.count() if prefix == "field_sources" else 0
        data[f"{prefix}-TOTAL_FORMS"] = data[f"{prefix}-INITIAL_FORMS"] = total
        if prefix == "field_sources":
            for place, pk in enumerate(movie.field_sources.values_list("pk", flat=True)):
                data[f"{prefix}-{place}-id"] = pk
                data[f"{prefix}-{place}-movie"] = movie.pk
    return {**data, **changes}


def test_an_edit_is_noted_normalised_and_found(client, editor, make_movie):
    movie = make_movie("Haet", 1995, "Crime")
    drama = Genre.objects.create(name="Drama", slug="drama")
    url = reverse("admin:catalog_movie_change", args=[movie.pk])
    data = form_data(movie, title="Héat", synopsis="Robbers.", genres=[drama.pk])
    response = client.post(url, data)
    assert response.status_code == 302, response.context["adminform"].form.errors
    movie.refresh_from_db()
    assert movie.title_normalized == "heat"
    notes = dict(FieldSource.objects.filter(movie=movie).values_list("field", "source"))
    assert notes == {"title": "editor", "synopsis": "editor", "genres": "editor"}
    assert search_films("robber")[0].movie_id == movie.pk


def test_external_ids_edited_by_hand_are_noted(client, editor, make_movie):
    movie = make_movie("Heat", 1995)
    data = form_data(movie)
    data |= {
        "external_ids-TOTAL_FORMS": 1,
        "external_ids-0-source": "imdb",
        "external_ids-0-value": "tt0113277",
    }
    assert (
        client.post(reverse("admin:catalog_movie_change", args=[movie.pk]), data).status_code == 302
    )
    assert dict(FieldSource.objects.values_list("field", "source")) == {"imdb": "editor"}


def test_looking_notes_nothing(client, editor, make_movie):
    movie = make_movie("Heat", 1995)
    url = reverse("admin:catalog_movie_change", args=[movie.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, form_data(movie)).status_code == 302
    assert not FieldSource.objects.exists()


def test_films_are_hidden_and_shown_in_bulk(client, editor, make_movie):
    films = [make_movie(f"Film {n}") for n in range(3)]
    url = reverse("admin:catalog_movie_changelist")
    chosen = [film.pk for film in films[:2]]
    response = client.post(url, {"action": "hide", "_selected_action": chosen}, follow=True)
    assert b"2 films are hidden now." in response.content
    assert Movie.objects.visible().count() == 1
    client.post(url, {"action": "show", "_selected_action": chosen[:1]})
    assert Movie.objects.visible().count() == 2


def test_the_list_searches_forgivingly_and_finds_hidden_films(client, editor, make_movie):
    make_movie("Rashomon", 1950, is_hidden=True)
    make_movie("Heat", 1995)
    response = client.get(reverse("admin:catalog_movie_changelist"), {"q": "rashomn"})
    assert [film.title for film in response.context["cl"].result_list] == ["Rashomon"]


def test_a_renamed_person_is_found_by_the_new_name(client, editor, make_movie):
    movie = make_movie("Heat", 1995)
    person = movie.people.create(name="Mann", through_defaults={"role": "director"})
    url = reverse("admin:catalog_person_change", args=[person.pk])
    assert client.post(url, {"name": "Zbigniew", "tmdb_id": ""}).status_code == 302
    assert search_films("zbigniew")[0].movie_id == movie.pk


@pytest.mark.parametrize("model", ["movie", "genre", "person", "keyword", "dataset"])
def test_every_list_opens(client, editor, make_movie, model):
    make_movie("Heat", 1995, "Crime")
    assert client.get(reverse(f"admin:catalog_{model}_changelist")).status_code == 200


def test_the_admin_is_for_staff(client, make_movie):
    client.force_login(User.objects.create_user("someone@example.com", "a-long-password"))
    assert client.get(reverse("admin:catalog_movie_changelist")).status_code == 302


@pytest.fixture
def asked(monkeypatch):
    """How often the worker was asked to embed."""
    calls = []
    monkeypatch.setattr("catalog.tasks.embed_changed_films_task.delay", lambda: calls.append(1))
    return calls


def act(client, name: str, *movies: Movie, **more: object):
    """Choose an action for these films in the list."""
    data = {"action": name, "_selected_action": [movie.pk for movie in movies], **more}
    return client.post(reverse("admin:catalog_movie_changelist"), data, follow=True)


def test_films_are_embedded_anew_on_request(client, editor, make_movie, asked, settings):
    settings.TEXT_ENCODER = "hashing-64"
    one, two = make_movie("Heat", 1995), make_movie("Ran", 1985)
    assert changed_films_embed().n_embedded == 2
    assert changed_films_embed() is None
    html = act(client, "reembed", one).content.decode()
    assert "1 film will be embedded." in html
    assert asked == [1]
    assert changed_films_embed().n_embedded == 1
    assert changed_films_embed() is None
    assert Movie.objects.filter(pk=two.pk).exists()


def test_duplicates_become_one_film_and_nothing_is_lost(client, editor, make_movie):
    film = make_movie("Amelie", 2001, "Comedy", rating_count=20)
    other = make_movie("Le fabuleux destin d'Amelie Poulain", 2001, "Romance", synopsis="Good.")
    ExternalId.objects.create(movie=other, source="imdb", value="tt0211915")
    person = Person.objects.create(name="Jean-Pierre Jeunet")
    Credit.objects.create(movie=other, person=person, role=Credit.Role.DIRECTOR)
    users = [User.objects.create_user(f"{n}@example.com", "a-long-password") for n in "ab"]
    Rating.objects.create(user=users[0], movie=film, stars=4)
    Rating.objects.create(user=users[0], movie=other, stars=2)
    Rating.objects.create(user=users[1], movie=other, stars=3)

    page = act(client, "merge", film, other)
    assert "Which film stays?" in page.content.decode()
    assert Movie.objects.visible().count() == 2
    html = act(client, "merge", film, other, keep=film.pk).content.decode()
    assert "1 film is Amelie (2001) now" in html

    film.refresh_from_db()
    assert film.synopsis == "Good."
    assert {genre.name for genre in film.genres.all()} == {"Comedy", "Romance"}
    assert [person.name for person in film.people.all()] == ["Jean-Pierre Jeunet"]
    assert film.external_ids.get(source="imdb").value == "tt0211915"
    stars = dict(Rating.objects.values_list("user__email", "stars"))
    assert (len(stars), stars["a@example.com"], stars["b@example.com"]) == (2, 4, 3)
    assert search_films("fabuleux destin d'amelie poulain")[0].movie_id == film.pk
    assert list(Movie.objects.visible()) == [film]
    answer = client.get(f"/films/{other.pk}/")
    assert (answer.status_code, answer["Location"]) == (301, f"/films/{film.pk}/")


def test_what_cannot_be_merged_is_left_as_it_is(client, editor, make_movie):
    one, two, three = (make_movie(title, 2000) for title in ("One", "Two", "Three"))
    assert "Choose two films" in act(client, "merge", one).content.decode()
    act(client, "merge", one, two, keep=three.pk)
    assert Movie.objects.visible().count() == 3
    act(client, "merge", one, two, keep=one.pk)
    html = act(client, "merge", two, three, keep=three.pk).content.decode()
    assert "was merged already" in html
    assert set(Movie.objects.visible()) == {one, three}
    with pytest.raises(MergeRefusedError):
        movies_merge(one.pk, [one.pk])


def test_shown_collections_are_rows_of_the_front_page(client, editor, make_movie):
    films = [make_movie(f"Pick {n}", 2000 + n) for n in range(5)]
    data = {
        **{"title": "Rainy evenings", "slug": "rainy-evenings", "position": 0, "is_shown": "on"},
        **{"entries-TOTAL_FORMS": 5, "entries-INITIAL_FORMS": 0},
    }
    for place, film in enumerate(films):
        data |= {f"entries-{place}-movie": film.pk, f"entries-{place}-position": 9 - place}
    client.post(reverse("admin:catalog_collection_add"), data)
    (picks,) = picks_shown()
    assert picks.movie_ids == tuple(film.pk for film in reversed(films))
    client.logout()
    assert "Rainy evenings" in client.get("/").content.decode()
    Movie.objects.filter(pk=films[0].pk).update(is_hidden=True)
    assert films[0].pk not in picks_shown()[0].movie_ids
    Collection.objects.update(is_shown=False)
    assert picks_shown() == []
    assert "Rainy evenings" not in client.get("/").content.decode()


def test_the_form_shows_where_fields_came_from(client, editor, make_movie):
    film = make_movie("Heat", 1995, synopsis="A thief.")
    FieldSource.objects.create(movie=film, field="synopsis", source="tmdb")
    html = client.get(reverse("admin:catalog_movie_change", args=[film.pk])).content.decode()
    assert "where the fields came from" in html.lower()
    assert "TMDB" in html
