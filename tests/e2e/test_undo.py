"""Whatever takes a film away or says something of it can be taken back, on every surface.

A case is a page, a button, and nothing else: what it did is read from everything that is kept of
the person, and after "Undo" all of that must be as it was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from accounts.selectors import taste_of
from catalog.models import Movie
from feedback import journal, services
from feedback.events import EventContext
from feedback.models import DiaryEntry, ListItem, Rating, Reaction, WatchlistEntry
from recommendations.models import TrainingRun
from recommendations.services.training import train
from recommendations.snapshot import forget_snapshot
from tests.e2e.test_look import PASSWORD, log_in
from tests.worlds import make_world

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

CARD_VERBS = ("like", "dislike", "watchlist", "seen", "never")
FILM_VERBS = ("watchlist", "like", "dislike", "seen", "not_tonight", "never", "muted")
# Where cards are shown, and how to a list of each.
CARD_PAGES = (
    "/",
    "/for-you/",
    "/tonight/",
    "/browse/",
    "/search/?q=Film",
    "/films/{rated}/similar/",
)


@dataclass(frozen=True)
class Case:
    """``press`` is clicked on ``path``; both may name the films of ``Ada``."""

    path: str
    press: str

    @property
    def name(self) -> str:
        return f"{self.path} {self.press}"


# A card's buttons are named for its film: whichever comes first is taken.
CARDS = [
    Case(path, f"main .card button[id^='{verb}-']") for path in CARD_PAGES for verb in CARD_VERBS
]
FILM = [
    *(Case("/films/{rated}/", f"#film-{verb}-{{rated}}") for verb in FILM_VERBS),
    Case("/films/{rated}/", "#stars-{rated}-3"),
    Case("/films/{rated}/", "#unrate-{rated}"),
    Case("/films/{fresh}/", "#stars-{fresh}-10"),
    Case("/films/{rated}/", ".journal__entries button"),
    Case("/films/{rated}/", ".journal__lists button[aria-pressed='true']"),
]
MINE = [
    Case("/ratings/", "#ledger-act-ratings-{rated}"),
    Case("/watchlist/", "#ledger-act-watchlist-{saved}"),
    *(
        Case("/hidden/", f"#ledger-act-{kind}-{{{kind}}}")
        for kind in ("never", "not_tonight", "dislike")
    ),
    Case("/diary/", ".ledger form button"),
    Case("/lists/{list}/", "#film-{rated} button[value='out']"),
    Case("/films/{fresh}/why/", "main tbody form button"),
    Case("/films/{fresh}/why/", "[aria-labelledby='reasons-title'] form button"),
]


@pytest.fixture
def films(settings, tmp_path, transactional_db) -> Iterator[dict[str, Any]]:
    """The numbers of Ada's films, by what she did with them; a model that knows her."""
    settings.MODELS_DIR = tmp_path / "models"
    settings.WAREHOUSE_DIR = tmp_path / "warehouse"
    forget_snapshot()
    crime = make_world(n_films=14, n_people=24).films[0]
    assert train().status == TrainingRun.Status.DONE
    ada = User.objects.create_user("ada@example.org", PASSWORD)
    for film in crime[:3]:
        services.rating_set(user=ada, movie=film, stars=Decimal("4.5"), event=event())
    kinds = ("never", "not_tonight", "dislike")
    for film, kind in zip(crime[3:6], kinds, strict=True):
        services.reaction_set(user=ada, movie=film, kind=Reaction.Kind(kind), event=event())
    services.watchlist_set(user=ada, movie=crime[6], is_on=True, event=event())
    services.quiz_answered(user=ada, answers={"mood": "any"})
    journal.diary_add(user=ada, movie=crime[0], watched_on=date(2024, 5, 1), note="Again!")
    heists = journal.list_create(user=ada, name="Heists")
    for film in crime[:3]:
        journal.list_put(film_list=heists, movie=film, is_in=True)
    journal.list_item_note(film_list=heists, movie=crime[0], note="The bank")
    yield {
        **{kind: film.pk for film, kind in zip(crime[3:6], kinds, strict=True)},
        **{"rated": crime[0].pk, "saved": crime[6].pk, "fresh": crime[9].pk, "list": heists.pk},
    }
    forget_snapshot()


def event() -> EventContext:
    return EventContext(surface="film")


def everything() -> dict[str, Any]:
    """All that is kept of Ada's opinions, but for when she had them."""
    ada = User.objects.get(email="ada@example.org")

    def rows(model: Any, *fields: str, **where: Any) -> list[Any]:
        return sorted(model.objects.filter(**where).values_list(*fields))

    return {
        "stars": rows(Rating, "movie_id", "stars", user=ada),
        "verbs": rows(Reaction, "movie_id", "kind", user=ada),
        "watchlist": rows(WatchlistEntry, "movie_id", user=ada),
        "diary": rows(DiaryEntry, "movie_id", "watched_on", "is_rewatch", "note", user=ada),
        "lists": rows(ListItem, "position", "movie_id", "note", film_list__user=ada),
        "muted": sorted(taste_of(ada).muted_reasons),
    }


def wait_until(page: Any, is_true: Any, why: str) -> None:
    ends_at = time.monotonic() + 15
    while not is_true():
        assert time.monotonic() < ends_at, why
        # Not a plain sleep: Playwright lets the page's requests through meanwhile.
        page.wait_for_timeout(50)


def do_and_undo(page: Any, live_server: Any, cases: list[Case], films: dict[str, Any]) -> None:
    """Clicks each case's button, sees that it did something, and takes that back."""
    log_in(page, live_server)
    before = everything()
    for case in cases:
        page.goto(live_server.url + case.path.format(**films))
        page.wait_for_load_state("networkidle")
        button = page.locator(case.press.format(**films)).first
        button.wait_for(state="attached")
        if folded := button.locator("xpath=ancestor::details[not(@open)]").all():
            folded[0].locator("summary").first.click()
        if ".card " in case.press:
            button.locator("xpath=ancestor::article").hover()
        button.click()
        wait_until(page, lambda: everything() != before, f"{case.name}: nothing happened")
        page.locator(":is(#toasts, .messages)").get_by_role("button", name="Undo").last.click()
        wait_until(page, lambda: everything() == before, f"{case.name}: not as it was")
        page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("cases", [CARDS, FILM, MINE], ids=["cards", "film", "mine"])
def test_what_was_done_is_taken_back(live_server, page, browser_problems, films, cases):
    do_and_undo(page, live_server, cases, films)
    assert browser_problems.all == []


def test_without_javascript_too(live_server, new_page, browser_problems, films):
    page = new_page(java_script_enabled=False)
    # A film's own buttons are on a page of their own then.
    film = [Case(case.path + "actions/", case.press) for case in FILM if "#film-" in case.press]
    cards = [case for case in CARDS if case.path == "/for-you/"]
    do_and_undo(page, live_server, [*MINE, *film, *cards], films)
    assert browser_problems.all == []


def test_a_row_stays_to_be_put_back_until_the_page_is_opened_again(live_server, page, films):
    log_in(page, live_server, then="/watchlist/")
    row = page.locator(f"#ledger-watchlist-{films['saved']}")
    row.get_by_role("button").press("Enter")
    row.get_by_role("button", name="Undo").wait_for()
    assert not WatchlistEntry.objects.exists()
    focused = page.evaluate("document.activeElement.id")
    assert focused == f"ledger-act-watchlist-{films['saved']}"
    page.keyboard.press("Enter")
    row.get_by_role("button", name="Take it off").wait_for()
    assert WatchlistEntry.objects.get().movie_id == films["saved"]
    page.keyboard.press("Enter")
    row.get_by_role("button", name="Undo").wait_for()
    page.reload()
    assert row.count() == 0
    assert page.get_by_role("heading", name="Nothing on it yet").is_visible()


def test_z_takes_back_and_the_focus_stays_where_it_was(live_server, page, films):
    log_in(page, live_server, then="/browse/")
    like = page.locator("main .card button[id^='like-']").first
    before = everything()
    like.focus()
    page.keyboard.press("Enter")
    wait_until(page, lambda: everything() != before, "nothing was liked")
    page.locator("#toasts").get_by_role("button", name="Undo").wait_for()
    page.keyboard.press("z")
    wait_until(page, lambda: everything() == before, "z took nothing back")
    page.locator("#toasts").get_by_text("Like taken back").wait_for()
    assert page.evaluate("document.activeElement.id") == like.get_attribute("id")
    # By the toast's own button, too.
    page.keyboard.press("Enter")
    wait_until(page, lambda: everything() != before, "nothing was liked")
    undo = page.locator("#toasts").get_by_role("button", name="Undo")
    undo.last.focus()
    page.keyboard.press("Enter")
    wait_until(page, lambda: everything() == before, "Undo took nothing back")
    page.wait_for_function(f"document.activeElement.id === '{like.get_attribute('id')}'")


def test_every_film_of_the_table_is_there(films):
    """A case that names a film that is no film would be a test of nothing."""
    numbers = [pk for name, pk in films.items() if name != "list"]
    assert Movie.objects.filter(pk__in=numbers).count() == len(set(numbers)) == 6
