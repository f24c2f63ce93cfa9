"""Kernels that numba compiles, where a process has asked for them.

numba takes some hundred megabytes of memory and a second to load: who serves or works in batches
loads the kernels once, commands and tests that ask for a list or two do without. The numbers are
the same either way, bit for bit.
"""

from __future__ import annotations

import importlib
from types import ModuleType

ITEM_TO_ITEM = "ml.models.item_to_item_kernels"
HYBRID = "ml.models.hybrid_kernels"
RETRIEVAL = "ml.retrieval_kernels"
POSTINGS = "catalog.posting_kernels"
ROUGH = "catalog.embeddings.rough_kernels"
_loaded: dict[str, ModuleType] = {}


def kernels(name: str) -> ModuleType | None:
    """The module, where this process has loaded it: never half of it, as ``sys.modules`` has."""
    return _loaded.get(name)


def load_kernels(name: str) -> ModuleType:
    """The module; who has not asked before waits for numba."""
    _loaded[name] = importlib.import_module(name)
    return _loaded[name]
