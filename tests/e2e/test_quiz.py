"""A visitor finds a film: five answers by keyboard on a phone, the same without a script."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from model_bakery import baker

from catalog.models import Genre, Movie
from feedback.models import Slate
from tests.worlds import make_film

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 390, "height": 844}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def comedies():
    """Thirty short comedies and as many long war films, which are better known."""
    found = []
    for name, runtime, count in (("Comedy", 88, 5), ("War", 160, 50)):
        genre = baker.make(Genre, name=name, slug=name.lower())
        films = [make_film(f"{name} {i}", year=1980 + i, genre=genre) for i in range(30)]
        ids = [film.pk for film in films]
        Movie.objects.filter(pk__in=ids).update(
            runtime_min=runtime, rating_count=count, rating_mean=4.0
        )
        found.append(set(ids))
    return found[0]


def complaints(page):
    """axe's violations, and whether anything sticks out of the screen."""
    results = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    found = [(v["id"], n["html"][:160]) for v in results.response["violations"] for n in v["nodes"]]
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*found, *([("too wide", width)] if width > 0 else [])]


def shown(page):
    return [
        int(one.get_attribute("data-movie"))
        for one in page.locator("#for-you-cards [data-movie]").all()
    ]


def focused(page):
    return page.evaluate("document.activeElement.name + '=' + document.activeElement.value")


def tab_to(page, wanted):
    """Presses Tab until the focus is on ``wanted`` (name=value)."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if focused(page) == wanted:
            return
    raise AssertionError(f"{wanted} cannot be reached by Tab; the focus is on {focused(page)}")


def test_a_visitor_answers_by_keyboard_on_a_phone(
    live_server, new_page, browser_problems, comedies
):
    page = new_page(viewport=PHONE)
    page.goto(live_server.url)
    page.get_by_role("link", name="Find my film").press("Enter")
    page.wait_for_url("**/quiz/")
    assert complaints(page) == []
    # The first radio button of each group takes Tab, arrows choose.
    tab_to(page, "mood=happy")
    page.keyboard.press("Space")
    tab_to(page, "time=short")
    page.keyboard.press("Space")
    tab_to(page, "genres=comedy")
    page.keyboard.press("Space")
    tab_to(page, "intensity=low")
    page.keyboard.press("ArrowDown")
    assert focused(page) == "intensity=high"
    page.keyboard.press("ArrowUp")
    bulbs = page.locator(".quiz__question:has(input:checked)")
    assert bulbs.count() == 4
    page.keyboard.press("Enter")
    page.wait_for_url("**/tonight/")
    assert len(shown(page)) == 24
    assert set(shown(page)) <= comedies
    assert page.locator(".card__reason").first.inner_text() == (
        "Light and short: Comedy, 88 minutes"
    )
    assert complaints(page) == []
    assert Slate.objects.get().surface == "tonight"
    page.get_by_role("link", name="Up to 95 minutes").click()
    page.wait_for_url("**/quiz/#q-time")
    assert page.locator("input[value=short]").is_checked()
    assert browser_problems.all == []


def test_the_quiz_works_without_javascript(live_server, new_page, browser_problems, comedies):
    page = new_page(viewport=PHONE, java_script_enabled=False)
    page.goto(f"{live_server.url}/tonight/")
    page.get_by_role("main").get_by_role("link", name="Find my film").click()
    page.get_by_role("button", name="Show me films").click()
    assert page.url == f"{live_server.url}/quiz/"
    alert = page.get_by_role("alert")
    assert "Choose a mood" in alert.inner_text()
    alert.get_by_role("link").click()
    assert page.url.endswith("#q-mood")
    page.get_by_text("A good laugh").click()
    page.get_by_text("Up to 95 minutes").click()
    page.get_by_role("button", name="Show me films").click()
    assert page.url == f"{live_server.url}/tonight/"
    assert len(shown(page)) == 24
    assert set(shown(page)) <= comedies
    # The browser itself reports the page with the question left open: 422 is no success.
    assert [text for text in browser_problems.all if "422" not in text] == []


@pytest.mark.parametrize("width", [320, 1440])
@pytest.mark.parametrize("theme", ["dark", "light", "contrast"])
def test_axe_has_nothing_to_say_about_any_state(live_server, new_page, comedies, width, theme):
    page = new_page(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    found = {}
    page.goto(f"{live_server.url}/tonight/")
    found["nothing asked"] = complaints(page)
    page.goto(f"{live_server.url}/quiz/")
    page.get_by_role("button", name="Show me films").click()
    page.get_by_role("alert").wait_for()
    found["wrong"] = complaints(page)
    page.get_by_text("A good laugh").click()
    found["answered"] = complaints(page)
    page.get_by_role("button", name="Show me films").click()
    page.wait_for_url("**/tonight/")
    found["list"] = complaints(page)
    assert found == {state: [] for state in found}
    assert len(found) == 4
