"""Markers: what happened, and when, on the clock that the samples are timed by."""

from dataclasses import dataclass, field
from typing import Protocol

from emod_rt.sources.base import Metadata

TYPED = "emod-rt-markers"
"""Name of the stream that holds what was typed in the terminal, the dashboard or a notebook."""


@dataclass(frozen=True)
class MarkerStream:
    """One stream of markers, on the network or in a file.

    Attributes
    ----------
    metadata : Metadata
        What it says of itself.
    format : str
        LSL's name of its values: "string", "int8", "int16", "int32", "int64", "float32" or "double64".
    channels : int
        Values a marker.
    """

    metadata: Metadata
    format: str = "string"
    channels: int = 1


@dataclass(frozen=True)
class Marker:
    """One event.

    Attributes
    ----------
    t : float
        Seconds in the clock of the source's samples.
    values : tuple of str, int or float
        One a channel of its stream.
    stream : MarkerStream
        Where it comes from.
    """

    t: float
    values: tuple[str | int | float, ...]
    stream: MarkerStream = field(repr=False)

    @property
    def text(self) -> str:
        """The values as one text."""
        return " ".join(str(value) for value in self.values)


class MarkerSource(Protocol):
    """Anything that markers come from while a session runs; read by one thread."""

    @property
    def dropped(self) -> int:
        """Markers that were given up because nobody read them in time."""
        ...

    def read(self) -> tuple[list[MarkerStream], list[Marker]]:
        """Return the streams that are new and the markers that have arrived, at once; never blocks."""
        ...

    def close(self) -> None:
        """Let go of it; safe to call twice."""
        ...


def typed_stream() -> MarkerStream:
    """Return the stream for markers that people type."""
    return MarkerStream(Metadata(TYPED, "Markers", TYPED))
