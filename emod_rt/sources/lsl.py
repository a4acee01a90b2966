"""Any LSL stream of EEG as a source."""

import itertools
import math
import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError, SourceError
from emod_rt import liblsl
from emod_rt.clock import Clock, SystemClock
from emod_rt.holes import HoleDetector
from emod_rt.readers.units import Unit, parse_unit, settle_unit
from emod_rt.sources.base import Chunk, StreamInfo
from emod_rt.sources.lsl_layout import Layout, read_layout
from emod_rt.sources.lsl_query import describe, find_stream

_BUFFER_S = 30
_CONNECT_S = 5.0
_PULL = 1024
_DOUBT_S = 0.03  # a backlog after a stall is in within this
_RATE_CHECK_S = 5.0
_RATE_OFF = 1.06
_TO_UV = {"V": 1e6, "mV": 1e3, "µV": 1.0, "nV": 1e-3}


class _Raw(NamedTuple):
    """A run of samples without a hole, in the stream's own unit."""

    first_index: int
    values: npt.NDArray[np.float64]
    times: npt.NDArray[np.float64]
    arrival: float


class LSLSource:
    """EEG from the lab network.

    Time stamps are corrected to this machine's LSL clock and not smoothed by liblsl, which would smear a
    loss over seconds; `HoleDetector` makes the absolute index of them. When the sender goes, `read` returns
    nothing until a sender with the same source_id is back; the time it was away is a hole. A sender whose
    clock was set is a new epoch, see `emod_rt.holes`.

    Parameters
    ----------
    query : str
        `NAME`, or `type=EEG,source_id=...`.
    channels : sequence of str, optional
        One name a data channel when the stream names no electrodes, a selection when it does.
    clock : Clock
        Measures arrival.
    """

    def __init__(self, query: str, channels: Sequence[str] | None = None, clock: Clock | None = None) -> None:
        self._query = query
        self._wanted = channels
        self._clock = clock or SystemClock()
        self._inlet: Any = None
        self._early: list[Chunk] = []
        self._called_off = threading.Event()

    def open(self, wait_s: float) -> StreamInfo:
        """Find the stream, connect, and settle its unit from its first second.

        Parameters
        ----------
        wait_s : float
            How long the stream may take to appear, s.

        Raises
        ------
        SourceError
            Not found, ambiguous, silent, or it cannot be EEG.
        UsageError
            The query or the channel names do not fit.
        """
        self._called_off.clear()
        try:
            return self._open(wait_s)
        except BaseException:
            self.close()
            raise

    def _open(self, wait_s: float) -> StreamInfo:
        pylsl = liblsl.load()
        deadline = time.monotonic() + wait_s
        found = find_stream(self._query, wait_s, self._called_off)
        self._sfreq = float(found.nominal_srate())
        self._inlet = pylsl.StreamInlet(found, max_buflen=_BUFFER_S, processing_flags=pylsl.proc_clocksync)
        try:
            full = self._inlet.info(_CONNECT_S)
            layout = read_layout(full.as_xml(), full.channel_count(), self._wanted)
            # first the clocks, since a sender may begin, and soon end, once it has a reader
            self._inlet.time_correction(_CONNECT_S)
            self._inlet.open_stream(_CONNECT_S)
        except (TimeoutError, pylsl.util.LostError) as problem:
            raise SourceError(
                f"lsl:{self._query} is announced but does not answer ({describe(found)}); "
                "check the firewall of both machines, or start the sender again"
            ) from problem
        self._rows = np.array(layout.rows)
        self._scale = np.ones((len(layout.rows), 1))
        self._detector = HoleDetector(self._sfreq)
        self._first_stamp = math.nan
        self._received = 0
        self._rate_known = False
        notes = (*layout.notes, *self._settle(layout, deadline))
        return StreamInfo(f"lsl:{found.name()}", self._sfreq, layout.channels, layout.simulated, notes)

    def _settle(self, layout: Layout, deadline: float) -> list[str]:
        """Read the first second and settle the unit of each channel; the chunks wait for the first `read`."""
        raw: list[_Raw] = []
        while sum(run.times.size for run in raw) < self._sfreq:
            raw += self._pull(0.1)
            # a sender that speaks is given its second even when the wait is over
            if not raw and time.monotonic() > deadline + _CONNECT_S:
                raise SourceError(
                    f"lsl:{self._query} is connected but has sent nothing; start the sender's acquisition"
                )
            if raw and self._clock.now() - raw[-1].arrival > _CONNECT_S:
                raise SourceError(
                    f"lsl:{self._query} stopped within its first second; start the sender again"
                )
        second = np.concatenate([run.values for run in raw], axis=1)
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
                unit = Unit(_TO_UV[known], f"first second of {declared}: {problem}")
            self._scale[rows] = unit.factor
            if unit.note:
                notes.append(unit.note)
        self._early = [self._scaled(run) for run in raw]
        return notes

    def read(self, timeout_s: float) -> list[Chunk] | None:
        """Return all that has arrived, waiting at most `timeout_s`; [] while the sender is silent.

        Raises
        ------
        SourceError
            The sender is gone and has no source_id to find it again by, or it sends faster than it says.
        """
        if self._early:
            early, self._early = self._early, []
            return early
        return [self._scaled(run) for run in self._pull(timeout_s)]

    def _scaled(self, run: _Raw) -> Chunk:
        data = np.ascontiguousarray(run.values * self._scale, dtype=np.float32)
        return Chunk(run.first_index, data, run.times, run.arrival)

    def _pull(self, timeout_s: float) -> list[_Raw]:
        """Drain the inlet into runs without holes."""
        pylsl = liblsl.load()
        blocks: list[npt.NDArray[Any]] = []
        stamps: list[npt.NDArray[np.float64]] = []
        try:
            while True:
                wait, at_least = (0.0, None) if blocks else (timeout_s, 1)
                data, times = self._inlet.pull_chunk(wait, _PULL, min_samples=at_least, as_numpy=True)
                if times.size:
                    blocks.append(data)
                    stamps.append(times)
                if times.size < _PULL:
                    break
        except pylsl.util.LostError as problem:
            raise SourceError(
                f"lsl:{self._query} is gone and has no source_id to find it again by; "
                "start the sender and this again"
            ) from problem
        if not blocks:
            return []
        if self._detector.doubts(np.concatenate(stamps)):
            data, times = self._inlet.pull_chunk(_DOUBT_S, _PULL, as_numpy=True)
            blocks.append(data)
            stamps.append(times)
        arrival = self._clock.now()
        values = np.concatenate(blocks)[:, self._rows].T.astype(np.float64)
        values[~np.isfinite(values)] = np.nan
        sent = np.concatenate(stamps)
        index, times = self._detector.push(sent, arrival)
        self._check_rate(sent)
        edges = [0, *(np.flatnonzero(np.diff(index) != 1) + 1), index.size]
        return [
            _Raw(int(index[a]), values[:, a:b], times[a:b], arrival) for a, b in itertools.pairwise(edges)
        ]

    def _check_rate(self, stamps: npt.NDArray[np.float64]) -> None:
        """Refuse, once, a stream that sends more samples a second than it declares."""
        if self._rate_known:
            return
        if self._received == 0:
            self._first_stamp = float(stamps[0])
        self._received += stamps.size
        span = float(stamps[-1]) - self._first_stamp
        if span >= _RATE_CHECK_S:
            self._rate_known = True
            rate = self._received / span
            if rate > _RATE_OFF * self._sfreq:
                raise SourceError(
                    f"lsl:{self._query} declares {self._sfreq:g} Hz but sends {rate:.4g} samples a second; "
                    "set the rate right in the sender"
                )

    def close(self) -> None:
        """Let go of the stream; safe to call twice, and from another thread while `open` waits."""
        self._called_off.set()
        inlet, self._inlet = self._inlet, None
        self._early = []
        if inlet is not None:
            inlet.close_stream()
