"""Any LSL stream of EEG as a source."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError, SourceError
from emod_rt import liblsl
from emod_rt.clock import Clock, SystemClock
from emod_rt.holes import HoleDetector
from emod_rt.readers.units import TO_UV, Unit, parse_unit, settle_unit
from emod_rt.sources.base import Chunk, StreamInfo, runs
from emod_rt.sources.lsl_layout import Layout, read_layout
from emod_rt.sources.lsl_query import called_off, describe, find_stream
from emod_rt.sources.lsl_rate import RateCheck
from emod_rt.sources.release import Releasable

_BUFFER_S = 30
_CONNECT_S = 5.0
_ASK_S = 0.2  # how soon a wait for the sender hears that it is called off
_PULL = 1024
_GATHER_S = 0.01  # samples that come one by one are handed on together
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
    loss over seconds; `HoleDetector` makes the absolute index of them. When the sender goes, `read` returns
    nothing until a sender with the same source_id is back; the time it was away is a hole. A sender whose
    clock was set is a new epoch, see `emod_rt.holes`.

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
        self._inlet: Any = None
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
        pylsl = liblsl.load()
        deadline = self._clock.now() + wait_s
        found = find_stream(self._query, wait_s, self._called_off)
        self._sfreq = float(found.nominal_srate())
        self._inlet = pylsl.StreamInlet(found, max_buflen=_BUFFER_S, processing_flags=pylsl.proc_clocksync)
        try:
            full = self._ask(self._inlet.info)
            layout = read_layout(full.as_xml(), full.channel_count(), self._wanted)
            # first the clocks, since a sender may begin, and soon end, once it has a reader
            self._ask(self._inlet.time_correction)
            self._ask(self._inlet.open_stream)
        except (pylsl.util.TimeoutError, pylsl.util.LostError) as problem:
            raise SourceError(
                f"lsl:{self._query} is announced but does not answer ({describe(found)}); "
                "check the firewall of both machines, or start the sender again"
            ) from problem
        self._rows = np.array(layout.rows)
        self._scale = np.ones((len(layout.rows), 1))
        self._detector = HoleDetector(self._sfreq)
        self._rate = RateCheck(self._sfreq)
        self._enough = 1 + int(_GATHER_S * self._sfreq)
        notes = (*layout.notes, *self._settle(layout, deadline))
        return StreamInfo(f"lsl:{found.name()}", self._sfreq, layout.channels, layout.simulated, notes)

    def _ask(self, question: Callable[[float], Any]) -> Any:
        """Ask the sender until it answers, in rounds short enough to be called off between them."""
        timeout_error = liblsl.load().util.TimeoutError
        deadline = self._clock.now() + _CONNECT_S
        while True:
            try:
                return question(_ASK_S)
            except timeout_error:
                if self._called_off.is_set():
                    raise called_off(self._query) from None
                if self._clock.now() >= deadline:
                    raise

    def _settle(self, layout: Layout, deadline: float) -> list[str]:
        """Read the first second and settle the unit of each channel; the chunks wait for the first `read`."""
        taken: list[_Taken] = []
        while sum(part.stamps.size for part in taken) < self._sfreq:
            if self._called_off.is_set():
                raise called_off(self._query)
            taken += self._take(0.1)
            # a sender that speaks is given its second even when the wait is over
            if not taken and self._clock.now() > deadline + _CONNECT_S:
                raise SourceError(
                    f"lsl:{self._query} is connected but has sent nothing; start the sender's acquisition"
                )
            if taken and self._clock.now() - taken[-1].arrival > _CONNECT_S:
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
            The sender is gone and has no source_id to find it again by, or it sends faster than it says.
        """
        with self._in_use():
            if self._inlet is None:
                return None
            if self._early:
                early, self._early = self._early, []
                return early
            return [self._scaled(run) for part in self._take(timeout_s) for run in self._place(part)]

    def _scaled(self, run: _Raw) -> Chunk:
        data = np.ascontiguousarray(run.values * self._scale, dtype=np.float32)
        return Chunk(run.first_index, data, run.times, run.arrival)

    def _take(self, timeout_s: float) -> list[_Taken]:
        """Drain the inlet; nothing, or all there is in one."""
        pylsl = liblsl.load()
        blocks: list[npt.NDArray[Any]] = []
        stamps: list[npt.NDArray[np.float64]] = []

        def take(wait: float, at_most: int = _PULL, at_least: int | None = None) -> int:
            data, times = self._inlet.pull_chunk(wait, at_most, min_samples=at_least, as_numpy=True)
            if times.size:
                blocks.append(data)
                stamps.append(times)
            return int(times.size)

        try:
            got = take(timeout_s, at_least=1)
            if 0 < got < self._enough:
                take(min(timeout_s, _GATHER_S), self._enough - got)
                got = _PULL
            while got == _PULL:
                got = take(0.0)
        except pylsl.util.LostError as problem:
            raise SourceError(
                f"lsl:{self._query} is gone and has no source_id to find it again by; "
                "start the sender and this again"
            ) from problem
        if not blocks:
            return []
        if self._detector.doubts(np.concatenate(stamps)):
            take(_DOUBT_S)
        arrival = self._clock.now()
        values = np.concatenate(blocks)[:, self._rows].T.astype(np.float64)
        values[~np.isfinite(values)] = np.nan
        return [_Taken(values, np.concatenate(stamps), arrival)]

    def _place(self, part: _Taken) -> list[_Raw]:
        """Cut what came into runs without holes."""
        index, times = self._detector.push(part.stamps, part.arrival)
        if (rate := self._rate.too_fast(part.stamps)) is not None:
            raise SourceError(
                f"lsl:{self._query} declares {self._sfreq:g} Hz but sends {rate:.4g} samples a second; "
                "set the rate right in the sender"
            )
        return [
            _Raw(int(index[run.start]), part.values[:, run], times[run], part.arrival) for run in runs(index)
        ]

    def _release(self) -> None:
        inlet, self._inlet = self._inlet, None
        self._early = []
        if inlet is not None:
            inlet.close_stream()
