"""Import, repair, export and deletion in a real browser, with a real worker; axe has no word."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from accounts.models import DeletionRequest, User
from feedback.models import Rating
from tests.e2e.test_look import PASSWORD, SIZES, complaints, log_in
from tests.feedback.imports import files
from tests.feedback.imports.conftest import FILMS
from tests.worlds import make_film

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
# With pictures, Chromium is told to hide the caret by a style that the page's policy refuses.
SHOTS = os.environ.get("MARQUEE_SHOTS", "")


@pytest.fixture
def films():
    return {name: make_film(title, year=year) for name, (title, year, _ids) in FILMS.items()}


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.org", PASSWORD)


def looked_at(page, name):
    """No complaint; a picture where MARQUEE_SHOTS names a folder."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)
    assert complaints(page) == [], name
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


@pytest.mark.parametrize("size", SIZES)
def test_a_file_is_brought_repaired_written_taken_back_and_everything_exported(
    live_server,
    new_page,
    browser_problems,
    celery_worker_process,
    films,
    ada,
    size,
    tmp_path,
):
    width, height = SIZES[size]
    page = new_page(viewport={"width": width, "height": height})
    url = live_server.url
    log_in(page, live_server, "/settings/import/")
    looked_at(page, f"import-{size}")
    text = files.RATINGS + "2021-05-03,Heat,,u,4\n2021-05-03,Nowhere to be found,2006,u,3\n"
    page.set_input_files(
        "input[type=file]",
        {"name": "ratings.csv", "mimeType": "text/csv", "buffer": text.encode()},
    )
    page.get_by_role("button", name="Look into the file").click()
    page.get_by_role("button", name="Write 3 rows").wait_for(timeout=60_000)
    looked_at(page, f"report-{size}")
    assert not Rating.objects.exists()

    page.get_by_role("link", name="Check one film").click()
    looked_at(page, f"check-{size}")
    page.get_by_role("button", name="Heat 1986").click()
    page.locator(".repair__chosen").wait_for()
    looked_at(page, f"chosen-{size}")
    page.get_by_role("link", name="ratings.csv").click()
    page.get_by_role("button", name="Write 4 rows").click()
    page.get_by_role("button", name="Take all of it back").wait_for(timeout=60_000)
    looked_at(page, f"written-{size}")
    assert Rating.objects.filter(movie=films["heat_86"]).exists()
    page.get_by_role("button", name="Take all of it back").click()
    page.get_by_text("All of it was taken back.").wait_for(timeout=60_000)
    assert not Rating.objects.exists()

    page.goto(f"{url}/settings/export/")
    looked_at(page, f"export-{size}")
    page.get_by_role("button", name="Put my data together").click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").locator("form button").last.click()
    link = page.get_by_role("link", name="Download")
    link.wait_for(timeout=60_000)
    looked_at(page, f"exported-{size}")
    with page.expect_download() as download:
        link.click()
    assert Path(download.value.path()).read_bytes()[:2] == b"PK"

    page.goto(f"{url}/settings/delete/")
    looked_at(page, f"delete-{size}")
    page.get_by_role("button", name="Delete my account").click()
    page.get_by_role("button", name="Keep my account").wait_for()
    looked_at(page, f"grace-{size}")
    page.get_by_role("button", name="Keep my account").click()
    page.get_by_role("button", name="Delete my account").wait_for()
    assert not DeletionRequest.objects.exists()
    assert SHOTS or browser_problems.all == []
