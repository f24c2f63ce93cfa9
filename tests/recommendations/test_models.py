"""Which model is served: by command and by API."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from recommendations.models import ModelVersion
from recommendations.services.training import train
from recommendations.snapshot import current_snapshot

Status = ModelVersion.Status


def active():
    return ModelVersion.objects.get(status=Status.ACTIVE).version


def said(*command):
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


@pytest.fixture
def staff(db, client):
    client.force_login(
        User.objects.create_user("staff@example.org", "a-long-password", is_staff=True)
    )
    return client


@pytest.fixture
def two(trained):
    """The older of two versions, and the newer one, which is active."""
    old = active()
    train(is_forced=True)
    assert active() != old
    return old, active()


def test_promote_and_roll_back_by_command(two):
    old, new = two
    assert f"Now serving {old}" in said("promote_model", old)
    assert current_snapshot().version == old
    assert "already" in said("promote_model", old)
    assert f"Now serving {new}" in said("rollback_model")
    assert current_snapshot().version == new
    with pytest.raises(CommandError, match="no earlier version"):
        said("rollback_model")
    assert active() == new


def test_a_version_that_cannot_be_served_is_refused_with_the_reason(two, settings):
    old, new = two
    folder = Path(settings.MODELS_DIR) / ModelVersion.objects.get(version=old).path
    array = next(folder.glob("*.npy"))
    array.write_bytes(array.read_bytes()[:-8] + b"\0\1\2\3\4\5\6\7")
    for command in (("promote_model", old), ("rollback_model",)):
        with pytest.raises(CommandError, match="cannot be served"):
            said(*command)
        assert active() == new
    ModelVersion.objects.filter(version=old).update(status=Status.FAILED, note="It is worse.")
    with pytest.raises(CommandError):
        said("promote_model", old)
    with pytest.raises(CommandError, match=rf"no model version 'x'\. Known: {new}"):
        said("promote_model", "x")
    assert active() == new


def test_evaluate_lists_the_versions_and_prints_what_was_measured(two):
    old, new = two
    everything = said("evaluate_model")
    assert old in everything
    assert f"{new} (Active)" in everything
    one = said("evaluate_model", old)
    mean = ModelVersion.objects.get(version=old).metrics["models"]["edlae"]["ndcg@10"]["mean"]
    assert f"{mean:.4f}" in one
    assert new not in one
    with pytest.raises(CommandError, match="no model version"):
        said("evaluate_model", "x")


def test_evaluate_without_a_model_says_what_to_do(db):
    with pytest.raises(CommandError, match=r"manage\.py train"):
        said("evaluate_model")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/v1/models/"),
        ("post", "/api/v1/models/rollback/"),
        ("post", "/api/v1/models/reload/"),
        ("post", "/api/v1/models/hybrid-1/activate/"),
    ],
)
def test_models_are_for_staff(client, db, method, path):
    ask = getattr(client, method)
    assert ask(path).status_code == 401
    client.force_login(User.objects.create_user("ada@example.org", "a-long-password"))
    assert ask(path).status_code == 403


def test_staff_list_activate_and_roll_back(staff, two):
    old, new = two
    results = staff.get("/api/v1/models/").json()["results"]
    assert [(r["version"], r["status"]) for r in results] == [(new, "active"), (old, "retired")]
    assert results[0]["metrics"]["n_users"] == 12
    answer = staff.post(f"/api/v1/models/{old}/activate/")
    assert (answer.status_code, answer.json()["status"], active()) == (200, "active", old)
    answer = staff.post("/api/v1/models/rollback/")
    assert (answer.status_code, answer.json()["version"], active()) == (200, new, new)
    answer = staff.post("/api/v1/models/rollback/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "refused")
    assert staff.post("/api/v1/models/x/activate/").status_code == 404
    assert active() == new


def test_reload_serves_files_that_were_repaired(staff, trained, settings):
    folder = Path(settings.MODELS_DIR) / ModelVersion.objects.get().path
    array = next(folder.glob("*.npy"))
    right = array.read_bytes()
    array.write_bytes(right[:-8] + b"\0\1\2\3\4\5\6\7")
    assert staff.post("/api/v1/models/reload/").json() == {"version": "", "sources": []}
    array.write_bytes(right)
    assert current_snapshot() is None
    body = staff.post("/api/v1/models/reload/").json()
    assert body["version"] == active()
    assert "hybrid" in body["sources"]
