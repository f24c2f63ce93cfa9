"""Each tag is shown where it is true, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.utils import timezone

from accounts.models import User
from catalog.shelf import film_facts
from feedback import services
from feedback.events import EventContext
from feedback.models import Rating
from feedback.selectors import feedback_of
from ml.explain import GENRE_MATCH, WATCHED_SHARE, Tag
from recommendations.models import TrendingWindow
from recommendations.ranked import EvidencePart, RankedFilm, SourcePart
from recommendations.reasons import tag_texts
from recommendations.reranking import context_of, liked_films
from recommendations.selectors import lists_without, recommendations_for
from recommendations.snapshot import current_snapshot
from recommendations.tags import collaborative_share, tags_of


@pytest.fixture
def person(trained):
    user = User.objects.create_user("ada@example.org", "a-long-password")
    for crowd, film, stars in ((0, 0, "5"), (0, 1, "4.5"), (1, 0, "4")):
        services.rating_set(
            user=user, movie=trained.films[crowd][film], stars=Decimal(stars), event=EventContext()
        )
    return User.objects.get(pk=user.pk)


def age(person, days):
    """All ratings were given that many days earlier."""
    for rating in Rating.objects.filter(user=person):
        at = rating.updated_at - timedelta(days=days)
        Rating.objects.filter(pk=rating.pk).update(updated_at=at)


def tagged(person, *, muted=()):
    ranked = recommendations_for(person, n=24)
    found = tags_of(
        ranked,
        feedback_of(person),
        snapshot=current_snapshot(),
        barred=frozenset(),
        context=context_of(person),
        muted=muted,
    )
    return ranked, found


ALL = set(Tag)


def only(tag):
    """Every other tag muted: at most two are shown, and this test is about one."""
    return tuple(other.value for other in ALL - {tag})


def test_trending_now_is_in_the_window(person):
    first = recommendations_for(person, n=3).films
    TrendingWindow.objects.create(days=7, movie_ids=[first[1].movie_id])
    _, found = tagged(person, muted=only(Tag.TRENDING_NOW))
    assert [pk for pk, tags in found.items() if tags] == [first[1].movie_id]


def test_because_you_watched_names_the_film_with_the_share(person):
    ranked, found = tagged(person, muted=only(Tag.BECAUSE_WATCHED))
    said = {pk for pk, tags in found.items() if tags}
    assert said == {
        f.movie_id for f in ranked.films if f.evidence and f.evidence[0].share >= WATCHED_SHARE
    }
    film = next(f for f in ranked.films if f.movie_id in said)
    titles = {film.evidence[0].movie_id: "Heat"}
    assert tag_texts(film, [Tag.BECAUSE_WATCHED], titles) == ("Because you watched Heat",)
    assert tag_texts(film, [Tag.BECAUSE_WATCHED], {}) == ()


def test_matches_your_genres_covers_half_of_the_mix(person):
    ranked, found = tagged(person, muted=only(Tag.MATCHES_GENRES))
    history = feedback_of(person)
    liked = liked_films(history)
    facts = film_facts([pk for pk, _ in liked] + [f.movie_id for f in ranked.films])
    genres = {pk: np.flatnonzero(facts.multi_hot([pk])[0]) for pk in facts.films.ids.tolist()}
    weight = {}
    for pk, w in liked:
        for genre in genres[pk]:
            weight[genre] = weight.get(genre, 0.0) + w / len(genres[pk])
    total = sum(weight.values())
    expected = {
        f.movie_id
        for f in ranked.films
        if f.score is not None
        and sum(weight.get(g, 0.0) for g in genres[f.movie_id]) / total >= GENRE_MATCH
    }
    assert {pk for pk, tags in found.items() if tags} == expected
    assert 0 < len(expected) < len(ranked.films)


def test_boosted_by_your_likes_is_recomputed(person):
    age(person, 3)
    _, before = tagged(person, muted=only(Tag.BOOSTED_BY_LIKES))
    assert not any(before.values())
    first = Rating.objects.filter(user=person).order_by("pk").first()
    Rating.objects.filter(pk=first.pk).update(updated_at=timezone.now())
    ranked, found = tagged(person, muted=only(Tag.BOOSTED_BY_LIKES))
    _, (without,) = lists_without(
        feedback_of(person),
        [first.movie_id],
        snapshot=current_snapshot(),
        barred=frozenset(),
        context=context_of(person),
        n=100,
    )
    places = {f.movie_id: at for at, f in enumerate(without.films) if f.score is not None}
    expected = {
        f.movie_id
        for at, f in enumerate(ranked.films)
        if f.score is not None and places.get(f.movie_id, 10_000) > at
    }
    assert {pk for pk, tags in found.items() if tags} == expected
    assert expected


def test_similar_to_your_taste_is_for_what_people_alike_say():
    evidence = (EvidencePart(1, 1.0, 0.9),)
    blend = RankedFilm(2, "hybrid", evidence=evidence)
    mostly = replace(blend, by_source=(SourcePart("als", 3.0), SourcePart("popularity", 1.0)))
    hardly = replace(blend, by_source=(SourcePart("als", 1.0), SourcePart("popularity", 3.0)))
    assert (collaborative_share(mostly), collaborative_share(hardly)) == (0.75, 0.25)
    assert collaborative_share(RankedFilm(2, "als", evidence=evidence)) == 1.0
    assert collaborative_share(RankedFilm(2, "popularity")) == 0.0


def test_at_most_two_and_never_for_a_film_that_filled_a_place(person):
    ranked, found = tagged(person)
    assert max(len(tags) for tags in found.values()) == 2
    filled = [f.movie_id for f in ranked.films if f.score is None]
    assert not any(set(found[pk]) - {Tag.TRENDING_NOW} for pk in filled)
