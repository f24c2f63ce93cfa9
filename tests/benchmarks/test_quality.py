"""What an earlier run measured is kept beside a new one, and only what still holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import quality
from benchmarks.quality import keep_earlier


def run(**means: float) -> dict[str, Any]:
    models = {
        name: {"seeds": [1], "split_sha256": ["a"], "per_seed": {"ndcg@10": [mean]}}
        for name, mean in means.items()
    }
    differences = {name: {"ndcg@10": means[name]} for name in means if name != "ease"}
    return {"against": "ease", "tasks": {"job": {"models": models, "differences": differences}}}


def test_models_that_were_not_measured_again_are_kept() -> None:
    now = run(ease=0.2, als=0.3)
    keep_earlier(now, run(ease=0.2, als=0.1, hybrid=0.4))
    (task,) = now["tasks"].values()
    assert task["models"]["als"]["per_seed"]["ndcg@10"] == [0.3]
    assert task["models"]["hybrid"]["per_seed"]["ndcg@10"] == [0.4]
    assert task["differences"]["hybrid"] == {"ndcg@10": 0.4}


def test_differences_to_a_rival_that_changed_are_not_kept() -> None:
    now = run(ease=0.25)
    keep_earlier(now, run(ease=0.2, hybrid=0.4))
    (task,) = now["tasks"].values()
    assert "hybrid" in task["models"]
    assert task["differences"]["hybrid"] == {}


def test_a_rival_that_another_processor_rounded_is_the_same() -> None:
    now = run(ease=0.20002)
    keep_earlier(now, run(ease=0.2, hybrid=0.4))
    assert now["tasks"]["job"]["differences"]["hybrid"] == {"ndcg@10": 0.4}


def test_a_further_seed_leaves_the_rival_what_it_was() -> None:
    now = run(ease=0.2)
    now["tasks"]["job"]["models"]["ease"] |= {
        "seeds": [1, 2],
        "split_sha256": ["a", "c"],
        "per_seed": {"ndcg@10": [0.2, 0.21]},
    }
    keep_earlier(now, run(ease=0.2, hybrid=0.4))
    assert now["tasks"]["job"]["differences"]["hybrid"] == {"ndcg@10": 0.4}


def test_models_of_another_split_are_dropped() -> None:
    earlier = run(hybrid=0.4)
    earlier["tasks"]["job"]["models"]["hybrid"]["split_sha256"] = ["b"]
    now = run(ease=0.2)
    keep_earlier(now, earlier)
    assert set(now["tasks"]["job"]["models"]) == {"ease"}


def test_a_whole_run_is_noted_when_the_last_part_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = quality.Job("set", "strong", (1, 2), ("ease", "als"), "ease")
    monkeypatch.setattr(quality, "JOBS", (job,))
    monkeypatch.setattr(quality, "WORK", tmp_path)
    monkeypatch.setattr(quality, "RESULTS", tmp_path / "results")
    noted = tmp_path / "results" / "whole_run.json"
    for seed in job.seeds:
        for model in job.models:
            assert not noted.exists()
            record = {"date": f"2026-01-0{seed}", "part_s": 45.0}
            quality.result_file(job, seed, model).write_text(json.dumps([record]))
            quality.note_whole_run()
    assert json.loads(noted.read_text()) | {"cores": 2} == {
        **{"from": "2026-01-01", "to": "2026-01-02", "minutes": 3.0},
        **{"n_parts": 4, "cores": 2},
    }
