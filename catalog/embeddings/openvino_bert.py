"""The forward pass of a small BERT by OpenVINO: a third of numpy's time or less.

A query is a handful of word pieces, and a product of a big matrix with a handful of columns spends
its time on laying out the matrix; OpenVINO lays the weights out once, when it loads. The graph is
written here, from the same weights that ml.bert reads: no model is downloaded or converted, and
torch is not needed. A processor that multiplies bfloat16 (AVX-512 BF16, AMX) does so: half of the
time again, at a cosine of .99998 to the vectors in float32 (docs/adr/0024). Measured by
``benchmarks/search.py --only latency``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Lock

import numpy as np

from ml.bert import MAX_PIECES, NumpyBertEncoder
from ml.text import unit_rows
from ml.types import FloatArray

# OpenVINO's converter, which comes along with its import, reports that to Google Analytics. Where
# this package is missing it takes a stub instead: nothing that Marquee does is told to anybody.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

import openvino  # noqa: E402
import openvino.opset13 as ops  # noqa: E402
from openvino import Node, PartialShape, Type  # noqa: E402

# Word pieces of other texts in the same pass: as far away as float32 says.
_APART = np.float32(-1e9)
# Tiles of the processor's matrix unit hold 16 rows; passes of few different sizes are prepared
# once each. On others the empty rows cost less than a new size does.
_ROWS = 16


class OpenVinoBertEncoder(NumpyBertEncoder):
    """As its base class, in a third of the time; one thread each, and without the GIL.

    ``precision`` is "f32" or "bf16"; by default what the processor is fastest with.
    """

    def __init__(self, folder: Path, *, name: str, precision: str = "") -> None:
        super().__init__(folder, name=name)
        core = openvino.Core()
        if not precision:
            can = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
            precision = "bf16" if "BF16" in can else "f32"
        graph = _Graph(self._weights, heads=self._heads, dim=self.dim, epsilon=self._epsilon)
        # Requests are answered side by side; a pass that took all cores would hold them up.
        one_thread = {
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": precision,
        }
        compiled = core.compile_model(graph.model(self._n_layers), "CPU", one_thread)
        self._pass = compiled.create_infer_request()
        self._passing = Lock()
        # A size takes 10 to 40 ms more the first time; a pass goes on beyond MAX_PIECES by at most
        # one text.
        for n in range(_ROWS, MAX_PIECES + 1, _ROWS):
            self._encode_pieces([[0] * n])

    def _encode_pieces(self, texts: list[list[int]]) -> FloatArray:
        """float32[n, dim] of n texts in one pass, one below the other."""
        weights = self._weights
        sizes = [len(pieces) for pieces in texts]
        starts = np.cumsum([0, *sizes[:-1]])
        n = sum(sizes)
        n_rows = -(-n // _ROWS) * _ROWS
        pieces = np.zeros((n_rows, self.dim), dtype=np.float32)
        pieces[:n] = (
            weights["embeddings.word_embeddings.weight"][np.concatenate(texts)]
            + weights["embeddings.position_embeddings.weight"][
                np.concatenate([np.arange(size) for size in sizes])
            ]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        # Word pieces attend to those of their own text, and empty rows to each other.
        text_of = np.full(n_rows, -1)
        text_of[:n] = np.repeat(np.arange(len(sizes)), sizes)
        mask = np.where(text_of[:, None] == text_of, np.float32(0), _APART)
        with self._passing:
            out = self._pass.infer([pieces, mask], share_inputs=True)[0][:n]
        return unit_rows(np.add.reduceat(out, starts, axis=0) / np.array(sizes)[:, None])


class _Graph:
    """All layers, from summed embeddings (float32[n, dim]) to what is pooled (the same shape)."""

    def __init__(
        self, weights: dict[str, FloatArray], *, heads: int, dim: int, epsilon: float
    ) -> None:
        self._weights = weights
        self._heads = heads
        self._dim = dim
        self._epsilon = epsilon

    def model(self, n_layers: int) -> openvino.Model:
        """For any number of word pieces; the second input says which attend to which."""
        pieces = ops.parameter(PartialShape([-1, self._dim]), Type.f32, name="pieces")
        mask = ops.parameter(PartialShape([-1, -1]), Type.f32, name="mask")
        x = self._norm(pieces, "embeddings.LayerNorm")
        for layer in range(n_layers):
            x = self._layer(x, mask, f"encoder.layer.{layer}.")
        return openvino.Model([ops.result(x)], [pieces, mask], "bert")

    def _layer(self, x: Node, mask: Node, prefix: str) -> Node:
        attended = self._linear(
            self._attention(x, mask, f"{prefix}attention.self"), f"{prefix}attention.output.dense"
        )
        x = self._norm(ops.add(x, attended), f"{prefix}attention.output.LayerNorm")
        inner = ops.gelu(self._linear(x, f"{prefix}intermediate.dense"), "erf")
        inner = self._linear(inner, f"{prefix}output.dense")
        return self._norm(ops.add(x, inner), f"{prefix}output.LayerNorm")

    def _attention(self, x: Node, mask: Node, own: str) -> Node:
        """Heads side by side; query, key and value in one product."""
        size = self._dim // self._heads
        joined = self._linear(x, *(f"{own}.{part}" for part in ("query", "key", "value")))
        by_head = ops.reshape(joined, _whole(-1, 3, self._heads, size), special_zero=False)
        parts = ops.split(by_head, ops.constant(1), 3)
        query, key, value = (
            ops.transpose(ops.squeeze(part, _whole(1)), _whole(1, 0, 2)) for part in parts.outputs()
        )
        scores = ops.matmul(query, key, transpose_a=False, transpose_b=True)
        scores = ops.add(ops.multiply(scores, ops.constant(np.float32(size**-0.5))), mask)
        out = ops.matmul(ops.softmax(scores, 2), value, transpose_a=False, transpose_b=False)
        return ops.reshape(
            ops.transpose(out, _whole(1, 0, 2)), _whole(-1, self._dim), special_zero=False
        )

    def _linear(self, x: Node, *names: str) -> Node:
        """``x`` times the matrices of these names, side by side."""
        weight = np.concatenate([self._weights[f"{name}.weight"] for name in names])
        bias = np.concatenate([self._weights[f"{name}.bias"] for name in names])
        product = ops.matmul(x, ops.constant(weight), transpose_a=False, transpose_b=True)
        return ops.add(product, ops.constant(bias))

    def _norm(self, x: Node, name: str) -> Node:
        """LayerNorm by the weights of this name."""
        x = ops.mvn(
            x, _whole(-1), normalize_variance=True, eps=self._epsilon, eps_mode="inside_sqrt"
        )
        scaled = ops.multiply(x, ops.constant(self._weights[f"{name}.weight"]))
        return ops.add(scaled, ops.constant(self._weights[f"{name}.bias"]))


def _whole(*numbers: int) -> Node:
    return ops.constant(np.array(numbers, dtype=np.int64))
