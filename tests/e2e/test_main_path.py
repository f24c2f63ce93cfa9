"""The main job, in a real browser: register, rate five films, get a list that reacts."""

from __future__ import annotations

import re

import pytest

from accounts.models import User
from catalog.models import Movie
from catalog.services.search_index import search_vectors_refresh
from feedback.models import Interaction, Rating, Reaction
from recommendations.models import TrainingRun
from recommendations.pipeline import popular_films
from recommendations.services.training import train
from recommendations.snapshot import forget_snapshot
from tests.worlds import make_world

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

SIZES = {"desktop": (1440, 900), "tablet": (768, 1024), "phone": (390, 844)}
PASSWORD = "a-velvet-rope-and-popcorn"


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


def register(page, url, email):
    page.goto(f"{url}/accounts/signup/")
    page.fill("input[name=email]", email)
    page.fill("input[name=password1]", PASSWORD)
    page.locator("main form[method=post] button").last.click()
    page.wait_for_url(re.compile(r"^(?!.*signup).*$"))
    assert User.objects.filter(email=email).exists()


def shown_on_for_you(page, url):
    page.goto(f"{url}/for-you/")
    return [
        int(pk)
        for pk in page.eval_on_selector_all(
            "#for-you-cards [data-movie]", "all => all.map(one => one.dataset.movie)"
        )
    ]


def give_stars(page, url, movie, stars):
    """Through the film page's radio buttons; done when the ticket stub says so."""
    page.goto(f"{url}/films/{movie.pk}/")
    widget = page.locator(f"#film-actions-{movie.pk}")
    widget.locator(f"input[name=stars][value='{stars}']").check()
    page.locator("[data-toast]").first.wait_for()
    assert page.locator("[data-toast]").first.inner_text().count(movie.title)


@pytest.mark.parametrize("size", SIZES)
def test_five_ratings_make_a_list_and_a_sixth_changes_it(
    live_server, new_page, browser_problems, world, size
):
    width, height = SIZES[size]
    page = new_page(viewport={"width": width, "height": height}, has_touch=size == "phone")
    url = live_server.url
    register(page, url, "grace@example.org")
    musicals = world.films[1]
    for film in musicals[:5]:
        give_stars(page, url, film, "5.0")
    assert Rating.objects.filter(user__email="grace@example.org").count() == 5

    first = shown_on_for_you(page, url)
    rated = {film.pk for film in musicals[:5]}
    popular = [f.movie_id for f in popular_films(n=len(first), without=frozenset(rated))]
    assert len(first) == 24
    assert not rated & set(first)
    assert first != popular
    assert set(first[:15]) <= {film.pk for film in musicals}
    assert page.locator(
        "#for-you-cards .card__reason em, #for-you-cards .card__reason strong, "
        "#for-you-cards .card__reason b"
    ).count()

    give_stars(page, url, world.films[0][0], "5.0")
    second = shown_on_for_you(page, url)
    assert second != first
    assert world.films[0][0].pk not in second
    assert browser_problems.all == []


def test_a_like_on_a_card_redraws_the_list_and_undo_brings_it_back(
    live_server, new_page, browser_problems, world
):
    page = new_page()
    url = live_server.url
    register(page, url, "grace@example.org")
    give_stars(page, url, world.films[1][0], "5.0")
    before = shown_on_for_you(page, url)
    top = before[0]
    card = page.locator(f"[data-movie='{top}']")
    card.hover()
    with page.expect_response(lambda r: "/for-you/" in r.url and r.request.method == "GET"):
        page.locator(f"#like-{top}").click()
    page.locator(f"[data-movie='{top}']").wait_for(state="detached")
    assert Reaction.objects.get().kind == "like"
    with page.expect_response(lambda r: "/for-you/" in r.url and r.request.method == "GET"):
        page.locator("[data-toast] button", has_text="Undo").last.click()
    page.locator(f"[data-movie='{top}']").wait_for()
    assert not Reaction.objects.exists()
    assert list(Interaction.objects.order_by("pk").values_list("kind", flat=True)) == [
        *("rate", "react", "unreact")
    ]
    assert browser_problems.all == []


def test_everything_works_without_javascript(live_server, new_page, browser_problems, world):
    page = new_page(java_script_enabled=False)
    url = live_server.url
    page.goto(url)
    page.get_by_role("link", name="Browse").first.click()
    page.goto(f"{url}/settings/")
    assert "/accounts/login/?next=" in page.url
    page.goto(f"{url}/accounts/signup/?next=/for-you/")
    page.fill("input[name=email]", "grace@example.org")
    page.fill("input[name=password1]", PASSWORD)
    page.locator("main form[method=post] button").last.click()
    assert page.url == f"{url}/for-you/"
    for film in world.films[1][:3]:
        page.goto(f"{url}/films/{film.pk}/actions/?next=/films/{film.pk}/")
        page.locator("input[name=stars][value='4.5']").check()
        page.locator("button", has_text="Rate").first.click()
        assert page.url == f"{url}/films/{film.pk}/"
    assert Rating.objects.filter(user__email="grace@example.org").count() == 3
    shown = shown_without_script(page, url)
    assert set(shown[:10]) <= {film.pk for film in world.films[1][3:]}
    top = shown[0]
    page.locator(f"#never-{top}").click(force=True)
    assert page.url == f"{url}/for-you/"
    assert top not in shown_without_script(page, url)
    page.goto(f"{url}/hidden/")
    page.locator("button", has_text="Put it back").click()
    assert top in shown_without_script(page, url)
    assert browser_problems.all == []


def shown_without_script(page, url):
    page.goto(f"{url}/for-you/")
    return [int(pk) for pk in re.findall(r'data-movie="(\d+)"', page.content())]


def test_search_forgives_and_leads_to_the_film(live_server, new_page, browser_problems, world):
    Movie(title="Amélie", year=2001).save()

    search_vectors_refresh()
    page = new_page()
    page.goto(live_server.url)
    page.keyboard.press("/")
    page.keyboard.type("amelei")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/search/"))
    page.get_by_role("link", name="Amélie").first.click()
    assert page.locator("h1").inner_text() == "Amélie"
    assert browser_problems.all == []
