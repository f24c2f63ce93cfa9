"""The why page: every part, adding up, with claims that were recomputed; without JavaScript."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from accounts.models import User
from feedback import services
from feedback.events import EventContext
from feedback.models import Rating
from feedback.selectors import feedback_of
from recommendations.selectors import recommendations_for


@pytest.fixture
def person(db):
    return User.objects.create_user("ada@example.org", "a-long-password")


def rate(user, movie, stars):
    services.rating_set(user=user, movie=movie, stars=Decimal(stars), event=EventContext())
    user.refresh_from_db()


@pytest.fixture
def reader(trained, person, client):
    """Somebody with four ratings, logged in."""
    for film in trained.films[0][:3]:
        rate(person, film, "5")
    rate(person, trained.films[1][0], "5")
    client.force_login(person)
    return client


def top(person, place=0):
    return recommendations_for(person, n=20).films[place].movie_id


def test_the_page_has_every_part_and_shares_add_up(reader, person, trained):
    film = top(person)
    answer = reader.get(f"/films/{film}/why/")
    html = answer.content.decode()
    why = answer.context["why"]
    assert why.place == 1
    assert {row.movie.pk for row in why.rows if row.movie} <= {
        event.movie_id for event in feedback_of(person).history
    }
    assert sum(row.contribution for row in why.rows) == pytest.approx(why.score, abs=1e-6)
    assert why.score == pytest.approx(recommendations_for(person, n=1).films[0].score, abs=1e-6)
    shown = [int(p) for p in re.findall(r"<td[^>]*>(\d+) %</td>", html)]
    assert sum(shown) == 100 + 100  # the rows, and the sum below them
    assert '<th scope="row" role="rowheader"><a href="' in html
    assert "<caption" in html


def test_claims_on_the_page_are_the_recomputed_ones(reader, person):
    claims = 0
    for ranked in recommendations_for(person, n=20).films:
        why = reader.get(f"/films/{ranked.movie_id}/why/").context["why"]
        for row in why.rows:
            if row.is_sole_cause:
                claims += 1
                page = reader.get(f"/films/{ranked.movie_id}/why/?without={row.movie.pk}")
                preview = page.context["preview"]
                assert ranked.movie_id not in {m.pk for m in preview.films}
                assert ranked.movie_id in {m.pk for m in preview.leaving}
                assert "would not be in your first 20" in page.content.decode()
    assert claims


def test_trying_without_changes_nothing_and_muting_does_what_was_shown(reader, person, trained):
    film, cause = top(person), trained.films[1][0]
    before = [f.movie_id for f in recommendations_for(person, n=20).films]
    page = reader.get(f"/films/{film}/why/?without={cause.pk}")
    preview = [m.pk for m in page.context["preview"].films]
    assert preview != before
    assert [f.movie_id for f in recommendations_for(person, n=20).films] == before
    action = f'action="/films/{cause.pk}/react/"'
    form = next(f for f in page.content.decode().split("<form")[1:] if action in f)
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    assert (fields["kind"], fields["next"]) == ("muted", f"/films/{film}/why/?source=hybrid")
    landed = reader.post(f"/films/{cause.pk}/react/", fields, follow=True)
    assert landed.redirect_chain[0][0] == f"/films/{film}/why/?source=hybrid"
    html = landed.content.decode()
    assert "no longer learn from Musical Film 0" in html
    assert "Learn from it again" in html
    person.refresh_from_db()
    assert [f.movie_id for f in recommendations_for(person, n=20).films] == preview
    assert Rating.objects.filter(user=person, movie=cause).exists()


def test_the_api_says_the_same_as_the_page(reader, person, trained):
    film, cause = top(person), trained.films[1][0].pk
    why = reader.get(f"/films/{film}/why/").context["why"]
    url = f"/api/v1/me/recommendations/{film}/why/"
    body = reader.get(f"{url}?without={cause}").json()
    assert body["score"] == why.score
    assert [p["contribution"] for p in body["parts"]] == [r.contribution for r in why.rows]
    assert sum(p["percentage"] or 0 for p in body["parts"]) == 100
    assert body["without"]["movie_id"] == cause
    assert len(body["without"]["results"]) == 20
    assert reader.get(url).json()["without"] is None
    assert reader.get(f"{url}?source=magic").status_code == 400
    assert reader.get(f"{url}?without={film}").status_code == 404
    assert reader.get("/api/v1/me/recommendations/999999/why/").status_code == 404


def test_it_costs_the_same_whatever_the_history(reader, person, trained, django_assert_num_queries):
    film = trained.films[1][-1].pk
    # session, user · film · active model · feedback · settings, films they leave out · dials, last
    # visit · three times facts of films (the film's parts, what would remain without each of them,
    # the list) · titles · model of the stars · muted reasons
    paths = [f"/films/{film}/why/", f"/films/{film}/why/?without={trained.films[0][0].pk}"]
    for path in paths:
        with django_assert_num_queries(15):
            assert reader.get(path).status_code == 200
    for other in trained.films[0][3:12]:
        rate(person, other, "4.5")
    for path in paths:
        with django_assert_num_queries(15):
            assert reader.get(path).status_code == 200


def test_it_is_for_oneself_and_for_films_that_there_are(trained, client, person):
    film = trained.films[0][0].pk
    assert client.get(f"/films/{film}/why/").status_code == 302
    assert client.get(f"/api/v1/me/recommendations/{film}/why/").status_code == 401
    client.force_login(person)
    page = client.get(f"/films/{film}/why/")
    assert "Nothing of you speaks for it yet" in page.content.decode()
    assert client.get("/films/999999/why/").status_code == 404
    assert client.get(f"/films/{film}/why/?without=x").status_code == 404
    assert client.get(f"/films/{film}/why/?without={film}").status_code == 404
    assert client.get(f"/films/{film}/why/?source=magic").status_code == 400


def test_a_fragment_for_htmx_and_a_link_on_the_card(reader, person):
    film = top(person)
    part = reader.get(f"/films/{film}/why/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert f'id="why-{film}"' in part
    html = reader.get("/for-you/?source=edlae").content.decode()
    links = re.findall(r'"(/films/\d+/why/\?source=\w+)"', html)
    assert len(links) == 24
    assert all(reader.get(link).status_code == 200 for link in {links[0], links[-1]})
    assert links[0].endswith("?source=edlae")
