"""docs/search.md out of benchmarks/results/search.json: no figure in it is typed by hand."""

# ruff: noqa: E501 - a page is written as it reads

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs" / "search.md"

INTRO = """# Search, measured

Written by `python benchmarks/search.py` from `benchmarks/results/search.json`; every part names the
date, the films that the catalogue had, and the protocol. The queries are frozen in
`benchmarks/queries/`; whoever wants to measure others has `manage.py search --queries FILE`.
"""


def write_docs(results: dict, path: Path = DOCS) -> None:
    """Render what was measured; parts that were not are left out."""
    parts = [INTRO]
    for name, render in SECTIONS.items():
        if name in results:
            row = results[name]
            parts.append(f"{render(row)}\n_Measured {row['date']} on {row['films']:,} films._\n")
    path.write_text("\n".join(parts), encoding="utf-8")


def _titles(row: dict) -> str:
    missed = ", ".join(f"“{miss['typed']}” ({miss['title']})" for miss in row["misses"]) or "none"
    return f"""## Misspelt titles

{row["n"]} titles drawn with seed {row["seed"]} among those that only one film has, without leading article, with
missing or wrong accents and one slip of a letter (two in titles of 14 letters and more). The film is
among the first three for **{row["top3"]:.1%}** (goal 97 %). Missed: {missed}.
"""


def _meaning(row: dict) -> str:
    from benchmarks.search_meaning import SERVED

    lines = [
        f"## Films told by their plots\n\n{row['n']} plots in our own words, without titles or names, "
        "for films of all decades; one half (by the\nfilm's id) chose the weights, the other is "
        f"reported (n = {row['n_test']}). Intervals: 95 %, paired bootstrap over\nqueries. Shipped: "
        f"words {row['shipped']['words']}, fame {row['shipped']['fame']}.\n",
        "| way | MRR@10 | recall@10 | served is better by (MRR@10) | (recall@10) |",
        "|---|---|---|---|---|",
    ]
    for name, figures in row["test"].items():
        gaps = ["", ""]
        if name != SERVED:
            against = row["served_against"][name]["test"]
            gaps = [
                f"{gap['difference']:+.3f} [{gap['low']:+.3f}, {gap['high']:+.3f}]"
                for gap in (against["mrr@10"], against["recall@10"])
            ]
        cells = [name, f"{figures['mrr@10']:.3f}", f"{figures['recall@10']:.3f}", *gaps]
        lines.append(f"| {' | '.join(cells)} |")
    every = row["all"][SERVED]
    lines.append(
        f"\nServed, over all {row['n']} queries: MRR@10 {every['mrr@10']:.3f}, recall@10 "
        f"{every['recall@10']:.3f}. “With fame” adds what the served answer\nadds: films that more "
        "people rated stand before films that fit alike. Most of the frozen queries are\nabout "
        "well-known films, so fame helps here more than it would with obscure ones.\n"
    )
    return "\n".join(lines)


def _intents(row: dict) -> str:
    return f"""## Conditions in sentences

{row["n"]} labelled requests with {row["constraints"]} constraints, read by the local parser: F1 **{row["f1"]:.3f}** (precision
{row["precision"]:.3f}, recall {row["recall"]:.3f}; goal .95). Of {row["films_shown"]:,} films shown for them **{row["hard_violations"]}** break a hard condition,
checked in Python apart from the SQL that chose them.
"""


def _recall(row: dict) -> str:
    from catalog.embeddings.models import HNSW_EF_CONSTRUCTION, HNSW_M
    from catalog.embeddings.nearest import EF_SEARCH, EF_SEARCH_FILTERED

    lines = [
        f"""## The index against the exact answer

{row["n_queries"]} queries, the nearest 20 of the films that search takes for the nearest, against every film compared.
“By the table”: as a web process does it, where its table of rounded vectors chooses whom pgvector compares exactly.
“By the index”: HNSW (m {HNSW_M}, ef_construction {HNSW_EF_CONSTRUCTION}) with ef_search {EF_SEARCH}, {EF_SEARCH_FILTERED} with a condition, for everybody else.
Goal .98; plan uses the index: {"yes" if row["uses_index"] else "no"}.
""",
        "| filter | films | by | recall@20 | short answers | median |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {found['films']:,} | {found['how']} | {found['recall@20']:.4f} | "
        f"{found['short_answers']} | {found['median_ms']:.1f} ms |"
        for name, found in row["rows"].items()
    ]
    return "\n".join(lines) + "\n"


def _similar(row: dict) -> str:
    lines = [
        f"## Similar films differ\n\n{row['pairs']} pairs of films without a common genre (seed {row['seed']}), the {row['films_each']} "
        "films most like each; how many\nfilms the two lists share (goal: under 10 %).\n",
        "| kind | films | date | pairs | overlap | most in one pair |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {kind} | {found['films']:,} | {found['date']} | {found['pairs']} | {found['overlap']:.2%} [{found['low']:.2%}, {found['high']:.2%}] | "
        f"{found['most']:.0%} |"
        for kind, found in row["kinds"].items()
    ]
    return "\n".join(lines) + "\n"


def _latency(row: dict) -> str:
    lines = [
        f"## Whole pages\n\nThe server of the `Procfile` on {row['cores']} cores, every query new to it, the query's embedding "
        f"included; load\naverage of the machine before: {row['load_average']:.1f} (other work on the machine is in the "
        "figures).\n",
        "| clients | requests | p50 | p95 | p99 | pages a second | errors |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += _runs(row)
    lines.append(
        f"\nThe middle p95 of the rounds with 8 clients is **{row['p95_ms']:.0f} ms** (goal: under 150). "
        "A round has the words of each query in another\norder, so that all are new.\n"
    )
    lines.append(
        f"Processor time for a page: {row['cpu_web_ms']:.0f} ms in the web process, {row['cpu_database_ms']:.0f} ms in "
        f"Postgres. Every process has its encoder\n{row['encoder_ready_s']:.1f} s after the server answers; memory "
        f"{row['memory_mb']:.0f} MB at the end.\n"
    )
    if api := row.get("api"):
        lines += [
            "The same of `GET /api/v1/search`, which answers with 20 films in JSON (each request with its words in "
            "reverse, so that it is new,\ntoo):\n",
            "| clients | requests | p50 | p95 | p99 | answers a second | errors |",
            "|---|---|---|---|---|---|---|",
            *_runs(api),
            f"\nThe middle p95 of the rounds with 8 clients is **{api['p95_ms']:.0f} ms**.\n\nProcessor time for an answer: {api['cpu_web_ms']:.0f} ms in the web process, "
            f"{api['cpu_database_ms']:.0f} ms in Postgres.\n",
        ]
    return "\n".join(lines)


def _runs(row: dict) -> list[str]:
    return [
        f"| {run['clients']} | {run['requests']} | {run['p50_ms']:.0f} ms | {run['p95_ms']:.0f} ms | "
        f"{run['p99_ms']:.0f} ms | {run['per_second']:.1f} | {run['errors']} |"
        for run in row["runs"]
    ]


def _encoding(row: dict) -> str:
    lines = [
        f"## Embedding films\n\nall-MiniLM-L6-v2 over {row['n_texts']} texts of films on {row['threads']} thread(s); loss: known-item MRR@10 of "
        f"vectors alone among these\nfilms ({row['n_queries']} queries).\n",
        "| way | texts a second of processor time | against plain torch | MRR@10 | loss |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {way['per_second']:.0f} | {way['speedup']:.2f}x | {way['mrr@10']:.4f} | "
        f"{way['loss']:+.2%} |"
        for name, way in row["ways"].items()
    ]
    return "\n".join(lines) + "\n"


SECTIONS = {
    "titles": _titles,
    "meaning": _meaning,
    "intents": _intents,
    "recall": _recall,
    "latency": _latency,
    "similar": _similar,
    "encoding": _encoding,
}
