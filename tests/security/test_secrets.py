"""No secret lies in the repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
KINDS = {
    "private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
    "AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36,}\b",
    "GitLab token": r"\bglpat-[A-Za-z0-9_-]{20,}\b",
    "Slack token": r"\bxox[baprs]-[A-Za-z0-9-]{10,}",
    "Google key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "model provider's key": r"\bsk-[A-Za-z0-9_-]{20,}\b",
    "JSON web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "password in an address": r"\b[a-z]+://[^\s/:@{}$<>\"']+:(?!password@)[^\s/:@{}$<>\"']{6,}@",
    "assigned secret": (
        r"(?i)\b(?:secret_key|api_key|auth_token|access_token|private_key)\b"
        r"\s*[:=]\s*[\"'][A-Za-z0-9+/_=-]{24,}[\"']"
    ),
}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def secrets_in(text: str) -> list[str]:
    return [kind for kind, pattern in KINDS.items() if re.search(pattern, text)]


def test_no_file_holds_a_secret():
    files = tracked()
    assert len(files) > 400
    found = []
    for path in files:
        text = path.read_bytes().decode("utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {kind}" for kind in secrets_in(text)]
    assert found == []


def test_no_file_is_one_that_holds_secrets():
    names = {path.name for path in tracked()}
    assert not {n for n in names if n in {".env", "secret_key", "demo_login", ".netrc", ".pgpass"}}
    assert not {
        n for n in names if n.endswith((".pem", ".key", ".p12", ".pfx", ".dump", ".sqlite3"))
    }


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("private key", "-----BEGIN " + "PRIVATE KEY-----"),
        ("AWS key", "AKIA" + "A1B2C3D4E5F6G7H8"),
        ("GitHub token", "ghp_" + "a1" * 18),
        ("password in an address", "postgres://ann:" + "hunter22@db.example/x"),
        ("assigned secret", "SECRET_KEY = '" + "abcdefgh" * 4 + "'"),
        ("JSON web token", ".".join(["eyJ" + "a" * 12, "eyJ" + "b" * 12, "c" * 12])),
    ],
)
def test_the_scan_finds_what_it_looks_for(kind, text):
    assert kind in secrets_in(f"x {text} y")
