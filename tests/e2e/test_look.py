"""What people see and reach: axe on the main pages, keys, themes, narrow and wide screens."""

from __future__ import annotations

from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe

from accounts.models import User
from tests.worlds import make_film

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

PASSWORD = "a-long-enough-phrase"
SIZES = {"phone": (390, 844), "desk": (1440, 900)}
THEMES = ("dark", "light", "contrast")
# WCAG 2.2 AA and axe's own good practice.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def films():
    return [make_film(f"Film number {n}", year=1950 + n) for n in range(14)]


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.org", PASSWORD)


def log_in(page, live_server, then="/"):
    page.goto(f"{live_server.url}/accounts/login/?next={then}")
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(f"{live_server.url}{then}")


WIDER = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
[["wider than the screen", document.documentElement.scrollWidth],
...[...document.querySelectorAll("body *")].filter(
  (element) => element.getBoundingClientRect().right > innerWidth &&
    !element.parentElement.closest(".row__track")
).map((element) => ["sticks out", element.outerHTML.slice(0, 160)])]"""


def complaints(page):
    """axe's violations as (rule, element) pairs, for a message that says where."""
    results = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    return [
        (found["id"], node["html"][:160])
        for found in results.response["violations"]
        for node in found["nodes"]
    ]


@pytest.mark.parametrize(("size", "theme"), list(product(SIZES, THEMES)))
def test_axe_has_nothing_to_say(
    live_server, new_page, browser_problems, films, ada, settings, size, theme
):
    settings.DEBUG = True  # the styleguide is served in development only
    width, height = SIZES[size]
    page = new_page(
        viewport={"width": width, "height": height}, reduced_motion="reduce", has_touch=width < 800
    )
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    found = {}

    def check(path):
        page.goto(f"{live_server.url}{path}")
        assert page.locator("html").get_attribute("data-theme") == theme
        found[path] = [*complaints(page), *page.evaluate(WIDER)]

    for path in ("/", "/accounts/login/", "/accounts/signup/", "/about/"):
        check(path)
    log_in(page, live_server)
    for path in ("/", "/for-you/", "/styleguide/", "/settings/", "/accounts/email/", "/ratings/"):
        check(path)
    assert found == {path: [] for path in found}
    assert len(found) == 9
    assert browser_problems.all == []


@pytest.mark.parametrize("width", [320, 2560])
def test_nothing_sticks_out_of_the_narrowest_and_the_widest_screen(
    live_server, new_page, films, width
):
    page = new_page(viewport={"width": width, "height": 800})
    for path in ("/", "/accounts/signup/", "/about/"):
        page.goto(f"{live_server.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_theme_switch_works_at_once_and_after_a_reload(live_server, page, films):
    page.goto(live_server.url)
    page.get_by_title("Theme").click()
    page.get_by_role("button", name="Light").click()
    html = page.locator("html")
    assert html.get_attribute("data-theme") == "light"
    page.reload()
    assert html.get_attribute("data-theme") == "light"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(14, 12, 10)"


def test_the_theme_switch_works_without_javascript(live_server, new_page, films):
    page = new_page(java_script_enabled=False)
    page.goto(f"{live_server.url}/about/")
    page.get_by_title("Theme").click()
    page.get_by_role("button", name="High contrast").click()
    assert page.url == f"{live_server.url}/about/"
    assert page.locator("html").get_attribute("data-theme") == "contrast"


def test_keys_search_and_show_the_sheet(live_server, page, films):
    page.goto(live_server.url)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.type("?")
    assert not page.get_by_role("dialog").is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keyboard shortcuts").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog").is_visible()


def test_arrows_go_from_film_to_film(live_server, page, films):
    page.goto(live_server.url)
    cards = page.locator("[data-cards]").first.locator(".card__title a")
    cards.nth(0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    here = page.evaluate("document.activeElement.textContent")
    assert here == cards.nth(2).text_content()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.textContent") == cards.nth(1).text_content()


def test_a_password_can_be_read_while_it_is_typed(live_server, page):
    page.goto(f"{live_server.url}/accounts/signup/")
    field = page.locator("#id_password1")
    button = page.get_by_role("button", name="Show Password")
    assert field.get_attribute("type") == "password"
    button.click()
    assert field.get_attribute("type") == "text"
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert field.get_attribute("type") == "password"


def test_the_first_tab_stop_skips_to_the_films(live_server, page, films):
    page.goto(live_server.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
