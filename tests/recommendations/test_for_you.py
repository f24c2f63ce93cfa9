"""For you: dials act at once and say what they cost, filters are in the address, one slate."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import TasteSettings, User
from accounts.selectors import taste_of
from catalog.models import Movie
from feedback import services
from feedback.events import EventContext
from feedback.models import Slate, WatchlistEntry
from ml.explain import Tag
from recommendations.models import ModelVersion
from recommendations.reranking import context_of
from recommendations.selectors import recommendations_for
from recommendations.services.inference import recommendations_refresh
from recommendations.standing import standing_of
from recommendations.visits import shown_to

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def person(trained):
    user = User.objects.create_user("ada@example.org", "a-long-password")
    for film, stars in ((0, "5"), (1, "4.5"), (2, "4")):
        services.rating_set(
            user=user, movie=trained.films[0][film], stars=Decimal(stars), event=EventContext()
        )
    return User.objects.get(pk=user.pk)


@pytest.fixture
def reader(client, person):
    client.force_login(person)
    return client


def films_of(answer):
    return [int(pk) for pk in re.findall(r'data-movie="(\d+)"', answer.content.decode())]


def turn(reader, **positions):
    return reader.post("/for-you/dials/", positions, **HTMX)


def mean_year(films):
    years = Movie.objects.filter(pk__in=films).values_list("year", flat=True)
    return sum(years) / len(films)


def test_a_dial_acts_at_once_and_is_kept(reader, person):
    recommendations_refresh()  # a stored list of the dials as they stood
    before = films_of(reader.get("/for-you/"))
    answer = turn(reader, era="1")
    after = films_of(answer)
    assert mean_year(after) > mean_year(before)
    assert "<html" not in answer.content.decode()
    assert taste_of(person).era == 1.0
    assert films_of(reader.get("/for-you/")) == after


def test_the_middle_is_the_untouched_list(reader, person):
    before = recommendations_for(person, n=24)
    turn(reader, era="1", surprise="0.5")
    reader.post("/for-you/dials/", {"reset": "1"})
    person.refresh_from_db()
    after = recommendations_for(person, n=24)
    assert [f.movie_id for f in after.films] == [f.movie_id for f in before.films]
    assert [f.score for f in after.films] == [f.score for f in before.films]
    assert taste_of(person).era == 0.0


def test_without_a_script_the_form_posts_and_comes_back(reader):
    answer = reader.post("/for-you/dials/", {"surprise": "0.5", "query": "source=als&genre=crime"})
    assert (answer.status_code, answer["Location"]) == (302, "/for-you/?genre=crime&source=als")
    page = reader.get("/for-you/").content.decode()
    assert re.search(r'name="surprise"[^>]*value="0.5"|value="0.5"[^>]*name="surprise"', page)


@pytest.mark.parametrize("value", ["2", "-1.5", "much", "nan"])
def test_a_position_that_is_none_is_refused_and_nothing_is_kept(reader, value):
    assert turn(reader, era=value).status_code == 400
    assert not TasteSettings.objects.exists()


def test_a_visitors_dials_are_their_own(client, trained, person):
    assert client.post("/for-you/dials/", {"era": "1"}).status_code == 302
    settings = TasteSettings.objects.get()
    assert (settings.user.is_visitor, settings.era) == (True, 1.0)
    assert client.post("/for-you/dials/", {"era": "9"}).status_code == 400
    assert not TasteSettings.objects.filter(user=person).exists()


def test_the_cost_is_read_from_what_the_training_measured(reader):
    version = ModelVersion.objects.get(kind="hybrid", status="active")
    assert version.metrics["dials"]["n_people"] > 0
    version.metrics["dials"]["cost"]["era"]["1.0"] = 0.0317
    version.metrics["dials"]["cost"]["surprise"]["0.5"] = -0.2
    version.save(update_fields=["metrics"])
    assert "About 3 % less accurate on past ratings." in turn(reader, era="1").content.decode()
    said = turn(reader, surprise="0.5").content.decode()
    assert "As accurate on past ratings as without the dial." in said
    both = turn(reader, era="1", surprise="0.5").content.decode()
    assert "Familiar or surprising 0 %" in both
    assert "Era 3 %" in both


def test_the_settings_show_and_keep_the_dials(reader, person):
    turn(reader, length="-0.5")
    page = reader.get("/settings/").content.decode()
    assert 'name="length"' in page
    reader.post("/settings/", {"display_name": "", "length": "-0.5", "year_from": "1955"})
    taste = taste_of(person)
    assert (taste.length, taste.year_from) == (-0.5, 1955)


def test_filters_in_the_address_narrow_the_list(reader, trained):
    films = films_of(reader.get("/for-you/?genre=musical&decade=1950"))
    fitting = {m.pk for m in trained.films[1] if 1950 <= m.year <= 1959}
    assert films
    assert set(films) == fitting
    page = reader.get("/for-you/?genre=musical").content.decode()
    assert 'class="chip" href="/for-you/"' in page


def test_a_page_that_fetches_again_is_one_slate_and_new_films_get_places(reader, trained):
    page = reader.get("/for-you/")
    shown = films_of(page)
    slate = Slate.objects.get()
    url = re.search(r'hx-get="(/for-you/\?[^"]*slate=[^"]+)"', page.content.decode()).group(1)
    services.rating_set(
        user=User.objects.get(email="ada@example.org"),
        movie=Movie.objects.get(pk=shown[0]),
        stars=Decimal("5"),
        event=EventContext(),
    )
    again = films_of(reader.get(url, **HTMX))
    assert Slate.objects.count() == 1
    places = dict(slate.impressions.values_list("movie_id", "position"))
    assert set(places) == {*shown, *again}
    assert sorted(places.values()) == list(range(len(places)))
    assert [places[pk] for pk in shown] == list(range(len(shown)))


def test_a_slate_of_somebody_else_is_not_added_to(reader, trained):
    other = trained.crowds[0][0]
    slate = Slate.objects.create(user=other, surface="for_you", policy="hybrid")
    reader.get(f"/for-you/?slate={slate.pk}", **HTMX)
    assert slate.impressions.count() == 0
    assert Slate.objects.count() == 2


def back_dated(days):
    """All slates so far were shown that many days earlier."""
    for slate in Slate.objects.all():
        Slate.objects.filter(pk=slate.pk).update(created_at=slate.created_at - timedelta(days=days))


def test_the_next_visit_shows_other_films_and_a_reload_the_same(reader, person):
    first = films_of(reader.get("/for-you/"))
    assert films_of(reader.get("/for-you/")) == first
    back_dated(1)
    second = films_of(reader.get("/for-you/"))
    assert len(set(first[:10]) & set(second[:10])) <= 7
    assert second != first
    assert films_of(reader.get("/for-you/")) == second
    found = recommendations_for(person, n=10)
    sunk = [f for f in found.films for t in f.terms if t.name == "shown" and t.contribution < 0]
    assert all(f.movie_id in first for f in sunk)


def test_a_batch_list_of_an_earlier_visit_is_not_served(reader, person):
    recommendations_refresh()
    assert recommendations_for(person).is_stored
    reader.get("/for-you/")
    assert recommendations_for(person).is_stored
    back_dated(1)
    live = recommendations_for(person)
    assert not live.is_stored
    User.objects.filter(pk=person.pk).update(feedback_generation=person.feedback_generation + 1)
    recommendations_refresh()
    stored = recommendations_for(User.objects.get(pk=person.pk))
    assert stored.is_stored
    assert [f.movie_id for f in stored.films] == [f.movie_id for f in live.films]
    assert [f.score for f in stored.films] == pytest.approx([f.score for f in live.films], abs=1e-6)


def test_what_was_shown_counts_days_and_the_watchlist_is_pinned(reader, person):
    shown = films_of(reader.get("/for-you/"))
    reader.get("/for-you/")
    assert shown_to([person.pk]) == {}
    WatchlistEntry.objects.create(user=person, movie_id=shown[0])
    found = shown_to([person.pk], now=timezone.now() + timedelta(days=1))[person.pk]
    assert set(found.times.values()) == {1}
    assert found.last == set(shown)
    assert found.pinned == {shown[0]}
    assert context_of(person).shown.last_visit_on is None


def test_the_last_visit_is_found_without_walking_over_what_a_program_fetched(person):
    now = timezone.now()
    visit = now - timedelta(days=300)
    Slate.objects.create(user=person, surface="home", created_at=visit)
    Slate.objects.bulk_create(
        Slate(user=person, surface="api", created_at=now - timedelta(hours=26 + hour))
        for hour in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE feedback_slate")
    with CaptureQueriesContext(connection) as asked:
        found = standing_of(person, None, n=20, generation=0)
    assert found.last_visit_on == visit.astimezone(UTC).date()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {asked[0]['sql']}")
        plan = [line for (line,) in cursor.fetchall()]
        assert any("feedback_slate_visits" in line and "rows=1" in line for line in plan)
    standing_of(person, None, n=20, generation=0)
    with connection.cursor() as cursor:  # and where Postgres keeps one plan for all values
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(
            "SELECT name, cardinality(parameter_types) FROM pg_prepared_statements "
            "WHERE statement LIKE '%%accounts_tastesettings%%'",
            [],
        )
        (name, n_parameters), *_ = cursor.fetchall()
        nothing = ", ".join(["NULL"] * (n_parameters - 1))
        cursor.execute(f"EXPLAIN EXECUTE {name} ({person.pk}, {nothing})")
        plan = [line for (line,) in cursor.fetchall()]
    assert any("$1" in line for line in plan)
    assert any("feedback_slate_visits" in line for line in plan)


def test_a_reason_can_be_muted_and_told_again(reader, person):
    tagged = [card for card in reader.get("/for-you/").context["cards"] if card.tags]
    assert tagged
    for tag in Tag:
        reader.post("/reasons/mute/", {"reason": tag.value, "on": "1", "next": "/for-you/"})
    assert not any(card.tags for card in reader.get("/for-you/").context["cards"])
    for tag in Tag:
        reader.post("/reasons/mute/", {"reason": tag.value, "on": "0"})
    assert [c.movie.pk for c in reader.get("/for-you/").context["cards"] if c.tags] == [
        card.movie.pk for card in tagged
    ]
    assert reader.post("/reasons/mute/", {"reason": "magic", "on": "1"}).status_code == 400
