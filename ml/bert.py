"""A BERT encoder's forward pass in numpy: short texts in milliseconds, without torch.

A web process answers a few queries at a time. For that torch is 300 MB and seconds of start too
much: the forward pass of a small BERT (Devlin et al. 2019) is a page of matrix products. The
weights are read through a memory map, so processes share them. Agreement with sentence-transformers
is tested to 1e-4 (tests/catalog/test_embeddings.py).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ml.text import unit_rows
from ml.types import FloatArray

MODEL_TYPE = "bert"
# A pass takes in texts until it has so many word pieces: more columns are no faster per column.
MAX_PIECES = 128


class UnsupportedModelError(ValueError):
    """The folder holds something else than a mean-pooled BERT."""


class NumpyBertEncoder:
    """A sentence-transformers folder (BERT, mean pooling, unit length), evaluated by numpy.

    ``dim`` is known on construction; the weights are mapped then, too.
    """

    def __init__(self, folder: Path, *, name: str) -> None:
        self.name = name
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        pooling = json.loads((folder / "1_Pooling" / "config.json").read_text(encoding="utf-8"))
        if config.get("model_type") != MODEL_TYPE or not pooling.get("pooling_mode_mean_tokens"):
            msg = f"{folder} does not hold a mean-pooled BERT"
            raise UnsupportedModelError(msg)
        self.dim = int(config["hidden_size"])
        self._heads = int(config["num_attention_heads"])
        self._n_layers = int(config["num_hidden_layers"])
        self._epsilon = float(config.get("layer_norm_eps", 1e-12))
        self._weights = _read_weights(folder)
        self._tokenizer = _read_tokenizer(folder)

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """float32[n, dim], rows of length 1 (an empty text gives a zero row)."""
        out = np.zeros((len(texts), self.dim), dtype=np.float32)
        batch: dict[int, list[int]] = {}  # row -> word pieces
        n_pieces = 0
        for row, text in enumerate(texts):
            if text.strip():
                batch[row] = self._tokenizer.encode(text).ids
                n_pieces += len(batch[row])
            if batch and (n_pieces >= MAX_PIECES or row == len(texts) - 1):
                out[list(batch)] = self._encode_pieces(list(batch.values()))
                batch, n_pieces = {}, 0
        return out

    def _encode_pieces(self, texts: list[list[int]]) -> FloatArray:
        """float32[n, dim] of n texts in one pass: side by side, without padding."""
        weights = self._weights
        sizes = [len(pieces) for pieces in texts]
        starts = np.cumsum([0, *sizes[:-1]])
        spans = [slice(start, start + size) for start, size in zip(starts, sizes, strict=True)]
        # Columns are word pieces: OpenBLAS multiplies a big matrix with few columns 1.7 times as
        # fast as few rows with a big matrix (16 pieces, one thread).
        x = (
            weights["embeddings.word_embeddings.weight"][np.concatenate(texts)]
            + weights["embeddings.position_embeddings.weight"][
                np.concatenate([np.arange(size) for size in sizes])
            ]
            + weights["embeddings.token_type_embeddings.weight"][0]
        ).T
        x = self._norm(np.ascontiguousarray(x), "embeddings.LayerNorm")
        for layer in range(self._n_layers):
            prefix = f"encoder.layer.{layer}."
            attended = self._attention(x, prefix, spans)
            attended = self._linear(attended, f"{prefix}attention.output.dense")
            x = self._norm(x + attended, f"{prefix}attention.output.LayerNorm")
            inner = _gelu(self._linear(x, f"{prefix}intermediate.dense"))
            x = self._norm(
                x + self._linear(inner, f"{prefix}output.dense"), f"{prefix}output.LayerNorm"
            )
        return unit_rows((np.add.reduceat(x, starts, axis=1) / sizes).T)

    def _attention(self, x: FloatArray, prefix: str, spans: Sequence[slice]) -> FloatArray:
        """Word pieces attend to those of their own text, a span of columns."""
        size = self.dim // self._heads
        query, key, value = (
            self._linear(x, f"{prefix}attention.self.{part}").reshape(self._heads, size, -1)
            for part in ("query", "key", "value")
        )
        out = np.empty_like(value)
        for span in spans:
            scores = query[..., span].transpose(0, 2, 1) @ key[..., span] / math.sqrt(size)
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
            scores /= scores.sum(axis=-1, keepdims=True)
            out[..., span] = value[..., span] @ scores.transpose(0, 2, 1)
        return out.reshape(self.dim, -1)

    def _linear(self, x: FloatArray, name: str) -> FloatArray:
        out = self._weights[f"{name}.weight"] @ x
        out += self._weights[f"{name}.bias"][:, None]
        return out

    def _norm(self, x: FloatArray, name: str) -> FloatArray:
        x -= x.mean(axis=0)
        x /= np.sqrt((x**2).mean(axis=0) + self._epsilon)
        x *= self._weights[f"{name}.weight"][:, None]
        x += self._weights[f"{name}.bias"][:, None]
        return x


def _gelu(x: FloatArray) -> FloatArray:
    from scipy.special import erf

    return x * 0.5 * (1.0 + erf(x / np.float32(math.sqrt(2.0))))


def _read_weights(folder: Path) -> dict[str, FloatArray]:
    """The safetensors file as views of one memory map (8 bytes of length, JSON header, data)."""
    path = folder / "model.safetensors"
    with path.open("rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        header = json.loads(handle.read(length))
    data = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + length)
    weights: dict[str, FloatArray] = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] == "I64":
            continue
        if entry["dtype"] != "F32":
            msg = f"{path} holds {entry['dtype']} weights; only F32 is read here"
            raise UnsupportedModelError(msg)
        start, end = entry["data_offsets"]
        weights[name] = np.asarray(data[start:end]).view(np.float32).reshape(entry["shape"])
    return weights


def _read_tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    limits = json.loads((folder / "sentence_bert_config.json").read_text(encoding="utf-8"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(int(limits["max_seq_length"]))
    return tokenizer
