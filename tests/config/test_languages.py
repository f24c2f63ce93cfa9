"""Another language: complete, chosen once, and never where a machine reads."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages.pofile import write_po
from django.conf import settings as django_settings
from django.template.loader import get_template
from django.utils.html import strip_tags
from django.utils.translation import gettext, override

from accounts.models import User
from catalog.models import Genre
from catalog.names import country_name, language_name
from catalog.numbers import count_text, decimal_text, signed_text, stars_text
from config import translations
from tests.worlds import make_film

# Words that any English sentence of two lines has, and no German one.
ENGLISH = re.compile(
    r"\b(?:the|and|your|you|with|of|this|that|have|yet|not|is|are|because)\b", re.I
)
PASSWORD = "a-long-enough-phrase"


@pytest.fixture
def ada(db):
    return User.objects.create_user("ada@example.org", PASSWORD)


def chosen(language):
    return {django_settings.LANGUAGE_COOKIE_NAME: language}


class TestCompleteness:
    def test_every_text_has_a_german_translation(self):
        assert translations.problems("de") == []

    def test_texts_of_code_templates_mails_and_scripts_are_gathered(self):
        found = {(text.context, text.id) for text in translations.extracted()}
        assert len(found) > 850
        assert (None, "Trending this week") in found  # Python
        assert (None, ("%(n)s star", "%(n)s stars")) in found  # a plural
        assert ("genre", "Romance") in found  # a context
        assert (None, "Confirm your address") in found  # a mail's subject
        assert (None, "Films for tonight, with the reason on the card.") in found  # the manifest
        assert (None, ("One film leaves:", "%(n)s films leave:")) in found  # a template's plural

    @pytest.mark.parametrize(
        ("damage", "complaint"),
        [
            (lambda text: setattr(text, "string", ""), "not translated"),
            (lambda text: text.flags.add("fuzzy"), "guessed, not translated"),
            (
                lambda text: setattr(text, "string", "ab %(jahr)s"),
                "other placeholders",
            ),
            (lambda text: setattr(text, "string", text.string + " "), "other spaces"),
        ],
    )
    def test_what_is_missing_guessed_or_broken_is_named(
        self, tmp_path, settings, damage, complaint
    ):
        catalog = translations.read("de")
        damage(catalog.get("from %(year)s"))
        settings.TRANSLATIONS_DIR = tmp_path
        path = translations.source_path("de")
        path.parent.mkdir(parents=True)
        with path.open("wb") as file:
            write_po(file, catalog)
        found = translations.problems("de")
        assert any(complaint in problem for problem in found)
        assert all("from %(year)s" in problem for problem in found)

    def test_gathering_again_changes_nothing(self, tmp_path, settings):
        before = translations.source_path("de").read_bytes()
        settings.TRANSLATIONS_DIR = tmp_path
        path = translations.source_path("de")
        path.parent.mkdir(parents=True)
        path.write_bytes(before)
        translations.update("de")
        # Compared apart: pytest takes minutes to show how two long texts differ.
        is_same = path.read_bytes() == before
        assert is_same, "run manage.py messages and keep what it writes"

    def test_templates_say_nothing_outside_the_translations(self):
        # Names of keys and of the site are the same in every language.
        allowed = {"Esc", "x", "i", "Marquee", "rsaquo", "ms", "OpenAPI", "NDCG"}
        # So are the names of the sites whose files can be imported.
        allowed |= {"Letterboxd", "IMDb", "Trakt", "MovieLens"}
        left = {}
        for path in sorted(Path(django_settings.BASE_DIR, "templates").rglob("*.html")):
            # For developers; and an address, no words.
            if path.name in {"styleguide.html", "_login_url.html"}:
                continue
            if words := set(_words_outside(path.read_text(encoding="utf-8"))) - allowed:
                left[path.name] = words
        assert left == {}

    def test_compiling_happens_only_after_a_change(self, tmp_path, settings):
        settings.LOCALE_PATHS = [tmp_path]
        assert translations.compile_changed() == ["de"]
        target = translations.compiled_path("de")
        assert target.stat().st_size > 10_000
        assert translations.compile_changed() == []
        os.utime(target)  # not the time of its source any more
        assert translations.compile_changed() == ["de"]
        assert [path.name for path in target.parent.iterdir()] == ["django.mo"]


def _words_outside(text):
    """What a reader would see of a template if every marked text were gone."""
    text = re.sub(r"{%\s*comment.*?endcomment\s*%}", "", text, flags=re.S)
    text = re.sub(r"{%\s*blocktrans.*?endblocktrans(?:late)?\s*%}", "", text, flags=re.S)
    spoken = re.findall(r'\s(?:aria-label|title|alt|placeholder)="([^"]*)"', text)
    text = re.sub(r"<code>.*?</code>", "", text, flags=re.S)  # typed as it stands
    text = re.sub(r"<script.*?</script>|{% block body_class %}.*?%}", "", text, flags=re.S)
    bare = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", text, flags=re.S).replace("<", " <")
    bare = strip_tags(bare)
    bare += " ".join(re.sub(r"{%.*?%}|{{.*?}}", "", attribute) for attribute in spoken)
    return re.findall(r"[A-Za-z]{2,}", bare)


class TestChoosing:
    def test_the_browser_is_asked_first(self, client, db):
        for asked, expected in [
            ("de-AT,de;q=0.9", "de"),
            ("fr,de;q=0.5,en;q=0.4", "de"),
            ("fr", "en"),
            ("", "en"),
            ("*", "en"),
        ]:
            answer = client.get("/about/", HTTP_ACCEPT_LANGUAGE=asked)
            assert answer["Content-Language"] == expected, asked
            assert f'<html lang="{expected}"' in answer.content.decode()
            assert "Accept-Language" in answer["Vary"]

    def test_the_switch_is_remembered_and_leads_back(self, client, db):
        answer = client.post("/language/", {"language": "de", "next": "/about/?a=1"})
        assert (answer.status_code, answer["Location"]) == (302, "/about/?a=1")
        cookie = answer.cookies["language"]
        assert (cookie.value, cookie["samesite"], cookie["max-age"]) == ("de", "Lax", 31536000)
        assert (
            "Was das hier ist" in client.get("/about/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
        )

    def test_the_switch_refuses_other_languages_and_other_sites(self, client, db):
        assert client.post("/language/", {"language": "xx"}).status_code == 400
        assert client.get("/language/").status_code == 405
        answer = client.post("/language/", {"language": "de", "next": "https://evil.example/"})
        assert answer["Location"] == "/"
        client.cookies["language"] = "<script>"
        assert client.get("/about/")["Content-Language"] == "en"

    def test_an_account_carries_its_language_to_other_browsers(self, client, ada):
        client.force_login(ada)
        client.post("/language/", {"language": "de"})
        ada.refresh_from_db()
        assert ada.language == "de"
        elsewhere = client.__class__()
        answer = elsewhere.post(
            "/accounts/login/", {"login": "ada@example.org", "password": PASSWORD}
        )
        assert answer.cookies["language"].value == "de"

    def test_a_new_login_gives_the_account_the_language_of_the_browser(self, client, ada):
        client.cookies.load(chosen("de"))
        client.post("/accounts/login/", {"login": "ada@example.org", "password": PASSWORD})
        ada.refresh_from_db()
        assert ada.language == "de"

    def test_the_settings_have_it_too(self, client, ada):
        client.force_login(ada)
        answer = client.post("/settings/", {"display_name": "Ada", "language": "de"}, follow=True)
        ada.refresh_from_db()
        assert ada.language == "de"
        page = answer.content.decode()
        assert "Gespeichert." in page
        assert "Geschmack und Name" in page
        refused = client.post("/settings/", {"language": "xx"})
        assert refused.status_code == 422
        ada.refresh_from_db()
        assert ada.language == "de"


class TestMachines:
    def test_the_api_speaks_english_whatever_the_page_speaks(self, client, db):
        client.cookies.load(chosen("de"))
        body = {"movie_id": 1, "verb": "like"}
        answer = client.post("/api/v1/feedback/", {"events": []}, content_type="application/json")
        assert answer.json()["error"]["code"] == "invalid"
        assert answer["Content-Language"] == "en"
        event = {**body, "event_id": "6f2e2a0e-8a55-4f3e-9d38-0d6a1f8f2a11"}
        for asked, said in [("", "There is no such film."), ("de", "Diesen Film gibt es nicht.")]:
            answer = client.post(
                "/api/v1/feedback/",
                {"events": [event]},
                content_type="application/json",
                HTTP_ACCEPT_LANGUAGE=asked,
            )
            [result] = answer.json()["results"]
            assert (result["code"], result["message"]) == ("not_found", said)

    def test_the_admin_is_english_whole(self, client, db):
        client.cookies.load(chosen("de"))
        root = User.objects.create_superuser("root@example.org", PASSWORD)
        client.force_login(root)
        page = client.get("/admin/")
        assert page["Content-Language"] == "en"
        assert "Recent actions" in page.content.decode()


class TestPages:
    def test_a_german_page_says_nothing_in_english(self, client, ada):
        film = make_film("Vertigo", year=1958)
        for n in range(8):
            make_film(f"Streifen {n}", year=1950 + n)
        film.genres.add(Genre.objects.create(name="Romance", slug="romance"))
        client.cookies.load(chosen("de"))
        paths = ["/", "/quiz/", "/start/rate/", "/swipe/", "/for-you/", "/browse/", "/search/"]
        paths += [f"/films/{film.pk}/", f"/films/{film.pk}/actions/", f"/films/{film.pk}/journal/"]
        paths += ["/watchlist/", "/ratings/", "/hidden/", "/diary/", "/lists/", "/me/taste/"]
        paths += ["/tonight/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"]
        paths += ["/offline/", "/no-such-page/"]
        own = ["/settings/", "/accounts/email/", "/accounts/2fa/", "/accounts/sessions/"]
        found = {}
        for path in paths:
            found[path] = english_in(client.get(path))
        client.force_login(ada)
        for path in [*paths, *own]:
            found[f"{path} logged in"] = english_in(client.get(path))
        assert {path: words for path, words in found.items() if words} == {}
        assert "Chinese" not in client.get("/settings/").content.decode()
        for path in ("/settings/", f"/films/{film.pk}/", "/quiz/", "/browse/", "/for-you/"):
            page = client.get(path).content.decode()
            assert "Liebesfilm" in page, path
            assert ">Romance" not in page, path
        page = client.get(f"/films/{film.pk}/").content.decode()
        assert "1 Std. 40 Min." in page

    def test_forms_complain_in_german(self, client, db):
        client.cookies.load(chosen("de"))
        page = client.post("/accounts/login/", {"login": "a@example.org", "password": "x"})
        assert "gehören nicht zusammen" in page.content.decode()
        page = client.post("/quiz/", {})
        assert "Wähle eine Stimmung" in page.content.decode()
        page = client.post("/accounts/signup/", {"email": "kaputt", "password1": "kurz"})
        assert english_in(page) == set()

    def test_mails_are_german_for_who_reads_german(self, client, ada, mailoutbox):
        client.cookies.load(chosen("de"))
        client.post("/accounts/password/reset/", {"email": "ada@example.org"})
        [mail] = mailoutbox
        assert mail.subject == "[Marquee] Ein neues Passwort"
        assert "Um ein neues Passwort zu wählen, öffne" in mail.body

    def test_error_pages_need_nothing_and_are_german(self):
        with override("de"):
            page = get_template("500.html").render()
        assert '<html lang="de">' in page
        assert "Der Projektor ist kaputt" in page

    def test_numbers_languages_and_countries_are_written_as_germans_do(self):
        with override("de"):
            assert count_text(1234567) == "1.234.567"
            assert decimal_text(4.25) == "4,2"
            assert [signed_text(value) for value in (1.5, 0, -0.001, -2.25)] == [
                *("+1,50", "+0,00", "+0,00", "-2,25")
            ]
            assert [stars_text(Decimal(n)) for n in ("0.5", "1", "4.5", "5")] == [
                "ein halber Stern",
                "1 Stern",
                "4,5 Sterne",
                "5 Sterne",
            ]
            assert (language_name("fr"), country_name("JP")) == ("Französisch", "Japan")
            assert (language_name("cn"), country_name("SU")) == ("Kantonesisch", "Sowjetunion")
            assert (language_name("?"), country_name("?")) == ("?", "?")
        assert (count_text(1234567), decimal_text(4.25)) == ("1,234,567", "4.2")
        assert (language_name("fr"), country_name("SU")) == ("French", "Soviet Union")
        assert gettext("Undo") == "Undo"


def english_in(answer):
    """English words that a reader of the page would see."""
    assert answer["Content-Language"] == "de"
    page = answer.content.decode()
    page = re.sub(r"<(script|style|template)\b.*?</\1>", " ", page, flags=re.S)
    page = re.sub(r'<(\w+)[^>]* lang="en".*?</\1>', " ", page, flags=re.S)
    spoken = re.findall(r'\s(?:aria-label|title|alt|placeholder|data-[a-z-]+)="([^"]*)"', page)
    return set(ENGLISH.findall(strip_tags(page) + " ".join(spoken)))
