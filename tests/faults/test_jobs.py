"""Messages that come twice, two beats, a clock that was moved, a disk without room."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tests.faults.site import ACTIVE, RATE
from tests.faults.table import Row
from tests.processes import ROOT, python

DEAD_AHEAD = """
import django; django.setup()
from datetime import timedelta
from django.utils import timezone
from recommendations.models import TrainingRun
ahead = timezone.now() + timedelta(hours=1)
TrainingRun.objects.create(kind="hybrid", trigger="command", started_at=ahead, heartbeat_at=ahead)
"""
SEND = """
import django; django.setup()
from recommendations.tasks import train_hybrid_task
for _ in range(2):
    train_hybrid_task.apply_async(("command",), task_id="the-same-message")
"""


def test_the_same_message_comes_twice(site, matrix):
    site.script(RATE.format(stars="1.5"))
    versions = "SELECT count(*) FROM recommendations_modelversion WHERE kind = 'hybrid'"
    newest = "SELECT coalesce(max(id), 0) FROM recommendations_trainingrun WHERE kind = 'hybrid'"
    last = site.ask(newest)
    kept = site.ask(versions)
    site.script(SEND)
    over = (
        "SELECT count(*) FROM recommendations_trainingrun "
        "WHERE id > %s AND kind = 'hybrid' AND status <> 'running'"
    )
    site.wait(lambda: site.ask(over, last) == 2, 120, "both messages worked off")
    with site.sql() as opened:
        rows = opened.execute(
            "SELECT status FROM recommendations_trainingrun WHERE id > %s AND kind = 'hybrid' "
            "ORDER BY id",
            [last],
        ).fetchall()
    first, second = (row[0] for row in rows)
    assert (first, second) in {("done", "skipped"), ("refused", "skipped")}
    assert site.ask(versions) <= kept + 1
    matrix.add(
        Row(
            "the same message delivered twice",
            "one training; the second finds nothing new",
            "nothing",
            statuses=f"the first {first}, the second {second}",
        )
    )


def test_two_beats_run_at_once(site, matrix):
    names = "SELECT count(*) FROM recommendations_scheduledrun"
    before = site.ask(names)
    said = len(site.output())
    command = ["-m", "celery", "-A", "config", "beat", "--pidfile=", "--schedule"]
    second = subprocess.Popen(
        [sys.executable, *command, str(site.folder / "second-beat")],
        cwd=ROOT,
        env=site.env | site.servers(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    ran = (
        "SELECT extract(epoch FROM started_at) FROM recommendations_scheduledrun "
        "WHERE name = 'refresh-recommendations'"
    )
    try:
        seen: set[float] = set()
        site.wait(lambda: len(seen.add(site.ask(ran)) or seen) >= 6, 60, "six runs of the job")
    finally:
        second.terminate()
        second.wait(timeout=20)
    assert site.ask(names) == before
    assert "Traceback" not in site.output()[said:]
    matrix.add(
        Row(
            "two beats at once",
            "each job runs alone: an advisory lock",
            "nothing",
            statuses=f"{len(seen)} runs of the same job, 0 errors",
        )
    )


def test_the_clock_is_set_back_while_a_training_is_dead(site, matrix):
    site.script(DEAD_AHEAD)
    started_at = time.monotonic()
    done = site.manage("train", check=False)
    healed_s = time.monotonic() - started_at
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.ask("SELECT count(*) FROM recommendations_trainingrun WHERE status='running'") == 0
    matrix.add(
        Row(
            "the clock set back an hour after a training died",
            "the next training starts: a lease from the future is no lease",
            "nothing",
            healed_s,
            statuses="of the next training, start to end",
        )
    )


@pytest.fixture
def full_disk(tmp_path):
    """A small disk without room, where this user may mount one."""
    place = tmp_path / "full"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip("only root can mount a small disk here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_the_disk_is_full(site, reader, matrix, full_disk):
    site.script(RATE.format(stars="2.5"))
    before = site.ask(ACTIVE)
    with (full_disk / "filler").open("wb") as file:
        file.write(bytes(200_000))
    env = site.env | site.servers() | {"MARQUEE_VAR": str(full_disk), "SECRET_KEY": "x" * 60}
    trained = python("manage.py", "train", env=env)
    assert trained.returncode != 0
    assert "No space left" in trained.stderr + trained.stdout
    assert "Traceback" not in trained.stderr
    models = full_disk / "models"
    assert not models.exists() or list(models.iterdir()) == []
    backed_up = site.manage("backup", str(full_disk / "backup"), check=False)
    assert backed_up.returncode == 1
    assert "No space left" in backed_up.stderr
    assert {path.name for path in full_disk.iterdir()} <= {"filler", "models", "features"}
    assert site.ask(ACTIVE) == before
    assert reader.listed()["model_version"] == before
    matrix.add(
        Row(
            "the disk under var/ is full",
            "the version before serves on; training and backup say so and leave nothing half",
            "nothing",
            statuses="2 of 2 refused with a sentence, 0 files left",
        )
    )
