"""The embedded servers: where they start, what they refuse, how they come back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from config.embedded import Embedded, EmbeddedServiceError, postgres, redis_server
from config.embedded.errors import disk_full
from config.embedded.lease import Lease
from config.embedded.pids import ProcessRecord, end_process, read_record, write_record
from config.embedded.places import check_disk_space, make_folder, socket_folder

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """One data folder for this module's tests, in a path with spaces and far too deep."""
    # Not pytest's tmp_path: the server's user could not pass its folders of mode 0700.
    top = Path(tempfile.mkdtemp(prefix="marquee test "))
    folder = (
        top / ("a path that is longer than any socket may be " * 3).strip() / "var" / "postgres"
    )
    folder.parent.mkdir(parents=True)
    postgres.start(folder)
    yield folder
    postgres.stop(folder)
    shutil.rmtree(top)


def ask(folder: Path, question: str) -> object:
    """One value from the server of the folder."""
    sockets = socket_folder(folder, socket_name=postgres.SOCKET_NAME)
    with psycopg.connect(host=str(sockets), user="postgres", dbname="marquee") as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def test_a_deep_path_with_spaces_works_and_nothing_is_lost_on_purpose(cluster):
    assert str(ask(cluster, "SHOW server_version")).startswith("18.")
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        assert ask(cluster, f"SHOW {name}") == "on"
    assert ask(cluster, "SHOW listen_addresses") == ""
    assert cluster.stat().st_mode & 0o777 == 0o700
    sockets = socket_folder(cluster, socket_name=postgres.SOCKET_NAME)
    assert sockets != cluster
    assert sockets.stat().st_mode & 0o777 == 0o700


def test_a_second_start_attaches_to_the_running_server(cluster):
    pid = postgres.server_pid(cluster)
    postgres.start(cluster)
    assert postgres.server_pid(cluster) == pid


def test_a_killed_server_comes_back_with_what_was_committed(cluster):
    sockets = socket_folder(cluster, socket_name=postgres.SOCKET_NAME)
    with psycopg.connect(host=str(sockets), user="postgres", dbname="marquee") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    pid = postgres.server_pid(cluster)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    postgres.start(cluster)
    assert postgres.server_pid(cluster) != pid
    assert ask(cluster, "SELECT answer FROM kept") == 42


def test_a_stale_pid_file_of_somebody_elses_process_does_not_stop_a_start(cluster):
    postgres.stop(cluster)
    # This test's own process, surely alive and surely no Postgres.
    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n/elsewhere\n1\n5432\n/tmp\n\n\n")
    sockets = socket_folder(cluster, socket_name=postgres.SOCKET_NAME)
    (sockets / f"{postgres.SOCKET_NAME}.lock").write_text(f"{os.getpid()}\n")
    postgres.start(cluster)
    assert postgres.server_pid(cluster) not in {None, os.getpid()}


def test_a_server_without_durability_is_refused(cluster):
    sockets = socket_folder(cluster, socket_name=postgres.SOCKET_NAME)
    with psycopg.connect(
        host=str(sockets), user="postgres", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    postgres.stop(cluster)
    with pytest.raises(EmbeddedServiceError, match="fsync = off, which can lose data"):
        postgres.start(cluster)
    with psycopg.connect(
        host=str(sockets), user="postgres", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute("ALTER SYSTEM RESET fsync")
    postgres.stop(cluster)
    postgres.start(cluster)
    assert ask(cluster, "SHOW fsync") == "on"


def test_data_of_another_version_is_refused(tmp_path):
    folder = tmp_path / "postgres"
    folder.mkdir()
    (folder / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedServiceError, match="made by PostgreSQL 16"):
        postgres.start(folder)
    assert [path.name for path in folder.iterdir()] == ["PG_VERSION"]


@pytest.mark.parametrize("module", [postgres, redis_server])
def test_missing_binaries_are_one_sentence(tmp_path, monkeypatch, module):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EmbeddedServiceError, match="install requirements.txt again"):
        module.start(tmp_path / "server")


def test_a_full_disk_is_one_sentence_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("config.embedded.places.shutil.disk_usage", _nothing_free)
    with pytest.raises(EmbeddedServiceError, match="The disk that holds .* is full"):
        postgres.start(tmp_path / "postgres")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(EmbeddedServiceError, match="is full"):
        check_disk_space(tmp_path)


def _nothing_free(path: Path) -> object:
    return type("Usage", (), {"free": 1024 * 1024})()


def test_what_postgres_says_becomes_a_sentence(tmp_path):
    full = postgres._explain("FATAL:  could not write: No space left on device", tmp_path)
    assert str(full) == str(disk_full(tmp_path))
    other = postgres._explain("LOG: x\nFATAL:  data directory is odd\n", tmp_path)
    assert "did not start (data directory is odd)" in str(other)


def test_a_file_in_place_of_the_folder_is_one_sentence(tmp_path):
    (tmp_path / "var").write_text("not a folder")
    for path in (tmp_path / "var", tmp_path / "var" / "redis"):
        with pytest.raises(EmbeddedServiceError, match="a file is in the way"):
            make_folder(path)


def run_as_ordinary_user(work: object) -> str:
    """What ``work`` raises in a child process that is not root; empty where it raises nothing."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        message = ""
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            work()  # type: ignore[operator]
        except BaseException as error:  # the parent judges whatever it was
            message = f"{type(error).__name__}: {error}"
        os.write(write_end, message.encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, encoding="utf-8") as answer:
        message = answer.read()
    os.waitpid(child, 0)
    return message


def test_a_folder_that_may_not_be_written_is_one_sentence():
    top = Path(tempfile.mkdtemp(prefix="marquee-ro-"))
    top.chmod(0o555)

    def start() -> None:
        Embedded(var_dir=top, has_postgres=True, has_redis=True).start()

    try:
        message = run_as_ordinary_user(start)
    finally:
        top.chmod(0o700)
        shutil.rmtree(top)
    assert message.startswith(f"EmbeddedServiceError: Marquee cannot write to {top}")
    assert "set MARQUEE_VAR" in message


@pytest.mark.slow
def test_an_ordinary_user_starts_and_stops_both_servers():
    top = Path(tempfile.mkdtemp(prefix="marquee-user-"))
    top.chmod(0o777)
    var = top / "var"

    def start_and_stop() -> None:
        var.mkdir()
        services = Embedded(var_dir=var, has_postgres=True, has_redis=True)
        services.start()
        assert services.lost() == []
        owners = {psutil.Process(pid).uids().effective for pid in _pids(var)}
        assert owners == {os.geteuid()}
        services.release()
        assert services.lost() == ["Postgres", "Redis"]

    try:
        assert run_as_ordinary_user(start_and_stop) == ""
    finally:
        shutil.rmtree(top)


def _pids(var: Path) -> list[int]:
    found = [postgres.server_pid(var / "postgres"), redis_server.server_pid(var / "redis")]
    return [pid for pid in found if pid is not None]


def test_a_stale_redis_socket_and_a_hung_server_are_replaced(tmp_path):
    folder = tmp_path / "redis"
    folder.mkdir()
    sockets = socket_folder(folder, socket_name=redis_server.SOCKET_NAME)
    (sockets / redis_server.SOCKET_NAME).touch()
    redis_server.start(folder)
    hung = redis_server.server_pid(folder)
    assert hung is not None
    os.kill(hung, signal.SIGSTOP)
    redis_server.start(folder)
    replaced = redis_server.server_pid(folder)
    assert replaced not in {None, hung}
    redis_server.stop(folder)
    assert redis_server.server_pid(folder) is None
    assert not (sockets / redis_server.SOCKET_NAME).exists()


def test_the_last_one_out_is_the_one_who_stops(tmp_path):
    first, second = Lease(tmp_path), Lease(tmp_path)
    assert not first.is_last()
    first.close()
    assert second.is_last()
    second.close()


@pytest.mark.slow
def test_two_processes_starting_at_once_share_one_server_and_stop_it_at_the_end():
    top = Path(tempfile.mkdtemp(prefix="marquee two "))
    env = {**os.environ, "MARQUEE_VAR": str(top / "var")}
    for name in ("DATABASE_URL", "REDIS_URL"):
        env.pop(name, None)
    code = (
        "import sys; from config.embedded import ensure_services, postgres\n"
        "services = ensure_services()\n"
        "print(postgres.server_pid(services.var_dir / 'postgres'), flush=True)\n"
        "sys.stdin.read()"
    )
    try:
        starters = [
            subprocess.Popen(
                [sys.executable, "-c", code],
                cwd=ROOT,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for _ in range(2)
        ]
        pids = [int(starter.stdout.readline()) for starter in starters if starter.stdout]
        assert len(set(pids)) == 1
        starters[0].communicate()
        assert postgres.server_pid(top / "var" / "postgres") == pids[0]
        starters[1].communicate()
        assert postgres.server_pid(top / "var" / "postgres") is None
        assert redis_server.server_pid(top / "var" / "redis") is None
        assert [starter.returncode for starter in starters] == [0, 0]
    finally:
        shutil.rmtree(top)


def test_a_recorded_pid_with_another_start_time_is_not_touched(tmp_path):
    path = tmp_path / "web.json"
    write_record(path, os.getpid())
    record = read_record(path)
    assert record is not None
    assert record.process() is not None
    other = ProcessRecord(pid=os.getpid(), started_at=record.started_at - 3600)
    assert other.process() is None
    assert end_process(other, timeout_s=1) is False
    path.write_text("{half a rec")
    assert read_record(path) is None
