"""The way to a sender through its absences: a connection, and the search for the next when it is silent."""

import math
import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emod_rt import liblsl
from emod_rt.clock import Clock
from emod_rt.sources.lsl_feed import Feed, Samples
from emod_rt.sources.lsl_layout import Layout
from emod_rt.sources.lsl_offset import ClockOffset
from emod_rt.sources.lsl_return import Seeker
from emod_rt.watchdog import Watchdog

_SAME_S = 0.05  # a clock that is measured so near to where it was expected is the same
_PATIENCE_S = 10.0  # a new connection that stays as silent as the old one is made anew


class Link:
    """Samples of one sender, whatever connection they come by, never of two at once.

    When the sender is silent it is looked for, and a second connection made. The first of the two that
    brings a sample stays, the other is let go: nothing counts twice.

    Parameters
    ----------
    feed : Feed
        The first connection, measured and subscribed.
    query, layout, channels
        What the sender is known again by, see `Seeker`.
    clock : Clock
        Tells how long the sender has been silent.
    """

    def __init__(
        self, feed: Feed, query: str, layout: Layout, channels: Sequence[str] | None, clock: Clock
    ) -> None:
        self._feed = feed
        self._lost = False  # the connection is dead, and liblsl says so
        self._known = (query, layout, channels)
        self._seeker: Seeker | None = None
        self._next: Feed | None = None
        self._since = 0.0  # when the search began, or its connection was there
        self._clock = clock
        self._watchdog = Watchdog()
        self._offset = ClockOffset(feed.offset)
        self._vouched = True  # the offset was measured on this connection
        self._heard = liblsl.load().local_clock()

    def take(self, timeout_s: float, enough: int, stop: threading.Event) -> Samples | None:
        """Return all that is there, with stamps in our clock but for `follow`; None when nothing is.

        Raises
        ------
        EmodError
            The sender is back as something else.
        """
        samples = self._drain(timeout_s, enough, stop)
        now = self._clock.now()
        if samples is None:
            samples = self._seek(now, enough)
        if samples is None:
            return None
        self._watchdog.arrived(now)
        self._give_up_search()
        self._heard = liblsl.load().local_clock()
        self._measured()
        return Samples(samples.data, samples.stamps + self._offset.base)

    def follow(self, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the times moved by the drift between the clocks; see `ClockOffset.follow`."""
        return times + self._offset.follow(times)

    def _measured(self) -> None:
        """Follow the offset; whether a clock does go on, its first measurement decides."""
        offset = self._feed.offset
        if not self._vouched and math.isfinite(offset):
            self._vouched = True
            if abs(offset - self._offset.value) > _SAME_S:
                self._offset.restart(offset)
        self._offset.measured(offset)

    def _drain(self, timeout_s: float, enough: int, stop: threading.Event) -> Samples | None:
        if not self._lost:
            try:
                samples = self._feed.drain(timeout_s, enough)
                self._lost = self._feed.recovered
                return samples
            except liblsl.load().util.LostError:
                self._lost = True
        self._clock.wait(timeout_s, stop)
        return None

    def _seek(self, now: float, enough: int) -> Samples | None:
        """Look for the sender while it is silent; what a new connection brings is the first of it."""
        if self._next is not None:
            samples = self._next.drain(0.0, enough)
            if samples is not None:
                self._feed.close()
                self._feed, self._next, self._lost = self._next, None, False
                self._vouched = math.isfinite(self._feed.offset)
                if self._vouched:
                    self._offset.restart(self._feed.offset)
            elif now > self._since + _PATIENCE_S:
                self._give_up_search()
            return samples
        if self._seeker is None:
            if self._lost or self._watchdog.quiet(now):
                query, layout, channels = self._known
                self._seeker = Seeker(
                    query, self._feed.info, layout, channels, self._clock, self._offset.value, self._heard
                )
        elif (found := self._seeker.found()) is not None:
            self._seeker.release()
            self._seeker, self._next, self._since = None, found, now
        return None

    def _give_up_search(self) -> None:
        if self._seeker is not None:
            self._seeker.stop()
            self._seeker = None
        if self._next is not None:
            self._next.close()
            self._next = None

    def close(self) -> None:
        """Let go of the sender; waits for nobody."""
        self._give_up_search()
        self._feed.close()
