"""Forward passes of the torch models in numpy: what serves them needs no torch.

The same arithmetic as :mod:`ml.models.transformer`; a test holds the two to each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from ml.types import FloatArray, LongArray

NORM_EPSILON = 1e-5  # torch's
BATCH_EVENTS = 4096  # events in a batch of windows, padding included: a few MiB of attention
_HALF_ROOT = np.float32(1.0 / np.sqrt(2.0))


def gelu(x: FloatArray) -> FloatArray:
    """``x Phi(x)``, the exact form (Hendrycks and Gimpel 2016)."""
    return (np.float32(0.5) * x * (1.0 + erf(x * _HALF_ROOT))).astype(np.float32)


def batches_of_windows(rows: NDArray[np.intp], size: LongArray) -> Iterator[NDArray[np.intp]]:
    """``rows`` in batches of like ``size`` with at most BATCH_EVENTS events each."""
    order = rows[np.argsort(size[rows], kind="stable")]
    begin = 0
    while begin < len(order):
        end = begin + 1
        while end < len(order) and (end + 1 - begin) * size[order[end]] <= BATCH_EVENTS:
            end += 1
        yield order[begin:end]
        begin = end


def last_states(
    weights: Mapping[str, NDArray],
    films: LongArray,
    lengths: LongArray,
    *,
    n_heads: int,
    n_blocks: int,
) -> FloatArray:
    """float32[n, d]: :func:`ml.models.transformer.states` after each row's last film.

    ``films`` int64[n, width] begin with the oldest film and are padded with 0 at the end.
    """
    n, width = films.shape
    final = weights["positions"].shape[0] - 1
    steps = np.arange(width)[None, :]
    position = np.clip(final - (lengths[:, None] - 1) + steps, 0, final)
    d = weights["items"].shape[1]
    x = weights["items"][films] * np.float32(d**0.5) + weights["positions"][position]
    hidden = np.triu(np.ones((width, width), dtype=np.bool_), k=1)
    for block in range(n_blocks):
        x = x + _attention(weights, block, x, n_heads=n_heads, hidden=hidden)
        x = x + _feed_forward(weights, block, x)
    return _norm(weights, "norm", x[np.arange(n), lengths - 1])


def _attention(
    weights: Mapping[str, NDArray],
    block: int,
    x: FloatArray,
    *,
    n_heads: int,
    hidden: NDArray[np.bool_],
) -> FloatArray:
    n, width, d = x.shape
    mixed_in = _norm(weights, f"{block}.norm_attention", x) @ weights[f"{block}.qkv"].T
    query, key, value = (
        part.reshape(n, width, n_heads, d // n_heads).transpose(0, 2, 1, 3)
        for part in np.split(mixed_in, 3, axis=2)
    )
    scores = query @ key.transpose(0, 1, 3, 2) / np.float32((d // n_heads) ** 0.5)
    scores = np.where(hidden, np.float32(-np.inf), scores)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    scores /= scores.sum(axis=-1, keepdims=True)
    mixed = (scores @ value).transpose(0, 2, 1, 3).reshape(n, width, d)
    return np.asarray(mixed @ weights[f"{block}.out"].T, dtype=np.float32)


def _feed_forward(weights: Mapping[str, NDArray], block: int, x: FloatArray) -> FloatArray:
    x = _norm(weights, f"{block}.norm_feed", x)
    x = gelu(x @ weights[f"{block}.up"].T + weights[f"{block}.up_bias"])
    return np.asarray(
        x @ weights[f"{block}.down"].T + weights[f"{block}.down_bias"], dtype=np.float32
    )


def _norm(weights: Mapping[str, NDArray], name: str, x: FloatArray) -> FloatArray:
    mean = x.mean(axis=-1, keepdims=True)
    spread = np.sqrt(x.var(axis=-1, keepdims=True) + NORM_EPSILON)
    scaled = (x - mean) / spread * weights[name] + weights[f"{name}_bias"]
    return np.asarray(scaled, dtype=np.float32)
