"""Writes a session to XDF: raw samples as acquired, estimates beside them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emod_model.errors import UsageError
from emod_rt.clock import Clock
from emod_rt.estimate import Estimate
from emod_rt.markers import Marker, MarkerStream
from emod_rt.recording.streams import affect_stream, eeg_stream, marker_stream
from emod_rt.recording.xdf import XdfWriter
from emod_rt.sources.base import Chunk, StreamInfo

if TYPE_CHECKING:
    from emod_model.checkpoint import Model

Recorded = Chunk | Estimate | Marker | MarkerStream
"""What a recording takes."""

_BOUNDARY_S = 10.0
_OFFSET_S = 5.0


class Recorder:
    """A sink for chunks and estimates that leaves a whole file behind whenever it is killed.

    Each chunk goes to the operating system as one write, so what a killed program loses is what had
    not yet been read from the source. Live sources stamp in this machine's LSL clock, so every clock
    offset is 0.

    Parameters
    ----------
    path : Path
        The new file; readable by its owner only.
    info : StreamInfo
        The source.
    clock : Clock
        For clock offsets and boundaries.
    model : Model, optional
        Where the estimates come from; without it no affect stream is written.

    Raises
    ------
    UsageError
        The file is there already, or cannot be made.
    """

    name = "recording"

    def __init__(self, path: Path, info: StreamInfo, clock: Clock, model: "Model | None" = None) -> None:
        self._clock = clock
        self._affect: int | None = None
        self._markers: dict[MarkerStream, int] = {}
        try:
            self._writer = XdfWriter(path)
            self._eeg = self._writer.add_stream(eeg_stream(info))
            if model is not None:
                self._affect = self._writer.add_stream(affect_stream(model, info))
        except FileExistsError as error:
            raise UsageError(
                f"{path} is there already and is not overwritten; choose another name"
            ) from error
        except OSError as error:
            raise UsageError(f"{path} cannot be written ({error.strerror}); choose another place") from error
        self._next_boundary = self._next_offset = clock.now()

    def add_markers(self, stream: MarkerStream) -> None:
        """Write the header of a stream of markers, once, though no marker may ever come."""
        if stream not in self._markers:
            self._markers[stream] = self._writer.add_stream(marker_stream(stream))

    def push(self, item: Recorded) -> None:
        """Write one chunk of samples, one estimate, one marker or the header of a stream of markers."""
        now = self._clock.now()
        if now >= self._next_offset:
            self._next_offset = now + _OFFSET_S
            self._writer.clock_offsets(now, 0.0)
        if isinstance(item, Chunk):
            self._writer.samples(self._eeg, item.times, item.data)
        elif isinstance(item, MarkerStream):
            self.add_markers(item)
        elif isinstance(item, Marker):
            self.add_markers(item.stream)
            self._writer.samples(self._markers[item.stream], np.array([item.t]), [[v] for v in item.values])
        elif self._affect is not None:
            row = (item.valence, item.arousal, item.valence_sd, item.arousal_sd)
            values = [np.nan if value is None else value for value in row]
            column = np.array([*values, float(item.valid)])[:, None]
            self._writer.samples(self._affect, np.array([item.t]), column)
        if now >= self._next_boundary:
            self._next_boundary = now + _BOUNDARY_S
            self._writer.boundary()

    def close(self, summary: dict[str, Any]) -> None:  # noqa: ARG002 - the sink's interface
        """Write the footers."""
        self._writer.close()
