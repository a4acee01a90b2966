"""Options and habits that commands share."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from emod_rt.start import leave

if TYPE_CHECKING:
    from rich.text import Text

Channels = Annotated[
    str | None,
    typer.Option(
        "--channels", metavar="NAMES", help="Electrode names, as Fp1,Fp2,C3; or a selection of them."
    ),
]
ModelFile = Annotated[
    Path | None, typer.Option("--model", metavar="FILE", help="Checkpoint; the shipped one by default.")
]
UserName = Annotated[
    str | None,
    typer.Option(
        "--user", metavar="NAME", help="Read the signal with this person's profile (see profile list)."
    ),
]
JsonlFile = Annotated[
    str | None,
    typer.Option("--jsonl", metavar="FILE|-", help="Write one JSON object a window, then a summary."),
]
Wait = Annotated[float, typer.Option("--wait", metavar="S", help="How long to wait for the other side, s.")]
Subject = Annotated[
    str | None, typer.Option("--subject", metavar="LABEL", help="For a name by BIDS: sub-LABEL.")
]
SessionLabel = Annotated[
    str | None, typer.Option("--session", metavar="LABEL", help="For a name by BIDS: ses-LABEL.")
]
Task = Annotated[str | None, typer.Option("--task", metavar="LABEL", help="For a name by BIDS: task-LABEL.")]
NoReconnect = Annotated[
    bool,
    typer.Option(
        "--no-reconnect", help="End with exit code 4 when the source goes quiet; do not wait for it."
    ),
]
Impedance = Annotated[
    bool,
    typer.Option(
        "--impedance", help="Measure each electrode before the first sample, about 1.5 s each (Cyton, Daisy)."
    ),
]


class Waiting:
    """A status line that says anew, whenever it is drawn, what the wait is for."""

    def __init__(self, say: Callable[[], str]) -> None:
        self._say = say

    def __rich__(self) -> "Text":
        """Return the line."""
        from rich.text import Text

        return Text(self._say())


@contextlib.contextmanager
def ending(stop: Callable[[], None], begun: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Within this, Ctrl-C and SIGTERM call `stop`; they break off only what has not yet `begun`.

    Parameters
    ----------
    stop : callable
        Asks for the end.
    begun : callable
        Whether there is something that must be finished, as a file that was made.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        if begun():
            stop()
        else:
            leave(number, frame)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, handle) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
