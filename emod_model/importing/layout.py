"""How the released network names its tensors, and what their shapes tell of its sizes."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from pydantic import ValidationError
from torch import Tensor

from emod_model.errors import ModelError
from emod_model.network import EMODConfig

TOKENS_PER_S = 5
_LAYERS = "axial_transformer.layers."
_TABLE = "pos_embeddings.weight"
_KERNEL = "embd.time_tokenConv.0.weight"
_OFFSETS = f"{_LAYERS}0.width_attn.rel_pos_embed.rel_embed"
_HIDDEN = f"{_LAYERS}0.ffn.0.weight"
_COUNTER = "num_batches_tracked"
_MOST_TOLD = 12

# How the two head namings begin, and what stands behind in our network.
_HEADS: dict[str, dict[str, str]] = {
    "released source": {
        "projection_head.0.attn.": "projection.pool.channels.attn.",
        "projection_head.1.attn.": "projection.pool.time.attn.",
        "projection_head.3.": "projection.mlp.0.",
        "projection_head.4.": "projection.mlp.1.",
        "projection_head.6.": "projection.mlp.3.",
    },
    "older": {
        "attnpool_c.attn.": "projection.pool.channels.attn.",
        "attnpool_t.attn.": "projection.pool.time.attn.",
        "projection_head.0.": "projection.mlp.0.",
        "projection_head.1.": "projection.mlp.1.",
        "projection_head.3.": "projection.mlp.3.",
    },
}
_ENCODER = {
    "embd.time_tokenConv.0.": "encoder.temporal.conv.",
    "embd.time_tokenConv.1.": "encoder.temporal.norm.",
    "embd.freq_tokenConv.0.": "encoder.spectral.conv.",
    "embd.freq_tokenConv.1.": "encoder.spectral.norm.",
    "embd.l.1.": "encoder.fusion.",
}


def read_config(tensors: Mapping[str, Tensor], path: Path) -> EMODConfig:
    """Read the sizes of the network off the shapes."""
    table, kernel = _shape(tensors, _TABLE, 2, path), _shape(tensors, _KERNEL, 4, path)
    offsets, hidden = _shape(tensors, _OFFSETS, 2, path), _shape(tensors, _HIDDEN, 2, path)
    d_model, d_head = table[1], offsets[1]
    if offsets[0] % 2 == 0 or d_model % d_head:
        raise ModelError(
            f"{path} has {_OFFSETS} of shape {offsets}, which is no table of offsets to both sides for heads "
            f"that share {d_model} features; these are not weights of EMOD"
        )
    if offsets[0] < 2 * TOKENS_PER_S - 1:
        raise ModelError(
            f"{path} has {_OFFSETS} of shape {offsets}, too short for a window of one second; "
            "these are not weights of EMOD"
        )
    numbers = {found[1] for key in tensors if (found := re.match(rf"{re.escape(_LAYERS)}(\d+)\.", key))}
    try:
        return EMODConfig(
            d_model=d_model,
            # counted from 0 without a hole; what lies beyond one is an unknown key
            n_layers=next(n for n in range(len(numbers) + 1) if str(n) not in numbers),
            n_heads=d_model // d_head,
            d_feedforward=hidden[0],
            kernel=kernel[3],
            max_tokens=(offsets[0] + 1) // 2,
            temporal_axis="published",
            spectrum="real-part",
        )
    except ValidationError as error:
        raise ModelError(
            f"{path} has sizes that make no EMOD ({error.errors()[0]['msg']}); these are other weights"
        ) from error


def _shape(tensors: Mapping[str, Tensor], key: str, dimensions: int, path: Path) -> tuple[int, ...]:
    """Return the shape of one of the tensors that tell the sizes."""
    if key not in tensors:
        raise ModelError(f"{path} has no {key}, so it is no EMOD as released; it holds {_listed(tensors)}")
    shape = tuple(tensors[key].shape)
    if len(shape) != dimensions or 0 in shape:
        raise ModelError(
            f"{path} has {key} of shape {shape}, where EMOD has {dimensions} dimensions; give its own weights"
        )
    return shape


def _listed(names: Iterable[str]) -> str:
    """Return names in order, the first dozen in full."""
    ordered = sorted(names)
    more = len(ordered) - _MOST_TOLD
    return ", ".join(ordered[:_MOST_TOLD]) + (f" and {more} more" if more > 0 else "")


def head_naming(tensors: Mapping[str, Tensor]) -> str:
    """Tell which of the two names a state dict uses for its head: "released source" or "older"."""
    return "older" if any(key.startswith("attnpool_") for key in tensors) else "released source"


def released_name(name: str, naming: str) -> str:
    """Return how the released network calls one of our tensors, its head as `head_naming` told."""
    if name == "encoder.electrodes":
        return _TABLE
    if name.startswith("layers."):
        return "axial_transformer." + name
    for theirs, ours in (*_ENCODER.items(), *_HEADS[naming].items()):
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    raise AssertionError(f"{name} has no released counterpart")


def check(
    tensors: Mapping[str, Tensor], expected: Mapping[str, str], shapes: Mapping[str, torch.Size], path: Path
) -> None:
    """Refuse a file unless each of its keys, and no other, is one of the network's, with its shape."""
    problems: dict[str, list[str]] = {
        # The counter of batches changes no estimate, and old files lack it.
        "missing": [key for key in expected if key not in tensors and not key.endswith(_COUNTER)],
        "unknown": [key for key in tensors if key not in expected],
        "wrongly shaped": [],
        "not real numbers": [],
    }
    for key in expected.keys() & tensors.keys():
        have, shape = tensors[key], tuple(shapes[expected[key]])
        if expected[key].endswith("conv.weight"):
            shape = (*shape[:2], 1, shape[2])
        if tuple(have.shape) != shape:
            problems["wrongly shaped"].append(f"{key} {tuple(have.shape)} instead of {shape}")
        elif key.endswith(_COUNTER):
            continue
        elif key.endswith("running_var") and bool((have < 0).any()):
            problems["not real numbers"].append(f"{key} (a variance below 0)")
        elif not have.is_floating_point() or not bool(torch.isfinite(have.float()).all()):
            problems["not real numbers"].append(f"{key} ({str(have.dtype).removeprefix('torch.')})")
    told = "; ".join(f"{kind}: {_listed(names)}" for kind, names in problems.items() if names)
    if told:
        raise ModelError(f"{path} does not fit EMOD as released ({told}); nothing was imported")
