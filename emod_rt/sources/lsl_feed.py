"""One connection to one LSL sender."""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from emod_rt import liblsl
from emod_rt.clock import Clock

_BUFFER_S = 30
_CONNECT_S = 5.0
_ASK_S = 0.2  # how soon a wait for the sender hears that it is called off
_MEASURE_S = 0.5  # liblsl measures every two seconds; no need to look more often

_PULL = 1024
_GATHER_S = 0.01  # samples that come one by one are handed on together

_Answer = TypeVar("_Answer")


class Samples(NamedTuple):
    """Samples as they came, (samples, channels), and their stamps, s."""

    data: npt.NDArray[Any]
    stamps: npt.NDArray[np.float64]


def join(parts: Sequence[Samples]) -> Samples:
    """Return samples that came one after the other as one."""
    return Samples(
        np.concatenate([part.data for part in parts]), np.concatenate([part.stamps for part in parts])
    )


class CalledOffError(Exception):
    """The wait for a sender was ended from outside."""


class Feed:
    """Raw samples of one sender, and the offset of its clock.

    liblsl's own correction is not used: after a restart of the sender it blocks a reader for seconds, and
    stamps the first samples by the clock that is gone. Nor is its recovery, which finds the new sender and
    keeps the old offset: it only keeps what has arrived from being thrown away (`recovered` tells of it).

    Parameters
    ----------
    info : pylsl.StreamInfo
        As resolved.
    clock : Clock
        Measures how long the sender takes to answer.
    patience_s : float
        How long it may take to answer each question, s.

    Attributes
    ----------
    offset : float
        Newest measurement, s, of what to add to the sender's stamps; NaN before `measure`.
    recovered : bool
        liblsl has gone over to another sender; nothing comes from here any more.
    """

    def __init__(self, info: Any, clock: Clock, patience_s: float = _CONNECT_S) -> None:
        self.info = info
        self._patience_s = patience_s
        self._clock = clock
        self._inlet: Any = liblsl.load().StreamInlet(info, max_buflen=_BUFFER_S)
        self._looked = -np.inf
        self.offset = np.nan
        self.recovered = False

    def describe(self, stop: threading.Event) -> str:
        """Return the sender's full description, XML.

        Raises
        ------
        CalledOffError
            `stop` was set.
        pylsl.util.TimeoutError, pylsl.util.LostError
            It does not answer; also from the next two.
        """
        return str(self._ask(self._inlet.info, stop).as_xml())

    def measure(self, stop: threading.Event) -> None:
        """Measure the offset of its clock for the first time."""
        self.offset = float(self._ask(partial(liblsl.clock_offset, self._inlet), stop))

    def subscribe(self, stop: threading.Event) -> None:
        """Begin to receive."""
        self._ask(self._inlet.open_stream, stop)

    def _ask(self, question: Callable[[float], _Answer], stop: threading.Event) -> _Answer:
        """Ask the sender until it answers, in rounds short enough to be called off between them."""
        timeout_error = liblsl.load().util.TimeoutError
        deadline = self._clock.now() + self._patience_s
        while True:
            try:
                return question(_ASK_S)
            except timeout_error:
                if stop.is_set():
                    raise CalledOffError from None
                if self._clock.now() >= deadline:
                    raise

    def drain(self, timeout_s: float, enough: int) -> Samples | None:
        """Return all that is there, waiting at most `timeout_s` for a first sample; None when nothing is.

        Fewer than `enough` samples are given another 10 ms to become as many.

        Raises
        ------
        pylsl.util.LostError
            The sender is gone and has no source_id to find it again by.
        """
        parts = [self._pull(timeout_s, _PULL, 1)]
        got = parts[0].stamps.size
        if 0 < got < enough:
            parts.append(self._pull(min(timeout_s, _GATHER_S), enough - got))
            got = _PULL
        while got == _PULL:
            parts.append(self._pull(0.0, _PULL))
            got = parts[-1].stamps.size
        self.recovered = self.recovered or self._inlet.was_clock_reset()
        self._look()
        if self.recovered or not parts[0].stamps.size:
            # of another sender, by a clock that was not measured
            return None
        return join(parts)

    def _pull(self, wait_s: float, at_most: int, at_least: int | None = None) -> Samples:
        return Samples(*self._inlet.pull_chunk(wait_s, at_most, min_samples=at_least, as_numpy=True))

    def _look(self) -> None:
        now = self._clock.now()
        if now >= self._looked + _MEASURE_S and not self.recovered:
            self._looked = now
            if (offset := liblsl.known(partial(liblsl.clock_offset, self._inlet))) is not None:
                self.offset = offset

    def close(self) -> None:
        """Let go of the sender; what liblsl has to wait for is waited for elsewhere."""
        inlet, self._inlet = self._inlet, None
        if inlet is not None:
            inlet.close_stream()
            holder = [inlet]
            del inlet
            threading.Thread(target=holder.clear, name="emod-lsl-closing").start()
