"""How much of a list is there again at the next visit, and what does its freshness cost?

``python benchmarks/freshness.py --data FOLDER [--visits N] [--json OUT]``: held-out people visit
day after day. Of what a list shows they take at most one film that they really liked (it leaves
their lists); all else is ignored. Overlap of each two visits in a row, with freshness and without;
and how many of their liked films they found in all visits together.

Exit code 1 where any two visits in a row overlap by more than 70 %.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.shortlists import People, people_of  # noqa: E402  needs the path above
from ml.shortlist import LIST_FILMS, Pool, Strengths, shortlist  # noqa: E402
from recommendations.strengths import SERVED  # noqa: E402

STALE = replace(SERVED, ignored=0.0, max_repeats=1.0)
PREFIXES = (12, LIST_FILMS)  # a row of the front page, and the page of the list


def main() -> int:
    """Simulates, prints, writes; the exit code says whether the budget holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    people = people_of(options.data, seed=options.seed, part="test")
    report: dict = {"dataset": people.dataset, "n_people": len(people.pools)}
    for name, strengths in (("fresh", SERVED), ("stale", STALE)):
        report[name] = simulate(people, strengths, n_visits=options.visits)
        row = report[name]
        print(f"{name}: {len(people.pools)} people of {people.dataset}, {options.visits} visits")
        for k in PREFIXES:
            print(
                f"  overlap of the first {k} films: mean {100 * row[f'overlap_{k}_mean']:.1f} %, "
                f"largest {100 * row[f'overlap_{k}_max']:.1f} %"
            )
        print(f"  liked films found in all visits: {row['found_mean']:.3f} a person")
    budget = SERVED.max_repeats
    report["is_within_budget"] = all(
        report["fresh"][f"overlap_{k}_max"] <= budget + 1e-9 for k in PREFIXES
    )
    print(f"within the budget of {100 * budget:.0f} %: {report['is_within_budget']}")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0 if report["is_within_budget"] else 1


def simulate(people: People, strengths: Strengths, *, n_visits: int) -> dict[str, float]:
    """Overlaps and finds over all people and visits."""
    overlaps: dict[int, list[float]] = {k: [] for k in PREFIXES}
    found = []
    for i, pool in enumerate(people.pools):
        liked = set(people.split.truth[i].indices.tolist())
        visits, n_found = _visits(pool, people.items[i], liked, strengths, n_visits=n_visits)
        found.append(n_found)
        for before, after in zip(visits, visits[1:], strict=False):
            for k in PREFIXES:
                shared = np.isin(after[:k], before).sum()
                overlaps[k].append(float(shared) / k)
    out = {"found_mean": float(np.mean(found))}
    for k in PREFIXES:
        out[f"overlap_{k}_mean"] = float(np.mean(overlaps[k]))
        out[f"overlap_{k}_max"] = float(np.max(overlaps[k]))
    return out


def _visits(
    pool: Pool,
    items: NDArray[np.integer],
    liked: set[int],
    strengths: Strengths,
    *,
    n_visits: int,
) -> tuple[list[NDArray[np.integer]], int]:
    """The lists of one person's visits (catalogue positions); how many liked films they took."""
    there = np.ones(len(items), dtype=bool)
    times = np.zeros(len(items))
    since = np.zeros(len(items))
    last = np.zeros(len(items), dtype=bool)
    lists, n_found = [], 0
    for _ in range(n_visits):
        rows = np.flatnonzero(there)
        part = _rows(pool, rows, times=times, since=since, last=last)
        listed = rows[shortlist(part, strengths).order[:LIST_FILMS]]
        lists.append(items[listed])
        hit = next((at for at in listed if int(items[at]) in liked), None)
        since += 1.0
        last[:] = False
        last[listed], since[listed] = True, 0.0
        times[listed] += 1.0
        if hit is not None:
            there[hit] = False
            n_found += 1
    return lists, n_found


def _rows(
    pool: Pool, rows: NDArray[np.integer], *, times: NDArray, since: NDArray, last: NDArray
) -> Pool:
    """The pool without the films that were taken, and with what was shown."""
    cut: dict[str, Any] = {
        name: None if value is None else np.asarray(value)[rows]
        for name in ("model_score", "vectors", "genres", "popularity", "year", "runtime")
        for value in (getattr(pool, name),)
    }
    return replace(pool, **cut, ignored=times[rows], ignored_days=since[rows], is_repeat=last[rows])


if __name__ == "__main__":
    raise SystemExit(main())
