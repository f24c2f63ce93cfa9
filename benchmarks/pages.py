"""How fast the first pages stand still (LCP, CLS) on a slow processor, and what scripts weigh.

    python -m benchmarks.pages --url http://127.0.0.1:8000 --out benchmarks/results/pages.json

Needs a running Marquee and a Chromium. Every page is opened several times in a fresh profile
(nothing cached) at phone and desktop width with the processor slowed down four times by the
browser; the median of the largest contentful paint and the worst layout shift are printed. Ends
with 1 where a limit is missed: LCP 2.5 s, CLS 0.05, scripts 60 KB gzipped.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import statistics
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.browser import find_chromium, launch_chromium

PAGES = ("/", "/swipe/")
SIZES = {"phone": (390, 844), "desktop": (1440, 900)}
SLOWDOWN = 4
MAX_LCP_MS = 2500.0
MAX_CLS = 0.05
MAX_SCRIPT_BYTES = 60 * 1024
SETTLE_MS = 1500

# Before anything of the page runs. A shift within half a second of an input is the input's doing.
OBSERVE = """
window.__vitals = { lcp: 0, cls: 0, element: "" };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    window.__vitals.lcp = entry.startTime;
    window.__vitals.element = entry.element?.tagName.toLowerCase() ?? "";
  }
}).observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (!entry.hadRecentInput) window.__vitals.cls += entry.value;
  }
}).observe({ type: "layout-shift", buffered: true });
"""


@dataclass(frozen=True, slots=True)
class PageLine:
    """One page at one size. ``lcp_ms`` is the median, ``cls`` the worst of ``n_loads`` loads."""

    path: str
    size: str
    n_loads: int
    lcp_ms: float
    lcp_worst_ms: float
    lcp_element: str
    cls: float
    script_bytes: int

    @property
    def is_within_limits(self) -> bool:
        """LCP, CLS and scripts together."""
        return (
            self.lcp_ms <= MAX_LCP_MS
            and self.cls <= MAX_CLS
            and self.script_bytes <= MAX_SCRIPT_BYTES
        )


@dataclass(frozen=True, slots=True)
class Load:
    """One opening of a page."""

    lcp_ms: float
    cls: float
    element: str
    script_bytes: int


def open_once(browser: Any, url: str, size: tuple[int, int]) -> Load:
    """Opens ``url`` in a fresh profile and waits until it stands still."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=width < 800,
        device_scale_factor=2 if width < 800 else 1,
        service_workers="block",  # its own downloads are no part of the page
    )
    page = context.new_page()
    page.add_init_script(OBSERVE)
    scripts: dict[str, int] = {}

    def weigh(response: Any) -> None:
        if urlsplit(response.url).path.endswith(".js"):
            scripts[response.url] = len(gzip.compress(response.body(), 9))

    page.on("requestfinished", lambda request: weigh(request.response()))
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    page.goto(url, wait_until="load")
    page.wait_for_timeout(SETTLE_MS)
    vitals = page.evaluate("window.__vitals")
    context.close()
    return Load(vitals["lcp"], vitals["cls"], vitals["element"], sum(scripts.values()))


def measured(browser: Any, base_url: str, *, n_loads: int) -> Iterator[PageLine]:
    """A line per page and size. One load before them wakes the server."""
    for path in PAGES:
        url = base_url.rstrip("/") + path
        open_once(browser, url, SIZES["phone"])
        for name, size in SIZES.items():
            loads = [open_once(browser, url, size) for _ in range(n_loads)]
            yield PageLine(
                path=path,
                size=name,
                n_loads=n_loads,
                lcp_ms=round(statistics.median(load.lcp_ms for load in loads), 1),
                lcp_worst_ms=round(max(load.lcp_ms for load in loads), 1),
                lcp_element=loads[-1].element,
                cls=round(max(load.cls for load in loads), 4),
                script_bytes=max(load.script_bytes for load in loads),
            )


def main() -> int:
    """Prints the table, writes the JSON; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--loads", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    executable = find_chromium()
    if executable is None:
        sys.exit("No Chromium: install one, or set MARQUEE_CHROMIUM to a binary.")
    print(f"{'page':<10} {'size':<8} {'LCP ms':>8} {'worst':>8} {'on':<5} {'CLS':>7} {'JS KB':>6}")
    lines = []
    with launch_chromium(executable) as browser:
        for line in measured(browser, options.url, n_loads=options.loads):
            lines.append(line)
            note = "" if line.is_within_limits else "  over the limit"
            print(
                f"{line.path:<10} {line.size:<8} {line.lcp_ms:>8.0f} {line.lcp_worst_ms:>8.0f} "
                f"{line.lcp_element:<5} {line.cls:>7.4f} {line.script_bytes / 1024:>6.1f}{note}",
                flush=True,
            )
        version = browser.version
    if options.out:
        report = {
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "slowdown": SLOWDOWN,
            "chromium": version,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "load_after": round(os.getloadavg()[0], 2),
            "limits": {"lcp_ms": MAX_LCP_MS, "cls": MAX_CLS, "script_bytes": MAX_SCRIPT_BYTES},
            "pages": [asdict(line) for line in lines],
        }
        options.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0 if all(line.is_within_limits for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
