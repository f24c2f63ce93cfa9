"""The page of the swipe deck: without a script, its ways in, no complaint, large targets."""

from __future__ import annotations

import re
from itertools import product

import pytest

from feedback.models import Reaction, WatchlistEntry
from tests.e2e.swipe.deck import SIZES, after, open_deck, settled, top
from tests.e2e.test_look import THEMES, WIDER, complaints

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("size", SIZES)
def test_the_deck_works_without_javascript(live_server, new_page, browser_problems, films, size):
    width, height = SIZES[size]
    page = new_page(java_script_enabled=False, viewport={"width": width, "height": height})
    page.goto(f"{live_server.url}/swipe/")

    def film():
        return int(page.locator(".swipe.is-top").get_attribute("data-movie"))

    def press(name):
        was = film()
        page.locator("[data-verbs]").get_by_role("button", name=name).click()
        assert film() != was
        return was

    liked, saved = press("Like"), press("Save")
    press("Not for me")
    press("Not seen")
    never = press("Never show it")
    assert Reaction.objects.get(kind="like").movie_id == liked
    assert WatchlistEntry.objects.get().movie_id == saved
    page.locator("[data-verbs]").get_by_role("button", name="Take back").click()
    assert film() == never
    assert not Reaction.objects.filter(kind="never").exists()
    page.get_by_role("button", name=re.compile("^Take back .+")).nth(3).click()
    assert film() == liked
    assert not Reaction.objects.filter(kind="like").exists()
    page.locator(".is-top h2 a").click()
    page.wait_for_url(f"**/films/{liked}/")
    page.go_back()
    assert film() == liked
    assert browser_problems.all == []


def test_a_mood_and_a_sentence_are_ways_in(live_server, page, browser_problems, films):
    open_deck(page, live_server)
    page.get_by_label("Say what you feel like").fill("a musical from the 1960s")
    page.get_by_role("button", name="Deal").click()
    page.wait_for_url("**q=a+musical*")
    page.locator("[data-ready]").wait_for()
    musicals = {film.pk for film in films.films[1] if 1960 <= film.year < 1970}
    seen = {top(page)}
    for _ in range(len(musicals) - 1):
        seen.add(after(page, lambda: page.keyboard.press("ArrowDown"), was=top(page)))
    page.keyboard.press("ArrowDown")
    page.get_by_role("heading", name="That is all that fits").wait_for()
    settled(page)
    assert seen == musicals
    page.get_by_role("link", name="A good laugh").click()
    page.wait_for_url("**mood=happy*")
    assert page.locator("summary b").inner_text() == "A good laugh"
    assert browser_problems.all == []


@pytest.mark.parametrize(("size", "theme"), list(product(SIZES, THEMES)))
def test_axe_has_nothing_to_say_about_the_deck(
    live_server, new_page, browser_problems, films, size, theme
):
    width, height = SIZES[size]
    page = new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    found = {}

    def check(state):
        found[state] = [*complaints(page), *page.evaluate(WIDER)]

    open_deck(page, live_server)
    check("first")
    after(page, lambda: page.keyboard.press("ArrowRight"), was=top(page))
    settled(page)
    if size != "desk":
        page.locator("summary", has_text="In the mood for").click()
    check("answered, wishes open")
    page.keyboard.press("Escape")
    page.locator("[data-open-details]").click()
    check("details")
    open_deck(page, live_server, "?q=a+musical+from+the+1920s")
    check("nothing left")
    page.goto(f"{live_server.url}/offline/")
    check("offline")
    assert found == {state: [] for state in found}
    assert len(found) == 5
    assert browser_problems.all == []


@pytest.mark.parametrize("width", [390, 1440])
def test_every_target_is_large_enough(live_server, new_page, films, width):
    page = new_page(viewport={"width": width, "height": 900})
    open_deck(page, live_server)
    if width < 1080:
        page.locator("summary", has_text="In the mood for").click()
    small = page.evaluate(
        "[...document.querySelectorAll('main :is(button, a, summary, input:not([type=hidden]))')]"
        ".filter((one) => one.checkVisibility() && !one.closest('[inert], h2'))"
        ".map((one) => [one.textContent.trim(), one.getBoundingClientRect().height])"
        ".filter(([, height]) => height < 44)"
    )
    assert small == []
