"""How long the heavy steps take, each beside its rival or its limit in the same run.

    python -m benchmarks.speed --data DIR/ml-1m --out benchmarks/results/speed.json

Every line runs in a process of its own, so its peak memory is its own, and is written as soon as it
is known; lines that are in the file already are kept unless ``--again``. The limit is what the bare
matrix product would take here: its arithmetic at the rate of a product measured beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.made import made_interactions
from ml.data import load_ratings
from ml.models.base import Recommender
from ml.models.registry import create
from ml.resources import PeakMemory
from ml.retrieval import history_mask, top_k, top_k_products
from ml.types import Histories

USERS_20M, ITEMS_20M = 138_493, 26_744


@dataclass(frozen=True, slots=True)
class Line:
    """One measurement. ``beside`` names what ``beside_s`` measures; ``must_s`` is the ceiling.

    ``cpu_s`` is processor time over all cores: where other work shares the machine, wall time is
    an upper bound and ``cpu_s`` tells by how much. ``load`` is the machine's at the start.
    """

    name: str
    wall_s: float
    cpu_s: float
    beside: str
    beside_s: float
    beside_cpu_s: float
    must_s: float | None
    peak_mib: float
    load: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """Wall and processor seconds of one call and its peak memory."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def timed(work: Callable[[], object]) -> Timing:
    """Run ``work`` once."""
    with PeakMemory() as memory:
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Timing(wall, cpu, memory.peak_mib)


def product_limit(flops: float) -> Timing:
    """The time ``flops`` would take at the rate of a 4096 x 4096 float32 product here."""
    n = 4096
    left = np.ones((n, n), dtype=np.float32)
    left @ left[:, :64]  # wakes the threads
    one = timed(lambda: left @ left)
    scale = flops / (2 * n**3)
    return Timing(one.wall_s * scale, one.cpu_s * scale, one.peak_mib)


def line(name: str, own: Timing, beside: str, other: Timing, **more: object) -> Line:
    """Two timings as a line."""
    return Line(
        name=name,
        wall_s=own.wall_s,
        cpu_s=own.cpu_s,
        beside=beside,
        beside_s=other.wall_s,
        beside_cpu_s=other.cpu_s,
        peak_mib=own.peak_mib,
        load=os.getloadavg()[0],
        **{"must_s": None, **more},  # type: ignore[arg-type]
    )


# --- the lines -------------------------------------------------------------------------------


def edlae_ml1m(data: Path) -> Line:
    """EDLAE on all of ML-1M: a Gram matrix, a Cholesky factor and an inverse of 3,706 films."""
    events = load_ratings(data).interactions
    model = create("edlae")
    own = timed(lambda: model.fit(events, seed=0))
    n = events.n_items
    limit = product_limit(2.0 * events.n_users * n * n + n**3)
    return line("EDLAE, ML-1M", own, "its arithmetic as one product", limit, must_s=5.0)


def ease_large(data: Path) -> Line:
    """EASE on the shape of ML-20M with 10 M interactions."""
    del data
    events = made_interactions(USERS_20M, 20_720, 10_000_000, seed=0)
    model = create("ease", {"l2": 500.0})
    own = timed(lambda: model.fit(events, seed=0))
    limit = product_limit(float(events.n_items) ** 3)
    note = "ceiling 8 GB of memory; the limit leaves out the Gram matrix, which is sparse"
    beside = "factor and inverse (n^3) as one product"
    return line("EASE, 138,493 x 20,720", own, beside, limit, must_s=60.0, note=note)


def als_iteration(data: Path) -> Line:
    """One ALS iteration of 20 M interactions at d = 128 against the library implicit."""
    del data
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    from ml.data import to_csr
    from ml.models.als import CG_STEPS, Als
    from ml.models.als_kernels import half_epoch

    matrix = to_csr(made_interactions(USERS_20M, ITEMS_20M, 20_000_000, seed=0))
    model, transposed = Als(n_factors=128), matrix.T.tocsr()
    rng = np.random.default_rng(0)
    users, items = (0.01 * rng.standard_normal((n, 128), dtype=np.float32) for n in matrix.shape)

    def iteration() -> None:  # the body of the loop in Als.fit
        for rows, x, y in ((matrix, users, items), (transposed, items, users)):
            half_epoch(rows, x, y, model._penalties(rows), model.alpha0, CG_STEPS)

    iteration()  # compiles, and leaves the first, atypical start behind
    own = _middle([timed(iteration) for _ in range(3)])
    marks: list[tuple[float, float]] = []

    def mark(*_: object) -> None:
        marks.append((time.perf_counter(), time.process_time()))

    with threadpool_limits(1, user_api="blas"), PeakMemory() as memory:  # as its authors ask
        rival = AlternatingLeastSquares(factors=128, iterations=4, random_state=0)
        rival.fit(matrix, show_progress=False, callback=mark)
    steps = [Timing(b[0] - a[0], b[1] - a[1], memory.peak_mib) for a, b in pairwise(marks)]
    name = "ALS, one iteration, 20 M, d = 128"
    note = "the middle of three iterations each, after a first one"
    return line(name, own, "implicit, one iteration", _middle(steps), note=note)


def _middle(timings: list[Timing]) -> Timing:
    """The timing with the median processor time."""
    return sorted(timings, key=lambda t: t.cpu_s)[len(timings) // 2]


def everybody(data: Path) -> Line:
    """Everybody's exact top-100."""
    del data
    rng = np.random.default_rng(0)
    users = rng.normal(size=(USERS_20M, 64)).astype(np.float32)
    items = rng.normal(size=(ITEMS_20M, 64)).astype(np.float32)
    top_k_products(users[:300], items, 100)  # compile before the clock runs
    answers = []
    own = timed(lambda: answers.append(top_k_products(users, items, 100)))
    sample = rng.choice(USERS_20M, 200, replace=False)
    wanted = top_k(users[sample] @ items.T, 100)
    same = float(np.mean(wanted.item_index == answers[0].item_index[sample]))
    block = np.empty((512, ITEMS_20M), dtype=np.float32)

    def products() -> None:
        for start in range(0, USERS_20M - 512, 512):
            np.matmul(users[start : start + 512], items.T, out=block)

    note = f"isotropic vectors, the worst case; {same:.2%} of 200 people's places as in a full sort"
    limit = timed(products)
    return line("top-100 for everybody", own, "products alone", limit, must_s=12.0, note=note)


def one_person(data: Path) -> Line:
    """Fold in one person of the shape's median length and find 20 films: ALS, d = 64."""
    del data
    events = made_interactions(20_000, ITEMS_20M, 2_000_000, seed=0)
    model = create("als", {"n_factors": 64, "n_epochs": 2}).fit(events, seed=0)
    return _one_person("fold-in + top-20 for one person, ALS, 26,744 films", model, ITEMS_20M)


def one_person_edlae(data: Path) -> Line:
    """The same with EDLAE on ML-1M."""
    events = load_ratings(data).interactions
    model = create("edlae").fit(events, seed=0)
    return _one_person("fold-in + top-20 for one person, EDLAE, ML-1M", model, events.n_items)


def _one_person(name: str, model: Recommender, n_items: int) -> Line:
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(0)
    people = [
        Histories.from_lists([rng.choice(n_items, 70, replace=False).tolist()]) for _ in range(200)
    ]
    masks = [history_mask(shown, n_items) for shown in people]
    scores = rng.normal(size=(1, n_items)).astype(np.float32)

    def own(at: int) -> None:
        model.recommend(people[at], 20, exclude=masks[at])

    with threadpool_limits(1), PeakMemory() as memory:  # as served: one thread a request
        ours, bare = _median(own), _median(lambda _: top_k(scores, 20))
    note = "median of 200 people with 70 films each, one thread"
    ours = Timing(ours.wall_s, ours.cpu_s, memory.peak_mib)
    return line(name, ours, "finding the top 20 alone", bare, must_s=0.002, note=note)


def _median(work: Callable[[int], object]) -> Timing:
    """The median call of 200; memory isn't looked at (that alone would take longer)."""
    walls, cpus = [], []
    for at in range(200):
        wall, cpu = time.perf_counter(), time.process_time()
        work(at)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return Timing(statistics.median(walls), statistics.median(cpus), float("nan"))


LINES: dict[str, Callable[[Path], Line]] = {
    "edlae": edlae_ml1m,
    "one_person": one_person,
    "one_person_edlae": one_person_edlae,
    "everybody": everybody,
    "ease": ease_large,
    "als": als_iteration,
}


# --- running ---------------------------------------------------------------------------------


def measure(name: str, data: Path) -> dict[str, object]:
    """The line as measured by a fresh process."""
    command = [sys.executable, "-m", "benchmarks.speed", "--data", str(data), "--child", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def table(lines: dict[str, dict[str, object]]) -> str:
    """All lines as a table."""
    head = f"{'step':52} {'wall s':>9} {'core s':>9} {'ceiling':>8} {'beside':>9} {'core s':>9}"
    rows = [head + "  ratio (core s)"]
    for one in (Line(**found) for found in lines.values()):  # type: ignore[arg-type]
        must = "" if one.must_s is None else f"{one.must_s:g}"
        rows.append(
            f"{one.name:52} {one.wall_s:9.4f} {one.cpu_s:9.4f} {must:>8} {one.beside_s:9.4f} "
            f"{one.beside_cpu_s:9.4f} {one.cpu_s / one.beside_cpu_s:6.2f}  ({one.beside}; "
            f"{one.peak_mib:.0f} MiB; load {one.load:.1f})"
        )
    return "\n".join(rows)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Time the heavy steps beside their rivals.")
    parser.add_argument("--data", type=Path, required=True, help="a folder with ML-1M")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/speed.json"))
    parser.add_argument("--only", help=f"comma-separated, of {', '.join(LINES)}")
    parser.add_argument("--again", action="store_true", help="measure what is in the file anew")
    parser.add_argument("--child", choices=LINES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(asdict(LINES[given.child](given.data))))
        return
    lines = json.loads(given.out.read_text()) if given.out.exists() else {}
    for name in (given.only or ",".join(LINES)).split(","):
        if name in lines and not given.again:
            continue
        lines[name] = measure(name, given.data)
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(lines, indent=1) + "\n")
    print(table(lines))


if __name__ == "__main__":
    main()
