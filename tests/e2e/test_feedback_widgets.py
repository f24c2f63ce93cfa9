"""Rating and the verbs in a browser: with htmx, by keys, and without JavaScript."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import User
from feedback.models import Interaction, Rating, Reaction, WatchlistEntry
from tests.e2e.test_look import log_in
from tests.worlds import make_film

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def film():
    return make_film("Heat", year=1995)


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.org", "a-long-enough-phrase")


@pytest.fixture
def film_page(live_server, page, film, ada):
    log_in(page, live_server, then=f"/films/{film.pk}/")
    page.get_by_role("radio").first.wait_for(state="attached")
    return page


def stars_of(film):
    return list(Rating.objects.filter(movie=film).values_list("stars", flat=True))


def test_a_digit_rates_the_film_and_the_ticket_takes_it_back(film_page, film, browser_problems):
    film_page.keyboard.press("9")
    ticket = film_page.locator("#toasts .ticket")
    ticket.wait_for()
    assert "4.5 stars" in ticket.inner_text()
    assert stars_of(film) == [Decimal("4.5")]
    assert film_page.get_by_role("radio", name="4.5 stars").is_checked()
    ticket.get_by_role("button", name="Undo").click()
    film_page.get_by_text("Not rated yet").wait_for()
    assert stars_of(film) == []
    assert list(Interaction.objects.order_by("pk").values_list("kind", flat=True)) == [
        "rate",
        "unrate",
    ]
    assert browser_problems.all == []


def test_arrow_keys_settle_on_one_rating(film_page, film):
    film_page.get_by_role("radio", name="3 stars", exact=True).focus()
    for _ in range(3):
        film_page.keyboard.press("ArrowRight")
    film_page.locator("#toasts .ticket").wait_for()
    assert stars_of(film) == [Decimal("4.5")]
    assert Interaction.objects.count() == 1
    # The widget was exchanged, the person is still at the same star.
    focused = "document.activeElement.getAttribute('aria-label')"
    film_page.wait_for_function(f"{focused} === '4.5 stars'")


def test_a_verb_is_put_on_and_taken_off_again(film_page, film):
    button = film_page.get_by_role("button", name="I like it")
    button.click()
    film_page.get_by_role("button", name="I like it", pressed=True).wait_for()
    assert list(Reaction.objects.values_list("kind", flat=True)) == ["like"]
    button.click()
    film_page.get_by_role("button", name="I like it", pressed=False).wait_for()
    assert Reaction.objects.count() == 0


def test_the_watchlist_button_next_to_the_verbs_has_its_own_address(film_page, film):
    button = film_page.get_by_role("button", name="Watchlist")
    button.click()
    film_page.get_by_role("button", name="Watchlist", pressed=True).wait_for()
    assert WatchlistEntry.objects.count() == 1
    assert Reaction.objects.count() == 0
    button.click()
    film_page.get_by_role("button", name="Watchlist", pressed=False).wait_for()
    assert WatchlistEntry.objects.count() == 0


def test_a_card_is_liked_where_it_stands(live_server, page, film, ada):
    log_in(page, live_server, then="/browse/")
    card = page.locator(f"[data-movie='{film.pk}']")
    card.hover()
    card.get_by_role("button", name="I like it").click()
    card.get_by_role("button", name="I like it", pressed=True).wait_for()
    assert Reaction.objects.get().kind == "like"
    assert page.url == f"{live_server.url}/browse/"
    card.hover()
    card.get_by_role("button", name="I like it").click()
    card.get_by_role("button", name="I like it", pressed=False).wait_for()
    assert Reaction.objects.count() == 0


def test_everything_works_without_javascript(live_server, new_page, film, ada):
    page = new_page(java_script_enabled=False)
    here = f"/films/{film.pk}/"
    log_in(page, live_server, then=here)

    def press(name):
        """On the page of the film's verbs; each press leads back to the film."""
        page.goto(f"{live_server.url}{here}actions/")
        page.get_by_role("button", name=name, exact=True).click()
        assert page.url == f"{live_server.url}{here}"

    page.locator(f"a[href='{here}actions/']").click()
    page.get_by_role("radio", name="half a star").check()
    page.get_by_role("button", name="Rate", exact=True).click()
    assert stars_of(film) == [Decimal("0.5")]
    press("Watchlist")
    assert WatchlistEntry.objects.count() == 1
    press("Watchlist")
    assert WatchlistEntry.objects.count() == 0
    press("Never show this")
    assert Reaction.objects.get().kind == "never"
    page.goto(f"{live_server.url}/hidden/")
    page.get_by_role("button", name="Put it back Heat").click()
    assert Reaction.objects.count() == 0
    press("Take it back")
    assert stars_of(film) == []
