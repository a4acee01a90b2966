"""Finding a sender again that has gone quiet, without making its reader wait."""

import re
import threading
from collections.abc import Sequence
from typing import Any

from emod_model.errors import EmodError, SourceError
from emod_rt import liblsl
from emod_rt.clock import Clock
from emod_rt.sources.lsl_feed import CalledOffError, Feed
from emod_rt.sources.lsl_layout import Layout, read_layout
from emod_rt.sources.lsl_query import describe, parse_query, predicate
from emod_rt.sources.lsl_search import Search

_LOOK_S = 0.05  # how soon an answer is seen
_DOUBLE_S = 3.0  # two for longer than this are two; for shorter, one may be what has just died
_PATIENCE_S = (
    1.0,
    2.0,
    5.0,
)  # a connection that hangs is soon made anew, one that is only slow gets its time
_EARLY_S = 2.0  # a program may make its next outlet so long before its last one falls silent
# what pylsl makes up for a sender that gives no source_id: a hash that is another in every process
_MADE_UP = re.compile(r"-?\d{15,20}")


class Seeker:
    """Looks for the sender in a thread of its own, and connects to it.

    The sender is who answers to the query and has the same name, type and source_id; its uid is new after
    a restart. While the very outlet that was lost still answers, no other is taken in its place.

    Parameters
    ----------
    query : str
        What the user asked for.
    lost : pylsl.StreamInfo
        The sender as it was.
    layout : Layout
        Its channels as they were.
    channels : sequence of str or None
        The user's choice of channels.
    clock : Clock
        For the new connection.
    offset, heard : float
        What to add to the sender's clock as it was, s; when it was last heard, in ours.
    """

    def __init__(
        self,
        query: str,
        lost: Any,
        layout: Layout,
        channels: Sequence[str] | None,
        clock: Clock,
        offset: float,
        heard: float,
    ) -> None:
        wanted = parse_query(query)
        wanted.pop("uid", None)
        self._query = query
        self._predicate = predicate(wanted)
        self._lost = lost
        self._layout = layout
        self._channels = channels
        self._clock = clock
        self._offset, self._heard = offset, heard
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._found: Feed | EmodError | None = None
        self._attempts = 0
        self._alone = clock.now()  # when no two streams answered that could be it
        threading.Thread(target=self._run, name="emod-lsl-seeker").start()

    def found(self) -> Feed | None:
        """Return the new connection once it is there.

        Raises
        ------
        EmodError
            What is there now is not what it was.
        """
        if isinstance(self._found, EmodError):
            raise self._found
        return self._found

    def stop(self) -> None:
        """End the search, and let go of what was found; waits for nobody."""
        with self._lock:
            self._stop.set()
            found, self._found = self._found, None
        if isinstance(found, Feed):
            found.close()

    def release(self) -> None:
        """End the search; what was found stays the caller's."""
        self._found = None
        self._stop.set()

    def _run(self) -> None:
        result: Feed | EmodError | None = None
        with Search(self._predicate) as search:
            while result is None and not self._stop.wait(_LOOK_S):
                try:
                    info = self._choose(search.results())
                    result = None if info is None else self._connect(info)
                except EmodError as error:
                    result = error
        with self._lock:
            if not self._stop.is_set():
                self._found = result
                return
        if isinstance(result, Feed):
            result.close()

    def _choose(self, found: list[Any]) -> Any:
        """Return the sender among those that answer, None when it is not there."""
        same = [info for info in found if _identity(info) == _identity(self._lost)]
        for info in same:
            if info.uid() == self._lost.uid():
                return info
        if len(same) < 2:
            self._alone = self._clock.now()
            return same[0] if same else None
        if self._clock.now() > self._alone + _DOUBLE_S:
            raise SourceError(
                f"lsl:{self._query} has gone, and {len(same)} streams could be it: "
                f"{'; '.join(describe(info) for info in same[:8])}; end all but one and start again"
            )
        return None

    def _connect(self, info: Any) -> Feed | None:
        """Connect to the sender; None when it is gone again."""
        if (change := _changed(self._lost, info)) is not None:
            raise SourceError(f"lsl:{self._query} is back {change}; start again to take it as it is now")
        feed = None
        try:
            patience_s = _PATIENCE_S[min(self._attempts, len(_PATIENCE_S) - 1)]
            self._attempts += 1
            feed = Feed(info, self._clock, patience_s)
            # subscribed first: what it sends while its clock is measured is not lost
            feed.subscribe(self._stop)
            self._compare(feed.describe(self._stop), info.channel_count())
            if not self._same_clock(info):
                feed.measure(self._stop)
        except (CalledOffError, RuntimeError, SourceError) as problem:
            if feed is not None:
                feed.close()
            if isinstance(problem, SourceError):
                raise
            # liblsl's own errors are RuntimeError: it does not answer, or is gone again
            return None
        return feed

    def _same_clock(self, info: Any) -> bool:
        """Tell whether a sender's clock goes on as before, so that nobody waits for liblsl to measure it.

        A machine that was started again would have made the new outlet long before the old one fell silent.
        """
        if info.uid() == self._lost.uid():
            return True
        made = info.created_at() + self._offset
        now = liblsl.load().local_clock()
        return bool(
            info.hostname() == self._lost.hostname() and self._heard - _EARLY_S <= made <= now + _EARLY_S
        )

    def _compare(self, xml: str, n_channels: int) -> None:
        try:
            layout = read_layout(xml, n_channels, self._channels)
        except EmodError as problem:
            raise SourceError(f"lsl:{self._query} is back with other channels: {problem}") from problem
        if (layout.rows, layout.channels, layout.units) != (
            self._layout.rows,
            self._layout.channels,
            self._layout.units,
        ):
            raise SourceError(
                f"lsl:{self._query} is back with other channels ({_worded(layout)}) than before "
                f"({_worded(self._layout)}); start again to take it as it is now"
            )


def _identity(info: Any) -> tuple[str, str, str]:
    source_id = info.source_id()
    return info.name(), info.type(), "" if _MADE_UP.fullmatch(source_id) else source_id


def _changed(before: Any, after: Any) -> str | None:
    """Return in words what a stream's outline has changed to, None when it has not."""
    if after.nominal_srate() != before.nominal_srate():
        return f"at {after.nominal_srate():g} Hz instead of {before.nominal_srate():g} Hz"
    if after.channel_count() != before.channel_count():
        return f"with {after.channel_count()} channels instead of {before.channel_count()}"
    if after.channel_format() != before.channel_format():
        return "with another sample format"
    return None


def _worded(layout: Layout) -> str:
    names = ", ".join(layout.channels[:8]) + (", ..." if len(layout.channels) > 8 else "")
    units = ", ".join(dict.fromkeys(unit or "no unit" for unit in layout.units))
    return f"{names}; {units}"
