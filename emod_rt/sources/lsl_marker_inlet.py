"""One connection to one sender of markers, and where its markers wait to be read."""

import math
import threading
from collections import deque
from dataclasses import replace
from functools import partial
from typing import Any

from emod_model.errors import SourceError
from emod_rt import liblsl
from emod_rt.clock import Clock
from emod_rt.markers import Marker, MarkerStream
from emod_rt.sources.lsl_query import FORMATS
from emod_rt.sources.lsl_xml import describe_stream

_PULL_S = 0.1  # how soon a thread hears that it is over
_HELD_S = 0.01  # how soon a marker that waits for its correction is looked at again
_ANSWER_S = 5.0  # how long a sender may take to answer
_MOST_MARKERS = 10_000
_MOST_TEXT = 16_000_000  # characters that wait to be read
_LONGEST_DESC = 100_000  # characters
_MEMORY = 1000  # markers of one sender that are known again

_Values = tuple[str | int | float, ...]


class Inbox:
    """What has arrived and was not yet read: bounded, the oldest gives way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streams: list[MarkerStream] = []
        self._known: dict[MarkerStream, MarkerStream] = {}
        self._markers: deque[Marker] = deque()
        self._size = 0
        self.dropped = 0

    @property
    def streams(self) -> int:
        """Streams announced so far."""
        return len(self._known)

    def announce(self, stream: MarkerStream) -> MarkerStream:
        """Return the stream under which its markers are to be put; a restarted sender's is its old one."""
        with self._lock:
            if stream not in self._known:
                self._known[stream] = stream
                self._streams.append(stream)
            return self._known[stream]

    def put(self, marker: Marker) -> None:
        """Take one in."""
        with self._lock:
            self._markers.append(marker)
            self._size += _size(marker)
            while len(self._markers) > _MOST_MARKERS or self._size > _MOST_TEXT:
                self._size -= _size(self._markers.popleft())
                self.dropped += 1

    def take(self) -> tuple[list[MarkerStream], list[Marker]]:
        """Return what is new since the last time."""
        with self._lock:
            streams, markers = self._streams, list(self._markers)
            self._streams = []
            self._markers.clear()
            self._size = 0
        return streams, markers


def _size(marker: Marker) -> int:
    return sum(len(value) for value in marker.values if isinstance(value, str))


class Sender:
    """What is known of one sender across its restarts: no marker counts twice."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: dict[tuple[float, _Values], str] = {}

    def is_new(self, uid: str, stamp: float, values: _Values) -> bool:
        """Tell whether no other connection to this sender has brought this marker."""
        with self._lock:
            first = self._heard.setdefault((stamp, values), uid)
            if len(self._heard) > _MEMORY:
                del self._heard[next(iter(self._heard))]
        return first == uid


class Follower:
    """One connection to one sender, in a thread of its own.

    A marker waits until the offset between the two machines' clocks is known, so that the first is as right
    as the last. When no offset comes within five seconds, the time of its arrival stands in.
    """

    def __init__(self, info: Any, key: tuple[str, ...], inbox: Inbox, sender: Sender, clock: Clock) -> None:
        self.key = key
        self.sender = sender
        self.seen = clock.now()  # when it last answered the network's questions
        self._uid: str = info.uid()
        self._info = info
        self._inbox = inbox
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="emod-marker-inlet")
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether nothing more can come."""
        return not self._thread.is_alive()

    def retire(self) -> None:
        """Ask it to hand on what has arrived, and to end."""
        self._stop.set()

    def join(self, timeout_s: float) -> None:
        """Wait for its end."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        pylsl = liblsl.load()
        inlet = None
        try:
            # raw stamps: liblsl's own correction would wait for seconds after a restart, and lose the marker
            inlet = pylsl.StreamInlet(self._info, max_buflen=_MOST_MARKERS // 100, as_numpy=True)
            self._subscribe(inlet)
            self._follow(inlet)
        except RuntimeError:
            # liblsl's own errors: gone, or never there; the finder meets it again when it answers
            return
        finally:
            if inlet is not None:
                inlet.close_stream()

    def _subscribe(self, inlet: Any) -> None:
        """Connect, in rounds short enough to be called off between them, and begin to measure the clocks."""
        timeout_error = liblsl.load().util.TimeoutError
        deadline = self._clock.now() + _ANSWER_S
        while True:
            try:
                inlet.open_stream(_PULL_S)
                break
            except timeout_error:
                if self._stop.is_set() or self._clock.now() > deadline:
                    raise
        liblsl.known(partial(liblsl.clock_offset, inlet))

    def _follow(self, inlet: Any) -> None:
        pylsl = liblsl.load()
        held: deque[tuple[float, float, _Values]] = deque()
        stream: MarkerStream | None = None
        deadline = self._clock.now() + _ANSWER_S
        while True:
            last = self._stop.is_set()
            try:
                wait = 0.0 if last else _HELD_S if held or stream is None else _PULL_S
                values, stamp = inlet.pull_sample(wait)
            except pylsl.util.LostError:
                values, last = None, True
            if values is not None:
                held.append((stamp, pylsl.local_clock(), _plain(values.tolist())))
            if stream is None:
                stream = self._describe(inlet, at_any_cost=last or self._clock.now() > deadline)
            if stream is not None:
                self._hand_on(inlet, stream, held, last)
            if values is None and last:
                return

    def _describe(self, inlet: Any, *, at_any_cost: bool) -> MarkerStream | None:
        """Return the stream as soon as it has described itself, without its description at any cost."""
        info = self._info
        names = info.name(), info.type(), info.source_id()
        full = liblsl.known(inlet.info)
        if full is None and not at_any_cost:
            return None
        try:
            metadata = describe_stream(*names, "" if full is None else full.as_xml())
        except SourceError:
            # its markers count all the same
            metadata = describe_stream(*names, "")
        if len(metadata.desc) > _LONGEST_DESC:
            metadata = replace(metadata, desc="")
        return self._inbox.announce(
            MarkerStream(metadata, FORMATS[info.channel_format()], info.channel_count())
        )

    def _hand_on(
        self, inlet: Any, stream: MarkerStream, held: deque[tuple[float, float, _Values]], last: bool
    ) -> None:
        """Correct and hand on what is held, as far as the clocks' offset is known."""
        now = liblsl.load().local_clock()
        while held:
            stamp, arrival, values = held[0]
            offset = liblsl.known(partial(liblsl.clock_offset, inlet))
            if offset is None and not last and now < arrival + _ANSWER_S:
                return
            t = math.nan if offset is None else stamp + offset
            held.popleft()
            if self.sender.is_new(self._uid, stamp, values):
                self._inbox.put(Marker(t if math.isfinite(t) else arrival, values, stream))


def _plain(values: list[Any]) -> _Values:
    """Return the values as Python's own; text that is not UTF-8 keeps every byte as a character."""
    return tuple(_text(value) if isinstance(value, bytes) else value for value in values)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
