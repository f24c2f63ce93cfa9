"""``python -m ml`` on small files: the agreed records, and one clear line for wrong input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ml.__main__ import main
from ml.artifacts import load_artifact
from tests.ml.data import two_tastes

KEYS = {
    *("dataset", "protocol", "model", "seed", "split_sha256", "n_users"),
    *("metrics", "fit_s", "predict_s", "peak_mib"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    events = two_tastes(n_users=150, n_items=30)
    columns = (events.user_index, events.item_index, events.rating, events.timestamp)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    path = tmp_path_factory.mktemp("small")
    lines = ["userId,movieId,rating,timestamp"]
    lines += [f"{user + 1},{10 * item},{stars},{time}" for user, item, stars, time in rows]
    (path / "ratings.csv").write_text("\n".join(lines))
    return path


def test_evaluate_writes_one_record_per_protocol_seed_and_model(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    arguments = ["evaluate", "--data", str(folder), "--protocol", "strong,last-out"]
    arguments += ["--models", "popularity,ease,hybrid", "--seed", "7,8", "--json", str(out)]
    assert main([*arguments, "--slices", str(tmp_path / "s.json")]) == 0
    records = json.loads(out.read_text())
    assert all(set(record) == KEYS for record in records)
    assert [(r["protocol"], r["seed"], r["model"]) for r in records] == [
        (protocol, seed, model)
        for protocol in ("strong", "last-out")
        for seed in (7, 8)
        for model in ("popularity", "ease", "hybrid")
    ]
    assert {r["dataset"] for r in records} == {folder.name}
    assert all(set(v) == {"mean", "lo", "hi"} for r in records for v in r["metrics"].values())
    table = capsys.readouterr().out
    assert "hybrid" in table
    assert "ndcg@10" in table
    slices = json.loads((tmp_path / "s.json").read_text())
    assert slices[0]["slices"]["history 6-20"]["n"]["mean"] > 0


def test_evaluate_predicts_stars(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    arguments = ["evaluate", "--data", str(folder), "--protocol", "rating"]
    assert main([*arguments, "--models", "bayesian_mf", "--json", str(out)]) == 0
    (record,) = json.loads(out.read_text())
    assert set(record) == KEYS
    assert 0.2 < record["metrics"]["rmse"]["mean"] < 2
    assert 0.5 < record["metrics"]["coverage80"]["mean"] <= 1


def test_same_seed_same_figures(folder: Path, tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        out = tmp_path / name
        arguments = ["evaluate", "--data", str(folder), "--protocol", "strong"]
        assert main([*arguments, "--models", "hybrid", "--seed", "3", "--json", str(out)]) == 0
        (record,) = json.loads(out.read_text())
        found.append((record["split_sha256"], record["metrics"]))
    assert found[0] == found[1]


def test_rows_are_kept_for_paired_comparisons(folder: Path, tmp_path: Path) -> None:
    arguments = ["evaluate", "--data", str(folder), "--protocol", "sparse@3"]
    assert main([*arguments, "--models", "ease", "--seed", "3", "--rows", str(tmp_path)]) == 0
    (path,) = tmp_path.iterdir()
    assert path.name == f"{folder.name}--sparse-3--3--ease.npz"
    with np.load(path) as rows:
        assert len(rows["group"]) == len(rows["ndcg@10"]) > 10


def test_compare_pairs_every_model_with_the_first(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    arguments = ["compare", "--data", str(folder), "--protocol", "strong", "--metric", "recall@10"]
    assert main([*arguments, "--models", "popularity,edlae,slit", "--json", str(out)]) == 0
    records = json.loads(out.read_text())
    assert [(r["model"], r["against"]) for r in records] == [
        ("edlae", "popularity"),
        ("slit", "popularity"),
    ]
    assert records[0]["difference"]["lo"] <= records[0]["difference"]["mean"]
    assert "recall@10" in capsys.readouterr().out


def test_fit_writes_a_model_that_loads(folder: Path, tmp_path: Path) -> None:
    arguments = ["fit", "--data", str(folder), "--model", "ease", "--out", str(tmp_path / "m")]
    assert main([*arguments, "--set", "l2=7.5"]) == 0
    model, manifest = load_artifact(tmp_path / "m")
    assert model.params()["l2"] == 7.5
    assert manifest.metadata["n_users"] == 150
    assert len(np.load(tmp_path / "m" / "item_ids.npy")) == model.n_items


def test_fit_takes_a_variant_by_its_name(folder: Path, tmp_path: Path) -> None:
    arguments = ["fit", "--data", str(folder), "--model", "edlae-recent", "--out"]
    assert main([*arguments, str(tmp_path / "m"), "--set", "l2=7.5"]) == 0
    model, _ = load_artifact(tmp_path / "m")
    assert (model.name, model.params()["l2"], model.params()["decay"]) == ("edlae", 7.5, 0.8)


def test_a_model_never_takes_the_place_of_the_ratings_or_of_other_files(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ratings = tmp_path / "ratings.csv"
    ratings.write_bytes((folder / "ratings.csv").read_bytes())
    before = ratings.read_bytes()
    for out in (ratings, tmp_path):
        arguments = ["fit", "--data", str(ratings), "--model", "ease", "--out", str(out)]
        assert main(arguments) == 2
        assert "would be replaced: name a new folder" in capsys.readouterr().err
    assert ratings.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["ratings.csv"]


@pytest.mark.parametrize("command", ["fit", "bench"])
def test_no_ratings_are_nothing_to_learn_from(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("userId,movieId,rating\n")
    more = {"fit": ["--model", "ease", "--out", str(tmp_path / "m")], "bench": ["--models", "ease"]}
    assert main([command, "--data", str(path), *more[command]]) == 2
    assert "x.csv holds no ratings" in capsys.readouterr().err


@pytest.mark.parametrize("seed", ["-1", "x", "1.5", "7,x"])
def test_seeds_are_whole_numbers(
    folder: Path, seed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["evaluate", "--data", str(folder), "--protocol", "strong", "--models", "ease"]
    with pytest.raises(SystemExit):
        main([*arguments, f"--seed={seed}"])
    assert "seeds are whole numbers from 0" in capsys.readouterr().err


def test_results_go_to_a_file_and_models_to_a_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["evaluate", "--data", str(folder), "--protocol", "strong", "--models", "ease"]
    assert main([*arguments, "--json", str(tmp_path)]) == 2
    assert "is a folder: a file to write is needed" in capsys.readouterr().err
    assert main([*arguments, "--shelf", str(folder / "ratings.csv")]) == 2
    assert "is a file: a folder is needed" in capsys.readouterr().err


def test_bench_times_models(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert main(["bench", "--data", str(folder), "--models", "ease,als", "--json", str(out)]) == 0
    records = json.loads(out.read_text())
    assert [r["model"] for r in records] == ["ease", "als"]
    assert all(r["one_top20_ms"] > 0 for r in records)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"--data": "/nowhere"}, "/nowhere does not exist"),
        ({"--protocol": "stron"}, "no protocol is called 'stron'; known: cold-item"),
        ({"--models": "esae"}, "no model is called 'esae'; known: als"),
        ({"--models": "bayesian_mf"}, "bayesian_mf predicts stars"),
        ({"--protocol": "rating"}, "'ease' ranks and predicts no stars"),
        ({"--json": "/nowhere/out.json"}, "the folder /nowhere does not exist"),
    ],
)
def test_wrong_input_is_one_clear_line(
    folder: Path, change: dict[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"--data": str(folder), "--protocol": "strong", "--models": "ease"} | change
    code = main(["evaluate", *(part for pair in options.items() for part in pair)])
    assert code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert "Traceback" not in error


@pytest.mark.parametrize("setting", ["l2", "=3", "l2=-1", "colour=3"])
def test_wrong_settings_are_refused(
    folder: Path, tmp_path: Path, setting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "m"
    arguments = ["fit", "--data", str(folder), "--model", "ease", "--out", str(out)]
    assert main([*arguments, "--set", setting]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert not out.exists()


def test_data_without_times_is_refused_where_time_is_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("userId,movieId,rating\n1,2,3\n1,3,4\n")
    arguments = ["evaluate", "--data", str(path), "--protocol", "last-out", "--models", "ease"]
    assert main(arguments) == 2
    assert "last-out needs a timestamp column" in capsys.readouterr().err
