"""The installable app's files, and what scripts weigh."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from config.pwa import SHELL, static_version

BUDGET_BYTES = 60 * 1024
SCRIPTS = sorted((settings.BASE_DIR / "static" / "js").glob("*.js"))


def gzipped(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9))


@pytest.mark.django_db
def test_all_scripts_together_stay_within_the_budget(client):
    page = client.get("/about/").content.decode()
    urls = re.findall(r'<script[^>]*src="/static/([^"]+)"', page)
    foreign = [Path(finders.find(url)) for url in urls if not url.startswith("js/")]
    assert any("htmx" in path.name for path in foreign)
    weights = {path.name: gzipped(path) for path in [*SCRIPTS, *foreign]}
    weights["sw.js"] = len(gzip.compress(client.get("/sw.js").content, 9))
    assert len(SCRIPTS) >= 10
    assert sum(weights.values()) <= BUDGET_BYTES, weights


@pytest.mark.django_db
def test_the_manifest_names_icons_that_exist_and_a_mask(client):
    manifest = json.loads(client.get("/manifest.webmanifest").content)
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in manifest["icons"]}
    assert "maskable" in {icon["purpose"] for icon in manifest["icons"]}
    for icon in manifest["icons"]:
        assert finders.find(icon["src"].removeprefix("/static/")), icon
    for shortcut in manifest["shortcuts"]:
        assert shortcut["name"]
        assert client.get(shortcut["url"]).status_code in {200, 302}


@pytest.mark.django_db
def test_every_page_and_whoever_asks_without_one_find_the_icon(client, admin_client):
    answer = client.get("/favicon.ico")
    assert answer.status_code == 302
    assert finders.find(answer["Location"].removeprefix("/static/"))
    for page in (client.get("/about/"), admin_client.get("/admin/"), client.get("/none/")):
        [icon] = re.findall(r'<link rel="icon" href="([^"]+)"', page.content.decode())
        assert icon == answer["Location"]


class TestWorker:
    def test_it_is_a_script_for_the_whole_site_and_asked_for_anew(self, client):
        answer = client.get("/sw.js")
        assert answer["Content-Type"] == "text/javascript; charset=utf-8"
        assert "no-cache" in answer["Cache-Control"]
        text = answer.content.decode()
        in_german = client.get("/sw.js", HTTP_ACCEPT_LANGUAGE="de").content.decode()
        assert f'const VERSION = "{static_version()}-en"' in text
        assert f'const VERSION = "{static_version()}-de"' in in_german
        for path in SHELL:
            assert finders.find(path)
            assert f"/static/{path}" in text

    def test_its_version_follows_the_static_files(self, settings, tmp_path):
        settings.DEBUG = True  # not remembered from the last call
        before = static_version()
        (tmp_path / "new.css").write_text("a {}")
        settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, tmp_path]
        assert static_version() != before

    # No django_db mark: neither needs the database.
    def test_the_offline_page_is_the_same_for_everybody(self, client):
        answer = client.get("/offline/")
        assert answer.status_code == 200
        assert "public" in answer["Cache-Control"]
        assert "csrf" not in answer.content.decode()
        assert not answer.cookies
