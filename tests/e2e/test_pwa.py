"""Marquee as an installed app: what the worker keeps, what it never keeps, and that it forgets."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.e2e.test_look import log_in
from tests.worlds import make_film

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

KEPT = """async () => {
  const kept = {};
  for (const name of await caches.keys()) {
    const requests = await (await caches.open(name)).keys();
    kept[name.replace(/-[0-9a-f]{12}$/, "")] = requests.map((one) => new URL(one.url).pathname);
  }
  return kept;
}"""


@pytest.fixture
def films():
    User.objects.create_user("ada@example.org", "a-long-enough-phrase")
    return [make_film(f"Film number {n}", year=1950 + n) for n in range(20)]


@pytest.fixture
def app(new_page):
    """A page that lets the worker in."""
    return new_page(service_workers="allow")


def controlled(page, url):
    """Opens ``url`` under the worker's control."""
    page.goto(url)
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("() => Boolean(navigator.serviceWorker.controller)")
    page.reload(wait_until="networkidle")


def test_chromium_would_install_it(live_server, app, browser_problems, films):
    controlled(app, live_server.url)
    cdp = app.context.new_cdp_session(app)
    manifest = cdp.send("Page.getAppManifest")
    assert manifest["url"] == f"{live_server.url}/manifest.webmanifest"
    assert manifest["errors"] == []
    errors = cdp.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # Playwright's profiles are private ones, in which nothing is ever installed.
    assert [error["errorId"] for error in errors] == ["in-incognito"]
    assert browser_problems.all == []


def test_only_what_is_the_same_for_everybody_is_kept(live_server, app, browser_problems, films):
    log_in(app, live_server)
    controlled(app, live_server.url)
    for path in ("/for-you/", "/ratings/", "/swipe/", f"/films/{films[0].pk}/"):
        app.goto(live_server.url + path, wait_until="networkidle")
    kept = app.evaluate(KEPT)
    [static] = [name for name in kept if name.startswith("marquee-static")]
    assert set(kept) == {static, "marquee-posters"}
    rest = [path for path in kept[static] if not path.startswith("/static/")]
    assert rest == ["/offline/"]
    assert kept["marquee-posters"]
    assert all(path.endswith("/poster.svg") for path in kept["marquee-posters"])
    assert browser_problems.all == []


def test_posters_seen_last_and_static_files_need_no_network(live_server, app, films):
    controlled(app, f"{live_server.url}/swipe/")
    poster = app.locator(".swipe.is-top img").get_attribute("src")
    app.context.set_offline(True)
    asked = "async (url) => (await fetch(url).catch(() => ({ status: 0 }))).status"
    assert app.evaluate(asked, poster) == 200
    assert app.evaluate(asked, "/static/css/site.css") == 200
    assert app.evaluate(asked, "/api/v1/genres/") == 0


def test_logging_out_forgets_which_posters_were_seen(live_server, app, films):
    big = (
        "async () => (await (await caches.open('marquee-posters')).keys())"
        ".filter((one) => one.url.includes('size=w780')).length"
    )
    log_in(app, live_server)
    controlled(app, f"{live_server.url}/swipe/")
    assert app.evaluate(big) >= 3
    app.locator("summary", has_text="Account of").click()
    app.get_by_role("button", name="Log out").click()
    app.get_by_role("link", name="Log in").first.wait_for()
    # The front page that follows shows small posters, to nobody in particular.
    for _ in range(50):
        if not app.evaluate(big):
            break
        app.wait_for_timeout(100)
    assert app.evaluate(big) == 0


def test_a_new_version_takes_the_place_of_the_old_one(live_server, app, films):
    controlled(app, f"{live_server.url}/about/")
    app.evaluate(
        "async () => { await caches.open('marquee-static-000000000000');"
        " await (await navigator.serviceWorker.getRegistration()).unregister(); }"
    )
    controlled(app, f"{live_server.url}/about/")
    names = app.evaluate("caches.keys()")
    assert "marquee-static-000000000000" not in names
    assert sum(name.startswith("marquee-static-") for name in names) == 1
