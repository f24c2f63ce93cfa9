"""Every page of the site, found by the names of its addresses: a new one is looked at by itself.

Each is opened by whoever may see it: it answers, shows no broken picture, complains about nothing,
passes axe in every theme, fits its screen, and every link on it leads somewhere. Nothing outside
this machine can be reached meanwhile. The addresses are dealt to several tests, so that several
workers can share them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from urllib.parse import urldefrag, urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.test import Client
from django.urls import Resolver404, URLPattern, get_resolver, resolve, reverse
from django.utils.http import int_to_base36
from playwright.sync_api import Error

from accounts.models import User
from catalog.models import Movie
from catalog.tmdb.models import TmdbFacts
from feedback import journal, services
from feedback.events import EventContext
from feedback.exports.jobs import export_request, export_run
from feedback.imports.jobs import import_run
from feedback.imports.services import import_create
from feedback.models import Reaction
from recommendations.models import ModelVersion, TrainingRun
from recommendations.services.training import train
from recommendations.snapshot import forget_snapshot
from tests.e2e.test_look import RULES, WIDER, log_in
from tests.worlds import make_world

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

PASSWORD = "a-long-enough-phrase"
THEMES = ("light", "contrast")  # beside dark, in which a page is opened
# What a theme can change: axe's other rules look at the document, which stays the same.
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
SIZES = {"nobody": (390, 844), "visitor": (1440, 900), "ada": (1440, 900), "staff": (390, 844)}
# Each of these people has the addresses dealt to so many tests.
SHARES = {"nobody": 2, "visitor": 2, "ada": 3, "staff": 1}
DEALT = [(who, share) for who, n_shares in SHARES.items() for share in range(n_shares)]
# Links of one kind, such as to films, that are followed from all pages of a test together.
LINKS_OF_A_KIND = 3
# Not pages of ours: Django's admin, whose look is its own, and what machines read.
ELSEWHERE = ("/admin/", "/api/", "/static/", "/_allauth/")

# Addresses without a name of their own worth a look, and what they answer.
ALSO = {"/no-such-page/": 404, "/search/?q=Film": 200, "/browse/?genre=crime": 200}
# Pages that nobody gets to by their address alone, and where they are tested.
NOT_BY_ADDRESS = {
    "account_confirm_login_code": "the second half of a log-in that is switched off",
    "mfa_remove_webauthn": "needs a key, which needs a device (test_passkeys)",
    "mfa_edit_webauthn": "needs a key, which needs a device (test_passkeys)",
}


@dataclass
class Found:
    """What was wrong, by address."""

    wrong: dict[str, list[object]] = field(default_factory=lambda: defaultdict(list))
    pages: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def world(settings, tmp_path, transactional_db):
    """Films, a served model, and Ada, who did everything that can be done once."""
    settings.MODELS_DIR = tmp_path / "models"
    settings.WAREHOUSE_DIR = tmp_path / "warehouse"
    forget_snapshot()
    world = make_world(n_films=14, n_people=24)
    Movie.objects.update(synopsis="Somebody wants something badly. It is in the way.")
    assert train().status == TrainingRun.Status.DONE
    ada = User.objects.create_user("ada@example.org", PASSWORD, is_staff=False)
    live_a_little(ada, world)
    User.objects.create_superuser("root@example.org", PASSWORD)
    yield world
    forget_snapshot()


def live_a_little(person, world):
    """Ratings, verbs, a diary, two lists; a film that can be streamed."""
    first, second = world.films
    for film, stars in zip(first[:6], ("5", "4.5", "4", "3", "2", "0.5"), strict=True):
        services.rating_set(
            user=person, movie=film, stars=Decimal(stars), event=EventContext(surface="film")
        )
    for film, kind in zip(
        first[6:9],
        (Reaction.Kind.LIKE, Reaction.Kind.NEVER, Reaction.Kind.NOT_TONIGHT),
        strict=True,
    ):
        services.reaction_set(
            user=person, movie=film, kind=kind, event=EventContext(surface="film")
        )
    services.watchlist_set(
        user=person, movie=second[0], is_on=True, event=EventContext(surface="film")
    )
    journal.diary_add(user=person, movie=first[0], watched_on=date(2024, 5, 1), note="Again!")
    shared = journal.list_create(user=person, name="Rainy days", note="With tea")
    journal.list_put(film_list=shared, movie=second[1], is_in=True)
    journal.list_share(film_list=shared, is_on=True)
    journal.list_create(user=person, name="Nothing yet")
    text = "Date,Name,Year,Letterboxd URI,Rating\n2021-05-02,Crime Film 0,1950,u,4\n"
    text += "2021-05-03,Nowhere to be found,2006,u,3\n"
    job = import_create(user=person, filename="ratings.csv", content=text.encode())
    import_run(job.pk)
    export_run(export_request(person).pk)
    TmdbFacts.objects.create(
        movie=first[0],
        watch_providers={"US": {"flatrate": ["Flickerbox"], "rent": ["Corner Video", "Reelhouse"]}},
    )


def arguments_of(name, names, world):
    """What to open a named address with. An argument that is not here is reported: add it."""
    ada = User.objects.get(email="ada@example.org")
    film = world.films[0][0]
    shared = ada.film_lists.exclude(share_key=None).get()
    values = {"pk": film.pk, "movie_pk": film.pk, "key": shared.share_key}
    values["uidb36"] = int_to_base36(ada.pk)
    values["version"] = ModelVersion.objects.get(status=ModelVersion.Status.ACTIVE).version
    values["name"] = "feedback"  # a table for staff
    job = ada.importjobs.get()
    values["film_pk"] = job.films.get(movie=None).pk
    if name.startswith("feedback:import_") or name == "feedback:import":
        values["pk"] = job.pk
    elif name.startswith("feedback:export_"):
        values["pk"] = ada.exportjobs.get().pk
    elif name == "feedback:list":
        values["pk"] = ada.film_lists.earliest("pk").pk
    return {name: values[name] for name in names if name in values}


def named_addresses(world):
    """(name, path) of everything that has a name and is a page or may be one."""
    found = {}
    unknown = {}
    for name, names in walk(get_resolver().url_patterns):
        if name in NOT_BY_ADDRESS:
            continue
        if name.startswith("headless:"):
            continue  # for apps, not for browsers
        kwargs = arguments_of(name, names, world)
        if set(names) - set(kwargs):
            unknown[name] = sorted(set(names) - set(kwargs))
            continue
        path = reverse(name, kwargs=kwargs)
        if not path.startswith(ELSEWHERE):
            found[name] = path
    assert unknown == {}, "addresses with arguments that arguments_of does not know"
    return found


def walk(patterns, namespace=""):
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            name = f"{namespace}{pattern.name or ''}"
            if pattern.name and not name.startswith(("admin:", "api")):
                yield name, list(pattern.pattern.regex.groupindex)
        else:
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from walk(pattern.url_patterns, inner)


# Parts that come by themselves have come, and every picture can be shown.
SETTLED = """async () => {
  while (document.querySelector(".htmx-request")) await new Promise((go) => setTimeout(go, 20));
  const broken = [];
  for (const picture of document.images) {
    picture.loading = "eager";
    if (!picture.getAttribute("src")) continue;
    try { await picture.decode(); } catch { broken.push(picture.getAttribute("src")); }
  }
  return broken.map((source) => ["broken picture", source]);
}"""
# All rules in the dark theme; in the others those that a theme can change.
AXE = """async ([tags, colours, themes]) => {
  const wrong = [];
  const look = async (theme, runOnly) => {
    document.documentElement.dataset.theme = theme;
    const options = { runOnly, resultTypes: ["violations"], preload: false, iframes: false };
    for (const found of (await axe.run(options)).violations)
      for (const node of found.nodes) wrong.push([theme, found.id, node.html.slice(0, 160)]);
  };
  for (const theme of themes) await look(theme, { type: "rule", values: colours });
  await look("dark", { type: "tag", values: tags });
  return wrong;
}"""
LINKS = "() => [...document.querySelectorAll('a[href]')].map((link) => link.href)"
# Buttons that send nothing: they open or show something. Dialogs they open are closed again.
SCRIPTED = "button:not(form button):not([form]):visible, summary:visible"


@pytest.mark.parametrize(("who", "share"), DEALT)
def test_every_page_is_whole(live_server, new_page, browser_problems, world, settings, who, share):
    width, height = SIZES[who]
    page = new_page(
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
        has_touch=width < 800,
        bypass_csp=False,
    )
    page.context.add_cookies([{"name": "theme", "value": "dark", "url": live_server.url}])
    become(who, page, live_server, world)
    found = Found()
    pressed: set[str] = set()
    addresses = dict.fromkeys(named_addresses(world).values(), 200) | ALSO
    if who == "staff":  # what anybody may see was looked at by the others
        addresses = {path: 200 for path in addresses if not is_public(path)}
    for path in list(addresses)[share :: SHARES[who]]:
        settings.DEBUG = path == reverse("styleguide")  # served to developers only
        visit(
            page,
            live_server,
            path,
            expected=addresses[path],
            found=found,
            problems=browser_problems,
        )
        if path in found.pages:
            press_buttons(page, path, found, pressed, browser_problems)
    settings.DEBUG = False
    follow_links(page, live_server, found, known=addresses)
    assert {path: wrong for path, wrong in found.wrong.items() if wrong} == {}
    # A crawl that got nowhere would have nothing to complain about.
    assert len(found.pages) >= {"nobody": 9, "visitor": 9, "ada": 11, "staff": 10}[who]
    assert len(found.links) >= 20
    assert len(pressed) >= 3


def is_public(path):
    """Whether anybody may see the page."""
    return Client().get(path).status_code in {200, 404}


def become(who, page, live_server, world):
    """Nobody; a visitor with two films; Ada; or who runs the place."""
    if who == "visitor":
        for film in world.films[1][2:4]:
            page.goto(f"{live_server.url}/films/{film.pk}/actions/")
            page.get_by_role("button", name="I like it").first.click()
            page.locator(".film-actions [aria-pressed='true']").first.wait_for()
    elif who == "ada":
        log_in(page, live_server)
    elif who == "staff":
        page.goto(f"{live_server.url}/accounts/login/?next=/about/")
        page.get_by_label("E-mail address").fill("root@example.org")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()
        page.wait_for_url(f"{live_server.url}/about/")


def visit(page, live_server, path, *, expected, found, problems):
    """Opens a page and looks at all of it; what is no page, or not for this person, is left."""
    if path == reverse("account_logout"):
        return  # its page is a question; ``follow_links`` sees that it answers
    head = page.request.get(f"{live_server.url}{path}", max_redirects=0)
    if head.status in {301, 302, 303, 405} or (head.status in {403, 404} and expected == 200):
        # Elsewhere, by a form only, or not this person's; never a failure of ours.
        return
    if "text/html" not in head.headers["content-type"]:
        assert head.status == 200, path
        return
    answer = arrive(page, f"{live_server.url}{path}")
    wrong = found.wrong[path]
    if answer.status != expected:
        wrong.append(("status", answer.status))
        return
    if expected != 200:
        problems.console.clear()  # the browser notes the status that was asked for
    if page.locator("html[lang]").count() == 0 or "<main" not in page.content():
        return  # a fragment of a page
    found.pages.append(path)
    wrong += page.evaluate(SETTLED)
    wrong += page.evaluate(WIDER)
    page.evaluate(AXE_SCRIPT)
    wrong += page.evaluate(AXE, [RULES, COLOUR_RULES, THEMES])
    for link in page.evaluate(LINKS):
        address = urldefrag(link).url
        if address.startswith(live_server.url):
            found.links.setdefault(address, path)
    wrong += problems.all
    forget(problems)


def arrive(page, address):
    """The answer; a button of the page before may still be on its way elsewhere, and win once."""
    try:
        return page.goto(address)
    except Error as error:
        if "ERR_ABORTED" not in error.message:
            raise
        page.wait_for_load_state()
        return page.goto(address)


def press_buttons(page, path, found, pressed, problems):
    """Presses each scripted button once on the whole site, and closes what it opened."""
    for place in range(page.locator(SCRIPTED).count()):
        button = page.locator(SCRIPTED).nth(place)
        if not button.is_visible() or not button.is_enabled():
            continue
        key = re.sub(r"\d+", "", button.evaluate("(button) => button.outerHTML"))[:300]
        if key in pressed or button.get_attribute("id") in {"passkey_login", "mfa_webauthn_add"}:
            continue
        pressed.add(key)
        # By key: whatever can be clicked can be reached.
        button.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        assert page.url.split("?")[0].endswith(path.split("?")[0]), (path, key)
    found.wrong[path] += problems.all
    forget(problems)


def follow_links(page, live_server, found, *, known):
    """Every address that a page leads to answers; of a kind, such as films, some.

    Those in ``known`` are opened by this test or by its neighbours.
    """
    kinds = defaultdict(int)
    for address, source in found.links.items():
        if address.removeprefix(live_server.url) in known:
            continue
        path = urlsplit(address).path
        if path == reverse("styleguide"):
            continue  # leads to itself only, and is served to developers only
        try:
            kind = resolve(path).view_name
        except Resolver404:
            found.wrong[source].append(("leads nowhere", address))
            continue
        kinds[kind] += 1
        if kinds[kind] > LINKS_OF_A_KIND:
            continue
        answer = page.request.get(address)
        if not answer.ok:
            found.wrong[source].append((answer.status, address))


def forget(problems):
    for complaints in (problems.console, problems.csp, problems.page_errors, problems.foreign):
        complaints.clear()
