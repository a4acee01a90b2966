"""The state of a run on disk: tensors in safetensors, all else as JSON in its metadata. No pickle."""

import json
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.checkpoint_io import CheckpointIO
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from emod_model.errors import InputFileError

_KEY = "emod-run"


class SafeState(CheckpointIO):
    """How Lightning writes and reads the state of a run."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        """Write a state; an existing file is replaced in one step or not at all.

        Raises
        ------
        InputFileError
            It cannot be written.
        """
        del storage_options
        tensors: dict[str, Tensor] = {}
        rest = _plain(checkpoint, tensors)
        target = Path(path)
        part = target.with_name(f"{target.name}.tmp")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            save_file(tensors, part, {_KEY: json.dumps(rest)})
            part.replace(target)
        except (OSError, SafetensorError) as error:
            part.unlink(missing_ok=True)
            raise InputFileError(f"{target} cannot be written ({error}); make room, then resume") from error

    def load_checkpoint(
        self, path: Any, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a state.

        Raises
        ------
        InputFileError
            It is not whole, or no state of a run.
        """
        del map_location, weights_only
        try:
            with safe_open(path, framework="pt") as file:
                told = (file.metadata() or {})[_KEY]
                state: dict[str, Any] = _whole(json.loads(told), file)
                return state
        except (SafetensorError, OSError, KeyError, json.JSONDecodeError) as error:
            raise InputFileError(
                f"{path} is no whole state of a run ({error}); begin the run anew in another folder"
            ) from error

    def remove_checkpoint(self, path: Any) -> None:
        """Delete a state."""
        Path(path).unlink(missing_ok=True)


def _plain(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Return a value as JSON can hold it, its tensors put aside."""
    if isinstance(value, Tensor):
        name = str(len(tensors))
        # a copy: two names may share one memory, which safetensors refuses
        tensors[name] = value.detach().to("cpu", copy=True).contiguous()
        return {"tensor": name}
    if isinstance(value, dict):
        # pairs: keys may be numbers
        return {"dict": [[key, _plain(item, tensors)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_plain(item, tensors) for item in value]}
    if isinstance(value, list):
        return [_plain(item, tensors) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"a run's state holds a {type(value).__name__}, which cannot be written")


def _whole(value: Any, file: Any) -> Any:
    if isinstance(value, list):
        return [_whole(item, file) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == "tensor":
        return torch.clone(file.get_tensor(inner))
    if kind == "tuple":
        return tuple(_whole(item, file) for item in inner)
    return {key: _whole(item, file) for key, item in inner}
