"""A person's list: theirs, current, explained, the same everywhere."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from feedback import services
from feedback.events import EventContext
from feedback.models import Impression, Reaction, Slate
from recommendations.models import ModelVersion, Recommendation
from recommendations.pipeline import UnknownSourceError
from recommendations.selectors import recommendations_for
from recommendations.services.inference import recommendations_refresh
from recommendations.snapshot import current_snapshot


@pytest.fixture
def person(db):
    return User.objects.create_user("ada@example.org", "a-long-password")


def rate(user, movie, stars):
    services.rating_set(user=user, movie=movie, stars=Decimal(stars), event=EventContext())
    user.refresh_from_db()


def ids(ranked):
    return [film.movie_id for film in ranked.films]


def test_a_few_ratings_find_the_persons_crowd(trained, person):
    musicals = trained.films[1]
    for film in musicals[:4]:
        rate(person, film, "5")
    found = ids(recommendations_for(person, n=10))
    assert len(found) == len(set(found)) == 10
    assert set(found) <= {film.pk for film in musicals[4:]}


@pytest.mark.parametrize("source", ["hybrid", "ease", "item_item", "als"])
def test_the_very_next_rating_changes_the_list_of_every_source(trained, person, source):
    rate(person, trained.films[0][0], "5")
    before = ids(recommendations_for(person, n=10, source=source))
    for film in trained.films[1][:3]:
        rate(person, film, "5")
    after = ids(recommendations_for(person, n=10, source=source))
    assert before != after
    assert {film.pk for film in trained.films[1][3:]} & set(after)


@pytest.mark.parametrize("kind", ["like", "dislike", "seen", "not_tonight", "never"])
def test_whatever_was_reacted_to_leaves_the_list(trained, person, kind):
    rate(person, trained.films[0][0], "5")
    top = trained.all_films[0].__class__.objects.get(pk=ids(recommendations_for(person))[0])
    services.reaction_set(user=person, movie=top, kind=Reaction.Kind(kind), event=EventContext())
    person.refresh_from_db()
    assert top.pk not in ids(recommendations_for(person, n=40))
    services.reaction_clear(user=person, movie=top, kind=Reaction.Kind(kind), event=EventContext())
    person.refresh_from_db()
    assert top.pk in ids(recommendations_for(person, n=40))


def test_a_film_that_an_editor_hides_is_gone_at_once(trained, person):
    rate(person, trained.films[0][0], "5")
    recommendations_refresh()
    top = ids(recommendations_for(person))[0]
    type(trained.all_films[0]).objects.filter(pk=top).update(is_hidden=True)
    assert top not in ids(recommendations_for(person, n=40))


def test_evidence_adds_up_to_the_score(trained, person):
    for crowd, film, stars in ((0, 0, "5"), (0, 3, "4"), (1, 2, "1"), (0, 5, "3.5")):
        rate(person, trained.films[crowd][film], stars)
    for source in ("hybrid", "ease", "item_item", "als"):
        ranked = recommendations_for(person, n=15, source=source)
        model = current_snapshot().source(source)
        assert model.is_personal
        explained = [film for film in ranked.films if film.evidence]
        assert explained
        for film in explained:
            total = film.baseline + sum(p.contribution for p in (*film.evidence, *film.terms))
            assert total == pytest.approx(film.score, abs=1e-6)


def test_always_n_films_and_the_fallback_is_named(trained, person):
    ranked = recommendations_for(person, n=20)
    assert len(ranked.films) == 20
    assert ranked.fallback == "popular"
    popular = sorted(trained.all_films, key=lambda m: m.pk)
    type(popular[0]).objects.in_order([f.movie_id for f in ranked.films])
    rate(person, trained.films[0][0], "5")
    everything = recommendations_for(person, n=100)
    assert len(everything.films) == len(trained.all_films) - 1


def test_without_any_model_there_are_popular_films(world, person):
    rate(person, world.films[0][0], "5")
    ranked = recommendations_for(person, n=10)
    assert (len(ranked.films), ranked.fallback, ranked.model_version) == (10, "popular", "")
    assert world.films[0][0].pk not in ids(ranked)


def test_the_stored_list_is_the_live_one_and_is_left_when_feedback_comes(trained, person):
    rate(person, trained.films[0][0], "5")
    live = recommendations_for(person, n=20)
    assert not live.is_stored
    assert recommendations_refresh() == 1
    stored = recommendations_for(person, n=20)
    assert stored.is_stored
    assert ids(stored) == ids(live)
    assert [f.score for f in stored.films] == pytest.approx([f.score for f in live.films])
    assert recommendations_refresh() == 0
    rate(person, trained.films[1][0], "5")
    assert not recommendations_for(person, n=20).is_stored
    assert recommendations_refresh() == 1
    assert Recommendation.objects.count() == 1


def test_page_api_and_command_show_the_same_list(trained, person, client, tmp_path):
    for film in trained.films[1][:3]:
        rate(person, film, "4.5")
    client.force_login(person)
    page = [card.movie.pk for card in client.get("/for-you/").context["cards"]]
    body = client.get("/api/v1/me/recommendations/?n=24").json()
    out = tmp_path / "list.json"
    call_command("recommend", "--user", "ADA@example.org", "--k", "24", "--json", str(out))
    command = json.loads(out.read_text())["results"]
    assert page == [film["movie_id"] for film in body["results"]]
    assert page == [film["movie_id"] for film in command]
    assert [f["reason"] for f in body["results"]] == [f["reason"] for f in command]


def test_the_command_says_what_is_wrong(trained, person):
    with pytest.raises(CommandError, match="Nobody is registered"):
        call_command("recommend", "--user", "nobody@example.org")
    with pytest.raises(CommandError, match="Known: hybrid"):
        call_command("recommend", "--user", person.email, "--source", "magic")
    with pytest.raises(CommandError, match="1 to 100"):
        call_command("recommend", "--user", person.email, "--k", "0")


def test_an_unknown_source_is_refused_by_name(trained, person, client):
    with pytest.raises(UnknownSourceError, match="Known: hybrid"):
        recommendations_for(person, source="magic")
    client.force_login(person)
    answer = client.get("/api/v1/me/recommendations/?source=magic")
    assert answer.status_code == 400
    assert "Known: hybrid" in answer.json()["error"]["fields"]["source"][0]
    page = client.get("/for-you/?source=magic")
    assert page.status_code == 200
    assert "Known: hybrid" in page.context["notice"]


def test_what_was_shown_is_logged_in_order(trained, person, client):
    rate(person, trained.films[0][0], "5")
    client.force_login(person)
    cards = client.get("/for-you/").context["cards"]
    slate = Slate.objects.get()
    assert (slate.surface, slate.user_id, slate.policy) == ("for_you", person.pk, "hybrid")
    assert slate.model_version == ModelVersion.objects.get().version
    shown = list(Impression.objects.order_by("position").values_list("movie_id", flat=True))
    assert shown == [card.movie.pk for card in cards]
    assert {str(card.request_id) for card in cards} == {str(slate.request_id)}


def test_the_api_is_for_oneself_only(trained, client):
    assert client.get("/api/v1/me/recommendations/").status_code == 401
