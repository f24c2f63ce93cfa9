"""The table of goals reads the results as it says, and the page shows what is not reached."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report import render
from benchmarks.targets import (
    Target,
    best,
    best_gain,
    farthest_coverage,
    gain,
    least_gain,
    lightgcn_ratio,
    narrower,
    ratio_to_best_window,
    verdict,
)


def entry(value: float, **more: Any) -> dict[str, Any]:
    shown = {"ndcg@10": {"mean": value, "lo": value - 0.01, "hi": value + 0.01}}
    timing = {"fit_s": [1.0], "predict_s": [1.0], "peak_mib": [100.0]}
    head = {"seeds": [1], "split_sha256": ["a" * 64], "n_users": 5, "date": "2026-01-01"}
    per_seed = {"per_seed": {"ndcg@10": [value]}}
    return {**head, "metrics": shown, "slices": {}, **timing, **per_seed, **more}


def results(**means: float) -> dict[str, Any]:
    models = {name.replace("_", "-"): entry(value) for name, value in means.items()}
    return {
        "set--job": {
            "dataset": "set",
            "protocol": "job",
            "against": "ease",
            "tasks": {"job": {"models": models, "differences": {}}},
        }
    }


def test_peers_are_no_models_of_ours() -> None:
    found = results(ease=0.2, hybrid=0.3, implicit_bpr=0.9)
    assert best("set--job", "job", "ndcg@10")(found) == (0.3, "hybrid")


def test_gains_are_in_percent_and_missing_without_their_models() -> None:
    found = results(ease=0.2, hybrid=0.25)
    assert gain("set--job", "job", "ndcg@10", "hybrid", "ease")(found) == (
        pytest.approx(25.0),
        "hybrid over ease",
    )
    assert best_gain("set--job", "job", "ndcg@10", "ease")(found)[0] == pytest.approx(25.0)
    assert gain("set--job", "job", "ndcg@10", "hybrid", "als")(found) is None
    assert best_gain("set--job", "job", "ndcg@10", "ease")(results(ease=0.2)) is None
    assert best("other--job", "job", "ndcg@10")(found) is None


def test_gains_are_taken_on_the_seeds_that_both_have() -> None:
    found = results(ease=0.2, hybrid=0.3)
    models = found["set--job"]["tasks"]["job"]["models"]
    models["ease"] |= {"seeds": [1, 2], "per_seed": {"ndcg@10": [0.24, 0.16]}}
    value, _ = gain("set--job", "job", "ndcg@10", "hybrid", "ease")(found)
    assert value == pytest.approx(25.0)
    models["ease"] |= {"seeds": [2], "per_seed": {"ndcg@10": [0.16]}}
    assert gain("set--job", "job", "ndcg@10", "hybrid", "ease")(found) is None


def test_the_worst_task_counts_and_all_of_them_must_be_there() -> None:
    found = results(popularity=0.2, hybrid=0.25)
    tasks = found["set--job"]["tasks"]
    tasks["short"] = {"models": {"popularity": entry(0.2), "hybrid": entry(0.19)}}
    read = least_gain("set--job", ["job", "short"], "ndcg@10", "hybrid", "popularity")
    value, by = read(found)
    assert value == pytest.approx(-5.0)
    assert by == "hybrid over popularity, short"
    del tasks["short"]["models"]["hybrid"]
    assert read(found) is None


def test_the_best_window_is_the_floor() -> None:
    found = results(popularity=0.1, popularity_7d=0.2, edlae=0.3)
    value, by = ratio_to_best_window("set--job", "job", "ndcg@10")(found)
    assert value == pytest.approx(1.5)
    assert by == "edlae over popularity-7d"


def test_coverage_is_judged_where_it_is_farthest_off() -> None:
    own = {"coverage80": {"mean": 0.81}, "width80": {"mean": 1.0}}
    own["width80_constant"] = {"mean": 1.25}
    short = {"coverage80": {"mean": 0.77}}
    model = entry(0.8) | {"metrics": own, "slices": {"history<=5": short}}
    found = {"set--rating": {"tasks": {"rating": {"models": {"bayesian_mf": model}}}}}
    value, by = farthest_coverage("set--rating")(found)
    assert value == pytest.approx(0.03)
    assert by == "history<=5: 0.7700"
    assert narrower("set--rating")(found)[0] == pytest.approx(20.0)


def test_lightgcn_needs_as_many_seeds_of_both() -> None:
    ours = [{"model": "ours, its settings", "ndcg@10": v} for v in (0.40, 0.42)]
    reference = [{"model": "plain reference", "ndcg@10": v} for v in (0.41, 0.41)]
    both: dict[str, Any] = {"lightgcn_reference": ours + reference}
    found = lightgcn_ratio(both)
    assert found is not None
    assert found[0] == pytest.approx(0.0)
    fewer: dict[str, Any] = {"lightgcn_reference": ours + reference[:1]}
    assert lightgcn_ratio(fewer) is None


@pytest.mark.parametrize(
    ("value", "said"), [(0.9, "aim reached"), (0.6, "reached"), (0.4, "**not reached**")]
)
def test_verdicts(value: float, said: str) -> None:
    assert verdict(Target("x", lambda r: None, 0.5, 0.8), value) == said
    error = Target("x", lambda r: None, -0.5, -0.8, is_lower_better=True)
    assert verdict(error, -value) == said


def test_the_page_is_rendered_from_the_files_alone(tmp_path: Path) -> None:
    folder, docs = tmp_path / "benchmarks" / "results", tmp_path / "docs"
    folder.mkdir(parents=True)
    for name, content in results(ease=0.21, hybrid=0.25).items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    tried: dict[str, object] = {
        "dataset": "set",
        "protocol": "job",
        "measure": "ndcg@10",
        "step": "alone",
    }
    tried |= {"n_rows": 5, "date": "2026-01-01"}
    (folder / "tried.json").write_text(json.dumps([tried | {"source": "ease", "value": 0.2}]))
    render(folder, docs)
    page = (docs / "benchmarks.md").read_text()
    assert "| hybrid | 0.2500 [0.2400, 0.2600] |" in page
    assert "| set | job | 5 | 2026-01-01 | ndcg@10 | alone | ease | 0.2000 |" in page
    assert page.count("not measured") > 10
    assert (docs / "benchmarks" / "set--job--job.svg").is_file()
