"""What is deployed is what the Procfile runs, with settings that exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from config.management.commands.up import processes

ROOT = Path(__file__).resolve().parent.parent.parent
UNITS = sorted((ROOT / "deploy" / "systemd").glob("marquee-*.service"))
KNOWN = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
# Read by programs that the processes run, not by our settings.
OTHERS = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "NUMBA_CACHE_DIR"}


def compose() -> dict:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    bin_dir = Path(sys.executable).parent
    return subprocess.run(
        [str(ROOT / "deploy" / "process"), *arguments],
        cwd="/",
        env={**os.environ, "PATH": f"{bin_dir}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_compose_and_systemd_run_the_processes_of_the_procfile():
    names = set(processes())
    services = compose()["services"]
    assert {n for n, s in services.items() if s.get("command", [""])[0] == n} == names
    units = {re.search(r"deploy/process (\w+)", u.read_text()).group(1) for u in UNITS}
    assert units == {*names, "manage"}


def test_a_process_is_the_line_of_the_procfile(tmp_path):
    copy = tmp_path / "deploy"
    copy.mkdir()
    shutil.copy(ROOT / "deploy" / "process", copy / "process")
    (tmp_path / "Procfile").write_text(
        'web: exec echo "port ${PORT:-8000}"\nbeat: exec echo tick\n'
    )
    done = subprocess.run([copy / "process", "web"], capture_output=True, text=True, check=True)
    assert done.stdout == "port 8000\n"
    wrong = subprocess.run([copy / "process", "wbe"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert 'no process "wbe" in the Procfile: name one of web beat or manage' in wrong.stderr


def test_manage_commands_go_through_the_same_door():
    done = run("manage", "version")
    assert (done.returncode, done.stdout.count(".")) == (0, 2)


def test_every_variable_that_is_set_is_documented():
    environment = compose()["x-marquee"]["environment"]
    in_image = re.findall(r"\b([A-Z][A-Z_]{3,})=", (ROOT / "Dockerfile").read_text())
    in_units = [
        n for u in UNITS for n in re.findall(r"^Environment=([A-Z_]+)=", u.read_text(), re.M)
    ]
    pip = {"PIP_DISABLE_PIP_VERSION_CHECK", "PIP_NO_CACHE_DIR", "TORCH_INDEX"}
    used = {n.removesuffix("_FILE") for n in [*environment, *in_image, *in_units]}
    # MARQUEE_ENV_FILE is no secret's file: its name itself is documented.
    assert used - KNOWN - OTHERS - pip - {"MARQUEE_ENV"} == set()


def test_the_image_runs_as_nobody_special_on_a_root_that_cannot_be_written():
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER marquee$", dockerfile, re.MULTILINE)
    assert "HEALTHCHECK" in dockerfile
    for name in (*processes(), "migrate"):
        service = compose()["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]


def test_nothing_secret_or_heavy_gets_into_the_image():
    ignored = set((ROOT / ".dockerignore").read_text().split())
    assert {".git", ".env", "secrets", "var", ".venv"} <= ignored


def test_only_the_proxys_address_is_published():
    assert compose()["services"]["web"]["ports"] == ["127.0.0.1:${PORT:-8000}:8000"]
    assert [n for n, s in compose()["services"].items() if "ports" in s] == ["web"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_what_systemd_understands(unit):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    # The program is not installed where the unit says: that is all it may miss.
    said = [line for line in done.stderr.splitlines() if unit.name in line]
    assert [line for line in said if "is not executable" not in line] == []


def interpreter(path: Path, *options: str) -> str:
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {" ".join(options)} "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_the_quickest_python_is_taken(tmp_path):
    quick = interpreter(tmp_path / "quick")
    slow = interpreter(tmp_path / "slow", "-X", "tracemalloc=20")
    broken = interpreter(tmp_path / "broken", "-c", "'raise SystemExit(1)'")

    def chosen(*pythons: str) -> str:
        command = ["sh", str(ROOT / "deploy" / "python.sh"), *pythons]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        assert done.stderr == ""
        return done.stdout.strip()

    assert chosen(slow, quick) == quick
    assert chosen(quick, slow) == quick
    assert chosen(broken, slow, str(tmp_path / "nowhere")) == slow
    assert chosen(broken) == "python3.11"  # make says then what to install
