"""The staff pages about experiments in a real browser, without JavaScript too."""

from __future__ import annotations

from itertools import product

import pytest
from django.utils import timezone

from accounts.models import User
from recommendations.experiments.models import Experiment
from recommendations.services.experiments import experiment_read, experiment_stop
from recommendations.services.training import train
from recommendations.snapshot import forget_snapshot
from tests.e2e.test_look import SIZES, THEMES, WIDER, complaints, log_in
from tests.experiment_logs import log_split, running
from tests.worlds import make_film, make_world

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def trained(tmp_path, settings):
    settings.MODELS_DIR = tmp_path / "models"
    settings.WAREHOUSE_DIR = tmp_path / "warehouse"
    forget_snapshot()
    make_world()
    train()
    yield
    forget_snapshot()


@pytest.fixture
def staff():
    return User.objects.create_superuser("ada@example.org", "a-long-enough-phrase")


@pytest.fixture
def films():
    return [make_film(f"Film {i}") for i in range(4)]


@pytest.fixture
def told(films):
    """One that was decided and stopped, and one that a guard stopped."""
    better = running("split", question="Is EASE worth its memory?")
    log_split(better, films, rate_a=0.2, rate_b=0.5)
    experiment_read(better)
    experiment_stop(better, reason="B is better: it is served from now on.")
    harm = Experiment.objects.create(
        name="Popular for all", kind="split", policy_a="edlae", policy_b="popularity",
        status="running", started_at=better.started_at, window_hours=24,
    )  # fmt: skip
    log_split(harm, films, rate_a=0.5, rate_b=0.2)
    experiment_read(harm)
    return better, harm


@pytest.mark.parametrize(("size", "theme"), list(product(SIZES, THEMES)))
def test_axe_has_nothing_to_say_about_experiments(
    live_server, new_page, browser_problems, staff, told, size, theme
):
    width, height = SIZES[size]
    page = new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    log_in(page, live_server)
    found = {}
    draft = Experiment.objects.create(
        name="Later", kind="interleaved", policy_a="hybrid", policy_b="als", window_hours=0.5
    )
    for path in ("", *(f"{e.pk}/" for e in (*told, draft))):
        page.goto(f"{live_server.url}/staff/experiments/{path}")
        for summary in page.locator("main summary").all():
            if summary.locator("xpath=..").get_attribute("open") is None:
                summary.click()
        found[path] = [*complaints(page), *page.evaluate(WIDER)]
    assert found == {path: [] for path in found}
    assert browser_problems.all == []


def test_a_draft_is_made_started_read_and_stopped_without_javascript(
    live_server, new_page, staff, trained
):
    page = new_page(java_script_enabled=False)
    log_in(page, live_server, then="/staff/experiments/")
    page.get_by_label("Name").fill("Nothing")
    page.get_by_label("Policy B: what is new").select_option("hybrid")
    page.get_by_label("Policy A: what is there").select_option("hybrid")
    page.get_by_label("Lists with a shuffled tail, in per cent").fill("20")
    page.get_by_role("button", name="Make a draft").click()
    assert page.get_by_role("alert").inner_text().startswith("An interleaved list is chance enough")
    assert not Experiment.objects.exists()
    page.get_by_label("Lists with a shuffled tail, in per cent").fill("0")
    page.get_by_role("button", name="Make a draft").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Nothing"
    page.get_by_role("button", name="Start").click()
    assert Experiment.objects.get().status == "running"
    page.get_by_role("button", name="Read it now").click()
    assert page.get_by_role("heading", name="Too few answers to say anything yet.").is_visible()
    page.get_by_label("Why stop? (optional)").fill("It was a try.")
    page.get_by_role("button", name="Stop").click()
    assert "It was a try." in page.get_by_role("main").inner_text()
    experiment = Experiment.objects.get()
    assert experiment.status == "stopped"
    assert experiment.stopped_at <= timezone.now()
    assert experiment.readings.count() == 2
