"""Model files that are broken, trainings that are killed, versions that are switched."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import requests

from tests.faults.site import ACTIVE, RATE
from tests.faults.table import Row

STAGES = [
    "Reading ratings",
    "Fitting on everything",
    "Writing the model",
    "Passing the gate",
    "Promoting",
]
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
    served = reader.listed()
    assert served["model_version"] == folder.name
    try:
        damage(kind, folder)
        assert reader.listed()["results"] == served["results"]  # what is in memory goes on
        healed_s = site.restart_web()
        stand_in = reader.listed()
        assert stand_in["model_version"] not in {"", folder.name}
        assert len(stand_in["results"]) == len(served["results"]) > 0
        assert f"Model {folder.name} cannot be served" in site.output()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tmp_path / "kept", folder)
        site.restart_web()
    assert reader.listed()["model_version"] == folder.name
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
        found = reader.listed()
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
    assert reader.listed()["model_version"] == before
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
        seen[reader.listed()["model_version"]] += 1
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
