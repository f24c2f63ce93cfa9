"""The public table: every model on every protocol, peers on the same splits.

``python benchmarks/quality.py --data FOLDER`` measures what has no result yet (one seed of a
protocol in a process of its own, so an interrupted run resumes where it stopped) and renders
``docs/benchmarks.md``. FOLDER holds ml-latest-small, ml-100k and ml-1m, and
tmdb/tmdb_metadata.parquet for the films' facts; a missing set is skipped by name. What
``benchmarks/results`` has with every seed counts as measured unless ``--again`` is given.
``--render`` only collects and renders; ``--only TEXT`` narrows to jobs whose name contains the
text; ``--peers PYTHON`` adds the peers with the interpreter that has requirements-peers.txt
installed. ``--again --peers PYTHON`` measures everything; how long that took is noted then.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.pooling import pooled_record  # noqa: E402  needs the path above
from benchmarks.report import render  # noqa: E402

FACTS = Path("tmdb") / "tmdb_metadata.parquet"
WORK = ROOT / "var" / "quality"
RESULTS = ROOT / "benchmarks" / "results"
DOCS = ROOT / "docs"
SAME_TO = 5e-4  # two films that tie may change places in one list of hundreds

TASTE = ("popularity", "item_item", "als", "ease", "edlae", "kernel_ridge", "graph_filter")
ORDER = ("popularity", "edlae", "edlae-recent", "transition", "slit", "slit-2")
WINDOWS = tuple(f"popularity-{d}d" for d in (1, 7, 30, 90, 365))


@dataclass(frozen=True, slots=True)
class Job:
    """Models on one protocol of one data set; ``against`` is what differences are taken to."""

    dataset: str
    protocol: str
    seeds: tuple[int, ...]
    models: tuple[str, ...]
    against: str
    needs_facts: bool = False  # text, people and keywords of the films, from the TMDB table

    @property
    def name(self) -> str:
        """Names the result's file."""
        return f"{self.dataset}--{self.protocol}"


JOBS = (
    Job(
        *("ml-1m", "ratio-811", (1, 2, 3)),
        (*TASTE, "edlae-near", "untuned-blend", "hybrid"),
        "ease",
    ),
    Job(
        *("ml-100k", "ms-100k", (1, 2, 3, 4, 5)),
        (*TASTE, "edlae-near-small", "vae", "hybrid"),
        "ease",
    ),
    Job("ml-1m", "strong", (7, 8, 9), (*TASTE, "edlae-near", "hybrid", "stacked"), "ease"),
    Job("ml-latest-small", "prequential", (1,), (*ORDER, *WINDOWS, "hybrid"), "popularity"),
    Job("ml-1m", "prequential", (1,), (*ORDER, *WINDOWS, "hybrid"), "popularity"),
    Job(
        *("ml-latest-small", "sparse", (1, 2, 3)),
        ("popularity", "als", "edlae", "lightgcn-cosine", "lightgcn", "hybrid"),
        "lightgcn",
        needs_facts=True,
    ),
    Job(
        *("ml-1m", "cold-item", (7, 8, 9)),
        ("edlae", "semantic", "cold_map", "cold-blend"),
        "semantic",
        needs_facts=True,
    ),
    Job(
        *("ml-1m", "last-out", (1,)),
        (
            *(*ORDER, "edlae-near-recent", "like_moments", "hybrid"),
            *("lambdamart", "hybrid-sasrec", "hybrid-two-sasrecs", "lambdamart-sasrec"),
        ),
        "edlae",
    ),
    Job("ml-100k", "rating", (0,), ("bayesian_mf",), "bayesian_mf"),
    Job("ml-latest-small", "rating", (0,), ("bayesian_mf",), "bayesian_mf"),
    Job("ml-1m", "rating", (0,), ("bayesian_mf",), "bayesian_mf"),
    Job("ml-latest-small", "strong", (7, 8, 9), (*TASTE, "hybrid"), "ease"),
    Job("ml-100k", "strong", (7, 8, 9), (*TASTE, "hybrid"), "ease"),
    Job("ml-100k", "last-out", (1,), (*ORDER, "hybrid"), "edlae"),
    Job("ml-latest-small", "last-out", (1,), (*ORDER, "hybrid"), "edlae"),
    Job("ml-latest-small", "temporal", (1,), (*ORDER, *WINDOWS, "hybrid"), "popularity"),
    Job("ml-1m", "temporal", (1,), (*ORDER, *WINDOWS, "hybrid"), "popularity"),
)
# These look at no facts: alone they need not wait until the texts are encoded.
WITHOUT_FACTS = {"popularity", "als", "edlae", "lightgcn", "lightgcn-cosine"}
DEAR = {
    "stacked",
    "lambdamart",
    "hybrid-sasrec",
    "hybrid-two-sasrecs",
    "lambdamart-sasrec",
    "sequential",
}  # minutes each: one by one
# The peers, named as benchmarks/peers.py knows them, and the jobs they take part in. BPR knows no
# people it was not fitted on: it sits out where all are new.
FOLDING_PEERS = (
    *("implicit-als-default", "implicit-als-128"),
    *("rectools-ease-default", "rectools-ease", "rectools-svd"),
)
PEERS = (*FOLDING_PEERS, "implicit-bpr", "cornac-bpr")
PEERS_OF = {"ml-1m--strong": FOLDING_PEERS, "ml-1m--ratio-811": PEERS, "ml-100k--ms-100k": PEERS}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, collect, render."""
    top = argparse.ArgumentParser(description=__doc__)
    top.add_argument("--data", type=Path, help="folder with the MovieLens folders")
    top.add_argument("--only", default="", help="jobs whose name contains this")
    top.add_argument("--models", default="", help="of these only, comma-separated")
    top.add_argument("--again", action="store_true", help="measure what the results have, too")
    top.add_argument("--peers", type=Path, help="interpreter with the peers installed")
    top.add_argument("--render", action="store_true", help="only collect and render")
    options = top.parse_args(arguments)
    if not options.render:
        if options.data is None or not options.data.is_dir():
            top.error("--data needs the folder with the MovieLens folders (or use --render)")
        for job in JOBS:
            if options.only in job.name:
                named = [m for m in options.models.split(",") if m] or [*job.models, *PEERS]
                chosen = [m for m in named if options.again or not is_measured(job, m)]
                run_job(job, chosen, options.data, peers=options.peers)
        note_whole_run()
    for job in JOBS:
        collect(job)
    RESULTS.mkdir(parents=True, exist_ok=True)
    render(RESULTS, DOCS)
    return 0


def run_job(job: Job, models: Sequence[str], data: Path, *, peers: Path | None) -> None:
    """Measure what is missing of a job and write its result file."""
    folder = data / job.dataset
    if not folder.is_dir():
        print(f"skipped {job.name}: {folder} does not exist")
        return
    for seed in job.seeds:
        missing = [m for m in job.models if m in models and not result_file(job, seed, m).is_file()]
        # Together, a blend takes the sources that are fitted already.
        for group in ([m for m in missing if m not in DEAR], *([m] for m in missing if m in DEAR)):
            if group:
                measure(job, data, group, seed)
        if peers is not None:
            for peer in (p for p in PEERS_OF.get(job.name, ()) if p in models):
                measure_peer(job, folder, peer, seed, peers)


def result_file(job: Job, seed: int, model: str) -> Path:
    """Where the finished records of one model on one seed lie."""
    return WORK / f"{job.name}--{seed}--{model}.json"


def note_whole_run() -> None:
    """What measuring everything, peers included, took here: the sum of the parts' times.

    Only where all of it lies under ``WORK``. A part is a process that starts from nothing, so an
    interruption between two of them changes nothing.
    """
    files = [
        result_file(job, seed, model)
        for job in JOBS
        for seed in job.seeds
        for model in (*job.models, *PEERS_OF.get(job.name, ()))
    ]
    first = [json.loads(path.read_text())[0] for path in files if path.is_file()]
    records = [record for record in first if "part_s" in record]
    print(f"{len(records)} of {len(files)} parts of a whole run lie under {WORK}")
    if len(records) < len(files):
        return
    found = {
        "from": min(record["date"] for record in records),
        "to": max(record["date"] for record in records),
        "minutes": round(sum(record["part_s"] for record in records) / 60, 1),
        "n_parts": len(records),
        "cores": os.cpu_count(),
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "whole_run.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def measure(job: Job, data: Path, models: Sequence[str], seed: int) -> None:
    """Some models on one seed in a process of their own."""
    WORK.mkdir(parents=True, exist_ok=True)
    print(f"{job.name} seed {seed}: {', '.join(models)}", flush=True)
    started = time.monotonic()
    part = WORK / f"{job.name}--{seed}.part"
    command = [sys.executable, "-m", "ml", "evaluate", "--data", str(data / job.dataset)]
    command += ["--protocol", job.protocol, "--models", ",".join(models), "--seed", str(seed)]
    command += ["--json", str(part), "--slices", str(part.with_suffix(".slices"))]
    command += ["--rows", str(WORK / "rows"), "--shelf", str(WORK / "shelf")]
    if job.needs_facts and not set(models) <= WITHOUT_FACTS:
        command += ["--facts", str(data / FACTS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"  failed: {done.stderr.strip()[-400:]}", flush=True)
        return
    records = json.loads(part.read_text())
    part_s = time.monotonic() - started
    slices = json.loads(part.with_suffix(".slices").read_text())
    for model in models:
        own = [
            record | {"slices": found["slices"], "part_s": part_s / len(models)}
            for record, found in zip(records, slices, strict=True)
            if record["model"] == model
        ]
        write_dated(own, result_file(job, seed, model))
    print(f"  {part_s:.0f} s", flush=True)
    part.unlink()
    part.with_suffix(".slices").unlink()


def measure_peer(job: Job, folder: Path, peer: str, seed: int, python: Path) -> None:
    """One peer on the same split: fitted in its own environment, measured by our formulas."""
    target = result_file(job, seed, peer)
    if target.is_file():
        return
    WORK.mkdir(parents=True, exist_ok=True)
    print(f"{job.name} seed {seed}: {peer}", flush=True)
    started = time.monotonic()
    part = target.with_suffix(".part")
    command = [sys.executable, "-m", "benchmarks.peer_split", "--data", str(folder)]
    command += ["--protocol", job.protocol, "--seed", str(seed), "--peer", peer]
    command += ["--python", str(python), "--json", str(part), "--rows", str(WORK / "rows")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"  failed: {done.stderr.strip()[-400:]}", flush=True)
        return
    part_s = time.monotonic() - started
    write_dated([record | {"part_s": part_s} for record in json.loads(part.read_text())], target)
    print(f"  {part_s:.0f} s", flush=True)
    part.unlink()


def write_dated(records: list[dict[str, Any]], target: Path) -> None:
    """The finished records with the day they were measured on; whole or not at all."""
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    part = target.with_suffix(".writing")
    part.write_text(json.dumps([record | {"date": today} for record in records], indent=1))
    part.rename(target)


def collect(job: Job) -> None:
    """All records of a job, pooled over seeds, with paired differences, into the results."""
    records = list(_records(job))
    if not records:
        return
    RESULTS.mkdir(parents=True, exist_ok=True)
    pooled = pooled_record(records, WORK / "rows", against=job.against)
    content = {"dataset": job.dataset, "protocol": job.protocol, "against": job.against, **pooled}
    target = RESULTS / f"{job.name}.json"
    if target.is_file():
        keep_earlier(content, json.loads(target.read_text()))
    target.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def keep_earlier(content: dict[str, Any], earlier: dict[str, Any]) -> None:
    """Models that ``content`` lacks, from an earlier run on the same splits.

    Their paired differences only where the model they were taken to is still what it was.
    """
    against = content["against"]
    for task, found in earlier["tasks"].items():
        now = content["tasks"].setdefault(task, {"models": {}, "differences": {}})
        rival, former = (by_seed(part["models"].get(against)) for part in (now, found))
        is_same_rival = not rival or all(
            seed in rival and is_same(rival[seed], means) for seed, means in former.items()
        )
        splits = {
            seed: sha
            for entry in now["models"].values()
            for seed, sha in zip(entry["seeds"], entry["split_sha256"], strict=True)
        }
        for model, entry in found["models"].items():
            old = dict(zip(entry["seeds"], entry["split_sha256"], strict=True))
            if model not in now["models"] and all(splits.get(s, h) == h for s, h in old.items()):
                now["models"][model] = entry
                known = found["differences"].get(model, {}) if is_same_rival else {}
                now["differences"][model] = known


def is_same(means: dict[str, float], others: dict[str, float]) -> bool:
    """Whether they are of one model: another processor rounds otherwise, in the last digits."""
    return means.keys() == others.keys() and all(
        math.isclose(means[name], others[name], rel_tol=SAME_TO) for name in means
    )


def by_seed(entry: dict[str, Any] | None) -> dict[int, dict[str, float]]:
    """Seed -> the means of one model; empty without the model."""
    if entry is None:
        return {}
    return {
        seed: {name: values[i] for name, values in entry["per_seed"].items()}
        for i, seed in enumerate(entry["seeds"])
    }


def is_measured(job: Job, model: str) -> bool:
    """Whether the results in the repository have the model with every seed."""
    source = RESULTS / f"{job.name}.json"
    if not source.is_file():
        return False
    tasks = json.loads(source.read_text())["tasks"].values()
    return all(set(job.seeds) <= set(t["models"].get(model, {}).get("seeds", [])) for t in tasks)


def _records(job: Job) -> Iterator[dict[str, Any]]:
    for seed in job.seeds:
        for model in (*job.models, *PEERS):
            path = result_file(job, seed, model)
            if path.is_file():
                yield from json.loads(path.read_text())


if __name__ == "__main__":
    sys.exit(main())
