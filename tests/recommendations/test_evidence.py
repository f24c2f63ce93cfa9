"""What is said of a list is true, and the commands that prove it find what is not."""

from __future__ import annotations

import io
import uuid
from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from feedback import services
from feedback.events import EventContext
from feedback.models import Rating, Reaction
from feedback.selectors import feedback_of, film_states
from recommendations import evidence_checks, selectors
from recommendations.counterfactuals import sole_cause_ids
from recommendations.evidence_columns import unpacked
from recommendations.models import Recommendation
from recommendations.reranking import PLAIN
from recommendations.selectors import recommendations_for
from recommendations.services.inference import recommendations_refresh
from recommendations.snapshot import current_snapshot
from recommendations.training_data import training_data


@pytest.fixture
def person(db):
    return User.objects.create_user("ada@example.org", "a-long-password")


def rate(user, movie, stars):
    services.rating_set(user=user, movie=movie, stars=Decimal(stars), event=EventContext())
    user.refresh_from_db()


def mute(user, movie, *, is_on=True):
    act = services.reaction_set if is_on else services.reaction_clear
    act(user=user, movie=movie, kind=Reaction.Kind.MUTED, event=EventContext())
    user.refresh_from_db()


def ids(ranked):
    return [film.movie_id for film in ranked.films]


def said(*command):
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def test_a_muted_film_keeps_its_stars_and_teaches_nothing(trained, person):
    crime, musicals = trained.films
    for film in musicals[:3]:
        rate(person, film, "5")
    without = recommendations_for(person, n=15)
    rate(person, crime[0], "5")
    with_it = recommendations_for(person, n=15)
    mute(person, crime[0])
    muted = recommendations_for(person, n=15)
    assert ids(muted) != ids(with_it)
    expected = [f for f in without.films if f.movie_id != crime[0].pk]
    assert ids(muted)[: len(expected)] == [f.movie_id for f in expected]
    assert crime[0].pk not in ids(recommendations_for(person, n=100))
    assert Rating.objects.get(user=person, movie=crime[0]).stars == 5
    state = film_states(user=person, movie_ids=[crime[0].pk])[crime[0].pk]
    assert (state.stars, state.is_muted) == (5, True)
    mute(person, crime[0], is_on=False)
    assert ids(recommendations_for(person, n=15)) == ids(with_it)


def test_training_does_not_learn_from_a_muted_film_either(world, person):
    rate(person, world.films[0][0], "5")
    rate(person, world.films[0][1], "4")
    before = len(training_data().dataset.interactions)
    mute(person, world.films[0][0])
    assert len(training_data().dataset.interactions) == before - 1


def test_a_mute_without_anything_to_mute_hides_nothing(trained, person):
    rate(person, trained.films[0][1], "5")
    mute(person, trained.films[0][0])
    assert trained.films[0][0].pk in ids(recommendations_for(person, n=100))


def test_the_film_page_offers_it_once_there_is_something_to_learn(trained, person, client):
    film = trained.films[0][0]
    client.force_login(person)
    actions, button = f"/films/{film.pk}/actions/", f'id="film-muted-{film.pk}"'
    assert button not in client.get(actions).content.decode()
    rate(person, film, "5")
    assert button in client.get(actions).content.decode()
    answer = client.post(
        f"/films/{film.pk}/react/",
        {"kind": "muted", "on": "1", "event_id": str(uuid.uuid4()), "next": "/for-you/"},
        follow=True,
    )
    assert "no longer learn from Crime Film 0" in answer.content.decode()
    assert feedback_of(person).history == ()
    page = client.get(actions).content.decode()
    assert (
        f'{button} name="kind" value="muted" form="film-off-{film.pk}" aria-pressed="true"' in page
    )


@pytest.mark.parametrize("source", ["hybrid", "edlae", "als"])
def test_check_evidence_over_fresh_and_stored_lists(trained, source):
    for user in trained.crowds[0][:4]:
        rate(user, trained.films[1][0], "4")  # the generation of bulk-made people is 0
    recommendations_refresh(sources=(source,))
    stored = Recommendation.objects.all()
    assert len(stored) == 4
    films = [
        unpacked(row.evidence, movie_ids=row.movie_ids, scores=row.scores, source=source)
        for row in stored
    ]
    assert min(len(of_person[0].evidence) for of_person in films) == 8
    out = said("check_evidence", "--users", "200", "--source", source)
    assert "People: 120" in out
    assert "(100.00%)" in out
    assert "stored lists: 4" in out


def test_check_evidence_finds_a_part_that_is_missing(trained, monkeypatch):
    honest = selectors.recommend_many

    def lossy(*args, **kwargs):
        return [
            replace(r, films=tuple(replace(f, evidence=f.evidence[:3]) for f in r.films))
            for r in honest(*args, **kwargs)
        ]

    monkeypatch.setattr(selectors, "recommend_many", lossy)
    with pytest.raises(CommandError, match="are false"):
        said("check_evidence", "--users", "3")


def test_check_influence_and_its_changes_are_rolled_back(trained):
    before = list(Rating.objects.order_by("pk").values())
    out = said("check_influence", "--users", "12")
    assert "12 of 12 (100.00%)" in out
    assert "lists that changed" in out
    assert list(Rating.objects.order_by("pk").values()) == before
    assert not Reaction.objects.exists()


def test_check_influence_finds_a_mute_that_does_nothing(trained, monkeypatch):
    monkeypatch.setattr(evidence_checks, "_mute", lambda user, movie_id: None)
    with pytest.raises(CommandError, match="not like deleting"):
        said("check_influence", "--users", "5")


def test_a_sole_cause_is_one_and_other_ratings_are_none(trained, person):
    crime, musicals = trained.films
    for film in crime[:3]:
        rate(person, film, "5")
    rate(person, musicals[0], "5")
    feedback = feedback_of(person)
    shown = ids(recommendations_for(person, n=20))
    causes = {
        film: sole_cause_ids(
            feedback,
            [event.movie_id for event in feedback.history],
            snapshot=current_snapshot(),
            movie_id=film,
            barred=frozenset(),
            context=PLAIN,
        )
        for film in shown
    }
    claimed = [(film, cause) for film, found in causes.items() for cause in found]
    assert claimed
    for film, cause in claimed:
        mute(person, type(crime[0]).objects.get(pk=cause))
        assert film not in ids(recommendations_for(person, n=20))
        mute(person, type(crime[0]).objects.get(pk=cause), is_on=False)
    last = ids(recommendations_for(person, n=100))[-1]
    assert not sole_cause_ids(
        feedback,
        [crime[0].pk],
        snapshot=current_snapshot(),
        movie_id=last,
        barred=frozenset(),
        context=PLAIN,
    )


def test_check_counterfactuals_holds_and_finds_a_false_claim(trained, person, monkeypatch):
    for film in trained.films[0][:2]:
        rate(person, film, "5")
    rate(person, trained.films[1][0], "5")
    User.objects.exclude(pk=person.pk).filter(pk__gt=trained.crowds[0][5].pk).update(
        is_active=False
    )
    assert "(100.00%)" in said("check_counterfactuals", "--users", "20")
    monkeypatch.setattr(
        evidence_checks, "sole_cause_ids", lambda person, tried, **kwargs: tuple(tried)
    )
    with pytest.raises(CommandError, match="stays without film"):
        said("check_counterfactuals", "--users", "20")


def test_checks_of_nothing_do_not_pass(db):
    with pytest.raises(CommandError, match="no model yet"):
        said("check_evidence")


def test_recommend_explain_prints_every_part(trained, person):
    for film in trained.films[0][:4]:
        rate(person, film, "5")
    out = said("recommend", "--user", person.email, "--k", "2", "--explain")
    top = recommendations_for(person, n=2).films[0]
    assert f"{top.total:.6f}" in out
    assert f"{top.baseline:+.6f}" in out
    for part in top.evidence:
        assert f"{part.contribution:+.6f}" in out
