"""What a test does with the deck: open it, look at the top card, answer, wait for the server."""

from __future__ import annotations

SIZES = {"phone": (390, 844), "tablet": (768, 1024), "desk": (1440, 900)}


def open_deck(page, live_server, query=""):
    page.goto(f"{live_server.url}/swipe/{query}")
    page.locator("[data-deck][data-ready]").wait_for()


def top(page):
    """The film on top, once it is there to be answered."""
    page.wait_for_function("() => !document.querySelector('.swipe.is-flying')")
    return int(page.locator(".swipe.is-top").get_attribute("data-movie"))


def after(page, act, *, was):
    """The next film on top, once ``act`` was answered."""
    act()
    page.wait_for_function(
        "(was) => { const top = document.querySelector('.swipe.is-top:not(.is-flying)');"
        " return top && top.dataset.movie !== String(was) }",
        arg=was,
    )
    return top(page)


def settled(page):
    """Until the server has every answer and nothing is under way."""
    page.wait_for_function(
        "() => !localStorage.getItem('marquee.answers') && !document.querySelector('[data-busy]')"
    )
