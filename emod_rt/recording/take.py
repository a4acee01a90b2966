"""One recording without a model: a source, a file, nothing between."""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from emod_model.errors import UsageError
from emod_rt.acquisition import Acquisition
from emod_rt.clock import Clock
from emod_rt.limit import Limited
from emod_rt.markers import Marker, MarkerSource, MarkerStream
from emod_rt.marking import Marking, from_network
from emod_rt.recording.names import Place
from emod_rt.recording.recorder import Recorder
from emod_rt.sources.base import Chunk, Source, StreamInfo
from emod_rt.tally import Tally
from emod_rt.watchdog import Watchdog

_TAKE_S = 0.1


class Take:
    """Record a source until it ends, the time is up, or `stop` is called.

    Parameters
    ----------
    source : Source
        Not yet open.
    where : Path or Place
        The new file, or its folder.
    clock : Clock
        Time.
    duration_s : float, optional
        Seconds of signal.
    reconnect : bool
        Wait for a source that has gone quiet; False ends the recording with its error.
    markers : callable
        Makes the source of the markers that are recorded beside those of `mark`; by default every marker
        stream on the lab network.
    """

    def __init__(
        self,
        source: Source,
        where: Path | Place,
        clock: Clock,
        duration_s: float | None = None,
        *,
        reconnect: bool = True,
        markers: Callable[[], MarkerSource] = from_network,
    ) -> None:
        if duration_s is not None:
            source = Limited(source, duration_s, clock)
        self._acquisition = Acquisition(source, clock)
        self._where = where
        self._clock = clock
        self._stop = threading.Event()
        self._watchdog = Watchdog()
        self._reconnect = reconnect
        self._marked: queue.SimpleQueue[Marker | MarkerStream] = queue.SimpleQueue()
        self._marking = Marking(clock, self._marked.put, markers)
        self.tally = Tally()
        self.begun = False

    @property
    def path(self) -> Path:
        """The file, once open."""
        return self._recorder.path

    def open(self, wait_s: float) -> StreamInfo:
        """Connect, then make the file: a source that is not there leaves no empty file behind.

        Raises
        ------
        EmodError
            The source is not there, or the file is, or cannot be made.
        """
        self._marking.start()
        try:
            info = self._acquisition.open(wait_s)
            # a signal from now on ends what has begun, and leaves no file behind that lacks its end
            self.begun = True
            self._recorder = Recorder(self._where, info, self._clock)
        except BaseException:
            self._release()
            raise
        self._acquisition.tap = self._marking.timeline.arrived
        self._marking.begin(info)
        return info

    def stop(self) -> None:
        """Ask the recording to end; safe in a signal handler."""
        self._stop.set()

    def moment(self) -> float | None:
        """Return this moment for a `mark` whose text comes later, s; None before the first sample."""
        return self._marking.moment()

    def mark(self, text: str, t: float | None = None) -> Marker:
        """Mark a moment, as `emod_rt.session.Session.mark` does."""
        return self._marking.mark(text, t)

    def notices(self) -> tuple[str, ...]:
        """Return one sentence on everything that befell the recording so far."""
        return (*self._acquisition.notices(), *self._recorder.notices, *self._marking.notices())

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
            while (chunks := self._acquisition.take(_TAKE_S)) is not None:
                self._write(chunks)
                self._watch(info, chunks)
                yield self.tally.end / info.sfreq
                if self._stop.is_set():
                    # what was read is still written
                    self._acquisition.stop()
        except UsageError:
            # the disk takes no more, and what it says of the end is no news
            with contextlib.suppress(UsageError):
                self._recorder.close()
            raise
        finally:
            self._release()
            if not self._recorder.closed:
                self._write([])
                self._recorder.close()
        if self._acquisition.error is not None:
            raise self._acquisition.error

    def _write(self, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            self._recorder.push(chunk)
            self.tally.take(chunk.first_index, chunk.data.shape[1])
        with contextlib.suppress(queue.Empty):
            while True:
                self._recorder.push(self._marked.get_nowait())

    def _watch(self, info: StreamInfo, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            self._watchdog.arrived(chunk.arrival)
        now = self._clock.now()
        if not chunks and not self._reconnect and self._watchdog.quiet(now):
            raise self._watchdog.gone(info.name, now)

    def _release(self) -> None:
        try:
            self._acquisition.stop()
        finally:
            self._marking.stop()
