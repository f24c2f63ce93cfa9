"""Production settings: clean where they are complete, refused where they are not."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import override_settings

from config import checks

ROOT = Path(__file__).resolve().parent.parent.parent


def manage(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """``manage.py`` as on a production host; an empty change removes the variable."""
    env = {
        "PATH": os.environ["PATH"],
        "MARQUEE_ENV_FILE": "",
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "DATABASE_URL": "postgres://nobody@localhost/none",
        "REDIS_URL": "redis://localhost:1/0",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "marquee.example",
        **changes,
    }
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={name: value for name, value in env.items() if value},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_check_deploy_has_nothing_to_say_once_the_texts_are_compiled(tmp_path):
    place = {"LOCALE_ROOT": str(tmp_path)}
    done = manage("check", "--deploy", "--fail-level", "WARNING", **place)
    assert done.returncode == 1
    assert "(marquee.W007) Texts are not compiled as they are now: de." in done.stderr
    assert done.stderr.count("WARNINGS") == done.stderr.count("marquee.W") == 1
    assert manage("messages", "--compile", **place).stdout == "Compiled: de\n"
    done = manage("check", "--deploy", "--fail-level", "WARNING", **place)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues" in done.stdout


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL"])
def test_what_is_missing_is_named_in_one_sentence(name, tmp_path):
    done = manage("check", **{name: "", "MARQUEE_VAR": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr.startswith(f"Set {name} (or {name}_FILE)")
    assert len(done.stderr.splitlines()) == 1
    # Nothing embedded was started in its place.
    assert list(tmp_path.iterdir()) == []


def test_a_policy_without_csp_or_with_unsafe_sources_is_noticed(settings):
    assert checks.check_csp(None) == []
    weak = {"DIRECTIVES": {**settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]}}
    weak["DIRECTIVES"]["script-src"] = ["'self'", "'unsafe-inline'"]
    del weak["DIRECTIVES"]["base-uri"]
    with override_settings(CONTENT_SECURITY_POLICY=weak):
        (found,) = checks.check_csp(None)
    assert found.id == "marquee.W002"
    assert "script-src 'unsafe-inline', no base-uri" in found.msg
    with override_settings(CONTENT_SECURITY_POLICY=None):
        assert [found.id for found in checks.check_csp(None)] == ["marquee.W001"]


def test_cookies_limits_and_the_demo_login_are_noticed(settings):
    with override_settings(
        SESSION_COOKIE_NAME="__Host-session",
        SESSION_COOKIE_SECURE=True,
        CSRF_COOKIE_NAME="csrf",
        CSRF_COOKIE_SECURE=True,
    ):
        (found,) = checks.check_cookies(None)
        assert found.id == "marquee.W003"
        assert "csrf" in found.msg
    redis = {"default": settings.CACHES["disposable"]}
    with override_settings(CACHES=redis):
        assert [found.id for found in checks.check_limits_survive(None)] == ["marquee.W004"]
    assert checks.check_no_demo(None) == []
    with override_settings(DEMO_LOGIN=True):
        assert [found.id for found in checks.check_no_demo(None)] == ["marquee.E001"]


def test_the_web_process_starts_without_the_heavy_libraries():
    code = (
        "import sys, config.wsgi\n"
        "from django.urls import get_resolver\n"
        "get_resolver().url_patterns\n"
        "heavy = {'torch', 'lightgbm', 'sentence_transformers', 'transformers', 'sklearn'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
