"""The staff pages: who may see them, that their figures are those of the roll-ups, few queries."""

from __future__ import annotations

import csv
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from dashboard.models import FeedbackDay, ShownDay, StageHour
from dashboard.rollup.incremental import roll_up
from dashboard.staff.periods import period_of
from dashboard.staff.quality import MIN_PEOPLE, measurements_of
from feedback import services
from feedback.events import EventContext
from feedback.models import Slate
from recommendations.models import DriftCheck, ModelVersion, ScheduledRun, TrainingRun
from recommendations.services.measuring import NotMeasurableError, version_measure
from recommendations.services.training import train
from tests.worlds import make_film, make_world

PAGES = (
    *("staff", "staff_feedback", "staff_shown", "staff_pipeline", "staff_models"),
    *("staff_clusters", "status"),
)


def address(name, *args):
    return reverse(f"dashboard:{name}", args=args)


@pytest.fixture
def world(db):
    return make_world()


@pytest.fixture
def trained(world):
    run = train()
    assert run.status == TrainingRun.Status.DONE, run.error
    return world


@pytest.fixture
def used(trained, client):
    """A person who was shown two lists and answered the first."""
    ada = User.objects.create_user("ada@example.org", "a-long-password")
    client.force_login(ada)
    first = client.get("/api/v1/me/recommendations/?n=12").json()
    for place, stars in enumerate(("5", "4", "1")):
        services.rating_set(
            user=ada,
            movie=trained.all_films[place],
            stars=Decimal(stars),
            event=EventContext(),
        )
    client.get("/api/v1/me/recommendations/?n=12")
    roll_up(now=timezone.now())
    return first


class TestWhoMaySee:
    @pytest.mark.parametrize("name", PAGES)
    def test_strangers_are_asked_to_log_in_and_people_are_told_nothing(self, client, db, name):
        answer = client.get(address(name))
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")
        client.force_login(User.objects.create_user("ada@example.org"))
        assert client.get(address(name)).status_code == 404

    @pytest.mark.parametrize("name", PAGES)
    def test_staff_see_it_empty_and_no_cache_keeps_it(self, staff_client, name):
        answer = staff_client.get(address(name))
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]
        assert ">None<" not in answer.content.decode()

    @pytest.mark.parametrize("name", PAGES)
    def test_looking_is_all_that_can_be_done(self, staff_client, name):
        assert staff_client.post(address(name)).status_code == 405

    def test_a_live_part_leads_to_the_log_in_as_a_page(self, client, db):
        answer = client.get(address("staff_models"), headers={"HX-Request": "true"})
        assert (answer.status_code, answer["HX-Redirect"]) == (204, "/accounts/login/")

    def test_the_way_there_is_shown_to_staff_only(self, staff_client, client, db):
        assert 'href="/staff/"' in staff_client.get("/about/").content.decode()
        client.force_login(User.objects.create_user("ada@example.org"))
        assert 'href="/staff/"' not in client.get("/about/").content.decode()


@pytest.mark.parametrize(
    ("raw", "n_days"), [("7", 7), ("365", 365), ("8", 28), ("x", 28), ("", 28), ("٧", 28)]
)
def test_only_times_that_are_offered_can_be_asked_for(raw, n_days):
    assert period_of(raw, now=timezone.now()).n_days == n_days


def test_pages_say_what_the_roll_ups_counted(used, staff_client):
    feedback = staff_client.get(address("staff_feedback")).context["page"]
    texts = {tile.label: tile.text for tile in feedback.tiles}
    assert texts["Feedback entries"] == "3"
    assert texts["Positive rate"] == "67 %"
    notes = {tile.label: tile.note for tile in feedback.tiles}
    assert notes["Positive rate"] == "of 3 opinions"
    assert notes["Feedback entries"] == ""  # the log began in this time: nothing before to compare
    lists = staff_client.get(address("staff_shown")).context["page"]
    texts = {tile.label: tile.text for tile in lists.tiles}
    assert texts["Lists shown"] == "2"
    assert texts["Lists for strangers"] == "50 %"
    assert [row.lists for row in lists.people] == [1, 1, 0, 0]
    day = ShownDay.objects.get()
    assert sum(row.impressions for row in lists.people) == day.n_impressions == 24


def test_a_figure_is_compared_with_a_whole_time_before_or_with_none(db, staff_client):
    today = timezone.now().date()

    def tiles():
        page = staff_client.get(address("staff_feedback") + "?days=7").context["page"]
        return {tile.label: (tile.text, tile.note) for tile in page.tiles}

    for ago, n in ((0, 40), (8, 10)):
        FeedbackDay.objects.create(
            day=today - timedelta(days=ago), n_events=n, n_people=2, n_opinions=n, n_positive=n // 5
        )
    assert tiles()["Feedback entries"] == ("40", "")  # six of seven days had no log yet
    FeedbackDay.objects.create(day=today - timedelta(days=13), n_events=2, n_people=1, n_opinions=2)
    found = tiles()
    assert found["Feedback entries"] == ("40", "12 in the time before")
    assert found["Positive rate"] == ("20 %", "of 40 opinions; 17 % of 12 in the time before")
    page = staff_client.get(address("staff_feedback") + "?days=7").context["page"]
    moments = [moment for moment, _cells in page.plots[0].rows]
    assert f"{today} so far" in moments
    assert f"{today}" not in moments


def test_a_slice_of_a_few_rows_has_no_interval(db):
    """One person's bootstrap has no width, however many rows: shown, it would look certain."""
    values = {"mean": 0.5, "lo": 0.5, "hi": 0.5}
    slices = {
        name: {"n": {"mean": 500.0}, "people": {"mean": float(n)}, "ndcg@100": values}
        for name, n in (("rare", MIN_PEOPLE - 1), ("popular", MIN_PEOPLE))
    }
    metrics = {"protocol": "strong", "models": {"hybrid": {}}, "slices": slices}
    [found] = measurements_of(ModelVersion(kind="hybrid", version="v", metrics=metrics))
    assert [part.interval.text for part in found.slices] == ["0.500", "0.500 [0.500, 0.500]"]
    assert [(part.n, part.n_people) for part in found.slices] == [(500, 9), (500, 10)]


def test_the_pipeline_page_tells_stages_and_what_was_left_out(used, staff_client):
    ShownDay.objects.update(counts={"skipped": {"als: failed: ValueError": 3}})
    page = staff_client.get(address("staff_pipeline")).context["page"]
    assert [row.name for row in page.stages][-1] == "together"
    assert {"ranking", "re-ranking", "explanation"} <= {row.name for row in page.stages}
    assert [(row.name, row.n) for row in page.skipped.rows] == [("als: failed: ValueError", 3)]


def test_the_live_part_comes_alone(used, staff_client):
    html = staff_client.get(address("staff_pipeline"), headers={"HX-Request": "true"}).content
    assert html.decode().lstrip().startswith('<section id="now"')


def test_what_is_late_or_failed_stands_on_the_first_page(staff_client):
    now = timezone.now()
    ScheduledRun.objects.create(
        name="check-drift",
        started_at=now - timedelta(hours=3),
        finished_at=now - timedelta(hours=3),
        outcome={"error": "ValueError: no"},
    )
    html = staff_client.get(address("staff")).content.decode()
    assert "Late by the clock: check-drift." in html
    assert "Failed the last time: check-drift." in html
    assert "No model is being served" in html


def test_every_chart_has_a_table_and_says_where_it_comes_from(used, staff_client):
    for name in ("staff", "staff_feedback", "staff_shown", "staff_pipeline"):
        html = staff_client.get(address(name)).content.decode()
        n_charts = html.count('class="plot__svg"')
        assert n_charts > 0, name
        assert html.count("As a table") == n_charts, name
        assert html.count("Counted from:") >= n_charts, name


@pytest.mark.parametrize(("name", "limit"), [("staff", 28), ("staff_shown", 10)])
def test_a_page_costs_the_same_queries_however_long_the_time(
    used, staff_client, django_assert_max_num_queries, name, limit
):
    day = ShownDay.objects.get()
    for _ago in range(1, 300):
        day.pk = day.day - timedelta(days=1)
        day.save(force_insert=True)
    for days in (7, 365):
        with django_assert_max_num_queries(limit):
            staff_client.get(f"{address(name)}?days={days}")


class TestTables:
    def test_the_figures_can_be_taken_home(self, used, staff_client):
        answer = staff_client.get(address("staff_csv", "feedback"))
        rows = list(csv.DictReader(StringIO(b"".join(answer.streaming_content).decode())))
        assert [(row["n_events"], row["n_positive"]) for row in rows] == [("3", "2")]
        answer = staff_client.get(address("staff_csv", "stages"))
        n_rows = len(b"".join(answer.streaming_content).decode().splitlines())
        assert n_rows == StageHour.objects.count() + 1

    def test_there_is_no_other_table(self, staff_client):
        assert staff_client.get(address("staff_csv", "users")).status_code == 404

    def test_others_get_none(self, client, db):
        client.force_login(User.objects.create_user("ada@example.org"))
        assert client.get(address("staff_csv", "feedback")).status_code == 404


class TestModels:
    def test_versions_stand_beside_each_other_with_their_intervals(self, trained, staff_client):
        train(is_forced=True)
        page = staff_client.get(address("staff_models")).context["page"]
        [plot] = [p for p in page.plots if "returning" not in p.slug] or page.plots
        labels = [row.measured.label for row in plot.rows]
        assert labels[-1] == "popularity"
        assert len(labels) == 3
        assert [row.measured.is_marked for row in plot.rows] == [True, False, False]
        assert page.duel.version.status == ModelVersion.Status.ACTIVE
        assert any("champion" in row.measured.label for row in page.duel.plot.rows)
        assert page.slices.rows

    def test_kinds_of_audience_are_parts_with_their_own_figures(self, trained, staff_client):
        """Two crowds, crime and musicals: one line each, with rows and interval."""
        version = ModelVersion.objects.get(status="active")
        parts = {
            name: values
            for name, values in version.metrics["slices"].items()
            if name.startswith("cluster: ")
        }
        assert {name.split("+")[0] for name in parts} == {"cluster: Crime", "cluster: Musical"}
        assert all(values["n"]["mean"] >= 1 for values in parts.values())
        page = staff_client.get(address("staff_models")).context["page"]
        labels = [row.measured.label for row in page.slices.rows]
        kinds = [label for label in labels if label.startswith("Kind: ")]
        assert [k.removeprefix("Kind: ").split(",")[0] for k in kinds] == [
            name.removeprefix("cluster: ").split("+")[0] for name in parts
        ]
        card = staff_client.get(address("staff_model", version.version) + "?format=md")
        assert f"| {kinds[0]} |" in card.content.decode()

    def test_a_training_shows_its_curve_while_it_learns(self, staff_client):
        run = TrainingRun.objects.create(
            kind="lightgcn",
            stage="Fitting on everything",
            progress=0.5,
            curve=[
                {"epoch": n, "n_epochs": 40, "loss": 0.7 / n, "quality": 0.1 * n if n > 1 else None}
                for n in range(1, 5)
            ],
        )
        html = staff_client.get(address("staff_models"), headers={"HX-Request": "true"}).content
        assert b"lightgcn: epoch 4 of at most 40" in html
        assert b'hx-trigger="every 3s"' in html
        TrainingRun.objects.filter(pk=run.pk).update(status="done")
        html = staff_client.get(address("staff_models"), headers={"HX-Request": "true"}).content
        assert b"Nothing right now" in html

    def test_drift_is_drawn_as_it_went(self, trained, staff_client):
        version = ModelVersion.objects.get(status="active")
        for n in range(3):
            DriftCheck.objects.create(
                model_version=version,
                is_drifted=n == 2,
                said=f"check {n}",
                figures={"stars_psi": 0.1 * n, "popularity_psi": None, "unknown_films": 0.0},
                checked_at=timezone.now() + timedelta(minutes=n),
            )
        page = staff_client.get(address("staff_models")).context["page"]
        assert page.drift.series[0].cells == ("0.00", "0.10", "0.20")
        assert "check 2" in staff_client.get(address("staff")).content.decode()

    def test_an_unknown_kind_is_the_policy(self, trained, staff_client):
        page = staff_client.get(address("staff_models") + "?kind=nonsense").context["page"]
        assert page.kind == "hybrid"

    def test_a_recipe_is_measured_on_every_protocol(self, trained, staff_client):
        version = ModelVersion.objects.get(status="active")
        found = version_measure(version, ["strong", "sparse@2"])
        assert list(found) == ["strong", "sparse@2"]
        version.refresh_from_db()
        kept = version.metrics["protocols"]["sparse@2"]
        assert set(kept["models"]) == {"hybrid", "popularity"}
        assert kept["models"]["hybrid"]["ndcg@100"]["lo"] is not None
        assert kept["slices"]
        page = staff_client.get(address("staff_models")).context["page"]
        assert any("sparse@2" in plot.title for plot in page.plots)

    def test_what_cannot_be_measured_says_why(self, trained):
        version = ModelVersion.objects.create(kind="rating", version="r1", path="r1")
        with pytest.raises(NotMeasurableError, match="does not rank films"):
            version_measure(version)
        with pytest.raises(CommandError, match="no protocol is called 'nonsense'"):
            call_command("measure_model", "--protocols", "nonsense")


class TestModelCards:
    def test_the_card_tells_data_quality_and_limits(self, trained, staff_client):
        version = ModelVersion.objects.get(status="active")
        html = staff_client.get(address("staff_model", version.version)).content.decode()
        for words in ("What it learned from", "Known limits", "What the gate said", "Parameters"):
            assert words in html
        assert "Fewer than 100 people stand behind its figures" in html

    def test_the_markdown_is_the_same_card(self, trained, staff_client):
        version = ModelVersion.objects.get(status="active")
        answer = staff_client.get(address("staff_model", version.version) + "?format=md")
        text = answer.content.decode()
        assert answer["Content-Type"].startswith("text/markdown")
        assert text.startswith(f"# {version.version}\n")
        reached = version.metrics["models"]["hybrid"]["ndcg@100"]["mean"]
        assert f"| hybrid | {reached:.3f} [" in text
        assert "## Known limits" in text
        out = StringIO()
        call_command("model_card", stdout=out)
        assert out.getvalue() == text

    def test_a_version_whose_files_are_gone_says_so(self, trained, staff_client, settings):
        version = ModelVersion.objects.get(status="active")
        (settings.MODELS_DIR / version.path / "manifest.json").unlink()
        answer = staff_client.get(address("staff_model", version.version))
        assert answer.status_code == 200
        assert "Its files cannot be read" in answer.content.decode()

    def test_a_learner_tells_what_its_features_gain(self, trained, staff_client):
        from recommendations.services.source_training import sources_train
        from recommendations.sources import SOURCES

        [run] = sources_train([SOURCES["lambdamart"]])
        assert run.status == TrainingRun.Status.DONE, run.error
        card = staff_client.get(address("staff_model", run.model_version.version)).context["card"]
        assert card.importance
        assert card.importance_said == "Each feature's share of what the trees gained by it."

    def test_there_is_no_card_of_nothing(self, staff_client):
        assert staff_client.get(address("staff_model", "nonsense")).status_code == 404

    def test_the_command_says_what_there_is(self, trained, tmp_path):
        with pytest.raises(CommandError, match="There is no model version 'nonsense'. Known: hybr"):
            call_command("model_card", "nonsense")
        with pytest.raises(CommandError, match="cannot be written"):
            call_command("model_card", "--output", str(tmp_path / "no" / "card.md"))


def test_slates_keep_stages_and_skipped_sources(used):
    slate = Slate.objects.order_by("created_at").last()
    assert slate.context["stages_ms"]["ranking"] >= 0
    assert slate.context["skipped"] == {}
    assert FeedbackDay.objects.get().n_people == 1


def test_films_are_shown_whole_however_few(staff_client):
    make_film("Alone")
    assert staff_client.get(address("staff_shown")).status_code == 200
