"""The evidence of a list as columns of numbers, and a stored list's as bytes (safetensors).

A list of 48 films holds some 2,000 numbers. As JSON, writing them out and Postgres' parsing and
compressing took longer than ranking the films; as columns they are copied. Pages read objects
(:class:`RankedFilm`), which are made of the columns; a batch that stores lists makes none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from recommendations.ranked import EvidencePart, FeaturePart, RankedFilm, SourcePart, TermPart

Columns = dict[str, np.ndarray]
Floats = NDArray[np.float64]
# A part is what it is of, a film's id or a name, and numbers (how many: as listed here).
_NUMBERS = {"evidence": 2, "features": 2, "by_source": 1, "terms": 2}
_MADE: dict[str, type[tuple[Any, ...]]] = {
    "evidence": EvidencePart,
    "features": FeaturePart,
    "by_source": SourcePart,
    "terms": TermPart,
}


def columns_of(films: Sequence[RankedFilm]) -> Columns:
    """The evidence of films that were explained one by one."""
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
        columns |= _column(
            kind,
            np.array([len(of_film) for of_film in own]),
            np.array(keys, dtype=np.int64),
            np.array(numbers, dtype=np.float64),
        )
    return columns | _named(names)


def linear_columns(
    *,
    baseline: Floats,
    other: Floats,
    genre_match: Floats | None,
    events: tuple[NDArray[np.int64], Floats, Floats],
    by_source: Mapping[str, NDArray[np.floating]],
    terms: Mapping[str, tuple[Floats, Floats]],
) -> Columns:
    """The evidence of ``n`` films whose scores are sums over a history.

    ``events`` are film ids, contributions and shares [n, m], the strongest first; ``by_source``
    contributions [n], ``terms`` contributions and shares [n] of re-ranking. Events and terms that
    add 0 are left out.
    """
    n = len(baseline)
    film_ids, added, shares = events
    is_part = added != 0
    columns = {
        "film": np.stack(
            [baseline, other, np.full(n, np.nan) if genre_match is None else genre_match], axis=1
        ),
        **_column(
            "evidence",
            is_part.sum(axis=1),
            film_ids[is_part],
            np.stack([added[is_part], shares[is_part]]),
        ),
        **_column("features", np.zeros(n), np.empty(0), np.empty((2, 0))),
    }
    sources = np.array(list(by_source.values()), dtype=np.float64).reshape(len(by_source), n)
    columns |= _column(
        "by_source",
        np.full(n, len(by_source)),
        np.tile(np.arange(len(by_source)), n),
        sources.T.reshape(1, -1),
    )
    names = {name: at for at, name in enumerate(by_source)}
    keys = np.array([names.setdefault(name, len(names)) for name in terms], dtype=np.int64)
    found = np.array(list(terms.values()), dtype=np.float64).reshape(len(terms), 2, n)
    has_term = found[:, 0].T != 0
    columns |= _column(
        "terms",
        has_term.sum(axis=1),
        np.broadcast_to(keys, has_term.shape)[has_term],
        np.stack([found[:, 0].T[has_term], found[:, 1].T[has_term]]),
    )
    return columns | _named(names)


def _column(
    kind: str, counts: NDArray[np.number], keys: NDArray[np.number], numbers: Floats
) -> Columns:
    """One kind of part: how many each film has, what they are of, and their numbers."""
    return {
        f"{kind}.count": counts.astype(np.int32),
        f"{kind}.key": keys.astype(np.int64 if kind == "evidence" else np.int16),
        f"{kind}.number": numbers,
    }


def _named(names: Iterable[str]) -> Columns:
    return {"names": np.frombuffer("\n".join(names).encode(), dtype=np.uint8)}


def packed(columns: Columns) -> bytes:
    """What :func:`unpacked` makes the same films of, given their ids and scores."""
    return save(columns)


def unpacked(
    raw: bytes, *, movie_ids: Sequence[int], scores: Sequence[float], source: str
) -> tuple[RankedFilm, ...]:
    """The first films of the list, as many as there are ``movie_ids``."""
    return films_of(load(raw), movie_ids=movie_ids, scores=scores, source=source)


def films_of(
    columns: Columns, *, movie_ids: Sequence[int], scores: Sequence[float], source: str
) -> tuple[RankedFilm, ...]:
    """The same from columns."""
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


def _parts(kind: str, columns: Columns, names: Sequence[str], *, n: int) -> list[tuple[Any, ...]]:
    """The parts of one kind of the first ``n`` films."""
    ends = np.cumsum(columns[f"{kind}.count"][:n]).tolist()
    stop = ends[-1] if ends else 0
    keys: Sequence[int | str] = columns[f"{kind}.key"][:stop].tolist()
    if kind != "evidence":
        keys = [names[int(key)] for key in keys]
    numbers = columns[f"{kind}.number"][:, :stop].tolist()
    # The parts' own ``_make`` counts again what zip has counted: four times as long for 300 parts.
    parts = tuple(map(partial(tuple.__new__, _MADE[kind]), zip(keys, *numbers, strict=True)))
    return [parts[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
