"""The swipe deck in a real browser: hands, keys, undo, no network."""

from __future__ import annotations

import pytest

from accounts.models import User
from feedback.models import Impression, Interaction, Reaction, WatchlistEntry
from tests.e2e.swipe.deck import SIZES, after, open_deck, settled, top
from tests.e2e.test_look import log_in

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def swipe_by_mouse(page, dx, dy):
    box = page.locator(".swipe.is-top .swipe__poster").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=6)
    page.mouse.up()


def swipe_by_touch(page, dx, dy):
    """Through the browser's own input, so that touch-action and capture are what they are."""
    box = page.locator(".swipe.is-top .swipe__poster").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    cdp = page.context.new_cdp_session(page)

    def touch(kind, points):
        cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", [{"x": x, "y": y}])
    for step in range(1, 7):
        touch("touchMove", [{"x": x + dx * step / 6, "y": y + dy * step / 6}])
    touch("touchEnd", [])


def kinds():
    return list(Interaction.objects.order_by("pk").values_list("kind", "value"))


@pytest.mark.parametrize("size", SIZES)
def test_mouse_or_touch_throws_cards_all_four_ways(
    live_server, new_page, browser_problems, films, size
):
    width, height = SIZES[size]
    is_touch = size != "desk"
    page = new_page(viewport={"width": width, "height": height}, has_touch=is_touch)
    swipe = swipe_by_touch if is_touch else swipe_by_mouse
    open_deck(page, live_server)
    answered = []
    for dx, dy in ((170, 8), (-170, 8), (4, -260), (4, 260)):
        film = top(page)
        answered.append(film)
        after(page, lambda dx=dx, dy=dy: swipe(page, dx, dy), was=film)
    settled(page)
    assert len(set(answered)) == 4
    assert kinds() == [("react", "like"), ("react", "dislike"), ("watchlist", ""), ("pass", "")]
    rows = Interaction.objects.order_by("pk")
    assert [row.movie_id for row in rows] == answered
    assert {row.surface for row in rows} == {"swipe"}
    # All of it belongs to one visitor, who has no account.
    visitor = User.objects.get(is_visitor=True)
    assert {row.user_id for row in rows} == {visitor.pk}
    # Every answer names the deal and the place in it that showed the film.
    for row in rows:
        shown = Impression.objects.get(slate_id=row.request_id, position=row.position)
        assert shown.movie_id == row.movie_id
    assert browser_problems.all == []


@pytest.mark.parametrize("hand", [swipe_by_mouse, swipe_by_touch])
def test_a_card_let_go_near_its_place_springs_back(live_server, new_page, films, hand):
    page = new_page(has_touch=hand is swipe_by_touch)
    open_deck(page, live_server)
    film = top(page)
    hand(page, 24, 3)
    page.wait_for_function("() => document.querySelector('.swipe.is-top').style.transform === ''")
    assert top(page) == film
    assert kinds() == []


def test_keys_answer_take_back_and_open_the_details(live_server, page, browser_problems, films):
    open_deck(page, live_server)
    seen = [top(page)]
    for key in ("ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "x"):
        seen.append(after(page, lambda key=key: page.keyboard.press(key), was=seen[-1]))
    settled(page)
    assert len(set(seen)) == 6
    assert kinds() == [
        *(("react", "like"), ("react", "dislike"), ("watchlist", "")),
        *(("pass", ""), ("react", "never")),
    ]
    page.keyboard.press("i")
    dialog = page.get_by_role("dialog")
    assert dialog.locator("h2").inner_text() == page.locator(".is-top h2").inner_text()
    page.keyboard.press("ArrowRight")  # belongs to the sheet now
    page.go_back()
    dialog.wait_for(state="hidden")
    assert top(page) == seen[5]
    page.keyboard.press("i")
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert Interaction.objects.count() == 5
    page.keyboard.press("?")
    assert "In the deck" in page.get_by_role("dialog", name="Keyboard shortcuts").inner_text()
    assert browser_problems.all == []


QUICK = """
() => new Promise((done) => {
  const dialog = document.getElementById("details");
  const key = { key: "i", bubbles: true };
  const press = () => document.body.dispatchEvent(new KeyboardEvent("keydown", key));
  const wait = (ms) => new Promise((go) => setTimeout(go, ms));
  addEventListener("popstate", async () => {
    press(); // before the dialog that Back closed has told of it
    await wait(300);
    const stays = dialog.open;
    dialog.close();
    await wait(0); // and again while the history is on its way back
    press();
    await wait(300);
    if (dialog.open) dialog.close();
    await wait(300);
    done([stays, dialog.open, history.state, location.pathname]);
  }, { once: true });
  press();
  history.back();
})
"""


def test_details_opened_again_at_once_stay_open_and_never_leave_the_deck(
    live_server, page, browser_problems, films
):
    open_deck(page, live_server)
    film, path = top(page), page.evaluate("location.pathname")
    stays, is_open, state, now_at = page.evaluate(QUICK)
    assert stays
    assert (is_open, state, now_at) == (False, None, path)
    assert top(page) == film
    assert browser_problems.all == []


def test_ten_answers_are_really_undone_and_all_of_them_come_back(
    live_server, page, browser_problems, films
):
    open_deck(page, live_server)
    seen = [top(page)]
    for key in ["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "x"] * 2 + ["ArrowRight"]:
        seen.append(after(page, lambda key=key: page.keyboard.press(key), was=seen[-1]))
    settled(page)
    assert Reaction.objects.count() == 7
    assert WatchlistEntry.objects.count() == 2
    back = []
    for film in [seen[11], *reversed(seen[1:11])]:
        back.append(after(page, lambda: page.keyboard.press("Backspace"), was=film))
    settled(page)
    assert back == list(reversed(seen[:11]))
    assert Reaction.objects.count() == 0
    assert WatchlistEntry.objects.count() == 0
    assert Interaction.objects.count() == 22
    # A card shown again is no new impression.
    page.reload()
    page.locator("[data-ready]").wait_for()
    assert Impression.objects.filter(movie_id=seen[5]).count() == 1
    assert browser_problems.all == []


def test_an_answer_is_undone_after_the_page_was_loaded_anew(live_server, page, films):
    open_deck(page, live_server)
    film = top(page)
    after(page, lambda: page.keyboard.press("ArrowRight"), was=film)
    settled(page)
    open_deck(page, live_server)
    now = top(page)
    assert after(page, lambda: page.keyboard.press("z"), was=now) == film
    settled(page)
    assert not Reaction.objects.exists()


def test_a_card_keeps_its_place_on_reload_and_on_back(live_server, page, films):
    open_deck(page, live_server)
    film = after(page, lambda: page.keyboard.press("ArrowDown"), was=top(page))
    settled(page)
    page.reload()
    page.locator("[data-ready]").wait_for()
    assert top(page) == film
    page.keyboard.press("i")
    page.get_by_role("link", name="The film's page").click()
    page.wait_for_url(f"**/films/{film}/")
    page.go_back()
    page.locator("[data-deck][data-ready]").wait_for()
    assert top(page) == film


def test_the_queue_is_dealt_anew_after_every_answer_and_the_top_card_stays(
    live_server, page, films
):
    open_deck(page, live_server)
    film = top(page)
    with page.expect_response(lambda r: r.url.endswith("/api/v1/swipe/")) as dealt:
        page.keyboard.press("ArrowRight")
    sent = dealt.value.request.post_data_json
    cards = [card["movie_id"] for card in dealt.value.json()["cards"]]
    assert film not in cards
    # The page's own first card was logged by the server; the next may be on top already.
    assert all(0 not in one["positions"] for one in sent["shown"])
    now = after(page, lambda: None, was=film)
    page.wait_for_timeout(50)
    assert top(page) == now
    posters = page.locator(".swipe:not(.is-top) img")
    assert posters.count() == 2
    # They come before their turn.
    page.wait_for_function(
        "() => [...document.querySelectorAll('.swipe:not(.is-top) img')]"
        ".every((one) => one.complete && one.naturalWidth)"
    )
    assert top(page) == now
    settled(page)


def test_answers_given_without_a_network_are_sent_once_when_it_is_back(
    live_server, new_page, films
):
    page = new_page(service_workers="allow")
    open_deck(page, live_server)
    page.evaluate("navigator.serviceWorker.ready")
    first = top(page)
    second = after(page, lambda: page.keyboard.press("ArrowDown"), was=first)
    settled(page)
    page.wait_for_function("() => document.querySelectorAll('[data-last] li').length === 1")
    page.context.set_offline(True)
    seen = [second]
    for key in ("ArrowRight", "ArrowLeft", "ArrowUp", "ArrowRight"):
        seen.append(after(page, lambda key=key: page.keyboard.press(key), was=seen[-1]))
    page.wait_for_function("() => !document.querySelector('[data-busy]')")
    assert page.locator("[data-waiting]").inner_text() == "4 answers waiting"
    # The last of them never left, so taking it back leaves no trace.
    after(page, lambda: page.keyboard.press("z"), was=seen[-1])
    assert page.locator("[data-waiting]").inner_text() == "3 answers waiting"
    assert Interaction.objects.count() == 1
    # Elsewhere there is only the offline page; it lists what waits.
    page.goto(f"{live_server.url}/browse/")
    assert page.locator("h1").text_content() == "The projector is dark"
    assert page.locator("h2").inner_text() == "3 answers waiting"
    assert page.locator("[data-waiting] li").count() == 3
    page.context.set_offline(False)
    page.wait_for_url("**/browse/")
    page.get_by_role("heading", name="The projector is dark").wait_for(state="detached")
    settled(page)
    sent = [("pass", ""), ("react", "like"), ("react", "dislike"), ("watchlist", "")]
    assert kinds() == sent
    assert [row.movie_id for row in Interaction.objects.order_by("pk")] == [first, *seen[:3]]
    assert (Reaction.objects.count(), WatchlistEntry.objects.count()) == (2, 1)
    # Neither another page nor another event of the network sends them again.
    open_deck(page, live_server)
    page.evaluate("dispatchEvent(new Event('online'))")
    settled(page)
    assert kinds() == sent


def test_an_answer_whose_receipt_was_lost_is_sent_again_and_counted_once(
    live_server, new_page, films
):
    """The server recorded it, the answer to the client got lost on the way."""
    page = new_page()
    open_deck(page, live_server)
    lost = []

    def lose(route):
        if not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/api/v1/feedback/", lose)
    film = top(page)
    after(page, lambda: page.keyboard.press("ArrowRight"), was=film)
    page.locator("[data-waiting]").get_by_text("1 answer waiting").wait_for()
    assert Interaction.objects.count() == 1
    page.evaluate("dispatchEvent(new Event('online'))")
    settled(page)
    assert lost == [200]
    assert Interaction.objects.count() == 1
    assert Reaction.objects.get().movie_id == film


def test_waiting_answers_of_an_account_are_not_sent_as_somebody_else(live_server, new_page, films):
    for name in ("ada", "eve"):
        User.objects.create_user(f"{name}@example.org", "a-long-enough-phrase")
    page = new_page()
    log_in(page, live_server)
    open_deck(page, live_server)
    page.route("**/api/v1/feedback/", lambda route: route.abort())
    after(page, lambda: page.keyboard.press("ArrowRight"), was=top(page))
    page.unroute("**/api/v1/feedback/")
    page.context.clear_cookies()
    open_deck(page, live_server)
    page.wait_for_timeout(300)
    assert page.evaluate("JSON.parse(localStorage.getItem('marquee.answers')).length") == 1
    assert Interaction.objects.count() == 0
    log_in(page, live_server)
    settled(page)
    assert Interaction.objects.get().user.email == "ada@example.org"


def test_a_pack_used_up_without_a_server_says_so_and_goes_on_by_itself(live_server, page, films):
    open_deck(page, live_server)
    page.route("**/api/v1/*/", lambda route: route.abort())
    for _ in range(15):
        after(page, lambda: page.keyboard.press("ArrowDown"), was=top(page))
    page.locator("[value='not_seen']").press("Enter")
    page.get_by_role("heading", name="The pack is used up").wait_for()
    assert page.get_by_role("heading", name="You have been through them all").is_hidden()
    assert page.evaluate("document.activeElement.textContent") == "Try again"
    assert page.locator("[data-waiting]").inner_text() == "16 answers waiting"
    page.unroute("**/api/v1/*/")
    page.keyboard.press("Enter")
    page.locator(".swipe.is-top").wait_for()
    settled(page)
    assert Interaction.objects.filter(kind="pass").count() == 16


def test_the_focus_stays_with_the_card_and_with_the_list(live_server, page, films):
    open_deck(page, live_server)
    film = top(page)
    page.locator(".is-top h2 a").focus()
    now = after(page, lambda: page.keyboard.press("ArrowRight"), was=film)
    focused = "document.activeElement.closest('[data-movie]')?.dataset.movie"
    assert page.evaluate(focused) == str(now)
    after(page, lambda: page.keyboard.press("ArrowRight"), was=now)
    page.locator("[data-last] button").last.press("Enter")
    page.wait_for_function(
        "(pk) => document.querySelector(`.is-top[data-movie='${pk}']`)", arg=film
    )
    assert page.evaluate("document.activeElement.textContent").startswith("Take back")
    settled(page)
    assert Reaction.objects.count() == 1


def test_reduced_motion_has_no_flight(live_server, new_page, films):
    page = new_page(reduced_motion="reduce")
    open_deck(page, live_server)
    page.evaluate(
        "() => { window.flights = 0; const animate = Element.prototype.animate;"
        " Element.prototype.animate = function (...all) {"
        " window.flights += 1; return animate.apply(this, all); } }"
    )
    film = top(page)
    after(page, lambda: page.keyboard.press("ArrowRight"), was=film)
    after(page, lambda: page.keyboard.press("z"), was=top(page))
    settled(page)
    assert page.evaluate("flights") == 0
    assert top(page) == film
