"""How long a new visitor takes to the first list, and to a list that has settled.

    python -m benchmarks.first_list --url http://127.0.0.1:8000 --out first_list.json

Needs a running Marquee and a Chromium. A phone with its processor slowed down four times opens the
front page in a fresh profile, answers the five questions of the quiz, sees the films for tonight,
then rates films until the page says that the list has settled. Before each answer somebody thinks
for ``--think`` seconds; all else is waiting for Marquee. Ends with 1 where the median visitor takes
over 90 seconds to the first list.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.pages import SIZES, SLOWDOWN
from tests.browser import find_chromium, launch_chromium

GOAL_S = 90.0
QUESTIONS = ("mood", "content_type", "time", "genres", "intensity")
MAX_ANSWERS = 60
CARD = "#for-you-cards [data-movie] img"


@dataclass(frozen=True, slots=True)
class Visit:
    """Seconds from opening the front page; ``waited_s`` without the thinking."""

    quiz_shown_s: float
    list_s: float
    list_waited_s: float
    n_rated: int
    settled_s: float
    settled_waited_s: float
    slowest_answer_s: float


class Clock:
    """Counts from its making; knows what was thinking."""

    def __init__(self, page: Any, think_s: float) -> None:
        self.page, self.think_s = page, think_s
        self.began, self.thought_s = time.perf_counter(), 0.0

    def think(self) -> None:
        """The person looks and decides; the page goes on with its own."""
        self.page.wait_for_timeout(self.think_s * 1000)
        self.thought_s += self.think_s

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.perf_counter() - self.began

    @property
    def waited_s(self) -> float:
        """Of it, for Marquee."""
        return self.seconds - self.thought_s


def visit(browser: Any, base_url: str, *, think_s: float, chance: Random) -> Visit:
    """One new visitor's way, with random answers."""
    width, height = SIZES["phone"]
    context = browser.new_context(
        viewport={"width": width, "height": height}, has_touch=True, device_scale_factor=2
    )
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    clock = Clock(page, think_s)
    page.goto(base_url)
    clock.think()
    page.get_by_role("link", name="Find my film").first.click()
    page.locator(".quiz").wait_for()
    quiz_shown_s = clock.seconds
    for name in QUESTIONS:
        clock.think()
        answers = page.locator(f".quiz label.chip:has(input[name={name}])")
        answers.nth(chance.randrange(answers.count())).click()
    page.locator(".quiz__go button").click()
    page.locator(CARD).first.wait_for()
    page.wait_for_function("one => document.querySelector(one).naturalWidth > 0", arg=CARD)
    list_s, list_waited_s = clock.seconds, clock.waited_s
    page.locator("a[href*='/start/rate/']").first.click()
    page.locator("#start").wait_for()
    n_rated, slowest = 0, 0.0
    while page.locator(".ask").count() and n_rated < MAX_ANSWERS:
        title = page.locator(".ask h2").inner_text()
        clock.think()
        answered = time.perf_counter()
        page.locator(".ask .stars label").nth(chance.randrange(10)).click()
        page.wait_for_function(
            "before => document.querySelector('.ask h2')?.innerText !== before", arg=title
        )
        slowest = max(slowest, time.perf_counter() - answered)
        n_rated += 1
    settled_s, settled_waited_s = clock.seconds, clock.waited_s
    context.close()
    return Visit(
        quiz_shown_s=round(quiz_shown_s, 1),
        list_s=round(list_s, 1),
        list_waited_s=round(list_waited_s, 1),
        n_rated=n_rated,
        settled_s=round(settled_s, 1),
        settled_waited_s=round(settled_waited_s, 1),
        slowest_answer_s=round(slowest, 1),
    )


def main() -> int:
    """Prints a line a visitor and the medians, writes the JSON; 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--visitors", type=int, default=5)
    parser.add_argument("--think", type=float, default=3.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    executable = find_chromium()
    if executable is None:
        sys.exit("No Chromium: install one, or set MARQUEE_CHROMIUM to a binary.")
    chance, visits = Random(options.seed), []
    with launch_chromium(executable) as browser:
        for _ in range(options.visitors):
            one = visit(browser, options.url, think_s=options.think, chance=chance)
            visits.append(one)
            print(
                f"first list after {one.list_s} s ({one.list_waited_s} s of it waiting), settled "
                f"after {one.settled_s} s and {one.n_rated} films (waiting {one.settled_waited_s} "
                f"s, at most {one.slowest_answer_s} s for one)",
                flush=True,
            )
    median = {
        name: round(statistics.median(getattr(one, name) for one in visits), 1)
        for name in Visit.__dataclass_fields__
    }
    print(f"medians: {median}")
    if options.out:
        report = {
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "slowdown": SLOWDOWN,
            "think_s": options.think,
            "seed": options.seed,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "load_after": round(os.getloadavg()[0], 2),
            "goal_s": GOAL_S,
            "median": median,
            "visits": [asdict(one) for one in visits],
        }
        options.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0 if median["list_s"] <= GOAL_S else 1


if __name__ == "__main__":
    sys.exit(main())
