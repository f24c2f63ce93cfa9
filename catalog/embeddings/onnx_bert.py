"""The forward pass of a small BERT by ONNX Runtime: half of numpy's time, and the same vectors.

A query is a handful of word pieces, and a product of a big matrix with a handful of columns spends
its time on laying out the matrix; ONNX Runtime lays the weights out once, when it loads. The graph
is written here, from the same weights that ml.bert reads: no model is downloaded or converted, and
torch is not needed. Measured by ``benchmarks/search.py --only latency``; int8 weights would halve
the time again, at a cosine of .992 to the vectors that the films have.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnx import NodeProto, TensorProto, helper, numpy_helper

from ml.bert import NumpyBertEncoder
from ml.text import unit_rows
from ml.types import FloatArray

# LayerNormalization since 17, Split's num_outputs since 18, Gelu since 20.
OPSET = 20
_IR_VERSION = 10
# Word pieces of other texts in the same pass: as far away as float32 says.
_APART = np.float32(-1e9)


class OnnxBertEncoder(NumpyBertEncoder):
    """As its base class, a pass taking half as long; one thread each, and without the GIL."""

    def __init__(self, folder: Path, *, name: str) -> None:
        super().__init__(folder, name=name)
        options = onnxruntime.SessionOptions()
        # Requests are answered side by side; a pass that took all cores would hold them up.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            self._graph(), options, providers=["CPUExecutionProvider"]
        )

    def _encode_pieces(self, texts: list[list[int]]) -> FloatArray:
        """float32[n, dim] of n texts in one pass, one below the other, without padding."""
        weights = self._weights
        sizes = [len(pieces) for pieces in texts]
        starts = np.cumsum([0, *sizes[:-1]])
        pieces = (
            weights["embeddings.word_embeddings.weight"][np.concatenate(texts)]
            + weights["embeddings.position_embeddings.weight"][
                np.concatenate([np.arange(size) for size in sizes])
            ]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        # Word pieces attend to those of their own text.
        text_of = np.repeat(np.arange(len(sizes)), sizes)
        mask = np.where(text_of[:, None] == text_of, np.float32(0), _APART)
        (out,) = self._session.run(None, {"pieces": pieces, "mask": mask})
        return unit_rows(np.add.reduceat(out, starts, axis=0) / np.array(sizes)[:, None])

    def _graph(self) -> bytes:
        """All layers, from summed embeddings to what is pooled, as a serialised model."""
        graph = _Graph(self._weights, heads=self._heads, dim=self.dim, epsilon=self._epsilon)
        x = graph.norm("pieces", "embeddings.LayerNorm")
        for layer in range(self._n_layers):
            x = graph.layer(x, f"encoder.layer.{layer}.")
        return graph.serialised(x)


class _Graph:
    """Nodes and weights of a graph as they are added; a node's output has the node's name."""

    def __init__(
        self, weights: dict[str, FloatArray], *, heads: int, dim: int, epsilon: float
    ) -> None:
        self._weights = weights
        self._dim = dim
        self._epsilon = epsilon
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []
        self._constant("by_head", np.array([0, heads, dim // heads], dtype=np.int64))
        self._constant("joined", np.array([0, dim], dtype=np.int64))
        self._constant("scale", np.array((dim // heads) ** -0.5, dtype=np.float32))

    def layer(self, x: str, prefix: str) -> str:
        """One encoder layer after ``x``."""
        attended = self._linear(self._attention(x, prefix), f"{prefix}attention.output.dense")
        x = self._node("Add", f"{prefix}attended", x, attended)
        x = self.norm(x, f"{prefix}attention.output.LayerNorm")
        inner = self._linear(x, f"{prefix}intermediate.dense")
        inner = self._node("Gelu", f"{prefix}gelu", inner)
        inner = self._linear(inner, f"{prefix}output.dense")
        return self.norm(self._node("Add", f"{prefix}added", x, inner), f"{prefix}output.LayerNorm")

    def norm(self, x: str, name: str) -> str:
        """LayerNorm by the weights of this name."""
        parts = [
            self._constant(f"{name}.{part}", self._weights[f"{name}.{part}"])
            for part in ("weight", "bias")
        ]
        return self._node("LayerNormalization", name, x, *parts, axis=-1, epsilon=self._epsilon)

    def serialised(self, output: str) -> bytes:
        """The model, giving ``output``: float32[n, dim] for n word pieces."""
        tensor = helper.make_tensor_value_info
        inputs = [
            tensor("pieces", TensorProto.FLOAT, ["n", self._dim]),
            tensor("mask", TensorProto.FLOAT, ["n", "n"]),
        ]
        outputs = [tensor(output, TensorProto.FLOAT, ["n", self._dim])]
        graph = helper.make_graph(self._nodes, "bert", inputs, outputs, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = _IR_VERSION
        return model.SerializeToString()

    def _attention(self, x: str, prefix: str) -> str:
        """Heads side by side; query, key and value in one product."""
        own = f"{prefix}attention.self"
        parts = [f"{own}.{part}" for part in ("query", "key", "value")]
        self._linear(x, *parts)
        query, key, value = (f"{part}.part" for part in parts)
        self._nodes.append(
            helper.make_node("Split", [parts[0]], [query, key, value], axis=1, num_outputs=3)
        )
        turned = []
        for part, order in ((query, (1, 0, 2)), (key, (1, 2, 0)), (value, (1, 0, 2))):
            heads = self._node("Reshape", f"{part}.by_head", part, "by_head")
            turned.append(self._node("Transpose", f"{part}.turned", heads, perm=order))
        query, key, value = turned
        scores = self._node("MatMul", f"{own}.scores", query, key)
        scores = self._node("Mul", f"{own}.scaled", scores, "scale")
        scores = self._node("Add", f"{own}.masked", scores, "mask")
        shares = self._node("Softmax", f"{own}.shares", scores, axis=-1)
        out = self._node("MatMul", f"{own}.out", shares, value)
        out = self._node("Transpose", f"{own}.turned", out, perm=(1, 0, 2))
        return self._node("Reshape", f"{own}.joined", out, "joined")

    def _linear(self, x: str, *names: str) -> str:
        """``x`` times the matrices of these names, side by side; named after the first."""
        weight = np.concatenate([self._weights[f"{name}.weight"] for name in names])
        bias = np.concatenate([self._weights[f"{name}.bias"] for name in names])
        product = self._node(
            "MatMul", f"{names[0]}.product", x, self._constant(f"{names[0]}.weight", weight.T)
        )
        return self._node("Add", names[0], product, self._constant(f"{names[0]}.bias", bias))

    def _constant(self, name: str, value: np.ndarray) -> str:
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _node(self, kind: str, name: str, *inputs: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name
