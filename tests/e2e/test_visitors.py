"""A visitor: quiz, a few ratings, a list; then an account that has all of it."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from accounts.models import User
from feedback import journal, services
from feedback.events import EventContext
from feedback.models import Interaction, QuizSession, Rating, Reaction, WatchlistEntry
from recommendations.models import TrainingRun
from recommendations.services.training import train
from recommendations.snapshot import forget_snapshot
from recommendations.starting import MAX_ANSWERS, MIN_ANSWERS
from tests.worlds import make_world

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

SIZES = {"phone": (390, 844), "tablet": (768, 1024), "desktop": (1440, 900)}
PASSWORD = "a-velvet-rope-and-popcorn"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def world(settings, tmp_path, transactional_db):
    """Two crowds and a served model."""
    settings.MODELS_DIR = tmp_path / "models"
    settings.WAREHOUSE_DIR = tmp_path / "warehouse"
    forget_snapshot()
    world = make_world()
    assert train().status == TrainingRun.Status.DONE
    yield world
    forget_snapshot()


def complaints(page):
    """axe's violations, and whether anything sticks out of the screen."""
    results = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    found = [(v["id"], n["html"][:160]) for v in results.response["violations"] for n in v["nodes"]]
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*found, *([("too wide", width)] if width > 0 else [])]


def question(page):
    """The title of the film that is asked about; "" where nothing is."""
    found = page.locator(".ask h2")
    return found.inner_text() if found.count() else ""


def answer_all(page, *, answer):
    """Answers until it stops by itself; how many answers it took."""
    for n in range(MAX_ANSWERS + 1):
        title = question(page)
        if not title:
            return n
        answer(page, title)
    raise AssertionError("it never stops asking")


def by_hand(page, title):
    """Crime is loved, musicals are not; on phones and desktops the stars are clicked."""
    star = 9 if title.startswith("Crime") else 1
    page.locator(".ask .stars label").nth(star).click()
    page.wait_for_function("t => document.querySelector('.ask h2')?.innerText !== t", arg=title)


def by_key(page, title):
    """The same by digits."""
    page.keyboard.press("0" if title.startswith("Crime") else "2")
    page.wait_for_function("t => document.querySelector('.ask h2')?.innerText !== t", arg=title)


def without_script(page, title):
    """The same by choosing and sending."""
    star = 9 if title.startswith("Crime") else 1
    page.locator(".ask .stars input").nth(star).check()
    page.get_by_role("button", name="Give these stars").click()


def take_the_quiz(page, url):
    page.goto(f"{url}/quiz/")
    page.locator("input[name=mood][value=any]").check(force=True)
    page.get_by_role("button", name="Show me films").click()
    assert page.url == f"{url}/tonight/"
    page.get_by_role("link", name=re.compile("Rate a few films")).click()
    assert page.url == f"{url}/start/rate/"


def register(page):
    page.get_by_role("link", name="Register to keep them").click()
    page.fill("input[name=email]", "grace@example.org")
    page.fill("input[name=password1]", PASSWORD)
    page.locator("main form[method=post] button").last.click()
    page.wait_for_url(re.compile(r"^(?!.*signup).*$"))


def listed(page, url):
    page.goto(f"{url}/for-you/")
    shown = "#for-you-cards [data-movie]"
    ids = page.eval_on_selector_all(shown, "all => all.map(one => one.dataset.movie)")
    return [int(pk) for pk in ids]


def everything_of(user):
    return (
        sorted(Rating.objects.filter(user=user).values_list("movie_id", "stars")),
        QuizSession.objects.filter(user=user).count(),
        Interaction.objects.filter(user=user).count(),
    )


@pytest.mark.parametrize("size", SIZES)
def test_from_quiz_to_account_with_everything_kept(
    live_server, new_page, browser_problems, world, size
):
    width, height = SIZES[size]
    page = new_page(viewport={"width": width, "height": height}, has_touch=size == "phone")
    url = live_server.url
    take_the_quiz(page, url)
    assert complaints(page) == []
    skipped = question(page)
    page.get_by_role("button", name="Haven’t seen it").click()
    page.wait_for_function("t => document.querySelector('.ask h2')?.innerText !== t", arg=skipped)
    n = answer_all(page, answer=by_key if size == "tablet" else by_hand)
    assert MIN_ANSWERS <= n <= MAX_ANSWERS
    assert "Your list is settled" in page.locator("h1").inner_text()
    assert complaints(page) == []
    visitor = User.objects.get(is_visitor=True)
    before, films = everything_of(visitor), listed(page, url)
    assert len(before[0]) == n
    crime = {film.pk for film in world.films[0]}
    assert set(films[:10]) <= crime
    page.goto(f"{url}/start/rate/")
    register(page)
    grace = User.objects.get(email="grace@example.org")
    assert everything_of(grace) == before
    assert everything_of(visitor) == ([], 0, 0)
    assert listed(page, url) == films
    assert browser_problems.all == []


def test_the_same_without_javascript(live_server, new_page, browser_problems, world):
    page = new_page(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    url = live_server.url
    take_the_quiz(page, url)
    skipped = question(page)
    page.get_by_role("button", name="Skip").click()
    assert question(page) not in {skipped, ""}
    answer_all(page, answer=without_script)
    before = everything_of(User.objects.get(is_visitor=True))
    register(page)
    grace = User.objects.get(email="grace@example.org")
    assert everything_of(grace) == before
    assert len(listed(page, url)) == 24
    # The journal of a film, its own page without a script.
    film = world.films[0][-1]
    page.goto(f"{url}/films/{film.pk}/")
    page.get_by_role("link", name="Diary and lists").click()
    page.get_by_text("Write it in your diary").click()
    page.get_by_role("button", name="Write it down").click()
    page.goto(f"{url}/diary/")
    assert film.title in page.locator("main").inner_text()
    assert [text for text in browser_problems.all if "422" not in text] == []


def test_a_visitor_likes_hides_and_saves_and_the_undo_works(
    live_server, new_page, browser_problems, world
):
    page = new_page()
    url = live_server.url
    page.goto(f"{url}/browse/")
    card = page.locator("[data-movie]").first
    pk = int(card.get_attribute("data-movie"))
    card.hover()
    page.locator(f"#watchlist-{pk}").click()
    page.locator("[data-toast]").first.wait_for()
    card.hover()
    page.locator(f"#never-{pk}").click()
    page.locator("[data-toast]").nth(1).wait_for()
    assert WatchlistEntry.objects.get().user.is_visitor
    assert Reaction.objects.get().kind == "never"
    assert pk not in listed(page, url)
    page.goto(f"{url}/hidden/")
    page.get_by_role("button", name="Put it back").click()
    page.locator(".ledger li.is-gone").wait_for()
    assert not Reaction.objects.exists()
    assert User.objects.filter(is_visitor=True).count() == 1
    assert browser_problems.all == []


def test_paging_keeps_the_place_on_the_way_back(live_server, new_page, browser_problems, world):
    page = new_page(viewport={"width": 390, "height": 844})
    url = live_server.url
    page.goto(url)
    user = _logged_in(page, url)
    for film in world.all_films[:45]:
        Rating.objects.create(user=user, movie=film, stars="4.0")
    page.goto(f"{url}/ratings/?sort=title")
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**page=2")
    row = page.locator(".ledger h2 a").nth(10)
    row.scroll_into_view_if_needed()
    place = page.evaluate("scrollY")
    assert place > 300
    row.click()
    page.wait_for_url("**/films/**")
    page.go_back()
    page.wait_for_url("**sort=title&page=2")
    page.wait_for_function("place => Math.abs(scrollY - place) < 5", arg=place)
    assert browser_problems.all == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_has_nothing_to_say_about_the_new_pages(live_server, new_page, world, theme):
    page = new_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    url = live_server.url
    page.context.add_cookies([{"name": "theme", "value": theme, "url": url}])
    user = _logged_in(page, url)
    empty = ["/me/taste/", "/diary/", "/lists/", "/start/rate/", "/watchlist/"]
    found = {}
    for path in empty:
        page.goto(url + path)
        found[f"{path} empty"] = complaints(page)
    film = world.films[0][0]
    for one in [*world.films[0][:12], *world.films[1][:12]]:
        services.rating_set(user=user, movie=one, stars="4.5", event=EventContext())
    journal.diary_add(user=user, movie=film, watched_on=film.created_at.date(), note="Rain")
    made = journal.list_create(user=user, name="Heists", note="Men at work")
    journal.list_put(film_list=made, movie=film, is_in=True)
    journal.list_share(film_list=made, is_on=True)
    made.refresh_from_db()
    full = [
        *("/me/taste/", "/diary/", "/lists/", f"/lists/{made.pk}/", f"/shared/{made.share_key}/"),
        *(f"/films/{film.pk}/journal/", f"/films/{film.pk}/", "/ratings/?sort=stars"),
    ]
    for path in full:
        page.goto(url + path)
        page.wait_for_load_state("networkidle")
        for details in page.locator("main details").all():
            details.evaluate("one => { one.open = true; }")
        found[path] = complaints(page)
    assert found == {path: [] for path in found}
    assert len(found) == len(empty) + len(full)


def _logged_in(page, url):
    user = User.objects.create_user("grace@example.org", PASSWORD)
    page.goto(f"{url}/accounts/login/")
    page.fill("input[name=login]", user.email)
    page.fill("input[name=password]", PASSWORD)
    page.locator("main form[method=post] button").last.click()
    page.wait_for_url(f"{url}/")
    return user
