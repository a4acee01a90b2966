"""Markers of a session: typed or from the network, brought to the clock of the samples."""

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from emod_model.errors import EmodError, UsageError
from emod_rt.clock import Clock
from emod_rt.markers import Marker, MarkerSource, MarkerStream, typed_stream
from emod_rt.sources.base import Chunk, StreamInfo

_POLL_S = 0.05
# what was sent just before the end is still on its way
_LAST_S = 0.3
_MOST_WAITING = 10_000
_LAGS = 64
_TOO_MANY = "More markers came from the network than could be taken; some are lost."


class Timeline:
    """Tells where a moment of this machine's clock lies among the samples.

    Sources in the LSL clock, which is this machine's, need nothing. For the others the quickest of the
    last deliveries is taken to have come at once.
    """

    def __init__(self) -> None:
        self._same: bool | None = None
        self._lags: deque[float] = deque(maxlen=_LAGS)

    def begin(self, info: StreamInfo) -> None:
        """Take note of the source."""
        self._same = info.lsl_clock

    def arrived(self, chunk: Chunk) -> None:
        """Take note of samples."""
        self._lags.append(chunk.arrival - float(chunk.times[-1]))

    def at(self, moment: float) -> float | None:
        """Return the time in the source's clock, s; None before it is known."""
        if self._same:
            return moment
        return None if self._same is None or not self._lags else moment - min(self._lags)


class Marking:
    """Collects markers and hands them on in the clock of the samples.

    What comes from the network before the source's clock is known waits for it.

    Parameters
    ----------
    clock : Clock
        This machine's, which is LSL's too.
    deliver : callable
        Gets each new stream and each marker, from the thread that has it; must not block.
    connect : callable, optional
        Makes the source of markers, in the thread that reads it; None when there is none.
    """

    def __init__(
        self,
        clock: Clock,
        deliver: Callable[[Marker | MarkerStream], None],
        connect: Callable[[], MarkerSource] | None = None,
    ) -> None:
        self.timeline = Timeline()
        self._notice: str | None = None
        self._clock = clock
        self._deliver = deliver
        self._connect = connect
        self._waiting: deque[Marker] = deque()
        self._lost = False
        self._streams: deque[MarkerStream] = deque()
        self._open = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def notices(self) -> tuple[str, ...]:
        """Return one sentence when the network's markers do not come, or not all."""
        lost = [_TOO_MANY] if self._lost else []
        return (*lost, *([] if self._notice is None else [self._notice]))

    def start(self) -> None:
        """Begin to listen to the network; before the source is opened, so that no early marker is missed."""
        if self._connect is not None:
            self._thread = threading.Thread(target=self._listen, args=(self._connect,), name="emod-markers")
            self._thread.start()

    def begin(self, info: StreamInfo) -> None:
        """From now on there is somebody to deliver to."""
        self.timeline.begin(info)
        self._open = True

    def moment(self) -> float | None:
        """Return this moment for a marker whose text comes later, s in the source's clock; None too early."""
        return self.timeline.at(self._clock.now())

    def mark(self, text: str, t: float | None = None) -> Marker:
        """Mark a moment by hand.

        Parameters
        ----------
        text : str
            What happened.
        t : float, optional
            When, s in the source's clock; now by default.

        Returns
        -------
        Marker
            As it is delivered.

        Raises
        ------
        UsageError
            No text, no time, or nothing is running that it could belong to.
        """
        if not text.strip():
            raise UsageError("a marker without a text says nothing; give it one")
        if not self._open or self._stop.is_set():
            raise UsageError(f"the marker {text!r} has nothing to belong to; mark while a session runs")
        t = self.moment() if t is None else t
        if t is None:
            raise UsageError(f"the marker {text!r} came before the first sample; wait for it")
        if not math.isfinite(t):
            raise UsageError(f"the marker {text!r} has no time ({t}); give seconds in the source's clock")
        marker = Marker(t, (text,), typed_stream())
        self._deliver(marker)
        return marker

    def stop(self) -> None:
        """Deliver what has arrived and let go of the network; safe to call twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _listen(self, connect: Callable[[], MarkerSource]) -> None:
        try:
            source = connect()
            try:
                while not self._stop.wait(_POLL_S):
                    self._take(source)
            finally:
                source.close()
            threading.Event().wait(_LAST_S)
            self._take(source)
        except EmodError as error:
            self._notice = f"No markers from the network: {error}."
        except Exception as error:  # noqa: BLE001 - whatever markers do, the signal is recorded
            self._notice = f"No more markers from the network ({type(error).__name__}: {error})."

    def _take(self, source: MarkerSource) -> None:
        streams, markers = source.read()
        self._streams.extend(streams)
        room = _MOST_WAITING - len(self._waiting)
        self._waiting.extend(markers[:room])
        self._lost = self._lost or len(markers) > room or source.dropped > 0
        while self._open and self._streams:
            self._deliver(self._streams.popleft())
        while self._open and self._waiting and (t := self.timeline.at(self._waiting[0].t)) is not None:
            self._deliver(replace(self._waiting.popleft(), t=t))


def from_network() -> MarkerSource:
    """Listen to every marker stream on the lab network.

    Raises
    ------
    SourceError
        liblsl cannot be loaded.
    """
    from emod_rt.sources.lsl_markers import LSLMarkers

    return LSLMarkers()
