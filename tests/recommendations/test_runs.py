"""A training can be stopped, and the next one goes on where it stopped."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.sites import site
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from feedback.models import Rating
from recommendations.models import ModelVersion, TrainingRun
from recommendations.services import training
from recommendations.services.lease import run_cancel, run_start
from recommendations.services.training import train
from recommendations.tasks import train_hybrid_task

Status = TrainingRun.Status


class Killed(BaseException):
    """As by a signal: nothing catches it on the way."""


def killed_at(stage):
    """A progress callback that ends the run when ``stage`` begins."""

    def tell(said, share):
        if said.startswith(stage):
            raise Killed(stage)

    return tell


def stages_of(run):
    return [line.split(" ", 1)[1] for line in run.log.splitlines()]


def test_a_run_killed_after_measuring_is_gone_on_with_from_there(world):
    with pytest.raises(Killed):
        train(on_progress=killed_at("Fitting on everything"))
    first = TrainingRun.objects.get()
    assert first.status == Status.FAILED
    second = train()
    assert second.status == Status.DONE
    assert "Taking what the interrupted run had measured" in stages_of(second)
    assert "Measuring on the test people" not in stages_of(second)
    assert second.model_version.metrics["weights"] == first.checkpoint["verdict"]["weights"]


def test_a_run_killed_at_the_gate_keeps_its_fitted_model(world):
    with pytest.raises(Killed):
        train(on_progress=killed_at("Passing the gate"))
    fitted = ModelVersion.objects.get()
    assert fitted.status == ModelVersion.Status.CANDIDATE
    run = train()
    assert run.status == Status.DONE
    assert run.model_version == fitted
    assert "Fitting on everything" not in stages_of(run)
    fitted.refresh_from_db()
    assert fitted.status == ModelVersion.Status.ACTIVE


def test_other_data_or_another_recipe_starts_from_the_beginning(world, monkeypatch):
    with pytest.raises(Killed):
        train(on_progress=killed_at("Fitting on everything"))
    Rating.objects.all()[0].delete()
    with pytest.raises(Killed):
        train(on_progress=killed_at("Fitting on everything"))
    assert "Measuring on the test people" in stages_of(TrainingRun.objects.latest("pk"))
    monkeypatch.setattr(training, "_recipe", lambda: "another")
    assert "Measuring on the test people" in stages_of(train())


def test_a_process_that_died_without_a_word_leaves_its_stages_to_the_next(world):
    with pytest.raises(Killed):
        train(on_progress=killed_at("Fitting on everything"))
    # As a power cut leaves it: nobody wrote an end.
    TrainingRun.objects.update(
        status=Status.RUNNING,
        finished_at=None,
        heartbeat_at=timezone.now() - timedelta(minutes=5),
    )
    assert "Taking what the interrupted run had measured" in stages_of(train())


def test_a_cancelled_run_stops_at_its_next_stage_and_changes_nothing(trained):
    served = ModelVersion.objects.get()

    def cancel(said, share):
        if said == "Measuring on the test people":
            assert run_cancel(TrainingRun.objects.latest("pk"))

    run = train(is_forced=True, on_progress=cancel)
    assert run.status == Status.CANCELLED
    assert run.error == "Cancelled after: Measuring on the test people."
    assert run.finished_at is not None
    assert ModelVersion.objects.get() == served
    assert not run_cancel(run)


@pytest.fixture
def staff(db, client):
    client.force_login(User.objects.create_superuser("staff@example.org", "a-long-password"))
    return client


def test_staff_see_and_cancel_trainings_by_the_api(staff):
    run = run_start(kind="hybrid", trigger="test")
    rows = staff.get("/api/v1/models/trainings/").json()["results"]
    assert [(row["id"], row["status"], row["version"]) for row in rows] == [(run.pk, "running", "")]
    answer = staff.post(f"/api/v1/models/trainings/{run.pk}/cancel/")
    assert (answer.status_code, answer.json()["is_cancel_requested"]) == (200, True)
    TrainingRun.objects.update(status=Status.DONE, is_cancel_requested=False)
    answer = staff.post(f"/api/v1/models/trainings/{run.pk}/cancel/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_running")
    assert not TrainingRun.objects.get().is_cancel_requested
    assert staff.post("/api/v1/models/trainings/999/cancel/").status_code == 404


def test_the_api_asks_for_a_training(staff, monkeypatch):
    asked = []
    monkeypatch.setattr(train_hybrid_task, "delay", lambda trigger: asked.append(trigger))
    assert staff.post("/api/v1/models/trainings/").status_code == 202
    assert asked == ["api"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/v1/models/trainings/"),
        ("post", "/api/v1/models/trainings/"),
        ("post", "/api/v1/models/trainings/1/cancel/"),
    ],
)
def test_trainings_are_for_staff(client, db, method, path):
    assert getattr(client, method)(path).status_code == 401
    client.force_login(User.objects.create_user("ada@example.org", "a-long-password"))
    assert getattr(client, method)(path).status_code == 403


def test_the_admin_cancels_what_runs_and_says_so_of_the_rest(staff):
    run = run_start(kind="hybrid", trigger="test")
    url = reverse("admin:recommendations_trainingrun_changelist")
    form = {"action": "cancel", "_selected_action": [run.pk]}
    page = staff.post(url, form, follow=True)
    assert "will stop at its next stage" in page.content.decode()
    run.refresh_from_db()
    assert run.is_cancel_requested
    TrainingRun.objects.update(status=Status.DONE)
    assert "it is not running" in staff.post(url, form, follow=True).content.decode()
    assert TrainingRun in site._registry  # noqa: SLF001 - the admin's own list
