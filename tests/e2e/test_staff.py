"""The staff pages in a real browser: axe, narrow and wide, every theme, live parts."""

from __future__ import annotations

import uuid
from datetime import timedelta
from itertools import product

import pytest
from django.utils import timezone

from accounts.models import User
from catalog.models import Movie
from dashboard.models import Clustering, ClusterMember, TasteCluster
from dashboard.rollup.incremental import roll_up
from feedback.models import Impression, Interaction, Slate
from recommendations.models import DriftCheck, ModelVersion, ScheduledRun, TrainingRun
from recommendations.snapshot import forget_snapshot
from tests.e2e.test_look import PASSWORD, SIZES, THEMES, WIDER, complaints
from tests.worlds import make_film

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

PATHS = (
    *("/staff/", "/staff/feedback/", "/staff/lists/", "/staff/pipeline/", "/staff/models/"),
    *("/staff/models/hybrid-2/", "/staff/clusters/", "/staff/enrichment/", "/status/"),
)


def interval(mean):
    return {"mean": mean, "lo": mean - 0.02, "hi": mean + 0.02}


def measured(mean):
    models = {"hybrid": mean, "popularity": mean - 0.05}
    return {
        "protocol": "strong",
        "seed": 7,
        "n_users": 80,
        "split_sha256": "ab" * 32,
        "models": {name: {"ndcg@100": interval(value)} for name, value in models.items()},
        "slices": {
            "rare": {"n": {"mean": 9}, "ndcg@100": interval(mean - 0.1)},
            "cluster: Horror+1980+little known": {
                "n": {"mean": 30},
                "ndcg@100": interval(mean + 0.02),
            },
        },
    }


@pytest.fixture(autouse=True)
def no_snapshot(settings, tmp_path):
    settings.MODELS_DIR = tmp_path / "models"
    settings.BACKUPS_DIR = tmp_path / "backups"
    forget_snapshot()
    yield
    forget_snapshot()


@pytest.fixture
def busy():
    """Some weeks of lists and feedback, two versions, a training under way, drift."""
    now = timezone.now()
    films = [make_film(f"Film number {n}", year=1950 + n) for n in range(8)]
    people = [User.objects.create_user(f"p{n}@example.org") for n in range(3)]
    for ago in range(20):
        at = now - timedelta(days=ago, minutes=5)
        slate = Slate.objects.create(
            user=people[ago % 3],
            surface="home",
            policy="hybrid",
            model_version="hybrid-2",
            fallback="popular" if ago % 7 == 0 else "",
            created_at=at,
            context={
                "n_history": ago,
                "stages_ms": {"candidates": 3.0 + ago, "ranking": 1.0},
                "skipped": {"als": "failed: ValueError"} if ago == 3 else {},
            },
        )
        Impression.objects.bulk_create(
            Impression(slate=slate, movie=film, position=i, source="hybrid", score=1.0)
            for i, film in enumerate(films[: 3 + ago % 5])
        )
        Interaction.objects.create(
            event_id=uuid.uuid4(),
            user=slate.user,
            movie=films[0],
            kind="rate",
            value="4.5" if ago % 2 else "2.0",
            surface="home",
            request_id=slate.pk,
            created_at=at,
        )
    kinds_of_audience(people, now=now)
    roll_up(now=now)
    gate = {
        "checks": [{"name": "champion", "is_passed": True, "said": "It is not worse."}],
        "gains": {"champion": interval(0.01)},
        "slices": {"new users": {"n": 60, "champion": 0.3, "gain": interval(-0.01)}},
    }
    for n, state in ((1, "retired"), (2, "active")):
        version = ModelVersion.objects.create(
            version=f"hybrid-{n}",
            path=f"hybrid-{n}",
            status=state,
            metrics={
                **measured(0.3 + n / 20),
                "weights": {"als": 0.4, "ease": 0.6},
                "gate": gate,
                "protocols": {"last-out": {**measured(0.2), "protocol": "last-out"}},
            },
        )
    TrainingRun.objects.create(kind="hybrid", status="done", model_version=version, stage="Done")
    TrainingRun.objects.create(
        kind="lightgcn",
        stage="Fitting on everything",
        progress=0.5,
        curve=[
            {"epoch": n, "n_epochs": 40, "loss": 0.7 / n, "quality": 0.05 * n} for n in range(1, 9)
        ],
    )
    for n in range(3):
        DriftCheck.objects.create(
            model_version=version,
            is_drifted=n == 2,
            said="Stars are given differently.",
            figures={"stars_psi": 0.1 * n, "popularity_psi": 0.05, "unknown_films": 0.01},
            checked_at=now + timedelta(minutes=n),
        )
    ScheduledRun.objects.create(
        name="roll-up", started_at=now, finished_at=now, outcome={"feedback_days": 2}
    )


def kinds_of_audience(people, *, now):
    """Two kinds, the first person in one, the others in the other."""
    traits = [{"kind": "genre", "value": "Horror"}, {"kind": "decade", "value": "1980"}]
    clustering = Clustering.objects.create(
        fingerprint="ab",
        traits=traits,
        mean=[0.2, 0.3],
        n_people=300,
        width=0.21,
        figures={
            "gap_s": 3600,
            "fame_edges": [90, 3],
            "n_sittings": 1234,
            "edges": [1, 2, 5],
            "sizes": [600, 300, 200, 134],
        },
        computed_at=now,
    )
    figures = {"liked": 24, "per_sitting": 3.5, "sittings": 4, "liked_share": 0.61}
    for number, trait in enumerate(traits):
        cluster = TasteCluster.objects.create(
            clustering=clustering,
            number=number,
            key=trait["value"],
            marks=[trait],
            centre=[1.0 - number, float(number)],
            shares=[0.4 - 0.3 * number, 0.25 + 0.3 * number],
            n_people=200 - 100 * number,
            figures=figures,
        )
        ClusterMember.objects.bulk_create(
            ClusterMember(user=person, cluster=cluster)
            for person in (people[1:] if number else people[:1])
        )


@pytest.fixture
def boss():
    return User.objects.create_superuser("boss@example.org", PASSWORD)


def enter(page, live_server, then):
    page.goto(f"{live_server.url}/accounts/login/?next={then}")
    page.get_by_label("E-mail address").fill("boss@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(f"{live_server.url}{then}")


@pytest.mark.parametrize(("size", "theme"), list(product(SIZES, THEMES)))
def test_axe_has_nothing_to_say(live_server, new_page, browser_problems, busy, boss, size, theme):
    width, height = SIZES[size]
    page = new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    enter(page, live_server, "/staff/")
    found = {}
    for path in PATHS:
        page.goto(f"{live_server.url}{path}")
        for summary in page.locator("main .plot summary").all()[:2]:
            summary.click()
        wide = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        found[path] = [*complaints(page), *([] if wide else page.evaluate(WIDER)[:3])]
    assert found == {path: [] for path in PATHS}
    assert not browser_problems.all


@pytest.mark.parametrize(("size", "theme"), list(product(SIZES, ("dark", "light"))))
def test_the_admins_colours_can_be_read(
    live_server, new_page, browser_problems, busy, boss, size, theme
):
    """The list, a form, a question, what was done. The markup is Django's, the colours are ours."""
    width, height = SIZES[size]
    page = new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    enter(page, live_server, "/staff/")
    # The admin's own switch: it has names of its own, kept in the browser.
    page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
    film = Movie.objects.first()
    paths = (
        *("/admin/", "/admin/catalog/movie/", "/admin/accounts/user/"),
        *(f"/admin/catalog/movie/{film.pk}/{page}/" for page in ("change", "delete", "history")),
    )
    found = {}
    for path in paths:
        page.goto(f"{live_server.url}{path}")
        assert page.locator("html").get_attribute("data-theme") == theme
        assert not browser_problems.all
        found[path] = [one for one in complaints(page) if one[0] == "color-contrast"]
        browser_problems.csp.clear()  # axe tries an inline style of its own on Django's form
    assert found == {path: [] for path in paths}


def test_a_training_is_followed_without_reloading(live_server, new_page, busy, boss):
    page = new_page(reduced_motion="reduce")
    enter(page, live_server, "/staff/models/")
    page.get_by_text("lightgcn: epoch 8 of at most 40").wait_for()
    run = TrainingRun.objects.get(kind="lightgcn")
    run.curve = [*run.curve, {"epoch": 9, "n_epochs": 40, "loss": 0.05, "quality": 0.5}]
    run.save(update_fields=["curve"])
    page.get_by_text("lightgcn: epoch 9 of at most 40").wait_for()
    TrainingRun.objects.filter(pk=run.pk).update(status="done")
    page.get_by_text("Nothing right now").wait_for()


def test_everything_can_be_read_without_scripts_and_by_keyboard(live_server, new_page, busy, boss):
    page = new_page(java_script_enabled=False)
    enter(page, live_server, "/staff/lists/")
    page.get_by_role("navigation", name="Time").get_by_role("link", name="90 days").press("Enter")
    page.wait_for_url("**/staff/lists/?days=90")
    summary = page.locator("main .plot summary").first
    summary.press("Enter")
    assert page.get_by_role("region", name="Lists per day").get_by_role("row").count() == 91
