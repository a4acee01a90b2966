"""Every marker stream on the lab network, also those that appear later."""

import contextlib
import math
import threading
from collections import deque
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
_ANSWER_S = 5.0  # how long a sender may take to answer
_FORGOTTEN_S = 10.0  # without an answer a sender is gone
_MOST_STREAMS = 64
_MOST_CHANNELS = 1024
_MOST_MARKERS = 10_000
_MOST_TEXT = 16_000_000  # characters that wait to be read
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

    def __init__(self, info: Any, inbox: _Inbox, sender: _Sender, now: float) -> None:
        self.sender = sender
        self.seen = now  # when it last answered the network's questions
        self._uid: str = info.uid()
        self._info = info
        self._inbox = inbox
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

    def _run(self) -> None:
        pylsl = liblsl.load()
        inlet = None
        try:
            # raw stamps: liblsl's own correction would wait for seconds after a restart, and lose the marker
            inlet = pylsl.StreamInlet(self._info, max_buflen=_MOST_MARKERS // 100, as_numpy=True)
            # subscribed first, or what is sent while it describes itself would be lost
            self._ask(inlet.open_stream)
            with contextlib.suppress(pylsl.util.TimeoutError):
                # begins to measure; the first marker then finds it done
                inlet.time_correction(0.0)
            stream = self._inbox.announce(self._describe(inlet))
            self._follow(inlet, stream)
        except RuntimeError:
            # liblsl's own errors: gone, or never there; the finder meets it again when it answers
            return
        finally:
            if inlet is not None:
                inlet.close_stream()

    def _ask(self, question: Any) -> Any:
        """Ask in rounds short enough to be called off between them."""
        timeout_error = liblsl.load().util.TimeoutError
        for _ in range(round(_ANSWER_S / _PULL_S)):
            try:
                return question(_PULL_S)
            except timeout_error:
                if self._stop.is_set():
                    raise
        return question(0.0)

    def _describe(self, inlet: Any) -> MarkerStream:
        info = self._info
        kind = FORMATS[info.channel_format()]
        try:
            xml = self._ask(inlet.info).as_xml()
            metadata = describe_stream(info.name(), info.type(), info.source_id(), xml)
        except (SourceError, liblsl.load().util.TimeoutError):
            # its markers count all the same
            metadata = describe_stream(info.name(), info.type(), info.source_id(), "")
        return MarkerStream(metadata, kind, info.channel_count())

    def _follow(self, inlet: Any, stream: MarkerStream) -> None:
        pylsl = liblsl.load()
        held: deque[tuple[float, float, _Values]] = deque()
        while True:
            last = self._stop.is_set()
            try:
                values, stamp = inlet.pull_sample(0.0 if last or held else _PULL_S)
            except pylsl.util.LostError:
                values, last = None, True
            if values is not None:
                held.append((stamp, pylsl.local_clock(), _plain(values.tolist())))
            self._hand_on(inlet, stream, held, last)
            if values is None:
                if last:
                    return
                if held:
                    self._stop.wait(_PULL_S / 10)

    def _hand_on(
        self, inlet: Any, stream: MarkerStream, held: deque[tuple[float, float, _Values]], last: bool
    ) -> None:
        """Correct and hand on what is held, as far as the clocks' offset is known."""
        pylsl = liblsl.load()
        while held:
            stamp, arrival, values = held[0]
            try:
                t = stamp + inlet.time_correction(0.0)
            except (pylsl.util.TimeoutError, pylsl.util.LostError):
                if not last and pylsl.local_clock() - arrival < _ANSWER_S:
                    return
                t = arrival
            if not math.isfinite(t):
                t = arrival
            held.popleft()
            if self.sender.is_new(self._uid, stamp, values):
                self._inbox.put(Marker(t, values, stream))


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
        self._senders: dict[tuple[str, ...], _Sender] = {}
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
        """Let go of every stream; safe to call twice, waits for nobody."""
        self._stop.set()

    def _find(self) -> None:
        pylsl = liblsl.load()
        while not self._stop.is_set():
            # asks for more than there can be, so that a whole round is waited for
            found = pylsl.resolve_bypred(_SOUGHT, _MOST_CHANNELS, _ROUND_S)
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
            there = info.uid() in self._followers
            if not there and _followed(info) and len(self._followers) < _MOST_STREAMS:
                self._follow(info, now)
        for uid, follower in list(self._followers.items()):
            if now - follower.seen > _FORGOTTEN_S:
                follower.retire()
            if follower.over:
                del self._followers[uid]

    def _follow(self, info: Any, now: float) -> None:
        source_id = info.source_id()
        key = (info.name(), info.type(), source_id) if source_id else (info.uid(),)
        sender = self._senders.setdefault(key, _Sender())
        for old in self._followers.values():
            # what ran before its restart hands on what it has; one that still answers is another sender
            if old.sender is sender and old.seen < now:
                old.retire()
        self._followers[info.uid()] = _Follower(info, self._inbox, sender, now)


def _followed(info: Any) -> bool:
    text = info.channel_format() == STRING
    return (
        info.channel_format() in FORMATS
        and 1 <= info.channel_count() <= _MOST_CHANNELS
        and is_marker_stream(info.type(), info.nominal_srate(), text)
    )
