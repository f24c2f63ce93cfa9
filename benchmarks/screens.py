"""The pictures of docs/screens.md and of the README, taken of a running Marquee.

    python -m benchmarks.screens --url http://localhost:8000 --login var/demo_login

Needs a Marquee started by ``make run`` with MovieLens (the films that are rated are found there)
and a Chromium. The demo person rates two dozen films, and a visitor answers the quiz; then each
state is opened at desktop and phone width. Writes docs/screens.md too. What is rated stays rated:
use a var/ of its own (MARQUEE_VAR) where that matters.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.browser import find_chromium, launch_chromium

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
SHOWN = {"desk": 620, "phone": 180}  # px in the page
EMAIL = "demo@marquee.local"  # config.demo, which needs the site's settings
QUALITY = {"desk": 62, "phone": 70}

# A picture further down is fetched when it comes near: here at once, or nobody would wait for it.
ALL_PICTURES = """() => Promise.all([...document.images].map((one) => {
  one.loading = "eager";
  return one.getAttribute("src") ? one.decode().catch(() => 0) : 0;
}))"""

# Film, year, half stars.
RATED = (
    *(("Heat", 1995, 10), ("Alien", 1979, 9), ("Blade Runner", 1982, 10), ("Fargo", 1996, 9)),
    *(("Pulp Fiction", 1994, 9), ("Toy Story", 1995, 8), ("Vertigo", 1958, 9)),
    *(("Seven Samurai", 1954, 10), ("Titanic", 1997, 4), ("Memento", 2000, 8), ("Jaws", 1975, 8)),
    *(("Casablanca", 1942, 9), ("Psycho", 1960, 9), ("Armageddon", 1998, 3), ("Up", 2009, 8)),
)
FILM = ("Aliens", 1986)


@dataclass(frozen=True, slots=True)
class State:
    """One state of the product. ``theme`` is that of the picture; nobody is ``is_visitor``."""

    name: str
    title: str
    words: str
    path: str
    theme: str = "dark"
    is_visitor: bool = False


STATES = (
    State("home", "Home", "Rows with their reasons; a visitor is asked five questions first.", "/"),
    State(
        *("quiz", "The quiz", "Five questions, all but the first may stay open.", "/quiz/"),
        *("dark", True),
    ),
    State(
        *("tonight", "Tonight", "The list for the answers, chips to change them.", "/tonight/"),
        *("light", True),
    ),
    State(
        *("rate-a-few", "Rate a few", "One question at a time, the list grows beside it."),
        *("/start/rate/", "dark", True),
    ),
    State(
        *("swipe", "Swipe", "Drag, tap or keys; the last answers can be taken back.", "/swipe/"),
    ),
    State(
        *("for-you", "For you", "Other ways to pick, dials and filters folded away."),
        *("/for-you/", "light"),
    ),
    State(
        *("why", "Why this film", "Every part of the score, and the list without one of them."),
        "/films/{film}/why/",
    ),
    State(
        *("film", "A film", "Facts, stars, verbs, predicted stars, diary, similar films."),
        "/films/{film}/",
    ),
    State(
        *("search", "Search", "Conditions as chips."),
        *("/search/?q=90s+thriller+under+2+hours%2C+not+horror", "light"),
    ),
    State("my-ratings", "My ratings", "Sorted as one likes.", "/ratings/?sort=stars"),
    State(
        *("my-taste", "My taste", "Charts against the catalogue, each also a table.", "/me/taste/"),
        "light",
    ),
    State(
        *("hidden-empty", "Nothing hidden", "An empty state and what to do next.", "/hidden/"),
        *("dark", True),
    ),
)
# What the README shows: file, state's path, size, height in px, theme.
README = (
    ("home", "/", "desk", 1240, "dark"),
    ("for-you-phone", "/for-you/", "phone", 844, "dark"),
    ("film-phone", "/films/{film}/", "phone", 844, "light"),
    ("why", "/films/{film}/why/", "desk", 900, "dark"),
)


def film_path(page: Any, url: str, title: str, year: int) -> str:
    """The address of a film, as browsing finds it; exits where it is unknown."""
    page.goto(f"{url}/browse/?q={title}&year_from={year}&year_to={year}")
    for link in page.locator("main .card__title a").all():
        if link.inner_text() == title:
            return link.get_attribute("href").split("?")[0]
    sys.exit(f"{title} ({year}) is not on this site: start it with MOVIELENS_DIR (see the README).")


def log_in(page: Any, url: str, password: str) -> None:
    """As the demo person."""
    page.goto(f"{url}/accounts/login/?next=/about/")
    page.fill("main input[type=email]", EMAIL)
    page.fill("main input[type=password]", password)
    page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(f"{url}/about/")


def rate(page: Any, url: str) -> None:
    """Gives the stars of ``RATED`` on the films' pages."""
    for title, year, halves in RATED:
        page.goto(url + film_path(page, url, title, year))
        stars = page.locator("[data-film-actions] input[name=stars]")
        stars.first.wait_for(state="attached")
        if not stars.nth(halves - 1).is_checked():
            stars.nth(halves - 1).check()
            page.locator("#toasts .ticket").wait_for()
        print(f"rated {title}", flush=True)


def answer_quiz(page: Any, url: str) -> None:
    """Suspense, about two hours."""
    page.goto(f"{url}/quiz/")
    for answer in ("mood=tense", "time=medium"):
        name, value = answer.split("=")
        page.locator(f"input[name={name}][value={value}]").check(force=True)
    page.locator("main form button").last.click()
    page.wait_for_url("**/tonight/")


def picture(page: Any, url: str, path: Path, *, size: str, theme: str, height: int) -> None:
    """One page in one theme, when everything on it has come."""
    host = {"name": "theme", "value": theme, "url": url}
    page.context.add_cookies([host])
    page.reload(wait_until="load")
    page.wait_for_timeout(600)  # parts that come by themselves
    page.evaluate(ALL_PICTURES)
    width = SIZES[size][0]
    clip = {"x": 0, "y": 0, "width": width, "height": height}
    page.screenshot(path=str(path), type="jpeg", quality=QUALITY[size], clip=clip, full_page=True)


def words_of_page(states: tuple[State, ...], day: str) -> str:
    """docs/screens.md."""
    parts = [
        "# Twelve states\n\nMovieLens latest-small with the demo person, who rated "
        f"{len(RATED)} films, and a visitor; at 1440 and 390 px, some dark, some light. "
        f"Taken on {day} by `python -m benchmarks.screens`."
    ]
    for state in states:
        images = " ".join(
            f'<img src="screenshots/states/{state.name}-{size}.jpg" width="{SHOWN[size]}" '
            f'alt="{state.title}, {"wide" if size == "desk" else "on a phone"}">'
            for size in SIZES
        )
        parts.append(f"## {state.title}\n\n{state.words}\n\n{images}")
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Takes all pictures and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://localhost:8000")
    parser.add_argument("--login", type=Path, default=ROOT / "var" / "demo_login")
    options = parser.parse_args()
    executable = find_chromium()
    if executable is None:
        sys.exit("No Chromium: install one, or set MARQUEE_CHROMIUM to a binary.")
    password = options.login.read_text(encoding="ascii").strip()
    url = options.url.rstrip("/")
    (FOLDER / "states").mkdir(parents=True, exist_ok=True)
    with launch_chromium(executable) as browser:
        kept: dict[bool, Any] = {}
        film = ""
        for size, (width, height) in SIZES.items():
            for is_visitor in (False, True):
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    has_touch=size == "phone",
                    is_mobile=size == "phone",
                    reduced_motion="reduce",
                    locale="en",
                    service_workers="block",
                    storage_state=kept.get(is_visitor),
                )
                page = context.new_page()
                if is_visitor not in kept:
                    if is_visitor:
                        answer_quiz(page, url)
                    else:
                        log_in(page, url, password)
                        rate(page, url)
                        film = film_path(page, url, *FILM).removeprefix("/films/").rstrip("/")
                    kept[is_visitor] = context.storage_state()
                wanted = [
                    (FOLDER / "states" / f"{one.name}-{size}.jpg", one.path, one.theme, height)
                    for one in STATES
                    if one.is_visitor is is_visitor
                ]
                if not is_visitor:
                    wanted += [
                        (FOLDER / f"{name}.jpg", path, theme, tall)
                        for name, path, of_size, tall, theme in README
                        if of_size == size
                    ]
                for file, path, theme, tall in wanted:
                    page.goto(url + path.format(film=film))
                    picture(page, url, file, size=size, theme=theme, height=tall)
                    print(f"{file.relative_to(ROOT)}  {file.stat().st_size // 1024} KB", flush=True)
                context.close()
    day = datetime.now(UTC).date().isoformat()
    (ROOT / "docs" / "screens.md").write_text(words_of_page(STATES, day), encoding="utf-8")


if __name__ == "__main__":
    main()
