"""/metrics and /status/: who may read them, what they tell, and what happens when things die."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from accounts.models import User
from config.celery import app
from dashboard.monitoring import status
from dashboard.monitoring.queues import queue_names, queues
from dashboard.monitoring.status import State, dependencies, worst
from dashboard.rollup.incremental import roll_up
from dashboard.tasks import roll_up_task
from recommendations.candidates import Generation
from recommendations.metrics import note_generation
from recommendations.models import DriftCheck, ModelVersion, ScheduledRun, TrainingRun
from recommendations.services.training import train
from tests.worlds import make_world

ROOT = django_settings.BASE_DIR
NAME = re.compile(r"\bmarquee_[a-z_]+")
DEAD_REDIS = "redis://127.0.0.1:1/0"


def read(client=None, **headers):
    return (client or Client()).get("/metrics", **headers)


def families(text):
    return {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line[:1] != "#"}


class TestWhoMayReadMetrics:
    def test_this_machine_may(self, db):
        answer = read()
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain")
        assert "no-store" in answer["Cache-Control"]

    @pytest.mark.parametrize(
        "headers",
        [
            {"REMOTE_ADDR": "203.0.113.9"},
            {"HTTP_X_FORWARDED_FOR": "203.0.113.9"},
            {"HTTP_FORWARDED": "for=203.0.113.9"},
        ],
    )
    def test_others_are_not_told_that_it_is_there(self, db, headers):
        assert read(**headers).status_code == 404

    def test_with_a_token_nobody_may_without_it(self, db, settings):
        settings.METRICS_TOKEN = "a-long-token"
        assert read().status_code == 404
        assert read(HTTP_AUTHORIZATION="Bearer another").status_code == 404
        far = {"REMOTE_ADDR": "203.0.113.9", "HTTP_AUTHORIZATION": "Bearer a-long-token"}
        assert read(**far).status_code == 200

    def test_staff_may_from_anywhere_and_people_may_not(self, staff_client, client, db):
        assert read(staff_client, REMOTE_ADDR="203.0.113.9").status_code == 200
        client.force_login(User.objects.create_user("ada@example.org"))
        assert read(client, REMOTE_ADDR="203.0.113.9").status_code == 404


@pytest.fixture
def busy(db, client):
    """Everything happened once: a training, a list, a task, a drift check, a skipped source."""
    make_world()
    run = train()
    assert run.status == TrainingRun.Status.DONE, run.error
    ada = User.objects.create_user("ada@example.org")
    client.force_login(ada)
    client.get("/api/v1/me/recommendations/?n=12")
    client.get("/films/999999/")
    DriftCheck.objects.create(model_version=ModelVersion.objects.get(status="active"))
    note_generation(Generation(skipped={"als": "failed: ValueError"}), n_people=1)
    roll_up_task.apply()
    return client


def values(text):
    """Each sample's value by its name and labels."""
    lines = [line for line in text.splitlines() if line[:1] != "#"]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_what_happens_is_counted(busy):
    before = values(read().content.decode())
    busy.get("/api/v1/me/recommendations/?n=12")
    busy.get("/films/999998/")
    note_generation(Generation(skipped={"als": "failed: ValueError"}), n_people=5)
    text = read().content.decode()
    grown = {name: value - before.get(name, 0.0) for name, value in values(text).items()}
    for name in (
        'marquee_requests_total{method="GET",status="404",view="catalog:movie"}',
        'marquee_lists_total{fallback="popular",is_stored="false",source="hybrid"}',
        'marquee_pipeline_stage_seconds_count{stage="ranking"}',
        'marquee_source_skipped_total{reason="failed",source="als"}',
    ):
        assert grown[name] == 1.0, name
    version = ModelVersion.objects.get(status="active").version
    assert f'marquee_model_info{{kind="hybrid",version="{version}"}} 1.0' in text
    assert 'marquee_training_runs{kind="hybrid",status="done"} 1.0' in text
    assert "999998" not in text  # addresses are no labels


def test_what_another_process_counted_is_added(busy):
    """Each has a file of its own; whoever is asked adds them up."""
    code = (
        "import django; django.setup()\n"
        "from config.metrics import REQUESTS\n"
        "REQUESTS.labels(view='test:other', method='GET', status='200').inc(3)\n"
    )
    for _time in range(2):
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, env=dict(os.environ))
    name = 'marquee_requests_total{method="GET",status="200",view="test:other"}'
    assert values(read().content.decode())[name] >= 6.0


def test_dashboards_and_alerts_name_only_metrics_that_exist(busy):
    known = families(read().content.decode())
    grafana = json.loads((ROOT / "deploy/grafana/marquee.json").read_text())
    asked = [target["expr"] for panel in grafana["panels"] for target in panel["targets"]]
    alerts = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
    rules = [rule for group in alerts["groups"] for rule in group["rules"]]
    asked += [rule["expr"] for rule in rules]
    names = {name for expr in asked for name in NAME.findall(expr)}
    assert len(names) > 15
    assert names - known == set()
    assert all(rule["annotations"]["description"] for rule in rules)
    # And nothing is measured that nobody looks at.
    looked_at = {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}
    measured = {re.sub(r"_(bucket|sum|count)$", "", name) for name in known}
    assert {name for name in measured if name.startswith("marquee_")} - looked_at == set()


def test_without_redis_metrics_say_so(db, settings):
    settings.REDIS_URL = DEAD_REDIS
    text = read().content.decode()
    assert 'marquee_up{what="redis"} 0.0' in text
    assert 'marquee_up{what="postgres"} 1.0' in text


class TestQueues:
    def test_the_oldest_message_tells_its_age(self, db):
        with app.connection_for_write() as connection:
            connection.default_channel.queue_purge("enrich")
        roll_up_task.apply_async(queue="enrich")
        roll_up_task.apply_async(queue="enrich")
        now_s = datetime.now(UTC).timestamp()
        found = {queue.name: queue for queue in queues(now_s=now_s + 60).queues}
        assert set(found) == set(queue_names()) == {"default", "enrich", "train"}
        assert found["enrich"].n_waiting == 2
        assert found["enrich"].oldest_s == pytest.approx(60, abs=5)
        with app.connection_for_write() as connection:
            connection.default_channel.queue_purge("enrich")

    def test_a_dead_redis_is_said_not_raised(self, settings):
        settings.REDIS_URL = DEAD_REDIS
        found = queues(now_s=0.0)
        assert (found.queues, "does not answer" in found.error) == ((), True)


class TestStatus:
    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch):
        monkeypatch.setattr(status, "PING_S", 0.05)

    def of(self, name, now=None):
        found = {one.name: one for one in dependencies(now=now or timezone.now())}
        return found[name]

    def test_on_a_fresh_machine_it_says_what_to_do(self, db):
        assert self.of("Postgres").state is State.OK
        assert self.of("Redis").state is State.OK
        assert self.of("Workers").state is State.DOWN
        assert "Procfile" in self.of("Workers").to_do
        assert "manage.py train" in self.of("Model").to_do
        assert "roll_up --rebuild" in self.of("Figures of this dashboard").to_do
        assert self.of("Backup").state is State.WARN
        assert worst(dependencies(now=timezone.now())) is State.DOWN

    def test_a_late_entry_is_named(self, db):
        now = timezone.now()
        ScheduledRun.objects.create(name="roll-up", started_at=now, finished_at=now)
        assert self.of("Beat").state is State.OK
        old = now - timedelta(hours=2)
        ScheduledRun.objects.create(name="trending-windows", started_at=old, finished_at=old)
        found = self.of("Beat")
        assert (found.state, found.said) == (State.WARN, "late: trending-windows")

    def test_figures_grow_old(self, db):
        now = timezone.now()
        roll_up(now=now)
        assert self.of("Figures of this dashboard", now).state is State.OK
        later = now + timedelta(hours=1)
        assert self.of("Figures of this dashboard", later).state is State.WARN

    def test_damaged_model_files_are_noticed(self, db):
        ModelVersion.objects.create(version="v1", path="v1", status="active")
        found = self.of("Model")
        assert (found.state, "rollback_model" in found.to_do) == (State.DOWN, True)

    def test_the_newest_backup_counts(self, db, settings):
        now = timezone.now()
        for name, ago in (("old", 9), ("new", 1)):
            folder = Path(settings.BACKUPS_DIR) / name
            folder.mkdir(parents=True)
            made = {"created_at": (now - timedelta(days=ago)).isoformat()}
            (folder / "manifest.json").write_text(json.dumps(made))
        (Path(settings.BACKUPS_DIR) / "half").mkdir()
        found = self.of("Backup", now)
        assert (found.state, found.said) == (State.OK, "2 kept, the newest 1\xa0day old")
        assert self.of("Backup", now + timedelta(days=3)).state is State.WARN

    @pytest.mark.parametrize(
        ("is_passed", "days", "state"),
        [(True, 3, State.OK), (True, 60, State.WARN), (False, 3, State.DOWN)],
    )
    def test_a_restore_test_counts_while_it_is_fresh(self, db, settings, is_passed, days, state):
        now = timezone.now()
        folder = Path(settings.BACKUPS_DIR)
        folder.mkdir(parents=True)
        made = {"at": (now - timedelta(days=days)).isoformat(), "is_passed": is_passed}
        (folder / "restore-test.json").write_text(json.dumps(made))
        assert self.of("Restore test", now).state is state

    def test_a_dead_redis_costs_no_page(self, staff_client, settings):
        settings.REDIS_URL = DEAD_REDIS
        answer = staff_client.get("/status/")
        assert answer.status_code == 200
        assert "Something is down" in answer.content.decode()

    @pytest.mark.slow
    def test_a_running_worker_is_seen(self, celery_worker_process, monkeypatch):
        monkeypatch.setattr(status, "PING_S", 2.0)
        found = self.of("Workers")
        assert (found.state, celery_worker_process.name in found.said) == (State.OK, True)
