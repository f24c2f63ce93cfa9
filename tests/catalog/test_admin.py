"""Editors: their changes are noted, found and kept; hiding works in bulk."""

import pytest
from django.urls import reverse

from accounts.models import User
from catalog.models import FieldSource, Genre, Movie
from catalog.search import search_films

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
