"""Every marker stream on the lab network, also those that appear later."""

import math
import threading
from collections import deque
from dataclasses import replace
from functools import partial
from typing import Any

from emod_model.errors import SourceError
from emod_rt import liblsl
from emod_rt.clock import Clock, SystemClock
from emod_rt.markers import Marker, MarkerStream
from emod_rt.sources.lsl_query import FORMATS, STRING
from emod_rt.sources.lsl_xml import describe_stream

_SOUGHT = "(nominal_srate=0 or channel_format='string')"
_ROUND_S = 0.25  # one round of questions on the network
_PULL_S = 0.1  # how soon a thread hears that it is over
_HELD_S = 0.01  # how soon a marker that waits for its correction is looked at again
_CLOSE_S = 0.3  # how long `close` lets the threads hand on what has arrived
_ANSWER_S = 5.0  # how long a sender may take to answer
_FORGOTTEN_S = 10.0  # without an answer a sender is gone
_MOST_AT_ONCE = 64  # streams
_MOST_STREAMS = 256  # in one session, each restart with other words counted
_MOST_CHANNELS = 1024
_MOST_MARKERS = 10_000
_MOST_TEXT = 16_000_000  # characters that wait to be read
_LONGEST_DESC = 100_000  # characters
_MEMORY = 1000  # markers of one sender that are known again

_Values = tuple[str | int | float, ...]


def is_marker_stream(kind: str, sfreq: float, text: bool) -> bool:
    """Tell a stream of markers from one of signals.

    Parameters
    ----------
    kind : str
        Type of the stream.
    sfreq : float
        Nominal rate, Hz; 0 when irregular.
    text : bool
        Its values are strings.
    """
    called_so = kind.strip().lower() in ("markers", "marker")
    return (sfreq == 0 and (called_so or text)) or (text and called_so)


class _Inbox:
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
        with self._lock:
            self._markers.append(marker)
            self._size += _size(marker)
            while len(self._markers) > _MOST_MARKERS or self._size > _MOST_TEXT:
                self._size -= _size(self._markers.popleft())
                self.dropped += 1

    def take(self) -> tuple[list[MarkerStream], list[Marker]]:
        with self._lock:
            streams, markers = self._streams, list(self._markers)
            self._streams = []
            self._markers.clear()
            self._size = 0
        return streams, markers


def _size(marker: Marker) -> int:
    return sum(len(value) for value in marker.values if isinstance(value, str))


class _Sender:
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


class _Follower:
    """One connection to one sender, in a thread of its own.

    A marker waits until the offset between the two machines' clocks is known, so that the first is as right
    as the last. When no offset comes within five seconds, the time of its arrival stands in.
    """

    def __init__(self, info: Any, key: tuple[str, ...], inbox: _Inbox, sender: _Sender, clock: Clock) -> None:
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


class LSLMarkers:
    """Follows every stream of markers on the network; a `MarkerSource`.

    Streams of type "Markers" (in any case) whose rate is irregular, and all of irregular rate whose values
    are text. Their inlets are open as soon as they appear, in threads of their own: `read` and `close` wait
    for nobody. Times are corrected to this machine's LSL clock. A sender that restarts with the same name
    and source_id goes on as the same stream.

    Parameters
    ----------
    clock : Clock
        Tells how long a sender has not answered.

    Raises
    ------
    SourceError
        liblsl cannot be loaded.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        liblsl.load()
        self._clock = clock or SystemClock()
        self._inbox = _Inbox()
        self._stop = threading.Event()
        self._followers: dict[str, _Follower] = {}
        self._finder = threading.Thread(target=self._find, name="emod-marker-finder")
        self._finder.start()

    @property
    def dropped(self) -> int:
        """Markers that were given up because nobody read them."""
        return self._inbox.dropped

    def read(self) -> tuple[list[MarkerStream], list[Marker]]:
        """Return the streams that are new and the markers that have arrived, at once."""
        return self._inbox.take()

    def close(self) -> None:
        """Let go of every stream, within a third of a second; safe to call twice.

        One more `read` then returns what had arrived.
        """
        self._stop.set()
        deadline = self._clock.now() + _CLOSE_S
        followers = list(self._followers.values())
        for follower in followers:
            follower.retire()
        waited: tuple[threading.Thread | _Follower, ...] = (self._finder, *followers)
        for thread in waited:
            thread.join(max(deadline - self._clock.now(), 0.0))

    def _find(self) -> None:
        pylsl = liblsl.load()
        while not self._stop.is_set():
            # asks for more than there can be, so that a whole round is waited for
            found = pylsl.resolve_bypred(_SOUGHT, _MOST_CHANNELS, _ROUND_S)
            if not self._stop.is_set():
                self._meet(found)
        for follower in self._followers.values():
            follower.retire()

    def _meet(self, found: list[Any]) -> None:
        """Follow who is new, let go of who has not answered for long."""
        now = self._clock.now()
        for info in found:
            if info.uid() in self._followers:
                self._followers[info.uid()].seen = now
        for info in found:
            full = len(self._followers) >= _MOST_AT_ONCE or self._inbox.streams >= _MOST_STREAMS
            if info.uid() not in self._followers and _followed(info) and not full:
                self._follow(info, now)
        for uid, follower in list(self._followers.items()):
            if now - follower.seen > _FORGOTTEN_S:
                follower.retire()
            if follower.over:
                del self._followers[uid]

    def _follow(self, info: Any, now: float) -> None:
        source_id = info.source_id()
        key = (info.name(), info.type(), source_id) if source_id else (info.uid(),)
        before = [follower for follower in self._followers.values() if follower.key == key]
        sender = before[0].sender if before else _Sender()
        for old in before:
            # what ran before its restart hands on what it has; one that still answers is another sender
            if old.seen < now:
                old.retire()
        self._followers[info.uid()] = _Follower(info, key, self._inbox, sender, self._clock)


def _followed(info: Any) -> bool:
    text = info.channel_format() == STRING
    return (
        info.channel_format() in FORMATS
        and 1 <= info.channel_count() <= _MOST_CHANNELS
        and is_marker_stream(info.type(), info.nominal_srate(), text)
    )
