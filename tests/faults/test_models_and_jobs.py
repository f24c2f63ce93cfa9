"""Broken model files, killed trainings, messages twice, a full disk, a clock that was moved."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import requests

from tests.faults.site import ROOT, Person
from tests.faults.table import Row

ACTIVE = "SELECT path FROM recommendations_modelversion WHERE status = 'active' AND kind = 'hybrid'"
STAGES = [
    "Reading ratings",
    "Fitting on everything",
    "Writing the model",
    "Passing the gate",
    "Promoting",
]
# Somebody with an account rates: the next training has something to learn.
RATE = """
import django; django.setup()
from decimal import Decimal
from accounts.models import User
from catalog.models import Movie
from feedback import services
from feedback.events import EventContext
person = User.objects.accounts().exclude(email__contains="demo").order_by("?").first()
film = Movie.objects.order_by("?").first()
services.rating_set(user=person, movie=film, stars=Decimal("{stars}"), event=EventContext())
"""
DIE = """
import os, signal
import django; django.setup()
from recommendations.services.training import train
def at(stage, share):
    if stage.startswith({stage!r}):
        os.kill(os.getpid(), signal.SIGKILL)
run = train(is_forced=True, on_progress=at)
print(run.status, run.error)
"""
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


@pytest.fixture
def reader(site) -> Person:
    """A visitor with some ratings, whose list the model makes."""
    with site.sql() as opened:
        rows = opened.execute("SELECT id FROM catalog_movie ORDER BY id LIMIT 4").fetchall()
    person = Person(site, [row[0] for row in rows])
    person.begin()
    return person


def listed(person: Person) -> dict:
    """What the API recommends."""
    answer = person.session.get(f"{person.site.url}/api/v1/me/recommendations/", timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def damage(kind: str, folder: Path) -> None:
    """Break a version's files."""
    arrays = sorted(folder.glob("*.npy"), key=lambda path: path.stat().st_size)
    match kind:
        case "a flipped bit":
            content = bytearray(arrays[-1].read_bytes())
            content[-8] ^= 0xFF
            replace(arrays[-1], bytes(content))
        case "cut short":
            replace(arrays[-1], arrays[-1].read_bytes()[:100])
        case "empty":
            replace(arrays[-1], b"")
        case "swapped":
            first, second = arrays[-1].read_bytes(), arrays[-2].read_bytes()
            replace(arrays[-1], second)
            replace(arrays[-2], first)
        case "deleted":
            shutil.rmtree(folder)


def replace(path: Path, content: bytes) -> None:
    """Another file of that name: a process that has the old one mapped keeps it."""
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize(
    "kind",
    [
        "deleted",
        *(
            pytest.param(kind, marks=pytest.mark.faults)
            for kind in ("a flipped bit", "cut short", "empty", "swapped")
        ),
    ],
)
def test_files_of_the_active_model_are_broken(site, reader, matrix, tmp_path, kind):
    folder = site.var / "models" / site.ask(ACTIVE)
    shutil.copytree(folder, tmp_path / "kept")
    served = listed(reader)
    assert served["model_version"] == folder.name
    try:
        damage(kind, folder)
        assert listed(reader)["results"] == served["results"]  # what is in memory goes on
        healed_s = site.restart_web()
        stand_in = listed(reader)
        assert stand_in["model_version"] not in {"", folder.name}
        assert len(stand_in["results"]) == len(served["results"]) > 0
        assert f"Model {folder.name} cannot be served" in site.output()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tmp_path / "kept", folder)
        site.restart_web()
    assert listed(reader)["model_version"] == folder.name
    matrix.add(
        Row(
            f"a file of the active model: {kind}; then the web server is started again",
            "lists, by the version before; the log names the file",
            "a list as long as before",
            healed_s,
            statuses=f"{len(stand_in['results'])} of {len(served['results'])} films",
        )
    )


def test_no_model_can_be_read_at_all(site, reader, matrix):
    models = site.var / "models"
    try:
        models.rename(site.var / "models-away")
        healed_s = site.restart_web()
        found = listed(reader)
        assert found["model_version"] == ""
        assert len(found["results"]) > 0
        pages = ("/", "/for-you/", "/swipe/", "/tonight/")
        for path in pages:
            assert site.status(path) == 200, path
    finally:
        shutil.rmtree(models, ignore_errors=True)
        (site.var / "models-away").rename(models)
        site.restart_web()
    matrix.add(
        Row(
            "no version of the model can be read",
            "all pages; what is popular takes the model's place",
            "films, with a word that they are popular rather than chosen",
            healed_s,
            statuses=f"{len(pages)} of {len(pages)} pages, {len(found['results'])} films",
        )
    )


@pytest.mark.parametrize(
    "stage",
    [pytest.param(s, marks=[] if s == "Writing the model" else pytest.mark.faults) for s in STAGES],
)
def test_a_training_is_killed(site, reader, matrix, stage):
    site.script(RATE.format(stars="4.5"))
    before = site.ask(ACTIVE)
    done = site.script(DIE.format(stage=stage), check=False)
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    assert site.ask(ACTIVE) == before
    assert listed(reader)["model_version"] == before
    folders = {p.name for p in (site.var / "models").iterdir() if not p.name.startswith(".")}
    for name in folders:
        assert (site.var / "models" / name / "manifest.json").exists(), name
    # The lease of a minute is over sooner here: nobody has written the heartbeat meanwhile.
    with site.sql() as opened:
        opened.execute(
            "UPDATE recommendations_trainingrun SET heartbeat_at = now() - interval '61 s' "
            "WHERE status = 'running'"
        )
    started_at = time.monotonic()
    again = site.manage("train", check=False)
    assert again.returncode == 0, again.stdout + again.stderr
    assert site.ask("SELECT count(*) FROM recommendations_trainingrun WHERE status='running'") == 0
    healed_s = time.monotonic() - started_at
    matrix.add(
        Row(
            f'kill -9 of a training at "{stage}"',
            "the version before serves on; no half files",
            "nothing",
            healed_s,
            statuses="of the next training; the lease of 60 s before it is not waited for",
        )
    )


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
        [*(f"{ROOT}/.venv/bin/python",), *command, str(site.folder / "second-beat")],
        cwd=ROOT,
        env=site.env | site_servers(site),
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


def site_servers(site) -> dict[str, str]:
    """The addresses of the site's embedded servers."""
    code = (
        "from config.embedded import ensure_services; ensure_services(); import os;"
        "print(os.environ['DATABASE_URL']); print(os.environ['REDIS_URL'])"
    )
    database, redis = site.run("-c", code).stdout.split()
    return {"DATABASE_URL": database, "REDIS_URL": redis}


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
    env = site.env | site_servers(site) | {"MARQUEE_VAR": str(full_disk), "SECRET_KEY": "x" * 60}
    python = f"{ROOT}/.venv/bin/python"
    trained = subprocess.run(
        [python, "manage.py", "train"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
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
    assert listed(reader)["model_version"] == before
    matrix.add(
        Row(
            "the disk under var/ is full",
            "the version before serves on; training and backup say so and leave nothing half",
            "nothing",
            statuses="2 of 2 refused with a sentence, 0 files left",
        )
    )


def test_the_model_is_switched_under_many_requests(site, reader, matrix):
    with site.sql() as opened:
        found = opened.execute(
            "SELECT version, path FROM recommendations_modelversion "
            "WHERE kind = 'hybrid' AND status IN ('active', 'retired') ORDER BY id DESC LIMIT 2"
        ).fetchall()
    versions = [row[0] for row in found]
    assert len(versions) == 2
    seen: Counter[str] = Counter()
    statuses: Counter[int] = Counter()
    n_before = 0
    lock, stop = threading.Lock(), threading.Event()

    def read() -> None:
        session = requests.Session()
        session.cookies.update(reader.session.cookies)
        while not stop.is_set():
            answer = session.get(f"{site.url}/for-you/", timeout=60)
            with lock:
                statuses[answer.status_code] += 1

    def serves(version: str) -> bool:
        """Asked once a second: the API counts what one address asks."""
        time.sleep(1)
        seen[listed(reader)["model_version"]] += 1
        return seen[version] > n_before

    threads = [threading.Thread(target=read) for _ in range(40)]
    for thread in threads:
        thread.start()
    try:
        for version in (versions[1], versions[0], versions[1], versions[0]):
            n_before = seen[version]
            site.manage("promote_model", version)
            site.wait(lambda v=version: serves(v), 30, f"{version} in service")
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=90)
    assert set(statuses) == {200}
    assert statuses[200] >= 200
    assert set(seen) == set(versions)
    matrix.add(
        Row(
            "the model switched four times under 40 readers without a pause",
            "every request, by one of the two versions",
            "a list",
            statuses=f"{statuses[200]} lists, 0 dropped",
        )
    )
