"""A calibration with a person: a session that records, a protocol, and the screen that shows it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from emod_model.errors import UsageError
from emod_rt.calibration.protocol import Protocol
from emod_rt.calibration.scene import Scene
from emod_rt.calibration.sitting import Sitting
from emod_rt.clock import Clock

if TYPE_CHECKING:
    from emod_rt.session import Session

Show = Callable[[Sitting], object]
"""A screen: draws `Sitting.step()` until it is over, or until the person closes it."""


def hold(session: "Session", protocol: Protocol, clock: Clock, show: Show) -> tuple[Scene, Path]:
    """Let a person sit through a calibration, and end the session.

    Whatever happens meanwhile, the recording is closed and its markers say how it ended.

    Parameters
    ----------
    session : Session
        Started, and recording.
    protocol : Protocol
        Not begun.
    clock : Clock
        The session's.
    show : callable
        The screen.

    Returns
    -------
    Scene
        The last one: "done" or "aborted".
    pathlib.Path
        The recording.

    Raises
    ------
    UsageError
        Nothing was recorded.
    """
    sitting = Sitting(session, protocol, clock)
    try:
        show(sitting)
    finally:
        scene = sitting.abort("the screen was closed")
        close(session)
    return scene, where(session, sitting)


def close(session: "Session") -> None:
    """End the session; all that was recorded is on disk then."""
    session.stop()
    session.join()


def where(session: "Session", sitting: Sitting) -> Path:
    """Return where the recording is now: one that is deleted while it is made goes on elsewhere.

    Raises
    ------
    UsageError
        Nothing was recorded.
    """
    # one that ends at once is over before the sitting has looked
    path = session.view().recording or sitting.recording
    if path is None:
        raise UsageError("the calibration was not recorded, so nothing can be fitted; make room on the disk")
    return Path(path)
