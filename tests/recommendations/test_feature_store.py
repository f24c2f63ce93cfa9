"""The feature store: the same numbers offline and online, and none from the future."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from feedback import services
from feedback.events import EventContext
from feedback.models import Rating, Reaction
from feedback.selectors import feedback_of, feedback_of_users
from ml.features import ITEM_FEATURES, USER_FEATURES
from recommendations.feature_store import (
    NoFeaturesError,
    build,
    latest,
    people_features,
    user_features_of,
)
from recommendations.tasks import build_features_task
from recommendations.training_data import LIVE_USER_OFFSET
from tests.worlds import START, make_film

SPLIT = START + timedelta(days=30)


@pytest.fixture(autouse=True)
def own_features(settings, tmp_path):
    settings.FEATURES_DIR = tmp_path / "features"


def offline(built, people):
    """Rows of the written table, in the order of ``people``."""
    table = built.table("user_features")
    rows = {row[0]: row[1:] for row in table.select("user_key", *USER_FEATURES).iter_rows()}
    return np.array([rows[LIVE_USER_OFFSET + user.pk] for user in people], dtype=np.float32)


def test_training_and_serving_see_one_history_alike_bit_for_bit(world):
    people = [*world.crowds[0][:20], *world.crowds[1][:20]]
    liker = people[0]
    for film, kind in zip(
        world.films[1][:2], (Reaction.Kind.LIKE, Reaction.Kind.DISLIKE), strict=True
    ):
        services.reaction_set(user=liker, movie=film, kind=kind, event=EventContext())
    unknown = make_film("Nobody else rated it")
    services.rating_set(user=liker, movie=unknown, stars=Decimal("5"), event=EventContext())
    built = build(as_of=START + timedelta(days=5000))
    found = feedback_of_users(people)
    now = np.full(len(people), built.as_of)
    online = people_features([found[user.pk] for user in people], built, now=now)
    assert online.dtype == np.float32
    assert online.tobytes() == offline(built, people).tobytes()
    assert len(np.unique(online[:, 0])) > 1


def test_nothing_from_the_split_date_on_is_in_any_table(world, capsys):
    call_command("build_features", "--as-of", SPLIT.isoformat())
    assert "item_features: " in capsys.readouterr().out
    whole = latest()
    tables = {name: whole.table(name) for name in ("user_features", "item_features")}
    priors = whole.table("genre_item_priors")
    assert Rating.objects.filter(updated_at__gte=SPLIT).count() > 500
    Rating.objects.filter(updated_at__gte=SPLIT).delete()
    cut = build(as_of=SPLIT)
    assert cut.folder != whole.folder
    for name, table in tables.items():
        assert table.equals(cut.table(name)), name
    assert priors.equals(cut.table("genre_item_priors"))
    assert tables["user_features"].height == len(Rating.objects.values("user_id").distinct())


def test_the_tables_hold_what_their_names_say(world):
    built = build()
    items = built.table("item_features")
    assert items.columns == ["movie_id", *ITEM_FEATURES]
    assert items["movie_id"].to_list() == sorted(film.pk for film in world.all_films)
    film = world.films[0][0]
    row = items.filter(pl.col("movie_id") == film.pk).row(0, named=True)
    assert row["item_interactions"] == pytest.approx(
        np.log1p(Rating.objects.filter(movie=film).count()), rel=1e-6
    )
    priors = built.table("genre_item_priors")
    sums = priors.group_by("genre").agg(pl.col("prior").sum()).sort("genre")
    assert sums["genre"].to_list() == ["Crime", "Musical"]
    assert sums["prior"].to_list() == pytest.approx([1.0, 1.0])
    crime = priors.filter(pl.col("genre") == "Crime")
    assert crime["rank"].to_list() == list(range(1, 25))
    assert crime["prior"].is_sorted(descending=True)


def test_feedback_since_the_build_counts_live(world, django_assert_num_queries):
    old, newcomer = world.crowds[0][0], User.objects.create_user("new@example.org", "a-password")
    built = build()
    before = user_features_of([old, newcomer])
    assert set(before) == {old.pk}
    assert before[old.pk].tobytes() == offline(built, [old])[0].tobytes()
    for user in (old, newcomer):
        services.rating_set(
            user=user, movie=world.films[1][5], stars=Decimal("5"), event=EventContext()
        )
    with django_assert_num_queries(2):
        after = user_features_of([old, newcomer, world.crowds[0][1]])
    assert set(after) == {old.pk, newcomer.pk, world.crowds[0][1].pk}
    count = USER_FEATURES.index("user_interactions")
    assert after[newcomer.pk][count] == pytest.approx(np.log1p(1))
    assert np.expm1(after[old.pk][count]) == pytest.approx(np.expm1(before[old.pk][count]) + 1)
    assert len(feedback_of(newcomer).history) == 1


def test_two_builds_are_kept_and_without_one_it_is_said(world, settings):
    with pytest.raises(NoFeaturesError, match="build_features"):
        latest()
    for _ in range(3):
        built = build()
    folders = sorted(folder.name for folder in settings.FEATURES_DIR.iterdir())
    assert len(folders) == 2
    assert built.folder.name == folders[-1] == latest().folder.name
    build_features_task()
    assert latest().folder.name > built.folder.name
    with pytest.raises(CommandError, match="is no date"):
        call_command("build_features", "--as-of", "yesterday")
