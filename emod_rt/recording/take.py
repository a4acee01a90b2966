"""One recording without a model: a source, a file, nothing between."""

import threading
from collections.abc import Iterator
from pathlib import Path

from emod_model.errors import UsageError
from emod_rt.acquisition import Acquisition
from emod_rt.clock import Clock
from emod_rt.limit import Limited
from emod_rt.recording.recorder import Recorder
from emod_rt.sources.base import Source, StreamInfo
from emod_rt.tally import Tally

_TAKE_S = 0.1


class Take:
    """Record a source until it ends, the time is up, or `stop` is called.

    Parameters
    ----------
    source : Source
        Not yet open.
    path : Path
        The new file.
    clock : Clock
        Time.
    duration_s : float, optional
        Seconds of signal.
    """

    def __init__(self, source: Source, path: Path, clock: Clock, duration_s: float | None = None) -> None:
        if duration_s is not None:
            source = Limited(source, duration_s, clock)
        self._acquisition = Acquisition(source, clock)
        self._path = path
        self._clock = clock
        self._stop = threading.Event()
        self.tally = Tally()

    def open(self, wait_s: float) -> StreamInfo:
        """Connect, then make the file: a source that is not there leaves no empty file behind.

        Raises
        ------
        EmodError
            The source is not there, or the file is, or cannot be made.
        """
        info = self._acquisition.open(wait_s)
        try:
            self._recorder = Recorder(self._path, info, self._clock)
        except UsageError:
            self._acquisition.stop()
            raise
        return info

    def stop(self) -> None:
        """Ask the recording to end; safe in a signal handler."""
        self._stop.set()

    def run(self) -> Iterator[float]:
        """Record, and yield the seconds of signal so far.

        Raises
        ------
        EmodError
            The source was lost, or the disk takes no more; what was written is whole.
        """
        info = self._acquisition.info
        assert info is not None, "open it first"
        self._acquisition.start()
        try:
            while not self._stop.is_set() and (chunks := self._acquisition.take(_TAKE_S)) is not None:
                for chunk in chunks:
                    self._recorder.push(chunk)
                    self.tally.take(chunk.first_index, chunk.data.shape[1])
                yield self.tally.end / info.sfreq
            self._recorder.close({})
        except OSError as error:
            raise UsageError(
                f"{self._path} takes no more data ({error.strerror}); "
                "free some space (what was written until then is whole)"
            ) from error
        finally:
            self._acquisition.stop()
            self._recorder.close({})
        if self._acquisition.error is not None:
            raise self._acquisition.error
