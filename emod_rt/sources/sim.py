"""A person who does not exist, as a source."""

import math
import threading
from collections.abc import Sequence

import numpy as np

from emod_model.montage import CYTON, canonical_names
from emod_rt.clock import Clock, SystemClock
from emod_rt.sources.base import Chunk, StreamInfo

SFREQ = 250.0
_CHUNK = 8  # samples: what a headset hands over at a time
_MOST = 250  # samples in one chunk, also after the machine slept


class SimSource:
    """A simulated person at 250 Hz.

    Parameters
    ----------
    seed : int
        The person.
    channels : sequence of str, optional
        Electrodes; the Cyton's eight by default.
    clock : Clock
        Paces the samples and stamps them.
    paced : bool
        Deliver as time passes; otherwise as fast as it is read.
    """

    def __init__(
        self,
        seed: int,
        channels: Sequence[str] | None = None,
        clock: Clock | None = None,
        paced: bool = True,
    ) -> None:
        self._seed = seed
        self._channels = tuple(CYTON if channels is None else channels)
        self._clock = clock or SystemClock()
        self._paced = paced
        self._never = threading.Event()

    def open(self, wait_s: float) -> StreamInfo:  # noqa: ARG002
        """Create the person; `wait_s` does not matter.

        Raises
        ------
        UsageError
            A negative seed, unknown or repeated electrodes.
        """
        from emod_model.simulate import SimulatedPerson

        channels = canonical_names(self._channels)
        self._person = SimulatedPerson(self._seed, channels, SFREQ)
        self._made = 0
        self._start = self._clock.now()
        return StreamInfo(f"sim:{self._seed}", SFREQ, channels, simulated=True, lsl_clock=self._paced)

    def read(self, timeout_s: float) -> list[Chunk] | None:
        """Return the samples that are due, waiting at most `timeout_s` for the next eight."""
        due = self._due()
        if due < _CHUNK:
            wait = (self._made + _CHUNK) / SFREQ - (self._clock.now() - self._start)
            self._clock.wait(min(max(wait, 0.0), timeout_s), self._never)
            due = self._due()
        if due < 1:
            return []
        count = min(due, _MOST)
        times = self._start + np.arange(self._made, self._made + count) / SFREQ
        data = np.ascontiguousarray(self._person.generate(count), dtype=np.float32)
        chunk = Chunk(self._made, data, times, self._clock.now())
        self._made += count
        return [chunk]

    def _due(self) -> int:
        if not self._paced:
            return _MOST
        # a nanosecond of grace, so that waiting exactly until a sample is due finds it due
        return math.floor((self._clock.now() - self._start) * SFREQ + 1e-9 * SFREQ) - self._made

    def close(self) -> None:
        """Nothing to release."""
