"""What the numbers mean: affect space, signal conditioning, features, network, training."""

from typing import TYPE_CHECKING, Any

from emod_model.errors import EmodError

if TYPE_CHECKING:
    from emod_model.checkpoint import Model, load_checkpoint

__all__ = ["EmodError", "Model", "load_checkpoint"]


def __getattr__(name: str) -> Any:
    """Import torch only when a model is asked for."""
    if name in {"Model", "load_checkpoint"}:
        from emod_model import checkpoint

        return getattr(checkpoint, name)
    raise AttributeError(f"module 'emod_model' has no attribute {name!r}")
