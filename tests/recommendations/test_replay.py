"""Every stored list can be made again, or it is said why not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from accounts.services import Taste, taste_settings_set
from catalog.models import Movie
from feedback import services
from feedback.events import EventContext
from feedback.models import Impression, Rating, Reaction, Slate
from feedback.past import PastUnknownError, feedback_at
from feedback.selectors import feedback_of
from recommendations import replay as replaying
from recommendations.models import ModelVersion
from recommendations.replay import NotReproducibleError, replay
from recommendations.services.inference import recommendations_refresh
from recommendations.services.training import train


@pytest.fixture
def person(trained, client):
    user = User.objects.create_user("ada@example.org", "a-long-password")
    for film in trained.films[0][:4]:
        rate(user, film, "4.5")
    client.force_login(user)
    return user


def rate(user, movie, stars):
    services.rating_set(user=user, movie=movie, stars=Decimal(stars), event=EventContext())
    user.refresh_from_db()


def react(user, movie, kind):
    services.reaction_set(user=user, movie=movie, kind=kind, event=EventContext())
    user.refresh_from_db()


def shown(client, source="hybrid"):
    answer = client.get(f"/api/v1/me/recommendations/?n=12&source={source}")
    return Slate.objects.get(pk=answer.json()["request_id"])


@pytest.mark.parametrize("source", ["hybrid", "als", "edlae_recent", "popularity"])
def test_a_list_is_made_again_whatever_the_person_did_since(person, trained, client, source):
    slate = shown(client, source)
    rate(person, trained.films[1][0], "5")
    rate(person, trained.films[0][0], "1")  # written over
    services.rating_clear(user=person, movie=trained.films[0][1], event=EventContext())
    for film, kind in zip(trained.films[1][3:], Reaction.Kind, strict=False):
        react(person, film, kind)
    react(person, trained.films[0][2], Reaction.Kind.MUTED)
    assert [i.movie_id for i in Impression.objects.filter(slate=shown(client, source))] != [
        i.movie_id for i in Impression.objects.filter(slate=slate)
    ]
    found = replay(slate)
    assert found.is_same
    assert (len(found.places), found.n_filled) == (12, 0)
    assert found.worst <= 1e-6


def test_a_stored_list_and_a_page_are_made_again_too(person, client, capsys):
    client.get("/for-you/")
    client.get("/")
    recommendations_refresh()
    client.get("/for-you/")
    assert [s.context["is_stored"] for s in Slate.objects.order_by("created_at")][-1] is True
    call_command("replay", "--latest", "10")
    said = capsys.readouterr().out
    assert f"identical: {Slate.objects.count()}/{Slate.objects.count()} " in said


def test_a_list_of_an_earlier_version_is_made_by_that_version(person, trained, client, settings):
    slate = shown(client)
    Rating.objects.filter(user__email__startswith="crowd1")[0].delete()
    train()
    newer = shown(client)
    assert newer.model_version != slate.model_version
    assert replay(slate).is_same
    assert replay(newer).is_same
    ModelVersion.objects.filter(version=slate.model_version).delete()
    with pytest.raises(NotReproducibleError, match="no longer kept"):
        replay(slate)
    with pytest.raises(CommandError, match="Not reproducible: Model version .* is no longer kept"):
        call_command("replay", str(slate.pk))


def test_many_lists_read_each_version_once_and_keep_a_few(person, trained, client, monkeypatch):
    slates = [shown(client), shown(client, "als")]
    Rating.objects.filter(user__email__startswith="crowd1")[0].delete()
    train()
    slates.append(shown(client))
    read = []
    original = replaying.load_snapshot

    def load_snapshot(version):
        read.append(version.version)
        return original(version)

    monkeypatch.setattr(replaying, "load_snapshot", load_snapshot)
    versions = replaying.Versions()
    assert all(replay(slate, versions).is_same for slate in slates * 2)
    assert read == [slates[0].model_version, slates[2].model_version]
    monkeypatch.setattr(replaying.Versions, "N_KEPT", 1)
    assert all(replay(slate, versions).is_same for slate in (slates[0], slates[2], slates[0]))
    assert len(read) == 4  # the first was still there


def test_another_score_or_another_film_is_found_out(person, client, capsys):
    slate = shown(client)
    call_command("replay", str(slate.pk))
    assert "12 of 12 places are the same" in capsys.readouterr().out
    first = Impression.objects.get(slate=slate, position=0)
    Impression.objects.filter(pk=first.pk).update(score=first.score + 2e-6)
    assert [place.is_same for place in replay(slate).places] == [False] + [True] * 11
    with pytest.raises(CommandError, match="1 of 12 places differ"):
        call_command("replay", str(slate.pk))
    with pytest.raises(CommandError, match=f"1 differ, such as {slate.pk}"):
        call_command("replay")


def test_limits_that_changed_are_said_and_not_guessed(person, trained, client):
    slate = shown(client)
    taste_settings_set(person, Taste(year_from=1960))
    with pytest.raises(NotReproducibleError, match="limits"):
        replay(slate)
    taste_settings_set(person, Taste())
    assert replay(slate).is_same
    Movie.objects.filter(pk=trained.films[1][7].pk).update(is_hidden=True)
    with pytest.raises(NotReproducibleError, match="editor"):
        replay(slate)


def test_feedback_that_left_no_trace_is_said(person, trained, client):
    slate = shown(client)
    Rating.objects.filter(user=person, movie=trained.films[0][0]).delete()
    with pytest.raises(NotReproducibleError, match="gone without a log entry"):
        replay(slate)


def test_lists_that_no_model_made_have_nothing_to_compare(trained, client):
    newcomer = User.objects.create_user("eve@example.org", "a-long-password")
    client.force_login(newcomer)
    slate = shown(client)
    found = replay(slate)
    assert (found.places, found.n_filled) == ((), 12)
    with pytest.raises(CommandError, match="no list of a model"):
        call_command("replay")
    with pytest.raises(CommandError, match="no slate"):
        call_command("replay", "00000000-0000-0000-0000-000000000000")
    with pytest.raises(CommandError, match="no request id"):
        call_command("replay", "x")


def test_the_past_is_the_present_that_was(person, trained):
    """After every event the state is read; later each of them is found again from the log."""
    films = trained.films[1]
    steps = [
        lambda: rate(person, films[0], "5"),
        lambda: react(person, films[1], Reaction.Kind.LIKE),
        lambda: react(person, films[1], Reaction.Kind.DISLIKE),
        lambda: react(person, films[2], Reaction.Kind.NOT_TONIGHT),
        lambda: rate(person, films[1], "2"),
        lambda: rate(person, films[0], "3"),
        lambda: react(person, films[0], Reaction.Kind.MUTED),
        lambda: services.rating_clear(user=person, movie=films[1], event=EventContext()),
        lambda: services.reaction_clear(
            user=person, movie=films[0], kind=Reaction.Kind.MUTED, event=EventContext()
        ),
        lambda: rate(person, films[1], "4"),
    ]
    states = [feedback_of(person)]
    for step in steps:
        step()
        person.refresh_from_db()
        states.append(feedback_of(person))
    for then in states:
        found = feedback_at(person, moment=then.read_at, generation=then.generation)
        assert [(e.movie_id, e.stars, e.kind) for e in found.history] == [
            (e.movie_id, e.stars, e.kind) for e in then.history
        ]
        assert (found.hidden_ids, found.muted_ids) == (then.hidden_ids, then.muted_ids)
        assert (found.generation, found.read_at) == (then.generation, then.read_at)


def test_ratings_loaded_in_bulk_are_part_of_the_past_from_when_they_were_given(trained):
    member = trained.crowds[0][0]
    whole = feedback_of(member)
    now = feedback_at(member, moment=timezone.now(), generation=0)
    assert now.history == whole.history
    first = min(event.at for event in whole.history)
    before = feedback_at(member, moment=first - timedelta(seconds=1), generation=0)
    assert before.history == ()
    Rating.objects.filter(user=member, movie_id=whole.history[0].movie_id).update(
        updated_at=timezone.now()
    )
    with pytest.raises(PastUnknownError, match="rated anew"):
        feedback_at(member, moment=first + timedelta(days=1), generation=0)
