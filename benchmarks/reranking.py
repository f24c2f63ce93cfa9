"""How strong should each step of re-ranking be? Chosen on validation people, reported on others.

``python benchmarks/reranking.py --data FOLDER [--json OUT]``: protocol ``strong``; the blend that
the product serves; each step alone at several strengths, then all of them together as served.
Columns: NDCG@24 and its change, calibration error (KL of the list's genre mix from the person's)
and intra-list diversity, all of the first 24 films; films of the history are left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.shortlists import People, people_of  # noqa: E402  needs the path above
from ml.shortlist import LIST_FILMS, Strengths  # noqa: E402
from recommendations.strengths import SERVED  # noqa: E402

OFF = Strengths()
TRIED = (
    *(replace(OFF, taste=share) for share in (0.05, 0.1, 0.2, 0.3, 0.5)),
    *(replace(OFF, genres=strength) for strength in (0.1, 0.2, 0.3, 0.5, 1.0)),
    *(replace(OFF, variety=strength) for strength in (0.1, 0.2, 0.4, 0.8, 1.6)),
    *(Strengths(taste=share, genres=0.5, variety=0.8) for share in (0.1, 0.2, 0.3)),
)


def main() -> int:
    """Prints one row per setting and part, and writes them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    for part in ("valid", "test"):
        people = people_of(options.data, seed=options.seed, part=part)
        print(f"{part}: {len(people.pools)} people of {people.dataset}")
        base = measured(people, OFF)
        for strengths in (OFF, *(TRIED if part == "valid" else ()), SERVED):
            row = measured(people, strengths)
            row["ndcg_change"] = row["ndcg"] / base["ndcg"] - 1.0
            rows.append({"part": part, "strengths": asdict(strengths), **row})
            changed = {k: v for k, v in asdict(strengths).items() if v != getattr(OFF, k)}
            print(
                f"  NDCG@{LIST_FILMS} {row['ndcg']:.4f} ({100 * row['ndcg_change']:+.2f} %)  "
                f"calibration error {row['calibration_error']:.4f}  "
                f"diversity {row['diversity']:.4f}  {changed or 'off'}",
                flush=True,
            )
    if options.json:
        content = {"dataset": people.dataset, "protocol": "strong", "seed": options.seed}
        options.json.write_text(json.dumps(content | {"rows": rows}, indent=1) + "\n")
    return 0


def measured(people: People, strengths: Strengths) -> dict[str, float]:
    """Means over the people."""
    lists = people.lists(strengths)
    return {
        "ndcg": float(np.mean(people.ndcg(lists))),
        "calibration_error": float(np.mean(people.calibration_errors(lists))),
        "diversity": float(np.mean(people.diversities(lists))),
    }


if __name__ == "__main__":
    raise SystemExit(main())
