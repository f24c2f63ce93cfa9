"""Typed readers of the environment.

A wrong value refuses the start with the variable's name; a secret may also come from a file named
by ``NAME_FILE`` (Docker and systemd credentials).
"""

from __future__ import annotations

import os
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

_env = environ.Env()
_FILE = Path(__file__).resolve().parent.parent / ".env"


def load_file() -> None:
    """Read ``.env`` in the project's folder; what the environment already says wins.

    ``MARQUEE_ENV_FILE`` names another file, or none where it is empty (the tests do that).
    """
    path = os.environ.get("MARQUEE_ENV_FILE", str(_FILE))
    if path and Path(path).is_file():
        environ.Env.read_env(path, overwrite=False)


def text(name: str, default: str = "") -> str:
    """``NAME``, or the content of the file that ``NAME_FILE`` names."""
    file = _env.str(f"{name}_FILE", default="")
    if file:
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            msg = f"{name}_FILE names {file}, which cannot be read: {error.strerror}"
            raise ImproperlyConfigured(msg) from error
    return _env.str(name, default=default)


def required(name: str, what: str) -> str:
    """``NAME``, refusing the start where it is missing."""
    value = text(name)
    if not value:
        msg = f"Set {name} (or {name}_FILE): {what}."
        raise ImproperlyConfigured(msg)
    return value


def number(name: str, *, default: int, minimum: int = 0, maximum: int | None = None) -> int:
    """An integer within bounds."""
    raw = text(name, str(default))
    try:
        value = int(raw)
    except ValueError as error:
        msg = f"{name} must be a whole number, got {raw!r}"
        raise ImproperlyConfigured(msg) from error
    if value < minimum or (maximum is not None and value > maximum):
        upper = f" and at most {maximum}" if maximum is not None else ""
        msg = f"{name} must be at least {minimum}{upper}, got {value}"
        raise ImproperlyConfigured(msg)
    return value


def flag(name: str, *, default: bool) -> bool:
    """A yes or no: 1/0, true/false, yes/no, on/off."""
    raw = text(name, "1" if default else "0").lower()
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off", ""}:
        return False
    msg = f"{name} must be 1 or 0 (true/false, yes/no, on/off), got {raw!r}"
    raise ImproperlyConfigured(msg)


def one_of(name: str, choices: tuple[str, ...], *, default: str) -> str:
    """One of a few words."""
    value = text(name, default)
    if value not in choices:
        msg = f"{name} must be one of {', '.join(choices)}, got {value!r}"
        raise ImproperlyConfigured(msg)
    return value


def listing(name: str, default: str = "") -> list[str]:
    """Comma-separated words."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def database(name: str = "DATABASE_URL") -> dict:
    """Django's database settings from a URL; only Postgres will do."""
    url = required(name, "the Postgres to use, such as postgres://user:password@host:5432/marquee")
    try:
        parsed = _env.db_url_config(url)
    except Exception as error:  # django-environ raises what its parsers raise
        msg = f"{name} cannot be read as a database URL: {error}"
        raise ImproperlyConfigured(msg) from error
    if "postgresql" not in parsed.get("ENGINE", ""):
        msg = f"{name} must be a postgres:// URL; Marquee needs Postgres with pgvector"
        raise ImproperlyConfigured(msg)
    # A Unix socket is written as libpq does: postgres://user@/name?host=/folder
    socket_dir = parsed.get("OPTIONS", {}).pop("host", "")
    if socket_dir:
        parsed["HOST"] = socket_dir
    return parsed
