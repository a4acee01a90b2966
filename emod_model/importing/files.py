"""Opening a file of PyTorch weights without running anything in it."""

import pickle
import re
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from emod_model.errors import InputFileError, ModelError

_PREFIX = "module."
# What torch's readers raise on bytes that are no whole file of theirs: any lookup or conversion of theirs.
_DAMAGE = (
    *(RuntimeError, OSError, EOFError, ValueError, TypeError, AttributeError, LookupError),
    *(AssertionError, ArithmeticError, MemoryError, struct.error),
)


def read_state_dict(path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Return the state dict of a file, "module." taken off, and the names of what lies beside it."""
    if not path.is_file():
        raise InputFileError(f"no weights at {path}; give the path of a .pt or .pth file")
    try:
        with warnings.catch_warnings():
            # What torch warns of in a foreign pickle, it then refuses or reads rightly.
            warnings.simplefilter("ignore", UserWarning)
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputFileError(
            f"{path} is no file of plain tensors, and nothing in it was run ({_reason(error)}); save its "
            "state_dict() with torch.save"
        ) from error
    except _DAMAGE as error:
        raise InputFileError(
            f"{path} is not a whole file of PyTorch weights ({_reason(error)}); copy it again"
        ) from error
    beside: tuple[str, ...] = ()
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        beside = tuple(str(key) for key in content if key != "state_dict")
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise InputFileError(
            f"{path} holds a {type(content).__name__} and no state dict of tensors; "
            "save the network's state_dict() with torch.save"
        )
    tensors: dict[str, Tensor] = {}
    for key, value in content.items():
        name = str(key).removeprefix(_PREFIX)
        if not _is_plain(value, path):
            kind = f"{value.layout} {value.dtype}" if isinstance(value, Tensor) else type(value).__name__
            raise InputFileError(f"{path} holds under {key!r} a {kind} and no plain tensor; save it anew")
        if name in tensors:
            raise ModelError(f"{path} has {name!r} twice, with and without {_PREFIX!r}; keep one of them")
        tensors[name] = value
    return tensors, beside


def _reason(error: Exception) -> str:
    """Return the first sentence of torch's own explanation."""
    text = str(error).strip()
    if asked := re.search(r"GLOBAL (\S+)", text):
        return f"it asks for {asked[1]}"
    if other := re.search(r"Unsupported operand \d+", text):
        return other[0].lower()
    return text.splitlines()[0].split(". ")[0].rstrip(".: ") if text else type(error).__name__


def _is_plain(value: object, path: Path) -> bool:
    """Tell whether a value is a dense tensor whose numbers are really in the file."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
        and not value.is_complex()
        and value.numel() * value.element_size() <= path.stat().st_size
    )
