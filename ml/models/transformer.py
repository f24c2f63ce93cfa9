"""The causal transformer of ``sequential``: plain functions over a dict of tensors.

Functions rather than modules, because torch may only be imported when a model is used, and because
a dict of named arrays is what gets saved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Parameters = dict[str, "torch.Tensor"]

INIT_DEVIATION = 0.02


def initial(
    *, n_items: int, length: int, n_factors: int, n_blocks: int, generator: torch.Generator
) -> Parameters:
    """Fresh parameters: film 0 is padding, films are shifted by one; positions end at the last."""
    import torch

    def normal(*shape: int) -> torch.Tensor:
        return INIT_DEVIATION * torch.randn(*shape, generator=generator)

    d = n_factors
    found: Parameters = {"items": normal(n_items + 1, d), "positions": normal(length, d)}
    found["items"][0] = 0.0
    for block in range(n_blocks):
        found[f"{block}.qkv"] = normal(3 * d, d)
        found[f"{block}.out"] = normal(d, d)
        found[f"{block}.up"] = normal(d, d)
        found[f"{block}.up_bias"] = torch.zeros(d)
        found[f"{block}.down"] = normal(d, d)
        found[f"{block}.down_bias"] = torch.zeros(d)
        for name in ("norm_attention", "norm_feed"):
            found[f"{block}.{name}"] = torch.ones(d)
            found[f"{block}.{name}_bias"] = torch.zeros(d)
    found["norm"], found["norm_bias"] = torch.ones(d), torch.zeros(d)
    return found


def states(
    parameters: Parameters,
    films: torch.Tensor,
    lengths: torch.Tensor,
    *,
    n_heads: int,
    n_blocks: int,
    dropout: float = 0.0,
) -> torch.Tensor:
    """Hidden states float32[n, width, d] after each film of ``films`` int64[n, width].

    Rows begin with the oldest film and are padded with 0 at the end, where the causal mask hides
    it. Positions are counted from the newest film, as padding at the front would have it.
    """
    import torch
    from torch.nn import functional

    width = films.shape[1]
    last = parameters["positions"].shape[0] - 1
    steps = torch.arange(width)[None, :]
    position = (last - (lengths[:, None] - 1) + steps).clamp(0, last)
    x = parameters["items"][films] * parameters["items"].shape[1] ** 0.5
    x = functional.dropout(x + parameters["positions"][position], dropout, dropout > 0)
    for block in range(n_blocks):
        x = x + _attention(parameters, block, x, n_heads=n_heads, dropout=dropout)
        x = x + _feed_forward(parameters, block, x, dropout=dropout)
    return _norm(parameters, "norm", x)


def _attention(
    parameters: Parameters, block: int, x: torch.Tensor, *, n_heads: int, dropout: float
) -> torch.Tensor:
    from torch.nn import functional

    n, width, d = x.shape
    normed = _norm(parameters, f"{block}.norm_attention", x)
    query, key, value = (
        part.view(n, width, n_heads, d // n_heads).transpose(1, 2)
        for part in (normed @ parameters[f"{block}.qkv"].T).chunk(3, dim=2)
    )
    mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    out = mixed.transpose(1, 2).reshape(n, width, d) @ parameters[f"{block}.out"].T
    return functional.dropout(out, dropout, dropout > 0)


def _feed_forward(
    parameters: Parameters, block: int, x: torch.Tensor, *, dropout: float
) -> torch.Tensor:
    from torch.nn import functional

    x = _norm(parameters, f"{block}.norm_feed", x)
    x = functional.gelu(x @ parameters[f"{block}.up"].T + parameters[f"{block}.up_bias"])
    x = functional.dropout(x, dropout, dropout > 0)
    x = x @ parameters[f"{block}.down"].T + parameters[f"{block}.down_bias"]
    return functional.dropout(x, dropout, dropout > 0)


def _norm(parameters: Parameters, name: str, x: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional

    scale, bias = parameters[name], parameters[f"{name}_bias"]
    return functional.layer_norm(x, scale.shape, scale, bias)
