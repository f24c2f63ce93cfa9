"""Head and foot of a page come from one rendering for many: as if each page had its own."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.template import engines
from django.test import RequestFactory
from django.urls import resolve
from django.utils.html import escape
from django.utils.translation import override

from accounts.models import User
from catalog.models import Movie

QUERY = 'a "duel" & <b>more</b> \ue000csrf\ue000'
PARTS = ("components/_header.html", "components/_footer.html")


def rendered(tag: str, part: str, path: str, user, **context: str) -> str:
    request = RequestFactory().get(path, {"q": QUERY})
    request.user, request.session = user, SessionStore()
    request.resolver_match = resolve(path)
    for name in ("theme", "visitor"):
        if name in context:
            request.COOKIES[name] = context.pop(name)
    request.META["CSRF_COOKIE"] = "a" * 32
    source = f'{{% load frame %}}{{% {tag} "{part}" %}}'
    values = {"csrf_token": "a-token", **context}
    template = engines["django"].from_string(source)
    return template.render(values, request)


def staff() -> User:
    return User(
        pk=5, email="ed@example.org", display_name="Ed <i> & \ue000path\ue000", is_staff=True
    )


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "user",
    [AnonymousUser(), User(pk=4, email="ann@example.org"), staff()],
    ids=["nobody", "ann", "ed"],
)
@pytest.mark.parametrize(
    "context",
    [
        {},
        {"search_query": QUERY},
        {"theme": "light"},
        {"theme": "forged"},
        {"redirect_field_value": "/swipe/?a=1"},
    ],
    ids=["plain", "search", "light", "forged theme", "signing in"],
)
@pytest.mark.parametrize("path", ["/", "/search/", "/about/", "/accounts/login/"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_frame_is_that_of_its_template(part, user, context, path, language, db):
    with override(language):
        made = rendered("frame", part, path, user, **context)
        expected = rendered("include", part, path, user, **context)
    assert made == expected


def test_what_people_wrote_stays_theirs(db):
    made = rendered("frame", PARTS[0], "/search/", staff(), search_query=QUERY)
    assert escape(QUERY) in made
    assert escape(staff().display_name) in made
    again = rendered("frame", PARTS[0], "/search/", AnonymousUser(), search_query="other")
    assert escape(QUERY) not in again
    assert escape(staff().display_name) not in again


def test_a_visitor_with_films_is_asked_to_keep_them(client, db):
    film = Movie.objects.create(title="Heat", year=1995)
    before = client.get("/about/").content.decode()
    fields = {"event_id": str(uuid.uuid4()), "stars": "4"}
    assert client.post(f"/films/{film.pk}/rate/", fields, follow=True).status_code == 200
    after = client.get("/about/").content.decode()
    assert ("Keep my films" in before, "Keep my films" in after) == (False, True)
