"""Seen, not tonight, never: a film that got one of them leaks on no surface, and comes back."""

from __future__ import annotations

import json
import re
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import User
from feedback import services
from feedback.events import EventContext
from feedback.models import Reaction
from recommendations.services.inference import recommendations_refresh

QUIZ = {
    "mood": "any",
    "content_type": "any",
    "time": "any",
    "genres": [],
    "intensity": "medium",
}


@pytest.fixture
def ada(trained):
    user = User.objects.create_user("ada@example.org", "a-long-password")
    for film in trained.films[0][:3]:
        services.rating_set(user=user, movie=film, stars=Decimal("5"), event=EventContext())
    return User.objects.get(pk=user.pk)


@pytest.fixture
def mine(client, ada):
    client.force_login(ada)
    return client


def on_page(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    html = answer.content.decode()
    cards = re.findall(r'data-movie="(\d+)"', html)
    hero = re.findall(r'href="/films/(\d+)/\?from=', html)
    return {int(pk) for pk in (*cards, *hero)}


def in_json(answer, *path):
    assert answer.status_code == 200, answer.content
    found = answer.json()
    for step in path:
        found = found[step]
    return {row["movie_id"] for row in found}


def post(client, path, body):
    return client.post(path, json.dumps(body), content_type="application/json")


def from_why(client, anchor):
    html = client.get(f"/films/{anchor}/why/?source=hybrid").content.decode()
    cause = re.search(r"without=(\d+)", html)
    assert cause, "no film of the history speaks for it"
    preview = client.get(f"/films/{anchor}/why/?source=hybrid&without={cause.group(1)}")
    listed = preview.content.decode().split('id="without"')[1].split("</ol>")[0]
    return {int(pk) for pk in re.findall(r'<li><a href="/films/(\d+)/"', listed)}


def surfaces(trained):
    """Name -> what shows films to somebody, as the set of their ids."""
    anchor, last = trained.films[0][0].pk, trained.films[0][-1].pk
    return {
        "home": lambda c: on_page(c, "/"),
        "for you": lambda c: on_page(c, "/for-you/"),
        "for you, another source": lambda c: on_page(c, "/for-you/?source=als"),
        "for you, popular": lambda c: on_page(c, "/for-you/?source=popularity"),
        "for you, narrowed": lambda c: on_page(c, "/for-you/?genre=crime"),
        "similar": lambda c: on_page(c, f"/films/{anchor}/similar/"),
        "tonight": lambda c: on_page(c, "/tonight/"),
        "without one rating": lambda c: from_why(c, last),
        "api": lambda c: in_json(c.get("/api/v1/me/recommendations/?n=40"), "results"),
        "api, als": lambda c: in_json(
            c.get("/api/v1/me/recommendations/?n=40&source=als"), "results"
        ),
        "swipe": lambda c: in_json(post(c, "/api/v1/swipe/", {"n": 40}), "cards"),
    }


NAMES = (
    *("home", "for you", "for you, another source", "for you, popular", "for you, narrowed"),
    *("similar", "tonight", "without one rating", "api", "api, als", "swipe"),
)
KINDS = (Reaction.Kind.SEEN, Reaction.Kind.NOT_TONIGHT, Reaction.Kind.NEVER)


def say(client, film, kind, *, is_on):
    answer = client.post(
        f"/films/{film}/react/",
        {"kind": kind.value, "on": "1" if is_on else "0", "event_id": str(uuid.uuid4())},
    )
    assert answer.status_code in {200, 302}


def test_no_film_leaks_on_any_surface_and_each_comes_back(trained, mine, ada):
    services.quiz_answered(user=ada, answers=QUIZ)
    table = surfaces(trained)
    assert tuple(table) == NAMES
    leaks, lost = [], []
    for name, shown in table.items():
        before = shown(mine)
        assert before, name
        film = min(before)
        for kind in KINDS:
            say(mine, film, kind, is_on=True)
            if film in shown(mine):
                leaks.append((name, kind.value))
            say(mine, film, kind, is_on=False)
        if shown(mine) != before:
            lost.append(name)
    assert (leaks, lost) == ([], [])


def test_a_stored_list_does_not_leak_either(trained, mine, ada):
    recommendations_refresh()
    film = min(on_page(mine, "/for-you/"))
    for kind in KINDS:
        say(mine, film, kind, is_on=True)
        assert film not in on_page(mine, "/for-you/")
        recommendations_refresh()
        assert film not in on_page(mine, "/for-you/")
        say(mine, film, kind, is_on=False)


def test_not_tonight_ends_by_itself_and_the_others_do_not(trained, mine, ada):
    films = sorted(on_page(mine, "/for-you/"))[:3]
    for film, kind in zip(films, KINDS, strict=True):
        say(mine, film, kind, is_on=True)
    past = timezone.now() - timedelta(minutes=1)
    Reaction.objects.filter(user=ada, expires_at__isnull=False).update(expires_at=past)
    shown = on_page(mine, "/for-you/?source=popularity") | on_page(mine, "/for-you/")
    assert films[1] in shown
    assert not {films[0], films[2]} & shown


def test_the_hidden_list_shows_what_was_put_away_with_a_way_back(trained, mine):
    for kind in (Reaction.Kind.NOT_TONIGHT, Reaction.Kind.NEVER):
        film = min(on_page(mine, "/for-you/"))
        say(mine, film, kind, is_on=True)
        page = mine.get("/hidden/").content.decode()
        assert f'href="/films/{film}/"' in page
        assert f'action="/films/{film}/react/"' in page
        say(mine, film, kind, is_on=False)
        assert f'href="/films/{film}/"' not in mine.get("/hidden/").content.decode()
