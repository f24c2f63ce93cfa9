"""How well and how fast search is, on the films that the site has.

    python benchmarks/search.py [--only titles,meaning,intents,...] [--out FILE]

Needs a catalogue (manage.py import_catalog) and its vectors (manage.py embed_movies). Exit status 1
where a part misses its target. Protocols: (titles) 500 titles, drawn with a fixed seed, with slips,
without article and accents; (meaning) plots in other words, frozen in queries/known_items.jsonl,
the weight chosen on one half and reported on the other; (intents) labelled requests, frozen in
queries/intents.jsonl; (recall) the index against the exact answer; (similar) lists of films like
each of 200 pairs; (encoding) ways to embed films; (latency) whole pages of the running server, 8
clients at once. Writes the results and renders docs/search.md from them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

OUT = ROOT / "benchmarks/results/search.json"
SHELF_WAIT_S = 120.0
PARTS = ("titles", "meaning", "intents", "recall", "similar", "encoding", "latency")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument(
        "--parser", choices=("local", "llm"), default="local", help="which reads the intents"
    )
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument(
        "--pages", type=int, help="ask for so many pages (all queries if not given)"
    )
    args = parser.parse_args()
    chosen = args.only.split(",")
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    _start_django()
    from benchmarks.search_report import write_docs
    from catalog.models import Movie

    n_films = Movie.objects.visible().count()
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    failures = []
    for part in PARTS:
        if part in chosen:
            measured = _measure(part, args)
            key = "intents_llm" if (part, args.parser) == ("intents", "llm") else part
            # Parts may be measured by several processes, side by side.
            results = _read(args.out)
            if part == "similar":
                measured["kinds"] = _kinds(measured["kinds"], results.get(key), today, n_films)
            results[key] = {"date": today, "films": n_films, **measured}
            failures += SHOW[part](results[key])
            args.out.parent.mkdir(parents=True, exist_ok=True)
            args.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if args.out == OUT:
        write_docs(_read(OUT))
    if failures:
        sys.exit("Missed: " + "; ".join(failures))


def _kinds(measured: dict, before: dict | None, today: str, n_films: int) -> dict:
    """Each kind with its day and catalogue; one that this catalogue cannot show keeps what it had:
    behaviour needs people, meaning needs vectors, makers need credits."""
    kept = {}
    if before is not None:
        of_all = {"date": before["date"], "films": before["films"]}
        kept = {kind: of_all | found for kind, found in before["kinds"].items()}
    now = {"date": today, "films": n_films}
    return kept | {kind: found | now for kind, found in measured.items()}


def _measure(part: str, args: argparse.Namespace) -> dict:
    if part == "latency":
        return _latency(args.pages)
    with _kept_shelf() if part in {"titles", "meaning", "intents"} else nullcontext():
        return _intents(args.parser) if part == "intents" else RUN[part]()


@contextmanager
def _kept_shelf() -> Iterator[None]:
    """What a web process keeps beside the database: search answers from it."""
    from catalog import hybrid
    from catalog.embeddings.rough import forget_vectors, rough_vectors
    from catalog.shelf import search_space
    from catalog.shelf_keeper import start_keeping

    keeper = start_keeping(hybrid.prepare, hybrid.follow)
    try:
        space, ends = search_space(), time.monotonic() + SHELF_WAIT_S
        while space is not None and rough_vectors(space) is None:
            if time.monotonic() > ends:
                sys.exit("The shelf was not filled.")
            time.sleep(0.1)
        yield
    finally:
        keeper.stop()
        forget_vectors()


def _read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _start_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    from config import env
    from config.embedded import ensure_services

    env.load_file()
    ensure_services()
    import django

    django.setup()


def _queries() -> list[str]:
    from benchmarks.search_quality import read_lines

    names = ("known_items.jsonl", "intents.jsonl")
    return [line["query"] for name in names for line in read_lines(name)]


def _titles() -> dict:
    from benchmarks.search_quality import titles

    return titles()


def _meaning() -> dict:
    from benchmarks.search_meaning import meaning

    return meaning()


def _intents(parser: str = "local") -> dict:
    """By the local parser, or by the language model that LLM_BASE_URL names."""
    from benchmarks.search_quality import intents
    from catalog.llm.reader import is_configured
    from catalog.reading import read_locally, read_request

    if parser == "llm" and not is_configured():
        sys.exit("Set LLM_BASE_URL and LLM_MODEL to measure a language model.")
    return intents(read_request if parser == "llm" else read_locally)


def _recall() -> dict:
    from benchmarks.search_speed import plan, recall

    found = recall(_queries()[:200])
    found["uses_index"] = "catalog_hnsw" in plan("a man alone in space")
    return found


def _similar() -> dict:
    from benchmarks.search_similar import similar

    return similar()


def _encoding() -> dict:
    from benchmarks.search_encoding import encoding

    return encoding()


def _latency(pages: int | None = None) -> dict:
    from benchmarks.search_speed import latency
    from config.bootstrap import collect_static

    collect_static(print)

    queries = _queries()
    return latency(queries[:: max(1, len(queries) // pages)] if pages else queries)


def show_titles(row: dict) -> list[str]:
    """One line; target 97 %."""
    print(f"titles     n={row['n']}  films={row['films']:,}  top 3: {row['top3']:.1%}  (97 %)")
    return [] if row["top3"] >= 0.97 else ["titles in the top 3"]


def show_meaning(row: dict) -> list[str]:
    """The table of ways; what is served must beat each way alone, beyond chance."""
    from benchmarks.search_meaning import SERVED, VECTORS_ALONE, WORDS_ALONE

    print(f"meaning    n={row['n']} ({row['n_validation']} to choose, {row['n_test']} to report)")
    for name, figures in row["test"].items():
        line = f"  {name:<42} MRR@10 {figures['mrr@10']:.3f}  recall@10 {figures['recall@10']:.3f}"
        if name != SERVED:
            gap = row["served_against"][name]["test"]["mrr@10"]
            line += f"  served {gap['difference']:+.3f} MRR [{gap['low']:+.3f}, {gap['high']:+.3f}]"
        print(line)
    gaps = [row["served_against"][name]["test"] for name in (WORDS_ALONE, VECTORS_ALONE)]
    beaten = all(gap[key]["low"] > 0 for gap in gaps for key in ("mrr@10", "recall@10"))
    return [] if beaten else ["served search against each way alone"]


def show_intents(row: dict) -> list[str]:
    """F1 and violations; targets .95 and 0."""
    print(
        f"intents    n={row['n']}  constraints={row['constraints']}  F1 {row['f1']:.3f} (P "
        f"{row['precision']:.3f}, R {row['recall']:.3f})  films shown {row['films_shown']:,}, "
        f"breaking a condition: {row['hard_violations']}"
    )
    missed = [] if row["f1"] >= 0.95 else ["intent F1"]
    return missed + (["hard conditions broken"] if row["hard_violations"] else [])


def show_recall(row: dict) -> list[str]:
    """A line for each filter; target .98 and full answers."""
    print(f"recall@20  n={row['n_queries']} queries  index used: {row['uses_index']}")
    for name, figures in row["rows"].items():
        print(
            f"  {name:<24} {figures['films']:>7,} films  {figures['recall@20']:.4f}  short "
            f"{figures['short_answers']}  median {figures['median_ms']:.1f} ms"
        )
    rows = row["rows"].values()
    missed = [] if all(r["recall@20"] >= 0.98 for r in rows) else ["recall@20"]
    return missed + (["short answers"] if any(r["short_answers"] for r in rows) else [])


def show_similar(row: dict) -> list[str]:
    """A line for each kind; target under 10 %."""
    print(f"similar    {row['pairs']} pairs without a common genre, {row['films_each']} films each")
    for kind, found in row["kinds"].items():
        print(
            f"  {kind:<10} {found['pairs']} pairs  overlap {found['overlap']:.2%} "
            f"[{found['low']:.2%}, {found['high']:.2%}]  most {found['most']:.0%}"
        )
    kinds = row["kinds"].values()
    return [] if kinds and all(k["overlap"] < 0.1 for k in kinds) else ["overlap of similar films"]


def show_encoding(row: dict) -> list[str]:
    """A line for each way; what is used must be twice as fast as plain torch at 1 % loss."""
    print(f"encoding   {row['n_texts']} texts, {row['threads']} thread(s)")
    for name, way in row["ways"].items():
        print(
            f"  {name:<34} {way['per_second']:>6.1f}/s  {way['speedup']:.2f}x  MRR@10 "
            f"{way['mrr@10']:.4f} ({way['loss']:+.2%})"
        )
    used = row["ways"][row["used"]]
    return [] if used["speedup"] >= 2 and used["loss"] < 0.01 else ["speed of the encoder"]


def show_latency(row: dict) -> list[str]:
    """Percentiles; target p95 150 ms with 8 clients."""
    for what, part in (("page", row), ("API answer", row["api"])):
        for run in part["runs"]:
            print(
                f"latency    {run['requests']} x {what}, {run['clients']} client(s): p50 "
                f"{run['p50_ms']:.0f}, p95 {run['p95_ms']:.0f}, p99 {run['p99_ms']:.0f} ms; "
                f"{run['per_second']:.1f}/s; errors {run['errors']}"
            )
        print(
            f"  processor time of each: web {part['cpu_web_ms']:.0f} ms, Postgres "
            f"{part['cpu_database_ms']:.0f} ms"
        )
        print(f"  the middle p95 of the rounds: {part['p95_ms']:.0f} ms")
    print(
        f"  encoder ready after {row['encoder_ready_s']:.1f} s; "
        f"memory {row['memory_mb']:.0f} MB; load average "
        f"{row['load_average']:.1f}"
    )
    slowest = max(row["p95_ms"], row["api"]["p95_ms"])
    return [] if slowest < 150 and not row["errors"] else ["p95 of a search"]


# Their parameters differ: said here, for what a type checker joins them to depends on its order.
_Measures = tuple[Callable[..., dict], ...]
_MEASURES: _Measures = (_titles, _meaning, _intents, _recall, _similar, _encoding, _latency)
_SHOWS = (
    *(show_titles, show_meaning, show_intents, show_recall, show_similar),
    *(show_encoding, show_latency),
)
RUN = dict(zip(PARTS, _MEASURES, strict=True))
SHOW = dict(zip(PARTS, _SHOWS, strict=True))

if __name__ == "__main__":
    main()
