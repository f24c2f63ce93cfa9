"""The style sheets of every page as one file."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command

from config.site_styles import NAME, PARTS

SHEETS = settings.BASE_DIR / "static" / "css"
TEMPLATES = settings.BASE_DIR / "templates"


@pytest.mark.django_db
def test_a_page_asks_for_one_style_sheet(client):
    sheets = re.findall(
        r'<link rel="stylesheet" href="([^"]+)"', client.get("/about/").content.decode()
    )
    assert sheets == [f"/static/{NAME}"]


def test_every_sheet_is_in_it_or_linked_by_a_page_of_its_own():
    linked = set()
    for template in TEMPLATES.rglob("*.html"):
        linked |= set(re.findall(r"'css/([\w-]+)\.css'", template.read_text(encoding="utf-8")))
    assert {path.stem for path in SHEETS.glob("*.css")} == {*PARTS, *linked} - {"site"}
    assert not set(PARTS) & linked


def test_it_holds_the_sheets_one_after_the_other():
    text = Path(finders.find(NAME)).read_text(encoding="utf-8")
    places = [text.index((SHEETS / f"{part}.css").read_text(encoding="utf-8")) for part in PARTS]
    assert places == sorted(places)
    assert len(set(places)) == len(PARTS)
    # The first rule names the layers; without that the last sheet would win.
    assert re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).lstrip().startswith("@layer reset,")


def test_a_changed_sheet_changes_it(settings, tmp_path):
    (tmp_path / "static" / "css").mkdir(parents=True)
    for part in PARTS:
        (tmp_path / "static" / "css" / f"{part}.css").write_text(f".{part} {{}}\n")
    settings.BASE_DIR = settings.VAR_DIR = tmp_path
    finder = finders.get_finder("config.site_styles.SiteStylesFinder")
    before = Path(finder.find(NAME)).read_text()
    (tmp_path / "static" / "css" / f"{PARTS[0]}.css").write_text(".other {}\n")
    after = Path(finder.find(NAME)).read_text()
    assert after == before.replace(f".{PARTS[0]} {{}}", ".other {}")
    assert finder.find("css/tokens.css") == []


def test_it_is_collected_with_its_pictures(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0, stdout=StringIO())
    [hashed] = tmp_path.glob("css/site.*.css")
    pictures = re.findall(r'url\("(\.\./img/[^"]+)"\)', hashed.read_text(encoding="utf-8"))
    assert len(pictures) >= 5
    for picture in pictures:
        assert (hashed.parent / picture).exists(), picture
