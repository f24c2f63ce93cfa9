"""``python -m ml {fit,evaluate,compare,bench,simulate}``: the whole loop without Django."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ml import simulate_command
from ml.artifacts import ArtifactError, check_place, save_artifact
from ml.data import DataError, Dataset, load_ratings
from ml.evaluation import Progress as Tell
from ml.evaluation import Result, compare, table_rows
from ml.items import load_item_features
from ml.models.base import Recommender
from ml.models.registry import RATING_MODELS, UnknownModelError, create, load_class
from ml.protocols import RATING, UnknownProtocolError
from ml.recipes import recipe_of
from ml.retrieval import history_mask
from ml.runs import Source, run
from ml.split import SplitError
from ml.types import Histories

EXPECTED = (DataError, SplitError, UnknownModelError, UnknownProtocolError, ArtifactError, OSError)
SHOWN = ("ndcg@10", "recall@10", "hit@10", "ndcg@100")
SHOWN_RATING = ("rmse", "mae", "coverage80", "width80")
error_console = Console(stderr=True)


class UsageError(ValueError):
    """The arguments don't fit together; the message says how."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 success, 2 wrong input (one line on stderr says what)."""
    options = parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except (*EXPECTED, UsageError) as error:
        error_console.print(
            f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True
        )
        return 2
    return code


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(prog="python -m ml", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="{fit,evaluate,compare,bench,simulate}")

    fit = commands.add_parser("fit", help="fit one model on all ratings and save it")
    fit.add_argument("--data", type=Path, required=True, help="folder or file of ratings")
    fit.add_argument("--model", required=True)
    fit.add_argument("--out", type=Path, required=True, help="folder to write")
    fit.add_argument("--seed", type=_seed, default=0)
    fit.add_argument(
        "--set", dest="settings", action="append", default=[], metavar="NAME=VALUE",
        help="a setting of the model; VALUE as JSON, e.g. l2=300",
    )  # fmt: skip
    fit.set_defaults(run=run_fit)

    evaluate = commands.add_parser("evaluate", help="measure models on protocols")
    _shared(evaluate)
    evaluate.add_argument("--json", type=Path, help="file for the results")
    evaluate.add_argument("--slices", type=Path, help="file for the results by slice")
    evaluate.add_argument(
        "--rows", type=Path, help="folder for one .npz of values per person and result"
    )
    evaluate.add_argument(
        "--shelf", type=Path, help="folder where models that are dear to fit are kept"
    )
    evaluate.set_defaults(run=run_evaluate)

    against = commands.add_parser("compare", help="paired differences to the first model")
    _shared(against)
    against.add_argument("--metric", default="ndcg@10")
    against.add_argument("--json", type=Path)
    against.set_defaults(run=run_compare)

    bench = commands.add_parser("bench", help="time to fit, to answer and to fold in one person")
    bench.add_argument("--data", type=Path, required=True)
    bench.add_argument("--models", type=_names, required=True)
    bench.add_argument("--seed", type=_seed, default=0)
    bench.add_argument("--json", type=Path)
    bench.set_defaults(run=run_bench)

    simulation = commands.add_parser("simulate", help="policies in the long run on invented people")
    simulate_command.add_arguments(simulation)
    simulation.set_defaults(run=run_simulate)
    return top


def _shared(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", type=Path, required=True, help="folder or file of ratings")
    command.add_argument("--protocol", type=_names, required=True, help="comma-separated")
    command.add_argument("--models", type=_names, required=True, help="comma-separated")
    command.add_argument("--seed", type=_seeds, default=[0], help="comma-separated")
    command.add_argument(
        "--facts", type=Path, help="Parquet table of film records: adds text, people and keywords"
    )


def _names(text: str) -> list[str]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise argparse.ArgumentTypeError("at least one name is needed")
    return list(dict.fromkeys(names))


def _seeds(text: str) -> list[int]:
    return [_seed(part) for part in _names(text)]


def _seed(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r}: seeds are whole numbers from 0")
    return int(text)


@contextmanager
def progress() -> Iterator[Callable[[str], Tell]]:
    """A progress line on stderr per model; silent where stderr is no terminal but for its title."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    is_live = error_console.is_terminal
    with Progress(*columns, console=error_console, disable=not is_live) as bars:

        def start(title: str) -> Tell:
            if not is_live:
                error_console.print(title, markup=False, highlight=False)
            bar = bars.add_task(title, total=1.0)

            def tell(what: str, share: float) -> None:
                bars.update(bar, description=f"{title}: {what}", completed=share)

            return tell

        yield start


def run_fit(options: argparse.Namespace) -> int:
    """``fit``: writes the artifact's folder."""
    model = _created(options.model, dict(_setting(s) for s in options.settings))
    check_place(options.out)
    data = _some_ratings(options.data)
    features = load_item_features(options.data, data.items)
    with progress() as start:
        tell = start(f"{data.name}: fit {options.model}")
        started = time.perf_counter()
        model.fit(data.interactions, seed=options.seed, features=features)
        tell("done", 1.0)
    metadata = {
        "dataset": data.name,
        "n_events": len(data.interactions),
        "n_users": len(data.users),
        "n_items": len(data.items),
        "items_sha256": data.items.fingerprint,
        "seed": options.seed,
        "fit_s": round(time.perf_counter() - started, 3),
    }
    manifest = save_artifact(model, options.out, metadata=metadata)
    np.save(options.out / "item_ids.npy", data.items.ids, allow_pickle=False)
    print(json.dumps({"folder": str(options.out), "sha256": manifest.sha256, **metadata}, indent=2))
    return 0


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--set {text!r}: NAME=VALUE is needed")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _created(label: str, settings: dict[str, Any]) -> Any:
    """The model of either kind, or variant of one, with ``settings`` over its own."""
    name, params = label, {}
    if label not in RATING_MODELS:
        recipe = recipe_of(label, "")
        name, params = recipe.model, recipe.params
    try:
        return load_class(name)(**params | settings)
    except (TypeError, ValueError) as error:
        if isinstance(error, UnknownModelError):
            raise
        raise UsageError(f"{label} refuses its settings: {error}") from error


def _some_ratings(path: Path) -> Dataset:
    data = load_ratings(path)
    if not len(data.interactions):
        raise DataError(f"{path} holds no ratings.")
    return data


def run_evaluate(options: argparse.Namespace) -> int:
    """``evaluate``: a table on stdout, records as JSON."""
    _writable(options.json, options.slices)
    for folder in (options.rows, options.shelf):
        if folder is not None and folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file: a folder is needed")
    results = _results(options)
    _print_tables(results)
    if options.json:
        _write_json(options.json, [result.to_json() for result in results])
    if options.rows:
        for result in results:
            write_rows(options.rows, result)
    if options.slices:
        _write_json(
            options.slices,
            [
                {k: v for k, v in r.to_json().items() if k not in ("metrics", "fit_s", "predict_s")}
                | {"slices": r.slices_json()}
                for r in results
            ],
        )
    return 0


def run_compare(options: argparse.Namespace) -> int:
    """``compare``: every model against the first on the same rows."""
    _writable(options.json)
    if len(options.models) < 2:
        raise UsageError("--models needs at least two models to compare")
    results = _results(options)
    table = Table("protocol", "seed", "model", "against", options.metric, "difference", "95 %")
    records = []
    for result in results:
        first = next(r for r in results if r.split_sha256 == result.split_sha256)
        if options.metric not in result.per_row:
            known = ", ".join(sorted(result.per_row))
            raise UsageError(f"--metric {options.metric!r} is not measured here; known: {known}")
        if first is result:
            continue
        d = compare(result, first, options.metric)
        mean = result.metrics[options.metric].mean if options.metric in result.metrics else np.nan
        table.add_row(
            *(result.protocol, str(result.seed), result.model, first.model),
            *(f"{mean:.4f}", f"{d.mean:+.4f}", f"[{d.lo:+.4f}, {d.hi:+.4f}]"),
        )
        records.append(
            {"protocol": result.protocol, "seed": result.seed, "model": result.model}
            | {"against": first.model, "metric": options.metric, "difference": asdict(d)}
        )
    Console().print(table)
    if options.json:
        _write_json(options.json, records)
    return 0


def run_bench(options: argparse.Namespace) -> int:
    """``bench``: seconds to fit and to answer all people, milliseconds for one person."""
    _writable(options.json)
    data = _some_ratings(options.data)
    features = load_item_features(options.data, data.items)
    everyone = Histories.from_interactions(data.interactions)
    table = Table("model", "fit s", "all people top-100 s", "one person top-20 ms (median)")
    records = []
    for label in options.models:
        recipe = recipe_of(label, "")
        with progress() as start:
            tell = start(f"{data.name}: {label}")
            started = time.perf_counter()
            model = create(recipe.model, recipe.params)
            model.fit(data.interactions, seed=options.seed, features=features)
            fit_s = time.perf_counter() - started
            tell("all people", 0.5)
            all_s = _timed(lambda model=model: _answer(model, everyone, 100))  # type: ignore[misc]
            people = [everyone.select([i]) for i in range(min(50, len(everyone)))]
            one_ms = [1000 * _timed(lambda p=p, m=model: _answer(m, p, 20)) for p in people]  # type: ignore[misc]
            tell("done", 1.0)
        median = float(np.median(one_ms)) if one_ms else float("nan")
        table.add_row(label, f"{fit_s:.2f}", f"{all_s:.2f}", f"{median:.2f}")
        records.append(
            {"dataset": data.name, "model": label, "fit_s": round(fit_s, 3)}
            | {"all_top100_s": round(all_s, 3), "one_top20_ms": round(median, 3)}
        )
    Console().print(table)
    if options.json:
        _write_json(options.json, records)
    return 0


def run_simulate(options: argparse.Namespace) -> int:
    """``simulate``: positive rate and coverage of each policy, round after round."""
    _writable(options.json)
    with progress() as start:
        rounds = simulate_command.simulate(options, tell=start("simulating"))
    simulate_command.show(rounds, options.json)
    return 0


def _answer(model: Recommender, people: Histories, k: int) -> None:
    model.recommend(people, k, exclude=history_mask(people, model.n_items))


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _results(options: argparse.Namespace) -> list[Result]:
    with progress() as start:
        return list(
            run(
                _source(options.data, options.facts),
                models=options.models,
                protocols=options.protocol,
                seeds=options.seed,
                shelf=getattr(options, "shelf", None),
                on_progress=start,
            )
        )


def _source(data: Path, facts: Path | None) -> Source:
    """Text vectors are kept under var/ of the current folder: encoding takes minutes."""
    cache = Path("var") / "text" / f"{data.resolve().name}.npz"
    return Source(data, facts=facts, text_cache=cache if facts else None)


def _print_tables(results: list[Result]) -> None:
    for is_rating, names in ((False, SHOWN), (True, SHOWN_RATING)):
        kept = [r for r in results if (r.protocol == RATING) is is_rating]
        if kept:
            header, *rows = table_rows(kept, names)
            table = Table(*header)
            for row in rows:
                table.add_row(*row)
            Console(width=None if sys.stdout.isatty() else 220).print(table)


def _writable(*paths: Path | None) -> None:
    """Refuse a place that cannot be written before hours of work, not after."""
    for path in paths:
        if path is not None and not path.parent.is_dir():
            raise UsageError(f"{path}: the folder {path.parent} does not exist")
        if path is not None and path.is_dir():
            raise UsageError(f"{path} is a folder: a file to write is needed")


def write_rows(folder: Path, result: Result) -> None:
    """What paired comparisons need later: the measures of every row, and whose row it is."""
    folder.mkdir(parents=True, exist_ok=True)
    task = result.protocol.replace("@", "-")
    name = f"{result.dataset}--{task}--{result.seed}--{result.model}.npz"
    arrays: dict[str, Any] = {m: v.astype(np.float32) for m, v in result.per_row.items()}
    arrays["group"] = result.group if result.group is not None else np.arange(0)
    arrays["split"] = np.array(result.split_sha256)
    np.savez_compressed(folder / name, **arrays)


def _write_json(path: Path, content: list[Any]) -> None:
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
