"""Every dependency, asked once: whether it answers, and what it says of itself."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import redis
from celery import current_app
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.template.defaultfilters import filesizeformat
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from catalog.numbers import decimal_text
from dashboard.models import RollUpMark
from dashboard.monitoring.beat import beat_rows, last_heartbeat
from ml.artifacts import ArtifactError, read_manifest
from recommendations.models import ModelVersion
from recommendations.sources import HYBRID

PING_S = 0.7
SILENT_AFTER = timedelta(minutes=5)
FULL, NEARLY_FULL = 0.03, 0.10  # of the disk's space still free
BACKUP_OLD = timedelta(days=2)
RESTORE_TEST_OLD = timedelta(days=35)
ROLL_UP_OLD = timedelta(minutes=20)
RESTORE_TEST = "restore-test.json"


class State(StrEnum):
    """How it stands."""

    OK = "ok"
    WARN = "look"
    DOWN = "down"


@dataclass(frozen=True)
class Dependency:
    """One thing. ``said`` is for people; ``to_do`` what helps where it does not stand well."""

    name: str
    state: State
    said: str
    to_do: str = ""


def dependencies(*, now: datetime) -> list[Dependency]:
    """All of them; one that hangs costs its own short timeout, none an exception."""
    asked: list[tuple[str, Callable[[datetime], Dependency]]] = [
        ("Postgres", _postgres),
        ("Redis", _redis),
        (_("Workers"), _workers),
        (_("Beat"), _beat),
        (_("Model"), _model),
        (_("Figures of this dashboard"), _roll_ups),
        (_("Disk"), _disk),
        (_("Backup"), _backup),
        (_("Restore test"), _restore_test),
    ]
    found = []
    for name, ask in asked:
        try:
            found.append(ask(now))
        except DatabaseError:
            connection.close()
            found.append(Dependency(name, State.DOWN, _("Not known: Postgres does not answer.")))
    return found


def worst(found: list[Dependency]) -> State:
    """How all of it stands."""
    states = {one.state for one in found}
    return next(s for s in (State.DOWN, State.WARN, State.OK) if s in states or s is State.OK)


def _postgres(now: datetime) -> Dependency:
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), pg_database_size(current_database()), "
            "(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())"
        )
        version, n_bytes, n_open = cursor.fetchone() or ("", 0, 0)
    took_ms = (time.perf_counter() - started) * 1000
    return Dependency(
        "Postgres",
        State.OK,
        _("%(version)s, %(size)s, %(n)s connections, answered in %(ms)s ms")
        % {
            "version": version,
            "size": filesizeformat(n_bytes),
            "n": n_open,
            "ms": decimal_text(took_ms),
        },
    )


def _redis(now: datetime) -> Dependency:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=0.3, socket_timeout=0.5
    )
    try:
        info = client.info()
    except (redis.RedisError, OSError) as error:
        return Dependency(
            "Redis",
            State.DOWN,
            _("It does not answer (%(error)s).") % {"error": type(error).__name__},
            _("Lists and feedback work on; trainings and batches wait until it is back."),
        )
    finally:
        client.close()
    return Dependency(
        "Redis",
        State.OK,
        _("%(version)s, %(size)s used, up for %(days)s days")
        % {
            "version": info["redis_version"],
            "size": filesizeformat(info["used_memory"]),
            "days": info["uptime_in_days"],
        },
    )


def _workers(now: datetime) -> Dependency:
    name = _("Workers")
    try:
        answers = current_app.control.inspect(timeout=PING_S).ping() or {}
    except (OperationalError, redis.RedisError, OSError):
        return Dependency(name, State.DOWN, _("Not known: the queue does not answer."))
    if answers:
        return Dependency(name, State.OK, ", ".join(sorted(answers)))
    heard = last_heartbeat(beat_rows(now=now))
    # A worker in the middle of a training does not answer pings with one process only.
    if heard is not None and now - heard < SILENT_AFTER:
        said = _("None answers right now; one was at work %(time)s ago.")
        return Dependency(name, State.WARN, said % {"time": timesince(heard, now, depth=1)})
    return Dependency(
        name,
        State.DOWN,
        _("None answers, and none did anything lately."),
        _("Start the worker: the line of that name in the Procfile."),
    )


def _beat(now: datetime) -> Dependency:
    rows = beat_rows(now=now)
    name = _("Beat")
    if not rows:
        return Dependency(
            name,
            State.DOWN,
            _("Nothing ever ran by the clock."),
            _("Start beat: the line of that name in the Procfile."),
        )
    late = [row.name for row in rows if row.is_late]
    failed = [row.name for row in rows if row.error]
    if len(late) == len(rows):
        said = _("Nothing has run by the clock lately.")
        return Dependency(name, State.DOWN, said, _("Is beat running, and a worker?"))
    if late or failed:
        parts = [_("late: %(names)s") % {"names": ", ".join(late)}] if late else []
        parts += [_("failed: %(names)s") % {"names": ", ".join(failed)}] if failed else []
        return Dependency(name, State.WARN, "; ".join(parts))
    return Dependency(name, State.OK, _("%(n)s entries, none late") % {"n": len(rows)})


def _model(now: datetime) -> Dependency:
    name = _("Model")
    active = ModelVersion.objects.filter(kind=HYBRID, status=ModelVersion.Status.ACTIVE).first()
    if active is None:
        return Dependency(
            name, State.DOWN, _("None is being served."), _("Train one: manage.py train.")
        )
    try:
        read_manifest(Path(settings.MODELS_DIR) / active.path)
    except ArtifactError as error:
        return Dependency(
            name,
            State.DOWN,
            f"{active.version}: {error}",
            _("Go back to the version before: manage.py rollback_model."),
        )
    return Dependency(
        name,
        State.OK,
        _("%(version)s, trained %(time)s ago")
        % {"version": active.version, "time": timesince(active.created_at, now, depth=1)},
    )


def _roll_ups(now: datetime) -> Dependency:
    name = _("Figures of this dashboard")
    mark = RollUpMark.objects.filter(rolled_at__isnull=False).first()
    if mark is None or mark.rolled_at is None:
        return Dependency(
            name, State.WARN, _("Not counted yet."), _("Count them: manage.py roll_up --rebuild.")
        )
    state = State.OK if now - mark.rolled_at < ROLL_UP_OLD else State.WARN
    said = _("counted %(time)s ago") % {"time": timesince(mark.rolled_at, now, depth=1)}
    return Dependency(name, state, said)


def _disk(now: datetime) -> Dependency:
    name = _("Disk")
    try:
        usage = shutil.disk_usage(settings.VAR_DIR)
    except OSError as error:
        return Dependency(name, State.DOWN, f"{settings.VAR_DIR}: {error.strerror}")
    free = usage.free / usage.total
    state = State.DOWN if free < FULL else State.WARN if free < NEARLY_FULL else State.OK
    return Dependency(
        name,
        state,
        _("%(free)s of %(total)s free (%(percent)s %%)")
        % {
            "free": filesizeformat(usage.free),
            "total": filesizeformat(usage.total),
            "percent": round(100 * free),
        },
        "" if state is State.OK else _("Make room: old models and pictures lie under var/."),
    )


def _backup(now: datetime) -> Dependency:
    """The newest folder with a manifest, as ``manage.py backup`` leaves it."""
    name = _("Backup")
    made = [
        at
        for manifest in Path(settings.BACKUPS_DIR).glob("*/manifest.json")
        if (at := _moment(manifest, "created_at")) is not None
    ]
    if not made:
        return Dependency(
            name,
            State.WARN,
            _("None lies in %(folder)s.") % {"folder": settings.BACKUPS_DIR},
            _("Make one there, or name its folder in BACKUPS_DIR."),
        )
    newest = max(made)
    state = State.OK if now - newest < BACKUP_OLD else State.WARN
    said = _("%(n)s kept, the newest %(time)s old")
    return Dependency(name, state, said % {"n": len(made), "time": timesince(newest, now, depth=1)})


def _restore_test(now: datetime) -> Dependency:
    """What whoever tried to restore wrote down: {"at": ..., "is_passed": true}."""
    name = _("Restore test")
    file = Path(settings.BACKUPS_DIR) / RESTORE_TEST
    at = _moment(file, "at")
    if at is None:
        said = _("Nobody wrote down in %(file)s that a backup was restored.")
        return Dependency(name, State.WARN, said % {"file": file}, _("Try one before you need it."))
    is_passed = json.loads(file.read_text(encoding="utf-8")).get("is_passed") is True
    said = _("passed %(time)s ago") if is_passed else _("failed %(time)s ago")
    is_good = is_passed and now - at < RESTORE_TEST_OLD
    return Dependency(
        name,
        State.OK if is_good else State.WARN if is_passed else State.DOWN,
        said % {"time": timesince(at, now, depth=1)},
    )


def _moment(file: Path, key: str) -> datetime | None:
    """The time that a JSON file gives under ``key``; None where there is no such file or time."""
    try:
        at = datetime.fromisoformat(str(json.loads(file.read_text(encoding="utf-8"))[key]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
