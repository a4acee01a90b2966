"""Time and devices: sources, ring buffer, windows, inference, recording, LSL, the command line."""

from typing import TYPE_CHECKING, Any

from emod_model.errors import EmodError

if TYPE_CHECKING:
    from emod_rt.estimate import Estimate
    from emod_rt.session import Session

__all__ = ["EmodError", "Estimate", "Session"]


def __getattr__(name: str) -> Any:
    """Import torch and the drivers only when a session is asked for."""
    if name == "Session":
        from emod_rt.session import Session

        return Session
    if name == "Estimate":
        from emod_rt.estimate import Estimate

        return Estimate
    raise AttributeError(f"module 'emod_rt' has no attribute {name!r}")
