"""Nobody makes this server ask an address of their choice."""

from __future__ import annotations

import ast
import http.server
import threading
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings as django_settings
from hypothesis import given
from hypothesis import strategies as st

from catalog.llm.client import _ask
from catalog.tmdb.errors import TmdbError
from catalog.tmdb.transport import Transport

ROOT = Path(django_settings.BASE_DIR)
#: The modules that speak to other machines, and who decides to whom.
OUTBOUND = {
    "catalog/tmdb/transport.py": "TMDB_BASE_URL and TMDB_IMAGE_URL",
    "catalog/llm/client.py": "LLM_BASE_URL",
    "catalog/ingestion/sources.py": "the operator, on the command line",
    "recommendations/traffic/client.py": "the operator, on the command line",
    "config/bootstrap.py": "MovieLens' fixed address",
    "config/management/commands/up.py": "our own address",
}
CLIENTS = {"requests", "urllib.request", "http.client", "httpx", "aiohttp", "urllib3", "ftplib"}


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_only_these_modules_speak_to_others():
    found = {
        path.relative_to(ROOT).as_posix()
        for app in ("accounts", "catalog", "config", "dashboard", "feedback", "recommendations")
        for path in (ROOT / app).rglob("*.py")
        if {name for name in imported(path) if name in CLIENTS}
    }
    assert found == set(OUTBOUND)


paths = st.lists(
    st.sampled_from(["/", "//", "\\", "..", "@", ":80", "evil.example", "?", "#", "%2f", "http://"])
    | st.text(max_size=4),
    max_size=8,
).map("".join)


@given(paths)
def test_no_path_leads_the_client_to_another_host(path):
    asked: list[str] = []

    def send(request, **_options):
        asked.append(request.url)
        raise requests.ConnectionError

    transport = Transport("https://api.tmdb.example/3")
    transport._session().send = send
    with pytest.raises((ValueError, TmdbError)):
        transport.get(path)
    assert {urlsplit(url).hostname for url in asked} <= {"api.tmdb.example"}


@pytest.fixture
def trap():
    """A server that sends every caller on to another address of its own, and notes who comes."""
    seen: list[str] = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802 - http.server's name
            seen.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/inside")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - http.server's name

        def log_message(self, *_args):
            """Silent."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}", seen=seen)
    server.shutdown()
    thread.join()


def test_redirects_are_not_followed(trap, settings):
    assert Transport(trap.url).get("/3/movie/1").status == 302
    settings.LLM_BASE_URL, settings.LLM_MODEL = trap.url, "small"
    with pytest.raises(ValueError, match="status 302"):
        _ask("be brief", "hello", is_json=False)
    assert trap.seen == ["/3/movie/1", "/chat/completions"]


def test_the_environment_cannot_put_a_proxy_between(trap, settings, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert Transport(trap.url).get("/3/movie/1").status == 302
    settings.LLM_BASE_URL, settings.LLM_MODEL = trap.url, "small"
    with pytest.raises(ValueError, match="status 302"):
        _ask("be brief", "hello", is_json=False)
    with pytest.raises(requests.exceptions.ProxyError):
        requests.get(f"{trap.url}/", timeout=2)
