"""Options and habits that commands share."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from emod_model.errors import UsageError

Channels = Annotated[
    str | None,
    typer.Option(
        "--channels", metavar="NAMES", help="Electrode names, as Fp1,Fp2,C3; or a selection of them."
    ),
]
ModelFile = Annotated[
    Path | None, typer.Option("--model", metavar="FILE", help="Checkpoint; the shipped one by default.")
]
JsonlFile = Annotated[
    str | None,
    typer.Option("--jsonl", metavar="FILE|-", help="Write one JSON object a window, then a summary."),
]
Wait = Annotated[float, typer.Option("--wait", metavar="S", help="How long to wait for the other side, s.")]


def channel_list(text: str | None) -> list[str] | None:
    """Split `--channels`.

    Raises
    ------
    UsageError
        An empty name.
    """
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise UsageError(
            f"--channels {text!r} holds an empty name; give names parted by commas, as Fp1,Fp2,C3"
        )
    return names


def positive(option: str, value: float | None) -> None:
    """Refuse a time that is not above 0.

    Raises
    ------
    UsageError
        It is not.
    """
    if value is not None and not 0 < value < float("inf"):
        raise UsageError(f"{option} {value:g} is not a time; give seconds above 0")


def not_negative(option: str, value: float) -> None:
    """Refuse a time below 0.

    Raises
    ------
    UsageError
        It is, or it has no end.
    """
    if not 0 <= value < float("inf"):
        raise UsageError(f"{option} {value:g} is not a time; give seconds from 0")


@contextlib.contextmanager
def ending(stop: Callable[[], None]) -> Iterator[None]:
    """Within this, Ctrl-C and SIGTERM call `stop` instead of breaking off."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, handle) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
