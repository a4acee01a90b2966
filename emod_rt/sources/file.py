"""A recording played as if it were live, or as fast as it is read."""

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emod_rt.clock import Clock, SystemClock
from emod_rt.sources.base import Chunk, StreamInfo

if TYPE_CHECKING:
    from emod_rt.readers import Recording

_PACED_CHUNK_S = 0.025
_FAST_CHUNK_S = 0.25


class FileSource:
    """A recording behind the interface of a live source.

    Paced, the sample of index i is delivered once i / sfreq seconds have passed since the first `read`, holes
    included. Chunks never span a hole.

    Parameters
    ----------
    path : str or pathlib.Path
        Anything that `read_recording` reads.
    channels : sequence of str, optional
        As for `read_recording`.
    rate : float, optional
        As for `read_recording`, Hz.
    paced : bool
        At the speed of the recording, by the clock; else as fast as it is read.
    chunk : int, optional
        Samples a chunk (the last before a hole or the end may be shorter); by default about 25 ms paced and
        250 ms otherwise.
    clock : Clock, optional
        The machine's own by default.
    """

    def __init__(
        self,
        path: str | Path,
        channels: Sequence[str] | None = None,
        rate: float | None = None,
        paced: bool = True,
        chunk: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._path = Path(path)
        self._channels = channels
        self._rate = rate
        self._paced = paced
        self._chunk = chunk
        self._clock = clock or SystemClock()
        self._closed = threading.Event()
        self._recording: Recording | None = None
        self._ends: list[int] = []
        self._row = 0
        self._began: float | None = None

    @property
    def recording(self) -> "Recording | None":
        """The recording, once open."""
        return self._recording

    def open(self, wait_s: float) -> StreamInfo:  # noqa: ARG002 - the interface of sources
        """Read the file; `wait_s` does not matter.

        Raises
        ------
        InputFileError
            The file cannot be read.
        UsageError
            The channels or the rate do not fit it.
        """
        from emod_rt.readers import read_recording

        recording = read_recording(self._path, self._channels, self._rate)
        self._recording = recording
        self._ends = [stop for _, _, stop in recording.segments]
        self._row, self._began = 0, None
        self._closed.clear()
        return StreamInfo(
            f"file:{recording.name}",
            recording.sfreq,
            recording.channels,
            recording.simulated,
            recording.notes,
        )

    def read(self, timeout_s: float) -> list[Chunk] | None:
        """Return what is due, waiting at most `timeout_s`; [] when nothing is, None at the end."""
        recording = self._recording
        if recording is None or self._closed.is_set() or self._row >= recording.index.size:
            return None
        if not self._paced:
            return [self._take(recording, self._next_stop(recording, _FAST_CHUNK_S))]
        if self._began is None:
            self._began = self._clock.now()
        # a chunk is due when its last sample is
        stop = self._next_stop(recording, _PACED_CHUNK_S)
        ready = self._began + (int(recording.index[stop - 1]) + 1) / recording.sfreq
        missing = ready - self._clock.now()
        if missing > 0 and self._clock.wait(min(missing, timeout_s), self._closed):
            return None
        due = math.floor((self._clock.now() - self._began) * recording.sfreq + 1e-6)
        chunks: list[Chunk] = []
        while self._row < recording.index.size:
            stop = self._next_stop(recording, _PACED_CHUNK_S)
            if recording.index[stop - 1] >= due:
                break
            chunks.append(self._take(recording, stop))
        return chunks

    def close(self) -> None:
        """Let go of the recording; safe to call twice."""
        self._closed.set()
        self._recording = None

    def _next_stop(self, recording: "Recording", seconds: float) -> int:
        """Return the row after the next chunk's last."""
        size = self._chunk or max(1, round(seconds * recording.sfreq))
        end = self._ends[int(np.searchsorted(self._ends, self._row, side="right"))]
        return min(self._row + size, end)

    def _take(self, recording: "Recording", stop: int) -> Chunk:
        rows = slice(self._row, stop)
        self._row = stop
        return Chunk(
            first_index=int(recording.index[rows.start]),
            data=recording.data[:, rows],
            times=recording.times[rows],
            arrival=self._clock.now(),
        )
