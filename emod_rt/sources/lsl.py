"""Any LSL stream of EEG as a source."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError, SourceError
from emod_rt import liblsl
from emod_rt.clock import Clock, SystemClock
from emod_rt.holes import HoleDetector
from emod_rt.readers.units import TO_UV, Unit, parse_unit, settle_unit
from emod_rt.sources.base import Chunk, Metadata, StreamInfo, runs
from emod_rt.sources.lsl_feed import CalledOffError, Feed, join
from emod_rt.sources.lsl_layout import Layout, read_layout
from emod_rt.sources.lsl_link import Link
from emod_rt.sources.lsl_query import called_off, describe, find_stream, shown
from emod_rt.sources.lsl_rate import RateCheck
from emod_rt.sources.lsl_xml import clean_text
from emod_rt.sources.release import Releasable

_SETTLE_S = 5.0  # a sender's first second is in within this
_TOGETHER_S = 0.01  # samples that come one by one are handed on in chunks of this
_DOUBT_S = 0.03  # a backlog after a stall is in within this


class _Taken(NamedTuple):
    """Samples as they came, in the stream's own unit."""

    values: npt.NDArray[np.float64]
    stamps: npt.NDArray[np.float64]
    arrival: float


class _Raw(NamedTuple):
    """A run of samples without a hole, in the stream's own unit."""

    first_index: int
    values: npt.NDArray[np.float64]
    times: npt.NDArray[np.float64]
    arrival: float


class LSLSource(Releasable):
    """EEG from the lab network.

    Time stamps are corrected to this machine's LSL clock and not smoothed by liblsl, which would smear a
    loss over seconds; `HoleDetector` makes the absolute index of them. When the sender goes, or goes quiet,
    it is looked for, and `read` returns nothing until it speaks again; the time it was away is a hole. A
    sender whose clock was set is a new epoch, see `emod_rt.holes`.

    `close` is final, and the one method that another thread may call: a waiting `open` then raises
    SourceError within a fraction of a second, a later `read` returns None.

    Parameters
    ----------
    query : str
        `NAME`, or `type=EEG,source_id=...`.
    channels : sequence of str, optional
        One name a data channel when the stream names no electrodes, a selection when it does.
    clock : Clock
        Measures arrival and how long the sender takes to answer.
    """

    def __init__(self, query: str, channels: Sequence[str] | None = None, clock: Clock | None = None) -> None:
        super().__init__()
        self._query = query
        self._wanted = channels
        self._clock = clock or SystemClock()
        self._link: Link | None = None
        self._early: list[Chunk] = []

    def open(self, wait_s: float) -> StreamInfo:
        """Find the stream, connect, and settle its unit from its first second.

        Parameters
        ----------
        wait_s : float
            How long the stream may take to appear, s.

        Raises
        ------
        SourceError
            Not found, ambiguous, silent, not EEG, or called off by `close`.
        UsageError
            The query or the channel names do not fit.
        """
        with self._in_use():
            try:
                info = self._open(wait_s)
            except BaseException:
                self._release()
                raise
        if self._called_off.is_set():
            raise called_off(self._query)
        return info

    def _open(self, wait_s: float) -> StreamInfo:
        deadline = self._clock.now() + wait_s
        found = find_stream(self._query, wait_s, self._called_off)
        self._sfreq = float(found.nominal_srate())
        feed, layout = self._connect(found)
        self._link = Link(feed, self._query, layout, self._wanted, self._clock)
        self._rows = np.array(layout.rows)
        self._scale = np.ones((len(layout.rows), 1))
        self._detector = HoleDetector(self._sfreq)
        self._rate = RateCheck(self._sfreq)
        self._enough = 1 + int(_TOGETHER_S * self._sfreq)
        notes = (*layout.notes, *self._settle(layout, deadline))
        metadata = Metadata(
            clean_text(found.name()), clean_text(found.type()), clean_text(found.source_id()), layout.desc
        )
        return StreamInfo(
            f"lsl:{shown(found.name())}",
            self._sfreq,
            layout.channels,
            layout.simulated,
            notes,
            metadata,
            lsl_clock=True,
        )

    def _connect(self, found: Any) -> tuple[Feed, Layout]:
        stop, util = self._called_off, liblsl.load().util
        feed = Feed(found, self._clock)
        try:
            layout = read_layout(feed.describe(stop), found.channel_count(), self._wanted)
            # first the clocks, since a sender may begin, and soon end, once it has a reader
            feed.measure(stop)
            feed.subscribe(stop)
        except BaseException as problem:
            feed.close()
            if isinstance(problem, CalledOffError):
                raise called_off(self._query) from None
            if isinstance(problem, util.TimeoutError | util.LostError):
                raise SourceError(
                    f"lsl:{self._query} is announced but does not answer ({describe(found)}); "
                    "check the firewall of both machines, or start the sender again"
                ) from problem
            raise
        return feed, layout

    def _settle(self, layout: Layout, deadline: float) -> list[str]:
        """Read the first second and settle the unit of each channel; the chunks wait for the first `read`."""
        taken: list[_Taken] = []
        while sum(part.stamps.size for part in taken) < self._sfreq:
            if self._called_off.is_set():
                raise called_off(self._query)
            taken += self._take(0.1)
            # a sender that speaks is given its second even when the wait is over
            if not taken and self._clock.now() > deadline + _SETTLE_S:
                raise SourceError(
                    f"lsl:{self._query} is connected but has sent nothing; start the sender's acquisition"
                )
            if taken and self._clock.now() - taken[-1].arrival > _SETTLE_S:
                raise SourceError(
                    f"lsl:{self._query} stopped within its first second; start the sender again"
                )
        # placed together: the first stamps are told from losses by those behind them
        stamps = np.concatenate([part.stamps for part in taken])
        second = np.concatenate([part.values for part in taken], axis=1)
        raw = self._place(_Taken(second, stamps, taken[-1].arrival))
        notes = []
        for declared in dict.fromkeys(layout.units):
            rows = [row for row, unit in enumerate(layout.units) if unit == declared]
            try:
                unit = settle_unit(second[rows], declared, self._sfreq)
            except InputFileError as problem:
                known = parse_unit(declared)
                if known is None:
                    raise SourceError(f"lsl:{self._query}: {problem}") from problem
                # an amplifier that no head is connected to yet: flat, but its unit is told
                unit = Unit(TO_UV[known], f"first second of {declared}: {problem}")
            self._scale[rows] = unit.factor
            if unit.note:
                notes.append(unit.note)
        self._early = [self._scaled(run) for run in raw]
        return notes

    def read(self, timeout_s: float) -> list[Chunk] | None:
        """Return all that has arrived, waiting at most `timeout_s`; [] while silent, None once closed.

        Samples that come one by one are gathered for at most 10 ms.

        Raises
        ------
        SourceError
            The sender is back as something else, or it sends faster than it says.
        """
        with self._in_use():
            if self._link is None:
                return None
            if self._early:
                early, self._early = self._early, []
                return early
            return [self._scaled(run) for part in self._take(timeout_s) for run in self._place(part)]

    def _scaled(self, run: _Raw) -> Chunk:
        data = np.ascontiguousarray(run.values * self._scale, dtype=np.float32)
        return Chunk(run.first_index, data, run.times, run.arrival)

    def _take(self, timeout_s: float) -> list[_Taken]:
        """Drain the link; nothing, or all there is in one."""
        assert self._link is not None
        samples = self._link.take(timeout_s, self._enough, self._called_off)
        if samples is None:
            return []
        if self._detector.doubts(samples.stamps):
            more = self._link.take(_DOUBT_S, self._enough, self._called_off)
            samples = samples if more is None else join([samples, more])
        values = samples.data[:, self._rows].T.astype(np.float64)
        values[~np.isfinite(values)] = np.nan
        return [_Taken(values, samples.stamps, self._clock.now())]

    def _place(self, part: _Taken) -> list[_Raw]:
        """Cut what came into runs without holes."""
        assert self._link is not None
        index, even = self._detector.push(part.stamps, part.arrival)
        times = self._link.follow(even)
        if (rate := self._rate.too_fast(part.stamps)) is not None:
            raise SourceError(
                f"lsl:{self._query} declares {self._sfreq:g} Hz but sends {rate:.4g} samples a second; "
                "set the rate right in the sender"
            )
        return [
            _Raw(int(index[run.start]), part.values[:, run], times[run], part.arrival) for run in runs(index)
        ]

    def _release(self) -> None:
        link, self._link = self._link, None
        self._early = []
        if link is not None:
            link.close()
