"""Do the dials do what they say, and what do they cost?

``python benchmarks/dials.py --data FOLDER [--people N] [--json OUT]``: for held-out people, every
position of each dial, with the other three at neutral and at positions drawn at random.

* monotone: turning a dial up never lowers what it stands for in the list;
* neutral: all dials at 0 give the list that there would be without dials;
* cost: NDCG@24 of each position against neutral, with paired 95 % intervals; and of positions of
  all four dials drawn at random, against the product of the single costs. That misses by a factor
  of two or three, so the page names each dial's cost and adds nothing up.

Exit code 1 where fewer than 99 % of the people see a monotone dial, or neutral changes a list.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.shortlists import People, people_of  # noqa: E402  needs the path above
from ml import metrics  # noqa: E402
from ml.bootstrap import paired_difference  # noqa: E402
from ml.dials import STEP, Dials  # noqa: E402
from ml.reranking import intra_list_diversity, standardise  # noqa: E402
from ml.shortlist import LIST_FILMS, NEUTRAL, Pool, Shortlist, shortlists, traits_of  # noqa: E402
from recommendations.strengths import SERVED  # noqa: E402

NAMES = ("surprise", "diversity", "era", "length")
STOPS = {
    n: np.arange(0.0 if n == "diversity" else -1.0, 1.0 + STEP / 2, STEP).tolist() for n in NAMES
}
MUST_BE_MONOTONE = 0.99
N_RANDOM = 4  # positions of all four dials per person
ROUNDING = 1e-9


def main() -> int:
    """Measures, prints, writes; the exit code says whether the promises hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    people = people_of(options.data, seed=options.seed, part="test")
    rng = np.random.default_rng(options.seed)
    n = min(options.people, len(people.pools))
    grid = _positions(rng)
    mixes = _mixes(rng)
    lists = [shortlists(pool, SERVED, grid + mixes) for pool in people.pools[:n]]
    report = {
        "dataset": people.dataset,
        "n_people": n,
        "monotone": _monotone(people, lists, grid),
        "neutral_untouched": _untouched(people, lists),
        "cost": _costs(people, lists, grid),
    }
    report["together"] = _together(people, lists, len(grid), mixes, report["cost"])
    _print(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    kept = min(report["monotone"].values()) >= MUST_BE_MONOTONE
    return 0 if kept and report["neutral_untouched"] == 1.0 else 1


def _positions(rng: np.random.Generator) -> list[Dials]:
    """Neutral; each dial alone at every stop; each dial at every stop, the others drawn once."""
    alone = [Dials(**{name: at}) for name in NAMES for at in STOPS[name]]
    others = {name: float(rng.choice(STOPS[name])) for name in NAMES}
    beside = [Dials(**{**others, name: at}) for name in NAMES for at in STOPS[name]]
    return [NEUTRAL, *alone, *beside]


def _mixes(rng: np.random.Generator) -> list[Dials]:
    return [
        Dials(**{name: float(rng.choice(STOPS[name])) for name in NAMES}) for _ in range(N_RANDOM)
    ]


def _measures(pool: Pool, found: Shortlist) -> dict[str, float]:
    """What each dial stands for, of the first films; recomputed from the pool's facts."""
    traits = traits_of(pool)
    at = found.order[:LIST_FILMS]
    assert traits.surprise is not None  # noqa: S101 - these pools have vectors and counts
    assert traits.similarity is not None  # noqa: S101
    return {
        "surprise": float(standardise(traits.surprise)[at].mean()),
        "era": float(standardise(np.asarray(pool.year))[at].mean()),
        "length": float(standardise(np.asarray(pool.runtime))[at].mean()),
        "diversity": float(intra_list_diversity(at[None, :], traits.similarity)[0]),
    }


def _monotone(people: People, lists: list[list[Shortlist]], grid: list[Dials]) -> dict[str, float]:
    """Per dial the share of people for whom it never goes the wrong way, alone or beside others."""
    starts = {}
    at = 1
    for block in range(2):
        for name in NAMES:
            starts[name, block] = at
            at += len(STOPS[name])
    assert at == len(grid)  # noqa: S101 - the blocks are the grid
    out = {}
    for name in NAMES:
        good = 0
        for pool, own in zip(people.pools, lists, strict=False):
            rises = True
            for block in range(2):
                first = starts[name, block]
                row = [_measures(pool, own[first + j])[name] for j in range(len(STOPS[name]))]
                rises &= bool((np.diff(row) >= -ROUNDING).all())
            good += rises
        out[name] = good / len(lists)
    return out


def _untouched(people: People, lists: list[list[Shortlist]]) -> float:
    """The share of people whose list at neutral is the list by score, film by film."""
    same = 0
    for own in lists:
        neutral = own[0]
        by_score = np.argsort(-neutral.score, kind="stable")[:LIST_FILMS]
        dial_terms = {"surprise", "era", "length", "diversity"} & set(neutral.terms)
        same += bool((neutral.order[:LIST_FILMS] == by_score).all()) and not dial_terms
    return same / len(lists)


def _costs(
    people: People, lists: list[list[Shortlist]], grid: list[Dials]
) -> dict[str, dict[str, dict[str, float]]]:
    base = _ndcg(people, [own[0] for own in lists])
    out: dict[str, dict[str, dict[str, float]]] = {name: {} for name in NAMES}
    at = 1
    for name in NAMES:
        for stop in STOPS[name]:
            ndcg = _ndcg(people, [own[at] for own in lists])
            gap = paired_difference(base, ndcg)
            scale = 1.0 / base.mean()
            out[name][str(stop)] = {
                "cost": gap.mean * scale,
                "lo": gap.lo * scale,
                "hi": gap.hi * scale,
                "kept": float(np.mean([own[at].kept for own in lists])),
            }
            at += 1
    return out


def _ndcg(people: People, lists: list[Shortlist]) -> NDArray[np.float64]:
    n = len(lists)
    rows = people.items[:n]
    shown = np.full((n, LIST_FILMS), -1, np.int32)
    for i, (items, found) in enumerate(zip(rows, lists, strict=True)):
        listed = items[found.order[:LIST_FILMS]]
        shown[i, : len(listed)] = listed
    return metrics.ndcg_at_k(shown, people.split.truth[:n], LIST_FILMS)


def _together(
    people: People,
    lists: list[list[Shortlist]],
    first: int,
    mixes: list[Dials],
    cost: dict[str, dict[str, dict[str, float]]],
) -> list[dict[str, float]]:
    """Positions of all four dials: what they cost, and what the single costs multiply to."""
    base = _ndcg(people, [own[0] for own in lists]).mean()
    rows = []
    for j, dials in enumerate(mixes):
        ndcg = _ndcg(people, [own[first + j] for own in lists]).mean()
        left = 1.0
        for name in NAMES:
            left *= 1.0 - cost[name][str(float(getattr(dials, name)))]["cost"]
        rows.append({"measured": float(1.0 - ndcg / base), "multiplied": 1.0 - left})
    return rows


def _print(report: dict) -> None:
    print(f"{report['n_people']} held-out people of {report['dataset']}")
    for name in NAMES:
        print(f"{name:>10}: monotone for {100 * report['monotone'][name]:.1f} %")
    print(f"   neutral: {100 * report['neutral_untouched']:.1f} % of the lists untouched")
    print("cost in NDCG@24 (95 % interval) and share of the list that stays:")
    for name in NAMES:
        for stop, row in report["cost"][name].items():
            print(
                f"{name:>10} {float(stop):+.2f}: {100 * row['cost']:6.2f} % "
                f"[{100 * row['lo']:6.2f}, {100 * row['hi']:6.2f}]  kept {100 * row['kept']:5.1f} %"
            )
    print("all four dials at once, measured, and as the costs of each one multiply to:")
    for row in report["together"]:
        print(f"{100 * row['measured']:8.2f} % {100 * row['multiplied']:8.2f} %")


if __name__ == "__main__":
    raise SystemExit(main())
