"""The frame of every page: theme, errors, manifest, and that nothing needs an inline script."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template import Context, Template
from django.test import Client
from django.urls import get_resolver

from catalog.cards import MovieCard
from tests.worlds import make_film

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))


def render(source, **context):
    return Template("{% load marquee %}" + source).render(Context(context))


@pytest.mark.django_db
class TestTheme:
    def test_without_a_choice_the_style_sheet_decides(self, client):
        assert '<html lang="en">' in client.get("/about/").content.decode()

    def test_a_choice_is_kept_in_a_cookie_and_rendered_by_the_server(self, client):
        answer = client.post("/theme/", {"theme": "light", "next": "/about/"})
        assert (answer.status_code, answer["Location"]) == (302, "/about/")
        assert answer.cookies["theme"].value == "light"
        assert '<html lang="en" data-theme="light">' in client.get("/about/").content.decode()

    def test_an_unknown_theme_is_refused_and_a_forged_cookie_ignored(self, client):
        answer = client.post("/theme/", {"theme": '"><script>'})
        assert answer.status_code == 400
        assert "theme" not in answer.cookies
        client.cookies["theme"] = "purple"
        assert '<html lang="en">' in client.get("/about/").content.decode()

    @pytest.mark.parametrize("evil", ["https://evil.example/", "//evil.example", ""])
    def test_nobody_is_led_to_another_site(self, client, evil):
        assert client.post("/theme/", {"theme": "dark", "next": evil})["Location"] == "/"

    def test_looking_changes_nothing(self, client):
        assert client.get("/theme/?theme=light").status_code == 405


@pytest.mark.django_db
class TestErrors:
    def test_a_missing_page_says_what_to_do(self, client):
        answer = client.get("/no-such-page/")
        assert answer.status_code == 404
        assert "Browse all films" in answer.content.decode()

    def test_a_form_without_its_key_says_what_to_do(self):
        answer = Client(enforce_csrf_checks=True).post("/theme/", {"theme": "light"})
        assert answer.status_code == 403
        assert "reload the page" in answer.content.decode()
        assert "theme" not in answer.cookies


@pytest.mark.parametrize(("code", "words"), [(400, "made no sense"), (500, "broke")])
def test_error_pages_for_when_nothing_works_need_no_database(rf, code, words):
    # No django_db mark: a query would fail the test.
    handler = get_resolver().resolve_error_handler(code)
    answer = handler(rf.get("/"), *([ValueError()] if code == 400 else []))
    assert answer.status_code == code
    assert words in answer.content.decode()


def test_the_page_for_a_missing_database_renders_without_anything():
    from django.template.loader import get_template

    assert "Short interval" in get_template("503.html").render()


@pytest.mark.django_db
def test_the_manifest_is_json_with_an_icon_of_ours(client):
    answer = client.get("/manifest.webmanifest")
    manifest = json.loads(answer.content)
    assert answer["Content-Type"] == "application/manifest+json"
    assert manifest["name"] == "Marquee"
    assert finders.find(manifest["icons"][0]["src"].removeprefix("/static/"))


@pytest.mark.django_db
def test_the_styleguide_is_for_development_only(client):
    assert client.get("/styleguide/").status_code == 404


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_inline_style_or_script(path: Path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"<style", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert "javascript:" not in text
    for tag in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in tag or 'type="application/json"' in tag


def test_templates_exist():
    assert len(TEMPLATES) > 60


@pytest.mark.django_db
class TestTags:
    @pytest.fixture
    def context(self, rf):
        return {"request": rf.get("/browse/?page=2"), "csrf_token": "token"}

    def test_event_fields_tie_an_event_to_the_slate(self, context):
        card = MovieCard(movie=make_film("Heat"), request_id="r-1", position=0, surface="home")
        html = render("{% event_fields card surface='film' %}", card=card, **context)
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', html))
        assert len(fields.pop("event_id")) == 36
        assert fields == {
            "csrfmiddlewaretoken": "token",
            "surface": "home",
            "next": "/browse/?page=2",
            "request_id": "r-1",
            "position": "0",
        }

    def test_two_forms_are_two_events(self, context):
        html = render("{% event_fields None %}{% event_fields None %}", **context)
        first, second = re.findall(r'name="event_id" value="([^"]*)"', html)
        assert first != second

    def test_values_are_escaped(self, context):
        html = render("{% event_fields None surface=surface %}", surface='"><b>', **context)
        assert "<b>" not in html


@pytest.mark.parametrize(
    ("stars", "text"),
    [("0.5", "half a star"), ("1.0", "1 star"), ("1.5", "1.5 stars"), ("5.0", "5 stars")],
)
def test_stars_in_words(stars, text):
    assert render("{{ stars|stars_text }}", stars=Decimal(stars)) == text


@pytest.mark.parametrize(("lit", "shown"), [(-1, 0), (0, 0), (3, 3), (9, 5)])
def test_a_string_of_bulbs_shows_as_many_as_are_done(lit, shown):
    html = render("{% bulbs lit 5 'Settled' %}", lit=lit)
    assert html.count("is-lit") == shown
    assert html.count("bulbs__bulb") == 5
    assert f'aria-valuenow="{shown}"' in html
