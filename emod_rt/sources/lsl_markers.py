"""Every marker stream on the lab network, also those that appear later."""

import threading
from typing import Any

from emod_rt import liblsl
from emod_rt.clock import Clock, SystemClock
from emod_rt.markers import Marker, MarkerStream
from emod_rt.sources.lsl_marker_inlet import Follower, Inbox, Sender
from emod_rt.sources.lsl_query import FORMATS, STRING
from emod_rt.sources.lsl_search import Search

_SOUGHT = "nominal_srate=0 or channel_format='string'"
_ROUND_S = 0.05  # how soon a stream that has answered is followed
_CLOSE_S = 0.3  # how long `close` lets the threads hand on what has arrived
_FORGOTTEN_S = 10.0  # without an answer a sender is gone
_MOST_AT_ONCE = 64  # streams
_MOST_STREAMS = 256  # in one session, each restart with other words counted
_MOST_CHANNELS = 1024


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
        self._inbox = Inbox()
        self._stop = threading.Event()
        self._followers: dict[str, Follower] = {}
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
        waited: tuple[threading.Thread | Follower, ...] = (self._finder, *followers)
        for thread in waited:
            thread.join(max(deadline - self._clock.now(), 0.0))

    def _find(self) -> None:
        with Search(_SOUGHT) as search:
            while not self._stop.wait(_ROUND_S):
                self._meet(search.results())
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
        sender = before[0].sender if before else Sender()
        for old in before:
            # what ran before its restart hands on what it has; one that still answers is another sender
            if old.seen < now:
                old.retire()
        self._followers[info.uid()] = Follower(info, key, self._inbox, sender, self._clock)


def _followed(info: Any) -> bool:
    text = info.channel_format() == STRING
    return (
        info.channel_format() in FORMATS
        and 1 <= info.channel_count() <= _MOST_CHANNELS
        and is_marker_stream(info.type(), info.nominal_srate(), text)
    )
