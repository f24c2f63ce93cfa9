"""The evidence of a stored list as bytes: columns of numbers in the safetensors format.

A list of 48 films holds some 2,000 numbers. As JSON, writing them out and Postgres' parsing and
compressing took longer than ranking the films; as columns they are copied.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from recommendations.ranked import EvidencePart, FeaturePart, RankedFilm, SourcePart, TermPart

# A part is what it is of, a film's id or a name, and numbers (how many: as listed here).
_NUMBERS = {"evidence": 2, "features": 2, "by_source": 1, "terms": 2}
_MADE: dict[str, Callable[[Iterable[Any]], tuple[Any, ...]]] = {
    "evidence": EvidencePart._make,
    "features": FeaturePart._make,
    "by_source": SourcePart._make,
    "terms": TermPart._make,
}


def packed(films: Sequence[RankedFilm]) -> bytes:
    """What :func:`unpacked` makes the same films of, given their ids and scores."""
    names: dict[str, int] = {}
    columns = {
        "film": np.array(
            [
                (f.baseline, f.other, math.nan if f.genre_match is None else f.genre_match)
                for f in films
            ],
            dtype=np.float64,
        ).reshape(len(films), 3)
    }
    for kind, n_numbers in _NUMBERS.items():
        own = [getattr(film, kind) for film in films]
        parts = list(chain.from_iterable(own))
        of, *numbers = zip(*parts, strict=True) if parts else [()] * (1 + n_numbers)
        is_film = kind == "evidence"
        keys = of if is_film else [names.setdefault(name, len(names)) for name in of]
        columns[f"{kind}.count"] = np.array([len(of_film) for of_film in own], dtype=np.int32)
        columns[f"{kind}.key"] = np.array(keys, dtype=np.int64 if is_film else np.int16)
        columns[f"{kind}.number"] = np.array(numbers, dtype=np.float64)
    columns["names"] = np.frombuffer("\n".join(names).encode(), dtype=np.uint8)
    return save(columns)


def unpacked(
    raw: bytes, *, movie_ids: Sequence[int], scores: Sequence[float], source: str
) -> tuple[RankedFilm, ...]:
    """The first films of the list, as many as there are ``movie_ids``."""
    columns = load(raw)
    names = columns["names"].tobytes().decode().split("\n")
    n = len(movie_ids)
    parts = {kind: _parts(kind, columns, names, n=n) for kind in _NUMBERS}
    return tuple(
        RankedFilm(
            movie_id=movie_id,
            source=source,
            score=score,
            baseline=baseline,
            other=other,
            genre_match=None if math.isnan(match) else match,
            evidence=evidence,
            features=features,
            by_source=by_source,
            terms=terms,
        )
        for movie_id, score, (baseline, other, match), evidence, features, by_source, terms in zip(
            movie_ids, scores, columns["film"][:n].tolist(), *parts.values(), strict=True
        )
    )


def _parts(
    kind: str, columns: dict[str, np.ndarray], names: Sequence[str], *, n: int
) -> list[tuple[Any, ...]]:
    """The parts of one kind of the first ``n`` films."""
    ends = np.cumsum(columns[f"{kind}.count"][:n]).tolist()
    stop = ends[-1] if ends else 0
    keys: Sequence[int | str] = columns[f"{kind}.key"][:stop].tolist()
    if kind != "evidence":
        keys = [names[int(key)] for key in keys]
    numbers = columns[f"{kind}.number"][:, :stop].tolist()
    parts = tuple(map(_MADE[kind], zip(keys, *numbers, strict=True)))
    return [parts[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
