"""Without a mouse, with a finger, on the narrowest screen; and a way back from every card."""

from __future__ import annotations

import pytest

from catalog.models import Movie
from catalog.tmdb.models import TmdbFacts
from feedback.models import Rating
from recommendations.models import TrainingRun
from recommendations.services.training import train
from recommendations.snapshot import forget_snapshot
from tests.e2e.test_look import WIDER
from tests.worlds import make_world

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

# Half stars are halves of a target; a title's link covers its card; words in a text are words.
SMALL = """() => [
    ...document.querySelectorAll("main :is(button, a[href], summary, select, .chip)")]
  .filter((one) => one.checkVisibility({visibilityProperty: true, opacityProperty: true}))
  .filter((one) => !one.closest("[inert], p, dd, h2, h3, .visually-hidden, .board, .stars"))
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.height < 43.5 || box.width < 43.5))
  .map(([one, box]) => [one.outerHTML.slice(0, 90), box.width, box.height])"""

# What the focus is on, and whether it is in sight.
FOCUS = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const shown = one.matches("input[type=radio], input[type=checkbox]")
    ? one.closest("label") ?? one : one;
  const box = shown.getBoundingClientRect();
  const isInSight = box.bottom > 0 && box.top < innerHeight &&
    box.right > 0 && box.left < innerWidth;
  return { name: one.outerHTML.slice(0, 110), isInSight };
}"""


@pytest.fixture
def world(settings, tmp_path, transactional_db):
    """Two crowds and a served model."""
    settings.MODELS_DIR = tmp_path / "models"
    settings.WAREHOUSE_DIR = tmp_path / "warehouse"
    forget_snapshot()
    world = make_world(n_films=14, n_people=24)
    Movie.objects.update(synopsis="Somebody wants something badly. It is in the way.")
    assert train().status == TrainingRun.Status.DONE
    yield world
    forget_snapshot()


def paths_of(world):
    film = world.films[0][0].pk
    return ["/", f"/films/{film}/", "/for-you/", "/swipe/", "/browse/", "/quiz/", "/start/rate/"]


def test_the_tab_key_gets_everywhere_and_is_seen_everywhere(live_server, new_page, world):
    page = new_page(reduced_motion="reduce")
    wrong = {}
    for path in paths_of(world):
        page.goto(f"{live_server.url}{path}")
        page.wait_for_load_state("networkidle")
        seen = []
        for _ in range(45):
            page.keyboard.press("Tab")
            focus = page.evaluate(FOCUS)
            if focus is None:
                break  # round once: nothing holds the focus
            seen.append(focus["name"])
            if not focus["isInSight"]:
                wrong.setdefault(path, []).append(focus)
        assert len(set(seen)) >= 12, path
    assert wrong == {}


def test_an_evening_without_a_mouse(live_server, page, browser_problems, world):
    """Search, a film, its stars and back again, light, German: with keys alone."""
    film = world.films[0][3]
    page.goto(live_server.url)
    page.keyboard.press("/")
    page.keyboard.type(film.title)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/**")
    press_on(page, film.title)
    page.wait_for_url(f"**/films/{film.pk}/**")
    page.get_by_role("radio").first.wait_for(state="attached")
    page.keyboard.press("9")
    page.locator("#toasts .ticket").wait_for()
    mine = Rating.objects.filter(user__is_visitor=True)
    assert [str(rating.stars) for rating in mine] == ["4.5"]
    press_on(page, "Undo", key="Shift+Tab")
    page.get_by_text("Not rated yet").wait_for()
    assert not mine.all().exists()
    page.goto(f"{live_server.url}/about/")
    press_on(page, "Theme")
    press_on(page, "Light")
    page.locator("html[data-theme='light']").wait_for()
    press_on(page, "Deutsch")
    page.locator("html[lang='de']").wait_for()
    assert page.get_by_role("heading", name="Was das hier ist").count() == 1
    assert browser_problems.all == []


def press_on(page, name, *, key="Tab"):
    """Goes on by ``key`` to what is called ``name``, and presses Enter on it."""
    named = """() => { const one = document.activeElement;
      return one.getAttribute("aria-label") ?? one.textContent.trim(); }"""
    for _ in range(60):
        page.keyboard.press(key)
        if page.evaluate(named) == name:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} is not to be reached by {key}")


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_narrowest_screen_has_room_for_fingers(live_server, new_page, world, language):
    page = new_page(viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True)
    page.context.add_cookies([{"name": "language", "value": language, "url": live_server.url}])
    wrong = {}
    for path in paths_of(world):
        page.goto(f"{live_server.url}{path}")
        page.wait_for_load_state("networkidle")
        if found := [*page.evaluate(WIDER), *page.evaluate(SMALL)]:
            wrong[path] = found
    assert wrong == {}


def test_whoever_wants_no_motion_sees_none(live_server, new_page, world):
    page = new_page(reduced_motion="reduce")
    for path in paths_of(world):
        page.goto(f"{live_server.url}{path}")
        page.wait_for_load_state("networkidle")
        moving = page.evaluate(
            "() => document.getAnimations().filter((one) => one.effect.getTiming().duration > 1)"
            ".length"
        )
        assert moving == 0, path


def test_a_films_page_says_where_to_watch_it_and_leads_out_to_a_trailer(live_server, page, world):
    film, other = world.films[0][:2]
    offers = {"flatrate": ["Flickerbox"], "rent": ["Corner Video", "Reelhouse"]}
    TmdbFacts.objects.create(movie=film, watch_providers={"US": offers, "DE": {"buy": ["Laden"]}})
    page.goto(f"{live_server.url}/films/{film.pk}/")
    facts = page.locator(".facts-list").inner_text()
    assert "With a subscription\nFlickerbox" in facts
    assert "To rent\nCorner Video, Reelhouse (as JustWatch has it)" in facts
    assert "Laden" not in facts  # another country's
    trailer = page.get_by_role("link", name="Look for it on YouTube")
    assert trailer.get_attribute("href").startswith("https://www.youtube.com/results?search_query=")
    assert set(trailer.get_attribute("rel").split()) >= {"noopener", "noreferrer", "external"}
    page.goto(f"{live_server.url}/films/{other.pk}/")
    assert "JustWatch" not in page.locator(".facts-list").inner_text()
