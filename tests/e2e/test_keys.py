"""Keys beyond Tab: dialogs, menus, suggestions, lists that lose a film, and the staff pages."""

from __future__ import annotations

import pytest

from accounts.models import User
from catalog.services.search_index import search_vectors_refresh
from recommendations.models import TrainingRun
from recommendations.services.training import train
from recommendations.snapshot import forget_snapshot
from tests.e2e.test_hands import FOCUS
from tests.e2e.test_look import PASSWORD, log_in
from tests.worlds import make_world

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

# True while the focus is in the open dialog or on the browser's own bar.
INSIDE = """() => document.activeElement === document.body ||
  document.querySelector("dialog[open]").contains(document.activeElement)"""
HERE = "() => document.activeElement.id || document.activeElement.textContent.trim()"
STAFF = (
    *("/staff/", "/staff/feedback/", "/staff/lists/", "/staff/pipeline/", "/staff/models/"),
    *("/staff/clusters/", "/staff/experiments/", "/staff/enrichment/", "/status/"),
)


@pytest.fixture
def world(settings, tmp_path, transactional_db):
    """Two crowds, a served model, and Ada, who may see everything."""
    settings.MODELS_DIR = tmp_path / "models"
    settings.WAREHOUSE_DIR = tmp_path / "warehouse"
    settings.BACKUPS_DIR = tmp_path / "backups"
    forget_snapshot()
    world = make_world(n_films=14, n_people=24)
    search_vectors_refresh()
    assert train().status == TrainingRun.Status.DONE
    User.objects.create_superuser("ada@example.org", PASSWORD)
    yield world
    forget_snapshot()


@pytest.mark.parametrize(
    ("path", "held", "key"),
    [
        ("/browse/", ".card__title a", "?"),
        ("/swipe/", ".swipe.is-top a", "?"),
        ("/swipe/", ".swipe.is-top a", "i"),
        ("/swipe/", "[data-open-details]", "Enter"),
    ],
)
def test_a_dialog_keeps_the_focus_and_gives_it_back(live_server, page, world, path, held, key):
    page.goto(live_server.url + path)
    page.wait_for_load_state("networkidle")
    page.locator(held).first.focus()
    before = page.evaluate(HERE)
    page.keyboard.press(key)
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    for step in ("Tab",) * 8 + ("Shift+Tab",) * 5:
        page.keyboard.press(step)
        assert page.evaluate(INSIDE), step
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert page.evaluate(HERE) == before


def test_a_menu_closes_behind_whoever_tabs_on_and_gives_the_focus_back_on_escape(
    live_server, page, world
):
    page.goto(f"{live_server.url}/about/")
    summary = page.get_by_title("Theme")
    summary.focus()
    page.keyboard.press("Enter")
    light = page.get_by_role("button", name="Light")
    light.wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    light.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.title") == "Theme"
    page.keyboard.press("Enter")
    light.wait_for()
    for _ in range(6):
        page.keyboard.press("Tab")
    assert not light.is_visible()


def test_suggestions_are_walked_by_arrows_and_leave_with_the_focus(live_server, page, world):
    page.goto(f"{live_server.url}/about/")
    page.keyboard.press("/")
    page.keyboard.type("Crime Film")
    links = page.locator("#suggest a")
    links.first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(HERE) == links.nth(1).inner_text().strip()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate(HERE) == "find"
    page.keyboard.press("ArrowDown")
    chosen = links.first.get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{chosen}")
    page.keyboard.press("/")
    page.keyboard.type("Crime Film")
    links.first.wait_for()
    page.locator("#main").focus()
    assert not links.first.is_visible()


def test_a_list_that_loses_the_focused_film_keeps_the_focus_in_it(live_server, page, world):
    log_in(page, live_server, then="/for-you/")
    page.wait_for_load_state("networkidle")
    third = page.locator("#for-you-cards .card").nth(2)
    pk = third.get_attribute("data-movie")
    third.get_by_role("button", name="Never show this").focus()
    with page.expect_response(lambda r: "/for-you/" in r.url and r.request.method == "GET"):
        page.keyboard.press("Enter")
    page.locator(f"#for-you-cards [data-movie='{pk}']").wait_for(state="detached")
    place = """() => [...document.querySelectorAll("#for-you-cards .card")]
      .indexOf(document.activeElement.closest(".card"))"""
    page.wait_for_function(f"() => ({place})() >= 0")
    assert page.evaluate(place) == 2


def test_the_tab_key_gets_through_the_staff_pages_and_is_seen_there(live_server, new_page, world):
    page = new_page(reduced_motion="reduce")
    log_in(page, live_server, then="/staff/")
    wrong = {}
    for path in STAFF:
        page.goto(live_server.url + path)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        stops = []
        for _ in range(60):
            page.keyboard.press("Tab")
            focus = page.evaluate(FOCUS)
            if focus is None:
                break
            stops.append(focus["name"])
            if not focus["isInSight"]:
                wrong.setdefault(path, []).append(focus)
        assert len(set(stops)) >= 10, path
    assert wrong == {}
