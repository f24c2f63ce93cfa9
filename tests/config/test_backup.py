"""Backups: whole or not there, and what is restored is what was backed up."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import User
from catalog.models import Movie
from config.backup.manifest import BackupManifest, FileEntry
from config.backup.postgres import Database, table_counts
from dashboard.monitoring.status import State, dependencies
from feedback.models import Rating
from recommendations.services.training import train
from tests.config.places import Place
from tests.processes import ROOT
from tests.worlds import make_film, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    """The place that is backed up keeps its files for itself."""
    settings.VAR_DIR = tmp_path / "var"
    settings.MODELS_DIR = settings.VAR_DIR / "models"
    settings.WAREHOUSE_DIR = settings.VAR_DIR / "warehouse"
    settings.BACKUPS_DIR = settings.VAR_DIR / "backups"


def databases() -> set[str]:
    """The names of all databases of the server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database")
        return {name for (name,) in cursor.fetchall()}


@pytest.fixture
def place(tmp_path):
    """An empty place, removed afterwards."""
    with Place.made(tmp_path / "elsewhere") as found:
        yield found


@pytest.fixture
def small(tmp_path):
    """A backup of one film and one person."""
    make_film("Heat", year=1995)
    User.objects.create_user("ann@films.example")
    call_command("backup", tmp_path / "small", stdout=StringIO())
    return tmp_path / "small"


def test_what_is_restored_elsewhere_is_the_same_to_the_last_row_and_list(place, tmp_path, settings):
    world = make_world()
    assert train().status == "done"
    file = settings.WAREHOUSE_DIR / "small" / "ratings" / "1.parquet"
    file.parent.mkdir(parents=True)
    file.write_bytes(secrets.token_bytes(3000))
    person = world.crowds[0][0].email
    before, said = StringIO(), StringIO()
    call_command("recommend", "--user", person, stdout=before)
    call_command("backup", tmp_path / "backup", stdout=said)
    with Database.of_django().connected() as opened:
        counts = table_counts(opened)
    assert counts["feedback_rating"] == Rating.objects.count() > 1000

    done = place.manage("restore", str(tmp_path / "backup"))

    assert done.returncode == 0, done.stderr
    assert "Smoke test: every page answers, and the model's files are whole." in done.stdout
    assert re.search(r"Backed up [\d,]+ rows of \d+ tables", said.getvalue())
    assert place.counts() == counts
    for name in ("models", "warehouse"):
        source = settings.VAR_DIR / name
        files = {p.relative_to(source): p.read_bytes() for p in source.rglob("*") if p.is_file()}
        put = place.var / name
        assert files == {p.relative_to(put): p.read_bytes() for p in put.rglob("*") if p.is_file()}
        assert files
    after = place.manage("recommend", "--user", person)
    assert after.stdout.splitlines()[1:] == before.getvalue().splitlines()[1:]
    # Sequences go on where they were: the next person gets a number of their own.
    assert place.manage("shell", "-c", NEXT_PERSON).returncode == 0
    assert list(place.var.glob(".restoring-*")) == []
    assert not {name for name in databases() if "_restoring_" in name or "_former_" in name}


NEXT_PERSON = "from accounts.models import User; User.objects.create_user('next@example.org')"


def test_a_place_where_somebody_lives_is_left_alone_unless_forced(place, small):
    assert place.manage("restore", str(small)).returncode == 0
    before = place.counts()
    add = "from catalog.models import Movie; Movie.objects.create(title='Ronin')"
    assert place.manage("shell", "-c", add).returncode == 0

    refused = place.manage("restore", str(small))
    assert refused.returncode == 1
    assert "This place is not empty (accounts_user, catalog_movie)" in refused.stderr
    assert place.counts()["catalog_movie"] == 2

    forced = place.manage("restore", str(small), "--force")
    assert forced.returncode == 0, forced.stderr
    assert place.counts()["catalog_movie"] == 1
    assert place.counts() == before


ADD = "from accounts.models import User; User.objects.create_user('bob@films.example')"
FORGET = (
    "from accounts.models import User; from recommendations.services.forgetting import *; "
    "person_forget(User.objects.get(email='ann@films.example'))"
)
PEOPLE = (
    "from accounts.models import User; "
    "print(*User.objects.accounts().values_list('email', flat=True))"
)


@pytest.mark.parametrize("kept_in", ["the file", "the database"])
def test_who_was_forgotten_since_does_not_come_back_with_a_backup(place, tmp_path, small, kept_in):
    assert place.manage("restore", str(small)).returncode == 0
    assert place.manage("shell", "-c", ADD).returncode == 0
    assert place.manage("backup", str(tmp_path / "both")).returncode == 0
    assert place.manage("shell", "-c", FORGET).returncode == 0
    stones = place.var / "tombstones.jsonl"
    kept = stones.read_text()
    if kept_in == "the file":
        with place.database.connected() as opened:
            opened.execute("DELETE FROM accounts_tombstone")
    else:
        stones.unlink()

    again = place.manage("restore", str(tmp_path / "both"), "--force")

    assert again.returncode == 0, again.stderr
    assert "Forgot 1 people again." in again.stdout
    assert place.manage("shell", "-v0", "-c", PEOPLE).stdout.split() == ["bob@films.example"]
    assert place.counts()["accounts_tombstone"] == 1
    assert json.loads(stones.read_text())["digest"] == json.loads(kept)["digest"]
    # A backup of elsewhere, where nobody was forgotten, comes back whole.
    assert "Forgot" not in place.manage("restore", str(small)).stdout


def test_a_place_in_use_is_left_alone_even_when_forced(place, small):
    with place.database.connected():
        done = place.manage("restore", str(small), "--force")
    assert done.returncode == 1
    assert "1 other connections use the database" in done.stderr
    assert place.counts() == {}


def damaged(kind: str, folder: Path) -> str:
    """Break a backup in one way; what the refusal must say."""
    dump = folder / "database.dump"
    match kind:
        case "a flipped bit":
            content = bytearray(dump.read_bytes())
            content[len(content) // 2] ^= 1
            dump.write_bytes(content)
            return "database.dump is damaged"
        case "cut short":
            os.truncate(dump, 100)
            return "database.dump has 100 bytes instead of"
        case "missing":
            dump.unlink()
            return "database.dump is missing"
        case "another manifest":
            manifest = json.loads((folder / "manifest.json").read_text())
            manifest["tables"]["catalog_movie"] = 7
            (folder / "manifest.json").write_text(json.dumps(manifest))
            return "was changed since the backup was made"
        case _:
            (folder / "manifest.json").unlink()
            return "is no backup of Marquee, or a half one: manifest.json is missing"


@pytest.mark.parametrize(
    "kind", ["a flipped bit", "cut short", "missing", "another manifest", "no manifest"]
)
def test_a_damaged_backup_is_refused_before_anything_is_touched(small, kind):
    expected = damaged(kind, small)
    with pytest.raises(CommandError, match=re.escape(expected)):
        call_command("restore", small, force=True)
    assert Movie.objects.get().title == "Heat"


def test_a_backup_of_newer_code_is_refused(small):
    manifest = json.loads((small / "manifest.json").read_text())
    manifest["migrations"]["catalog"].append("9999_from_the_future")
    rewrite(small, manifest)
    with pytest.raises(CommandError, match=r"newer Marquee .*catalog\.9999_from_the_future"):
        call_command("restore", small, force=True)


def rewrite(folder: Path, manifest: dict) -> None:
    """A manifest whose own sha256 is right."""
    files = [FileEntry(**entry) for entry in manifest["files"]]
    BackupManifest(**{**manifest, "files": files}).write(folder)


def test_rows_that_do_not_come_back_stop_the_restore(place, small):
    manifest = json.loads((small / "manifest.json").read_text())
    manifest["tables"]["catalog_movie"] = 2
    rewrite(small, manifest)
    done = place.manage("restore", str(small))
    assert done.returncode == 1
    assert "catalog_movie 1 instead of 2" in done.stderr
    assert place.counts() == {}
    assert not {name for name in databases() if "_restoring_" in name}


def noted(folder: Path) -> dict:
    """What /status/ reads of the last trial."""
    return json.loads((folder / "restore-test.json").read_text())


def restore_said():
    """What /status/ says of it."""
    found = dependencies(now=timezone.now())
    return next((one.state, one.said) for one in found if one.name == "Restore test")


def test_a_trial_restores_beside_a_place_in_use_and_status_knows(small, settings):
    out = StringIO()
    before = databases()
    person = User.objects.create_user("later@example.org")  # not in the backup
    call_command("restore", small, is_trial=True, stdout=out)
    assert "Could restore the backup of" in out.getvalue()
    assert User.objects.filter(pk=person.pk).exists()
    assert databases() == before
    assert list(settings.VAR_DIR.glob(".restoring-*")) == []
    outcome = noted(settings.BACKUPS_DIR)
    assert outcome["is_passed"] is True
    assert outcome["said"].startswith("Smoke test: every page answers")
    made = json.loads((small / "manifest.json").read_text())["created_at"]
    assert outcome["backup_created_at"] == made
    assert restore_said() == (State.OK, "passed 0\xa0minutes ago")


def test_a_trial_that_fails_is_noted_and_a_real_restore_notes_too(place, small, settings):
    assert place.manage("restore", str(small)).returncode == 0
    assert noted(place.var / "backups")["is_passed"] is True
    manifest = json.loads((small / "manifest.json").read_text())
    manifest["tables"]["catalog_movie"] = 2
    rewrite(small, manifest)
    with pytest.raises(CommandError, match="catalog_movie 1 instead of 2"):
        call_command("restore", small, is_trial=True, stdout=StringIO())
    outcome = noted(settings.BACKUPS_DIR)
    assert (outcome["is_passed"], "catalog_movie 1 instead of 2" in outcome["said"]) == (
        False,
        True,
    )
    assert restore_said()[0] is State.DOWN
    with (small / "database.dump").open("ab") as file:
        file.write(b"x")
    with pytest.raises(CommandError):
        call_command("restore", small, is_trial=True, stdout=StringIO())
    assert "database.dump" in noted(settings.BACKUPS_DIR)["said"]


def test_a_refusal_is_no_failed_trial_and_force_does_not_go_with_it(place, small):
    assert place.manage("restore", str(small)).returncode == 0
    first = noted(place.var / "backups")
    assert place.manage("restore", str(small)).returncode == 1  # somebody lives there
    assert noted(place.var / "backups") == first
    with pytest.raises(CommandError, match="leave --force away"):
        call_command("restore", small, is_trial=True, force=True)


def test_a_name_that_leads_out_of_the_backup_is_refused(small, tmp_path):
    (tmp_path / "secret").write_text("x")
    manifest = json.loads((small / "manifest.json").read_text())
    manifest["files"].append({"path": "../secret", "n_bytes": 1, "sha256": "0"})
    rewrite(small, manifest)
    with pytest.raises(CommandError, match="a file outside the backup"):
        call_command("restore", small, force=True)


def test_a_backup_never_overwrites_and_is_for_its_owner_alone(small):
    with pytest.raises(CommandError, match="is there already"):
        call_command("backup", small)
    assert small.stat().st_mode & 0o777 == 0o700


def test_a_missing_file_of_the_active_model_is_told(settings, tmp_path):
    make_world()
    assert train().status == "done"
    for path in settings.MODELS_DIR.rglob("manifest.json"):
        path.unlink()
    said = StringIO()
    call_command("backup", tmp_path / "backup", stdout=StringIO(), stderr=said)
    assert re.search(
        r"Warning: model hybrid-\S+: models/\S+/manifest.json is missing", said.getvalue()
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_backup_leaves_nothing(tmp_path, settings, number):
    make_film("Heat")
    # Enough to copy that the signal finds it at work.
    settings.MODELS_DIR.mkdir(parents=True)
    for i in range(20):
        (settings.MODELS_DIR / f"{i}.npy").write_bytes(bytes(20_000_000))
    running = subprocess.Popen(
        [sys.executable, "manage.py", "backup", str(tmp_path / "out" / "backup")],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": Database.of_django().url(),
            "MARQUEE_VAR": str(settings.VAR_DIR),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("out/.backup-*/models/3.npy")):
        assert running.poll() is None, running.stderr.read()
        assert time.monotonic() < deadline
    running.send_signal(number)
    _out, err = running.communicate(timeout=30)
    assert running.returncode == 130, err
    assert "Stopped. No backup was made." in err
    assert list((tmp_path / "out").iterdir()) == []
