"""The one interface behind `--source`."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Metadata:
    """What a stream says of itself on LSL or in a file, word for word.

    Attributes
    ----------
    name, type, source_id : str
        As on LSL.
    desc : str
        XML of its `<desc>` element, well formed; "" when it has none.
    """

    name: str
    type: str = "EEG"
    source_id: str = ""
    desc: str = ""


@dataclass(frozen=True)
class StreamInfo:
    """What is known of a source before its first sample.

    Attributes
    ----------
    name : str
        What a person would call it: "lsl:Cyton", "brainflow:synthetic".
    sfreq : float
        Nominal rate, Hz.
    channels : tuple of str
        Electrode names in 10-05 spelling, one a row of the data.
    simulated : bool
        True when no person stands behind the signal.
    notes : tuple of str
        One sentence each on anything settled on the way in (unit found, rows repeated, columns left out).
    metadata : Metadata or None
        What the sender says of itself, with `desc` cut down to the channels that are used; None when it is
        no stream that describes itself.
    lsl_clock : bool
        Times are this machine's LSL clock, which markers from the network are timed by as well.
    impedance_kohm : tuple of (float or None)
        Of each electrode, kilo-ohm, where the board measured it before the first sample; empty otherwise.
    """

    name: str
    sfreq: float
    channels: tuple[str, ...]
    simulated: bool = False
    notes: tuple[str, ...] = field(default=())
    metadata: Metadata | None = None
    lsl_clock: bool = False
    impedance_kohm: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Chunk:
    """Consecutive samples as they came in.

    Attributes
    ----------
    first_index : int
        Absolute index of the first sample: 0 at the first sample of the connection, lost samples counted.
        A jump past the previous chunk's end is a hole; a chunk never holds a hole inside.
    data : numpy.ndarray, shape (channels, samples), float32
        Microvolts, raw as acquired. NaN marks a value that is missing on one channel.
    times : numpy.ndarray, shape (samples,), float64
        Seconds in the source's clock (LSL local clock for live sources), strictly increasing.
    arrival : float
        When the chunk was read, s, monotonic clock.
    """

    first_index: int
    data: npt.NDArray[np.float32]
    times: npt.NDArray[np.float64]
    arrival: float


def runs(index: npt.NDArray[np.int64]) -> Iterator[slice]:
    """Yield the stretches of absolute indices without a hole, as slices of `index`; none of them is empty."""
    starts = [0, *(np.flatnonzero(np.diff(index) != 1) + 1).tolist(), index.size]
    for low, high in itertools.pairwise(starts):
        if high > low:
            yield slice(low, high)


class Source(Protocol):
    """A device, a stream, a file or a simulated person.

    Used by one thread: `open`, then `read` again and again, then `close`.
    """

    def open(self, wait_s: float) -> StreamInfo:
        """Connect within `wait_s` seconds.

        Raises
        ------
        SourceError
            Not found in time, or what was found cannot be EEG.
        InputFileError
            A file that cannot be read.
        """
        ...

    def read(self, timeout_s: float) -> list[Chunk] | None:
        """Return what has arrived, waiting at most `timeout_s`; [] when nothing did, None at the end.

        Raises
        ------
        SourceError
            The source is gone and cannot come back by itself.
        """
        ...

    def close(self) -> None:
        """Release the device; safe to call twice and after a failed `open`."""
        ...


@runtime_checkable
class Telling(Protocol):
    """A source that has something to say while it runs."""

    def notices(self) -> tuple[str, ...]:
        """Return one sentence each on what befell the source so far; safe from any thread."""
        ...


def notices_of(source: object) -> tuple[str, ...]:
    """Return what a source has to say; nothing where it never does."""
    return source.notices() if isinstance(source, Telling) else ()
