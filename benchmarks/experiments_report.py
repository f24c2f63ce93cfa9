"""``docs/experiment-figures.md`` and the charts of simulated months, from their result files.

python manage.py interleave_sim --aa
python benchmarks/off_policy.py
MONTH="simulate_traffic --visits 0.25 --keep 0.99 --first 3 --wait-training 400"
python manage.py $MONTH --json benchmarks/results/simulated_month.json
python manage.py $MONTH --seed 1 --json benchmarks/results/simulated_month_seed1.json  # and 2, ...
python benchmarks/experiments_report.py
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "experiment-figures.md"
CHARTS = ROOT / "docs" / "benchmarks"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 300, 60, 20, 40, 40
# Names of people's visits, and the last of each.
VISITS = {"first": 1, "second": 2, "third, fourth": 4, "fifth, sixth": 6, "later": 10**6}
LATER = 4
GRID = 0.05  # a share of films, from line to line
MARK = "#8a1c1c"
SERIES = (
    ("positive_rate", "liked of what Marquee showed", "#b35c00"),
    ("frozen_rate", "liked of the popular films of day one", "#333333"),
    ("coverage", "share of the catalogue shown in the day", "#1f6f8b"),
)


def render(content: dict[str, Any]) -> str:
    """The SVG: three series over the days, all as shares from 0."""
    days = content["days"]
    highest = max(day[key] for day in days for key, _, _ in SERIES)
    top = GRID * max(1, np.ceil(highest / GRID))
    step = (WIDTH - LEFT - RIGHT) / max(len(days) - 1, 1)

    def y(share: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - share / top), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + 86}" role="img" '
        'font-family="sans-serif" font-size="13">',
        "<title>A simulated month: liked films of Marquee's lists and of a frozen popularity list"
        "</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT + 86}" fill="#fffdf7"/>',
        f'<text x="{LEFT}" y="22" font-weight="bold">{content["people"]} simulated people, '
        f"{sum(day['n_lists'] for day in days)} lists, {content['date']}</text>",
    ]
    for share in np.arange(0, top + GRID / 2, GRID):
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(share)}" y2="{y(share)}" '
            'stroke="#ddd6c6"/>'
            f'<text x="{LEFT - 8}" y="{y(share) + 4}" text-anchor="end">{share:.0%}</text>'
        )
    for key, label, colour in SERIES:
        points = " ".join(f"{LEFT + step * i:.1f},{y(day[key])}" for i, day in enumerate(days))
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
        )
        row = [key for key, _, _ in SERIES].index(key)
        at = HEIGHT + 8 + 20 * row
        parts.append(
            f'<line x1="{LEFT}" x2="{LEFT + 28}" y1="{at - 4}" y2="{at - 4}" stroke="{colour}" '
            f'stroke-width="3"/><text x="{LEFT + 36}" y="{at}">{label}</text>'
        )
    parts += _retrained(days, step)
    for i in sorted({0, len(days) - 1}):
        parts.append(
            f'<text x="{LEFT + step * i:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">'
            f"day {days[i]['number']}</text>"
        )
    at = HEIGHT + 8 + 20 * len(SERIES)
    parts.append(
        f'<circle cx="{LEFT + 14}" cy="{at - 4}" r="4" fill="{MARK}"/>'
        f'<text x="{LEFT + 36}" y="{at}">a newly trained model made lists</text>'
    )
    return "\n".join([*parts, "</svg>", ""])


def _retrained(days: list[dict[str, Any]], step: float) -> list[str]:
    """A mark below each day on which a model version was served for the first time."""
    known = set(days[0]["model_versions"])
    marks = []
    for i, day in enumerate(days):
        if set(day["model_versions"]) - known:
            known |= set(day["model_versions"])
            marks.append(
                f'<circle cx="{LEFT + step * i:.1f}" cy="{HEIGHT - BOTTOM}" r="4" fill="{MARK}">'
                "<title>a new model version</title></circle>"
            )
    return marks


def interleaving(content: dict[str, Any]) -> list[str]:
    """False alarms, and how many sessions each kind of experiment needs."""
    rows = content["rows"]
    rate_a, rate_b = content["clicks_per_list"]
    lines = [
        "## Interleaving against A/B\n",
        f"`manage.py interleave_sim --aa`, {content['date']}: {content['runs']} runs of at most "
        f"{content['sessions']} sessions, read after every one of them. In the simulator "
        f"{content['a']} earns {rate_a:.3f} clicks a list, {content['b']} {rate_b:.3f}.\n",
        "| | false alarms (A/A) | found | median sessions | sessions for 80 % of runs |",
        "|---|---|---|---|---|",
    ]
    alarms = {row["kind"]: row["false_alarms"] for row in rows if row["what"] == "A/A"}
    lines += [
        f"| {row['kind']} | {alarms[row['kind']]:.3f} | {row['found']:.3f} | "
        f"{row['median']:.0f} | {row['power_80']:.0f} |"
        for row in rows
        if row["what"] == "race"
    ]
    return [*lines, ""]


def off_policy(content: dict[str, Any]) -> list[str]:
    """Coverage of the intervals."""
    lines = [
        "## Estimates from the log of another policy\n",
        f"`python benchmarks/off_policy.py`, {content['date']}: {content['runs']} logs of "
        f"{content['lists']} lists each; how often the 95 % interval holds the truth.\n",
        "| judged policy | estimator | truth | mean | width | covers |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['policy']} | {row['estimator']} | {row['truth']:.4f} | {row['mean']:.4f} | "
        f"{row['width']:.4f} | {row['coverage']:.3f} |"
        for row in content["rows"]
    ]
    return [*lines, ""]


def _trainings(content: dict[str, Any]) -> list[str]:
    """How many trainings the month's feedback caused, and what became of them."""
    if not content.get("trainings"):
        return []
    found = content["trainings"]
    how = Counter(training["status"] for training in found)
    seconds = [training["seconds"] for training in found]
    return [
        f"Trained again after every {content['retrain_after']} feedback entries; the next day "
        f"began when that was done. {len(found)} trainings of {min(seconds):.0f} to "
        f"{max(seconds):.0f} s: "
        + ", ".join(f"{n} {status}" for status, n in sorted(how.items()))
        + " (done: passed the gate and served).\n"
    ]


def _gained(days: list[dict[str, Any]]) -> str:
    """How much more of Marquee's lists was liked than of the frozen one: mean [interval]."""
    gaps = np.array([day["positive_rate"] - day["frozen_rate"] for day in days])
    if len(gaps) < 2:
        return f"{gaps.mean():+.4f}"
    half = stats.t.ppf(0.975, len(gaps) - 1) * stats.sem(gaps)
    return f"{gaps.mean():+.4f} [{gaps.mean() - half:+.4f}, {gaps.mean() + half:+.4f}]"


def _together(leads: list[dict[str, Any]]) -> tuple[int, float, float]:
    """Of several numbers of visits: how many visits, their mean lead and its standard error."""
    n = np.array([lead["n"] for lead in leads], dtype=float)
    means = np.array([lead["mean"] for lead in leads])
    squares = n * (n - 1) * np.array([lead["sem"] for lead in leads]) ** 2 + n * means**2
    mean = float(np.average(means, weights=n))
    variance = float(squares.sum() - n.sum() * mean**2) / (n.sum() - 1)
    return int(n.sum()), mean, float(np.sqrt(variance / n.sum()))


def _by_visit(leads: list[dict[str, Any]], n_months: int) -> list[str]:
    """The lead at people's first visit, at their second, and so on: what was learned of them."""
    if not leads:
        return []
    groups: dict[str, list[dict[str, Any]]] = {}
    for lead in leads:
        name = next(name for name, up_to in VISITS.items() if lead["nth"] <= up_to)
        groups.setdefault(name, []).append(lead)
    _, first, first_sem = _together(groups["first"])
    _, later, later_sem = _together([lead for lead in leads if lead["nth"] >= LATER])
    grown, half = later - first, 1.96 * np.hypot(first_sem, later_sem)
    rows = [
        f"| {name} | {n:,} | {mean:+.4f} [{mean - 1.96 * sem:+.4f}, {mean + 1.96 * sem:+.4f}] |"
        for name, (n, mean, sem) in ((name, _together(some)) for name, some in groups.items())
    ]
    months = f", {n_months} such months with other people together" if n_months > 1 else ""
    return [
        f"What the lists learned of people, by the number of their visits{months}: from the "
        f"{LATER}th on the lead is {grown:+.4f} [{grown - half:+.4f}, {grown + half:+.4f}] above "
        "that of the first (95 % intervals, normal; each visit counts as independent).\n",
        "| visit | visits | liked more than of the frozen list |",
        "|---|---|---|",
        *rows,
        "",
    ]


def _spread(n_real: int) -> str:
    """Whose tastes the invented ones are spread like."""
    return (
        f"spread as those of the {n_real:,} people whose ratings were imported (their covariance "
        "in the served model's space, no person's own)"
        if n_real
        else "at random directions of the served model's space, which nobody real goes together in"
    )


def month(content: dict[str, Any], others: Sequence[dict[str, Any]] = ()) -> list[str]:
    """A simulated month, in fifths; its chart beside the page.

    ``others`` are months of the same plan with other people: they count by visits.
    """
    days = content["days"]
    n_first = content["first_ratings"] // content["people"]
    n_real = content.get("tastes_of", 0)
    chart = "simulated-month.svg" if n_real else "simulated-month-random.svg"
    (CHARTS / chart).write_text(render(content), encoding="utf-8")
    n_versions = len({name for day in days for name in day["model_versions"]})
    lines = [
        f"## A simulated month{'' if n_real else ', tastes at random'}\n",
        f"`manage.py simulate_traffic`, {content['date']}: {content['people']} people on a running "
        f"server, {n_first} ratings each first, {content['visits']:.0%} of them a day, "
        f"tastes that keep {content['keep']:.0%} from day to day; {n_versions} model versions made "
        f"the lists. The tastes are {_spread(n_real)}. The API takes no times: a day is a round. "
        "Frozen popularity is what the same people, on the same days, like where the first day's "
        "most popular films are all they are shown, less those they have answered there.\n",
        f"Day by day Marquee's lists are liked more by {_gained(days)}; {_gained(days[:7])} in the "
        f"first week, {_gained(days[-7:])} in the last (means of the daily differences, 95 % "
        "intervals by Student's t).\n",
        *_trainings(content),
        "![Liked films of Marquee's lists, of a frozen popularity list, and the share of the "
        f"catalogue that was shown, day by day](benchmarks/{chart})\n",
        "| days | lists | liked | frozen popularity | catalogue shown | by frozen popularity |",
        "|---|---|---|---|---|---|",
    ]
    for part in np.array_split(np.arange(len(days)), min(5, len(days))):
        some = [days[i] for i in part]
        weights = [max(1, day["n_lists"]) for day in some]
        keys = [*(key for key, _, _ in SERIES), "frozen_coverage"]
        rates = [float(np.average([day[key] for day in some], weights=weights)) for key in keys]
        lines.append(
            f"| {some[0]['number']}-{some[-1]['number']} | {sum(d['n_lists'] for d in some)} | "
            + " | ".join(f"{rate:.4f}" for rate in rates)
            + " |"
        )
    leads = [lead for one in (content, *others) for lead in one.get("leads", [])]
    return [*lines, "", *_by_visit(leads, 1 + len(others))]


def months(content: dict[str, Any]) -> list[str]:
    """The first month, and what those with other seeds say besides."""
    files = sorted(RESULTS.glob("simulated_month_seed*.json"))
    return month(content, [json.loads(file.read_text(encoding="utf-8")) for file in files])


PARTS = {
    "interleave_sim": interleaving,
    "off_policy": off_policy,
    "simulated_month": months,
    "simulated_month_random": month,
}


def main() -> int:
    """Writes the page and the charts of the months."""
    parts = [
        "# Experiments, measured\n",
        "Rendered by `python benchmarks/experiments_report.py`.\n",
    ]
    for name, part in PARTS.items():
        path = RESULTS / f"{name}.json"
        if not path.is_file():
            print(f"{path.name} is missing: it was not measured yet.", file=sys.stderr)
            continue
        content = json.loads(path.read_text(encoding="utf-8"))
        parts += part(content)
    PAGE.write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
