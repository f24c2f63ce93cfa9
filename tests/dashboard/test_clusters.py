"""Kinds of audience: planted crowds are found, stored, named, shown and counted."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import User
from dashboard.clusters.finding import ClustersBusyError, clusters_find
from dashboard.clusters.reading import kind_of, kind_of_person, newest
from dashboard.clusters.words import cluster_name, marks_of_key
from dashboard.models import Clustering, ClusterMember, ShownDay, TasteCluster
from dashboard.rollup.incremental import roll_up, roll_up_range
from dashboard.tasks import find_clusters_task
from feedback.models import Impression, Interaction, Rating, Slate
from ml.clusters import MIN_FILMS, MIN_PEOPLE, TooFewPeopleError, cluster_key
from recommendations.locks import advisory_lock
from recommendations.models import ScheduledRun
from recommendations.training_data import NoTrainingDataError
from tests.worlds import make_world

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.fixture
def world():
    return make_world()


@pytest.fixture
def found(world):
    return clusters_find(now=NOW)


def crowd_of(person):
    return int(person.email[len("crowd")])


def test_two_crowds_are_two_kinds_named_by_their_genres(world, found):
    assert found.n_people == 120
    of_crowd = {0: Counter(), 1: Counter()}
    for member in ClusterMember.objects.select_related("user", "cluster"):
        of_crowd[crowd_of(member.user)][member.cluster.marks[0]["value"]] += 1
    assert of_crowd == {0: Counter(Crime=60), 1: Counter(Musical=60)}
    rows = list(found.clusters.all())
    assert sum(row.n_people for row in rows) == 120
    assert rows[0].n_people >= rows[-1].n_people


def test_sittings_are_counted_from_the_same_ratings(world, found):
    # All of a person's ratings were given at one moment: a sitting each.
    assert found.figures["n_sittings"] == 120
    assert sum(found.figures["sizes"]) == 120
    sizes = Counter(Rating.objects.values_list("user_id", flat=True))
    assert found.figures["sizes"][4] == sum(10 < n <= 20 for n in sizes.values())


def test_unchanged_ratings_are_not_looked_at_again(world, found):
    assert clusters_find(now=NOW + timedelta(hours=6)).pk == found.pk
    again = clusters_find(now=NOW + timedelta(hours=6), is_forced=True)
    assert again.pk != found.pk
    assert Clustering.objects.count() == 1
    keys = sorted(again.clusters.values_list("key", flat=True))
    rating = Rating.objects.filter(stars=5).first()
    Rating.objects.filter(pk=rating.pk).update(stars=Decimal("4.5"))
    changed = clusters_find(now=NOW + timedelta(hours=12))
    assert changed.computed_at == NOW + timedelta(hours=12)
    assert sorted(changed.clusters.values_list("key", flat=True)) == keys


def test_one_looks_at_a_time(world):
    # The lock is a connection's: another thread's connection holds it.
    from concurrent.futures import ThreadPoolExecutor
    from threading import Event

    from django.db import connection

    held, done = Event(), Event()

    def hold():
        with advisory_lock("taste-clusters"):
            held.set()
            done.wait(30)
        connection.close()

    with ThreadPoolExecutor(1) as threads:
        holding = threads.submit(hold)
        assert held.wait(30)
        with pytest.raises(ClustersBusyError, match="try again in a minute"):
            clusters_find(now=NOW)
        done.set()
        holding.result()
    assert not Clustering.objects.exists()


def test_too_few_people_leave_no_clusters_behind(world, found):
    keep = [*world.crowds[0][: MIN_PEOPLE // 2], *world.crowds[1][: MIN_PEOPLE // 2 - 1]]
    Rating.objects.exclude(user__in=keep).delete()
    with pytest.raises(TooFewPeopleError, match=f"{MIN_PEOPLE - 1} people"):
        clusters_find(now=NOW)
    assert not Clustering.objects.exists()
    assert not ClusterMember.objects.exists()


def test_nothing_at_all_is_said(db):
    with pytest.raises(NoTrainingDataError):
        clusters_find(now=NOW)
    with pytest.raises(CommandError, match="no ratings to learn from"):
        call_command("find_clusters")


def test_command_and_beat(world, capsys):
    out = StringIO()
    call_command("find_clusters", stdout=out)
    assert "Crime" in out.getvalue()
    assert "120 people" in out.getvalue()
    find_clusters_task()
    outcome = ScheduledRun.objects.get(name="taste-clusters").outcome
    assert outcome == {"people": 120, "clusters": newest().clusters.count()}
    Rating.objects.all().delete()
    find_clusters_task()
    assert "no ratings" in ScheduledRun.objects.get(name="taste-clusters").outcome["said"]


def test_deleting_a_person_takes_the_membership_along(world, found):
    person = world.crowds[0][0]
    assert ClusterMember.objects.filter(user=person).exists()
    person.delete()
    assert not ClusterMember.objects.filter(user_id=person.pk).exists()
    assert TasteCluster.objects.count() == found.clusters.count()


class TestWhoIsNearest:
    def test_a_newcomer_belongs_by_what_they_like_now(self, world, found):
        liked = world.films[1][:MIN_FILMS]
        assert kind_of(liked, found).name.startswith("Musical")
        assert kind_of(world.films[0][:MIN_FILMS], found).name.startswith("Crime")
        assert kind_of(liked[:-1], found) is None  # too few

    def test_by_the_live_history(self, world, found):
        ada = User.objects.create_user("ada@example.org")
        for film in world.films[0][:MIN_FILMS]:
            Rating.objects.create(user=ada, movie=film, stars="4.5")
        for film in world.films[1][:9]:
            Rating.objects.create(user=ada, movie=film, stars="2.0")  # known, and not liked
        kind = kind_of_person(ada)
        assert kind.name.startswith("Crime")
        crime = next(trait for trait in kind.traits if trait.name == "Crime")
        assert crime.theirs > crime.usual

    def test_nobody_is_told_anything_without_clusters(self, world):
        assert kind_of_person(world.crowds[0][0]) is None


class TestNames:
    def test_genres_decades_fame_and_behaviour_in_the_readers_language(self):
        marks = [
            {"kind": "genre", "value": "Horror"},
            {"kind": "decade", "value": "1980"},
            {"kind": "fame", "value": "little known"},
            {"kind": "behaviour", "value": "many at once"},
        ]
        key = cluster_key([mark["value"] for mark in marks], number=0, taken=[])
        assert key == "Horror+1980+little known+many at once"
        name = cluster_name(marks, key=key)
        assert name == "Horror, 1980s, little-known films, many films at a sitting"
        with translation.override("de"):
            assert cluster_name(marks, key=key) != name

    def test_what_nothing_marks_and_what_is_alike(self):
        assert cluster_name([], key=cluster_key([], number=0, taken=[])) == "A bit of everything"
        marks = [{"kind": "decade", "value": "1980"}]
        assert cluster_name(marks, key=cluster_key(["1980"], number=0, taken=[])) == "1980s"
        assert marks_of_key("everybody") == []
        again = cluster_key(["1980"], number=2, taken=["1980"])
        assert (again, cluster_name(marks, key=again)) == ("1980+3", "1980s (3)")

    def test_a_key_alone_says_the_same_as_its_marks(self):
        for values in (["Horror", "1980", "little known"], ["Sci-Fi"], ["1980"], []):
            for taken in ([], ["+".join(values) or "everybody"]):
                key = cluster_key(values, number=2, taken=taken)
                marks = marks_of_key(key)
                assert [mark["value"] for mark in marks] == values
                assert cluster_name(marks, key=key).endswith(" (3)") == bool(taken)


@pytest.fixture
def shown(world, found):
    """Three lists of two films for crime people, one for a musical person; answers to some."""
    crime, musical = world.crowds[0][:2], world.crowds[1][0]
    for person, films in (
        (crime[0], world.films[0][:2]),
        (crime[0], world.films[0][2:4]),
        (crime[1], world.films[1][:2]),
        (musical, world.films[1][:2]),
    ):
        slate = Slate.objects.create(user=person, surface="home", policy="hybrid", created_at=NOW)
        Impression.objects.bulk_create(
            Impression(slate=slate, movie=film, position=i, source="hybrid", score=1.0)
            for i, film in enumerate(films)
        )
        value = "4.5" if person != crime[1] else "2.0"
        for film in (films[0], world.films[0][20]):  # the second was not in the list
            Interaction.objects.create(
                event_id=uuid.uuid4(),
                user=person,
                movie=film,
                kind="rate",
                value=value,
                request_id=slate.pk,
                created_at=NOW + timedelta(minutes=1),
            )
    return found


def test_lists_and_answers_are_counted_by_kind_and_a_recount_agrees(world, shown):
    roll_up(now=NOW + timedelta(hours=1))
    slices = ShownDay.objects.get().slices
    by_genre = {
        name.removeprefix("taste ").partition("+")[0]: counts
        for name, counts in slices.items()
        if name.startswith("taste ")
    }
    assert by_genre == {
        "Crime": {"lists": 3, "impressions": 6, "opinions": 3, "positive": 2},
        "Musical": {"lists": 1, "impressions": 2, "opinions": 1, "positive": 1},
    }
    roll_up_range(None, None, now=NOW + timedelta(hours=1))
    assert ShownDay.objects.get().slices == slices


class TestPages:
    def test_staff_see_kinds_and_how_lists_fare(self, staff_client, world):
        clusters_find(now=timezone.now())
        page = staff_client.get(reverse("dashboard:staff_clusters"))
        html = page.content.decode()
        names = [row.name for row in page.context["page"].rows]
        assert any(name.startswith("Crime") for name in names)
        assert sum(row.n_accounts for row in page.context["page"].rows) == 120
        assert all(name in html for name in names)
        assert 'href="/staff/clusters/" aria-current="page"' in html
        sittings = page.context["page"].sittings.rows
        assert sum(row.n for row in sittings) == 120
        assert [row.name for row in sittings] == [
            name
            for name in ("6 to 10 films", "11 to 20 films", "21 to 50 films")
            if name in {row.name for row in sittings}
        ]

    def test_by_kind_on_the_lists_page(self, staff_client, shown, world, monkeypatch):
        roll_up_range(NOW.date(), NOW.date(), now=NOW)
        monkeypatch.setattr(timezone, "now", lambda: NOW)
        lists = staff_client.get(reverse("dashboard:staff_shown")).context["page"]
        kinds = {row.name.partition(",")[0]: (row.lists, row.positive) for row in lists.kinds}
        assert kinds == {
            "Crime": (3, "67 % (21 % to 94 %)"),  # two of three opinions
            "Musical": (1, "100 % (21 % to 100 %)"),
        }

    def test_without_any_it_says_what_it_takes(self, staff_client, db):
        html = staff_client.get(reverse("dashboard:staff_clusters")).content.decode()
        assert "manage.py find_clusters" in html
        assert f"{MIN_PEOPLE} people with {MIN_FILMS} liked films" in html

    def test_my_taste_names_my_kind(self, client, world, found):
        person = world.crowds[1][0]
        client.force_login(person)
        html = client.get("/me/taste/").content.decode()
        assert "People with a taste like yours" in html
        assert kind_of_person(person).name in html
