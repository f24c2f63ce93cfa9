"""The Dockerfile without a container engine: its files; its steps and its health check, run."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import yaml

from tests.faults.site import free_port, wait_until
from tests.worker import database_url_of_test

ROOT = Path(__file__).resolve().parent.parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
READY_S = 60


def instructions() -> list[tuple[str, str]]:
    """(name, the rest) of each, comments left out and continued lines joined."""
    lines = [line for line in DOCKERFILE.splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line]  # type: ignore[misc]


def of(name: str) -> list[str]:
    """What is said by all instructions of that name, in order."""
    return [rest for found, rest in instructions() if found == name]


def is_ignored(path: str) -> bool:
    """As .dockerignore says: the last line that matches counts; a folder takes its files along."""
    ignored = False
    parts = path.split("/")
    above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split():
        pattern = line.removeprefix("!")
        names = parts if pattern.startswith("**/") else above
        if any(fnmatch.fnmatch(name, pattern.removeprefix("**/")) for name in names):
            ignored = not line.startswith("!")
    return ignored


def context() -> list[str]:
    """The checkout's files that reach the image, those not committed yet, too."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [p for p in done.stdout.splitlines() if not is_ignored(p) and (ROOT / p).exists()]


def test_what_is_copied_exists():
    given = set(context())
    sources = [
        source for copy in of("COPY") if "--from" not in copy for source in copy.split()[:-1]
    ]
    assert sources == ["requirements.txt", "."]
    for source in sources:
        assert source == "." or source in given
    stages = {found[1] for line in of("FROM") if (found := re.search(r" AS (\w+)", line))}
    assert set(re.findall(r"--from=(\w+)", " ".join(of("COPY")))) <= stages


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (".env", True),
        (".env.production", True),
        (".env.example", False),
        ("var/secret_key", True),
        ("catalog/__pycache__/models.pyc", True),
        ("secrets/database_url", True),
        ("accounts/secrets.py", False),
        ("config/settings/base.py", False),
        ("locale/de/LC_MESSAGES/django.po", False),
    ],
)
def test_secrets_stay_out_and_code_comes_in(path, expected):
    assert is_ignored(path) is expected


def test_the_last_user_is_an_ordinary_one_that_exists():
    *_, last = of("USER")
    assert f"useradd --system --uid 10001 --home-dir /tmp --shell /usr/sbin/nologin {last}" in (
        " ".join(" ".join(of("RUN")).split())
    )
    names = [name for name, _rest in instructions()]
    assert "RUN" not in names[names.index("USER") :]


def test_compose_names_only_what_it_declares():
    services = COMPOSE["services"]
    needs_health = {"service_healthy"}
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in services, name
            has_check = not services[other].get("healthcheck", {}).get("disable", False)
            assert how["condition"] not in needs_health or has_check, name
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"]), name
        for volume in service.get("volumes", ()):
            assert volume.partition(":")[0] in COMPOSE["volumes"], name
        files = [v for k, v in service.get("environment", {}).items() if k.endswith("_FILE")]
        assert {Path(file).name for file in files} == set(service.get("secrets", ())), name


class Container:
    """The image's files and environment in a folder, started as ``docker run`` would."""

    def __init__(self, folder: Path) -> None:
        self.app, self.data = folder / "app", folder / "data"
        self.data.mkdir()
        self.port = free_port()
        for path in context():
            (self.app / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, self.app / path)
        here = {"/venv/bin": str(Path(sys.executable).parent), "/srv/marquee": str(self.data)}
        here |= {"/app": str(self.app), "/tmp": str(folder)}  # noqa: S108 - in the image
        here["$PATH"] = os.environ["PATH"]
        there = re.compile("|".join(re.escape(name) for name in here))
        # The second stage's: that is the image.
        self.env = {
            name: there.sub(lambda found: here[found[0]], value)
            for name, value in (pair.split("=", 1) for pair in shlex.split(of("ENV")[-1]))
        }

    def build(self) -> None:
        """The steps after the files were copied."""
        (step,) = (run for run in of("RUN") if "manage.py" in run)
        subprocess.run(["/bin/sh", "-c", step], cwd=self.app, env=self.env, check=True)

    def run(self, **more: str) -> subprocess.Popen[bytes]:
        """The entry point with its default command."""
        command = json.loads(of("ENTRYPOINT")[0]) + json.loads(of("CMD")[-1])
        self.env |= {"HOST": "127.0.0.1", "PORT": str(self.port), **more}
        return subprocess.Popen(command, cwd=self.app, env=self.env, start_new_session=True)

    def health(self) -> int:
        """What its health check ends with."""
        check = of("HEALTHCHECK")[0].partition("CMD ")[2]
        return subprocess.run(
            json.loads(check), cwd=self.app, env=self.env, capture_output=True, check=False
        ).returncode

    def is_alive(self) -> bool:
        """Whether its process answers, ready or not."""
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/livez", timeout=5).ok
        except requests.RequestException:
            return False

    def files(self) -> set[str]:
        """What lies in its root, but for caches of this Python."""
        return {str(path) for path in self.app.rglob("*") if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def container(tmp_path_factory) -> Container:
    """Built once: compressing every static file takes a minute or two."""
    made = Container(tmp_path_factory.mktemp("image"))
    made.build()
    return made


@pytest.mark.faults
def test_its_steps_run_and_its_health_check_tells_ready_from_not(container, transactional_db):
    assert (container.app / "staticfiles" / "staticfiles.json").exists()
    assert (container.app / "compiled-locale" / "de" / "LC_MESSAGES" / "django.mo").exists()
    assert container.health() == 1  # nobody listens yet
    built = container.files()
    web = container.run(
        DATABASE_URL=database_url_of_test(),
        REDIS_URL=os.environ["REDIS_URL"],
        SECRET_KEY="k" * 64,
        ALLOWED_HOSTS="films.example",
        WEB_WORKERS="1",
    )
    try:
        wait_until(lambda: container.health() == 0, timeout_s=READY_S, what="a healthy container")
    finally:
        os.killpg(web.pid, signal.SIGTERM)
        web.wait(timeout=20)
    assert container.health() == 1
    # Its root is read-only: whatever it writes lies in the volume or in /tmp.
    assert container.files() == built


@pytest.mark.faults
def test_a_container_without_its_database_is_not_healthy(container):
    web = container.run(
        DATABASE_URL="postgres://nobody@127.0.0.1:1/none",
        REDIS_URL=os.environ["REDIS_URL"],
        SECRET_KEY="k" * 64,
        ALLOWED_HOSTS="films.example",
        WEB_WORKERS="1",
    )
    try:
        wait_until(container.is_alive, timeout_s=READY_S, what="a web server")
        assert container.health() == 1
    finally:
        os.killpg(web.pid, signal.SIGTERM)
        web.wait(timeout=20)
