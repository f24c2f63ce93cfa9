"""A wrong setting refuses the start and names the variable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env

ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_number_that_is_none_names_its_variable(monkeypatch):
    monkeypatch.setenv("RETRAIN_AFTER", "often")
    with pytest.raises(ImproperlyConfigured, match="RETRAIN_AFTER must be a whole number"):
        env.number("RETRAIN_AFTER", default=20)


@pytest.mark.parametrize("value", ["0", "65536"])
def test_a_number_out_of_bounds_names_its_variable_and_bounds(monkeypatch, value):
    monkeypatch.setenv("PORT", value)
    with pytest.raises(ImproperlyConfigured, match="PORT must be at least 1 and at most 65535"):
        env.number("PORT", default=8000, minimum=1, maximum=65535)


def test_a_flag_reads_yes_and_no_and_refuses_the_rest(monkeypatch):
    for raw, value in {"1": True, "Yes": True, "off": False, "FALSE": False, "": False}.items():
        monkeypatch.setenv("DEBUG", raw)
        assert env.flag("DEBUG", default=True) is value
    monkeypatch.setenv("DEBUG", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="DEBUG must be 1 or 0"):
        env.flag("DEBUG", default=True)


def test_a_missing_secret_names_itself_and_its_file_variant(monkeypatch):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    with pytest.raises(ImproperlyConfigured, match=r"Set SECRET_KEY \(or SECRET_KEY_FILE\)"):
        env.required("SECRET_KEY", "signs sessions")


def test_a_secret_comes_from_a_file(monkeypatch, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("from a file\n", encoding="utf-8")
    monkeypatch.setenv("SECRET_KEY_FILE", str(secret))
    assert env.required("SECRET_KEY", "signs sessions") == "from a file"
    secret.unlink()
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE names .* cannot be read"):
        env.required("SECRET_KEY", "signs sessions")


@pytest.mark.parametrize("url", ["mysql://u:p@h/db", "sqlite:///x.db"])
def test_only_postgres_will_do(monkeypatch, url):
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL must be a postgres"):
        env.database()


def test_a_unix_socket_becomes_the_host(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://me@/films?host=/run/my%20sockets")
    found = env.database()
    assert (found["HOST"], found["NAME"], found["USER"]) == ("/run/my sockets", "films", "me")


def test_the_environment_wins_over_the_env_file(monkeypatch, tmp_path):
    file = tmp_path / "env"
    file.write_text("HOST=10.0.0.1\nPORT=9000\n", encoding="utf-8")
    monkeypatch.setenv("MARQUEE_ENV_FILE", str(file))
    monkeypatch.setenv("PORT", "8001")
    monkeypatch.setenv("HOST", "to be removed again")
    monkeypatch.delenv("HOST")
    env.load_file()
    assert env.text("HOST") == "10.0.0.1"
    assert env.number("PORT", default=1) == 8001
    monkeypatch.delenv("HOST")


def test_every_variable_that_is_read_is_documented():
    sources = [*(ROOT / "config").rglob("*.py"), *(ROOT / "tests").glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    readers = r"(?:env\.(?:text|required|number|flag|listing)|os\.environ(?:\.get|\.setdefault)?)"
    read = set(re.findall(readers + r'[\[(]\s*"([A-Z][A-Z_]+)"', text)) | {"DATABASE_URL"}
    read |= set(re.findall(r"\$\{([A-Z_]+):-", (ROOT / "Procfile").read_text(encoding="utf-8")))
    # Set by other programs, or by our own for their children.
    foreign = {"PATH", "PYTEST_XDIST_WORKER", "MARQUEE_TEST_READY", "DJANGO_ALLOW_ASYNC_UNSAFE"}
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    documented = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    assert "RETRAIN_AFTER" in read
    assert "WEB_THREADS" in read
    assert read - foreign - documented == set()
