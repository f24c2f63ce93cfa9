"""Embeddings averaged over the layers of a graph of people and films: LightGCN's one operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.models.graph_filter import normalised
from ml.types import FloatArray

if TYPE_CHECKING:
    import torch

RIDGE = 1e-3  # of the mean diagonal; only guards against collinear dimensions


class Graph:
    """``U_l+1 = R~ V_l``, ``V_l+1 = R~' U_l`` with ``R~ = D_u^-1/2 X D_i^-1/2``, and their means.

    The operator from free to mean embeddings is symmetric (the graph is undirected), so it is its
    own gradient: ``propagate`` of the gradient is the gradient of ``propagate``.
    """

    def __init__(self, matrix: sparse.csr_matrix, n_layers: int) -> None:
        """``matrix`` csr [n_users, n_items] of ones."""
        self.matrix = matrix
        self.n_layers = n_layers
        self.smooth = normalised(matrix)
        self.active_users = np.flatnonzero(np.diff(matrix.indptr))
        degree = np.asarray(matrix.sum(axis=0), dtype=np.float32).ravel()
        self.item_root = np.sqrt(np.maximum(degree, 1.0))
        self.to_users = sparse_tensor(self.smooth)
        self.to_items = sparse_tensor(self.smooth.T.tocsr())

    def layers(
        self, users: torch.Tensor, items: torch.Tensor
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Every layer's embeddings, the free ones first: n_layers + 1 pairs."""
        found = [(users, items)]
        for _ in range(self.n_layers):
            before_users, before_items = found[-1]
            found.append((self.to_users @ before_items, self.to_items @ before_users))
        return found

    def propagate(
        self, users: torch.Tensor, items: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The means over the layers."""
        layers = self.layers(users, items)
        count = float(len(layers))
        return sum(u for u, _ in layers) / count, sum(v for _, v in layers) / count  # type: ignore[return-value]

    def thinned(self, dropout: float, rng: np.random.Generator) -> Graph:
        """The same graph without a random share of its edges."""
        thin = self.matrix.copy()
        thin.data = (rng.random(thin.nnz) >= dropout).astype(np.float32)
        thin.eliminate_zeros()
        return Graph(thin, self.n_layers)

    def fold_in(self, users: FloatArray, items: FloatArray) -> FloatArray:
        """``F`` [n_items, d] so that somebody with films w (sum n) is ``n^-1/2 sum_j w_j F[j]``.

        Layers 1.. of a person follow from the films' layers. Layer 0, the free embedding, is
        predicted from them by a ridge map fitted on the people of the graph.
        """
        import torch

        layers = self.layers(torch.from_numpy(users), torch.from_numpy(items))
        if self.n_layers == 0:
            return np.zeros_like(items)
        shown = np.concatenate([u.numpy() for u, _ in layers[1:]], axis=1)
        parts = [v.numpy() for _, v in layers[:-1]]
        mapping = ridge_map(shown[self.active_users], users[self.active_users])
        total = np.sum(parts, axis=0) + np.concatenate(parts, axis=1) @ mapping
        return (total / len(layers) / self.item_root[:, None]).astype(np.float32)


def ridge_map(given: FloatArray, wanted: FloatArray) -> FloatArray:
    """``M`` that minimises ||given M - wanted||^2 + ridge ||M||^2: float32 [p, d]."""
    given64 = np.asarray(given, dtype=np.float64)
    gram: NDArray[np.float64] = given64.T @ given64
    gram[np.diag_indices_from(gram)] += RIDGE * max(float(np.trace(gram)) / len(gram), 1e-12)
    return np.linalg.solve(gram, given64.T @ wanted).astype(np.float32)


def sparse_tensor(matrix: sparse.csr_matrix) -> torch.Tensor:
    """The csr matrix as a torch sparse tensor float32 (its product runs on all cores)."""
    import warnings

    import torch

    with warnings.catch_warnings():
        # torch calls its csr layout "in beta"; only construction and matrix product are used.
        warnings.filterwarnings("ignore", message=".*Sparse CSR tensor support.*")
        return torch.sparse_csr_tensor(
            torch.from_numpy(matrix.indptr.astype(np.int64)),
            torch.from_numpy(matrix.indices.astype(np.int64)),
            torch.from_numpy(matrix.data.astype(np.float32)),
            size=matrix.shape,
            check_invariants=False,  # scipy's csr keeps them
        )
