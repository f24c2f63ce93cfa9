"""How often a row of a file finds its film, and how often a wrong one.

    python benchmarks/imports.py --movielens data/ml-latest-small --tmdb data/films.parquet

The catalogue is MovieLens' films and TMDB's table; the rows are those of benchmarks/import_rows.py.
*Precision*: of the films taken without asking, the right ones. *Recall*: of the rows whose film is
here and told by the row, those that found it without asking. Exit status 1 below 99.5 % and 97 %.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.import_rows import LabelledRow, labelled_rows, world_of  # noqa: E402 - path first
from benchmarks.own_database import manage, own_database  # noqa: E402 - path first

MIN_PRECISION, MIN_RECALL = 0.995, 0.97
BATCH = 100


@dataclass
class Tally:
    """What became of the rows of one kind."""

    n: int = 0
    n_here: int = 0
    right: int = 0
    wrong: int = 0
    asked: int = 0
    # Asked about, and the right film stood among the candidates.
    offered: int = 0

    @property
    def precision(self) -> float:
        """Of what was taken."""
        taken = self.right + self.wrong
        return self.right / taken if taken else 1.0

    @property
    def recall(self) -> float:
        """Of what could be."""
        return self.right / self.n_here if self.n_here else 1.0


def main() -> None:
    """Make the catalogue, match, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--movielens", type=Path, required=True)
    parser.add_argument("--tmdb", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=60, help="of each kind")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/imports.json")
    args = parser.parse_args()
    world = world_of(args.tmdb)
    rows = labelled_rows(world, n=args.rows)
    with own_database("imports"):
        manage("import_movielens", str(args.movielens), "--verbosity", "0")
        manage("import_catalog", str(args.tmdb), "--verbosity", "0")
        result = measured(rows, world.removed)
    show(result)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    total = result["total"]
    if total["precision"] < MIN_PRECISION or total["recall"] < MIN_RECALL:
        sys.exit(f"Below {MIN_PRECISION:.1%} precision or {MIN_RECALL:.1%} recall.")


def measured(rows: list[LabelledRow], removed: set[int]) -> dict[str, Any]:
    """Takes ``removed`` (TMDB ids) out of the catalogue and matches the rows."""
    from catalog.models import ExternalId, Movie
    from catalog.services.search_terms import search_terms_rebuild
    from feedback.imports.matching import films_match
    from feedback.imports.models import ImportFilm
    from feedback.imports.records import FilmRef

    ids = ExternalId.objects.filter(source="tmdb")
    Movie.objects.filter(
        external_ids__source="tmdb", external_ids__value__in=[str(one) for one in removed]
    ).delete()
    movie_of = {int(value): pk for value, pk in ids.values_list("value", "movie_id")}
    search_terms_rebuild()
    refs = [
        FilmRef(title=row.title, year=row.year, ids=row.ids, directors=row.directors)
        for row in rows
    ]
    begin = time.monotonic()
    matches = [
        match for at in range(0, len(refs), BATCH) for match in films_match(refs[at : at + BATCH])
    ]
    seconds = time.monotonic() - begin
    kinds: dict[str, Tally] = defaultdict(Tally)
    reasons: dict[str, Tally] = defaultdict(Tally)
    total, mistakes, misses = Tally(), [], []
    for row, match in zip(rows, matches, strict=True):
        truth = movie_of.get(row.truth) if row.truth is not None else None
        is_taken = match.state == ImportFilm.State.FOUND
        for tally in (kinds[row.kind], reasons[match.reason.value], total):
            tally.n += 1
            tally.n_here += truth is not None
            tally.right += is_taken and match.movie_id == truth
            tally.wrong += is_taken and match.movie_id != truth
            tally.asked += not is_taken
            tally.offered += not is_taken and truth is not None and truth in match.candidate_ids
        said = f"{row.kind}: {row.title} ({row.year})"
        if is_taken and match.movie_id != truth:
            mistakes.append(
                f"{said} -> {Movie.objects.get(pk=match.movie_id or 0)} [{match.reason}]"
            )
        elif not is_taken and truth is not None:
            misses.append(f"{said} [{match.reason}] {Movie.objects.get(pk=truth)}")
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "films": Movie.objects.count(),
        "ms_per_row": round(1000 * seconds / len(rows), 2),
        "total": _line(total),
        "kinds": {kind: _line(tally) for kind, tally in kinds.items()},
        "reasons": {reason: _line(tally) for reason, tally in sorted(reasons.items())},
        "mistakes": mistakes,
        "misses": misses,
    }


def _line(tally: Tally) -> dict[str, Any]:
    names = ("n", "n_here", "right", "wrong", "asked", "offered")
    return {
        **{name: getattr(tally, name) for name in names},
        "precision": round(tally.precision, 5),
        "recall": round(tally.recall, 5),
    }


def show(result: dict[str, Any]) -> None:
    """The tables."""
    head = f"{'rows':>6} {'here':>6} {'right':>6} {'wrong':>6} {'asked':>6} {'offered':>8}"
    for name in ("kinds", "reasons"):
        print(f"\n{name:<36}{head} {'precision':>10} {'recall':>8}")
        lines = {**result[name], "all": result["total"]}
        for label, line in lines.items():
            print(
                f"{label:<36}{line['n']:>6,} {line['n_here']:>6,} {line['right']:>6,} "
                f"{line['wrong']:>6,} {line['asked']:>6,} {line['offered']:>8,} "
                f"{line['precision']:>10.2%} {line['recall']:>8.2%}"
            )
    print(f"\n{result['films']:,} films; {result['ms_per_row']} ms a row; {result['at']}")
    for title in ("mistakes", "misses"):
        print(f"\n{title}: {len(result[title])}")
        for line in result[title][:60]:
            print(f"  {line}")


if __name__ == "__main__":
    main()
