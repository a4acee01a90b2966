"""From raw chunks to estimates: the same code live, replayed and offline (rule 2)."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emod_model.errors import UsageError
from emod_model.signal.quality import ChannelQuality
from emod_model.signal.windows import Window, Windower
from emod_model.smoothing import Smoother
from emod_rt.calibration.person import Person
from emod_rt.clock import Clock
from emod_rt.engine import Engine
from emod_rt.estimate import Estimate
from emod_rt.sources.base import Chunk, StreamInfo
from emod_rt.tally import Tally

# senders of chunks of a second or two are slow, not behind
_BACKLOG_S = 3.0
# a device's crystal is off by up to 100 millionths: 9 s a day that are no backlog
_DRIFT = 1e-4


_Values = tuple[float | None, float | None, float | None, float | None]


@dataclass(frozen=True)
class _Pending:
    window: Window
    t: float
    arrival: float


class Pipeline:
    """Condition, cut windows, infer, smooth. No thread, no device; time only to measure latency.

    Parameters
    ----------
    engine : Engine
        The model.
    info : StreamInfo
        The source.
    clock : Clock
        For latency, and to know that it has fallen behind.
    hop_s : float, optional
        Time between estimates, s; the model's own by default.
    late_s : float, optional
        Live, a window that has waited longer than this, or whose samples came out of a backlog of more
        than 3 s, is skipped and counted when a newer one is there. None (offline) never skips.
    person : Person, optional
        Reads the windows instead of the model alone; the engine must give views then.

    Raises
    ------
    UsageError
        A hop shorter than one sample.
    ModelError
        The source's rate or electrodes do not fit the model.
    """

    def __init__(
        self,
        engine: Engine,
        info: StreamInfo,
        clock: Clock,
        hop_s: float | None = None,
        late_s: float | None = None,
        person: Person | None = None,
    ) -> None:
        self.tally = Tally()
        self.quality: tuple[ChannelQuality, ...] = ()
        self.band_power_db: npt.NDArray[np.float64] | None = None
        self._engine = engine
        self._info = info
        self._clock = clock
        self._late_s = late_s
        self._person = person
        if hop_s is not None and hop_s * info.sfreq < 1:
            raise UsageError(
                f"--hop {hop_s:g} is less than one sample at {info.sfreq:g} Hz; "
                f"give {1 / info.sfreq:.3g} or more"
            )
        self.windower = Windower(engine.spec, info.sfreq, len(info.channels), hop_s, info.channels)
        self.hop_s = self.windower.hop / info.sfreq
        self._smoother = Smoother()
        self._running = None
        if engine.centring is not None:
            # torch, which a path without a baseline does without
            from emod_model.centring import Running

            self._running = Running(engine.centring, engine.spec, len(info.channels))
        self._last: tuple[int, float] = (0, 0.0)
        self._least_lag = math.inf
        self._arrival = 0.0
        self._told = -1

    def push(self, chunks: Iterable[Chunk]) -> Iterator[Estimate]:
        """Take in everything that has arrived and yield each estimate as soon as it is there.

        A skipped window is missing from the smoothing too: live estimates differ from offline ones for some
        seconds after a skip, and the summary says how many there were.
        """
        taken = [part for chunk in chunks for part in _without_missing(chunk)]
        pending = [item for part in taken for item in self._cut(part)]
        for position, item in enumerate(pending):
            if item.window.index <= self._told:
                # told as stalled, yet what comes after it must be as if the samples had come in time
                self._estimate(item.window)
                continue
            if self._late_s is not None and position + 1 < len(pending) and self._is_old(item):
                self.tally.skipped += 1
                continue
            yield self._publish(item)
        # the two clocks need not be the same: the quickest delivery so far is what "at once" means
        for part in taken:
            drifted = _DRIFT * (part.arrival - self._arrival)
            self._least_lag = min(self._least_lag + drifted, part.arrival - float(part.times[-1]))
            self._arrival = part.arrival

    def stalled(self, now: float, last_arrival: float) -> Estimate:
        """Return the estimate that says the source has gone quiet: the next window, without a number.

        When its samples come late after all, that window is not told a second time.
        """
        index, t = self._last
        self._told = self.windower.end + self.windower.hop - self.windower.end % self.windower.hop - 1
        t += (self._told - index) / self._info.sfreq
        estimate = Estimate(t, self._told, None, None, None, None, "stalled", 1000 * (now - last_arrival))
        self.tally.count(estimate)
        return estimate

    def _is_old(self, item: _Pending) -> bool:
        """Whether a window waited too long here, or arrived out of a backlog that had waited on the way."""
        assert self._late_s is not None
        if item.window.reason == "gap":
            return False  # samples that never came have not waited anywhere
        on_the_way = item.arrival - item.t - self._least_lag
        return self._clock.now() - item.arrival > self._late_s or on_the_way > _BACKLOG_S

    def _cut(self, chunk: Chunk) -> list[_Pending]:
        self.tally.take(chunk.first_index, chunk.data.shape[1])
        windows = self.windower.push(chunk.first_index, chunk.data)
        self._last = (chunk.first_index + chunk.data.shape[1] - 1, float(chunk.times[-1]))
        return [_Pending(window, self._time_of(window.index, chunk), chunk.arrival) for window in windows]

    def _time_of(self, index: int, chunk: Chunk) -> float:
        """Time of a sample of the chunk or, when it was lost, of where it would have been."""
        within = index - chunk.first_index
        if within >= 0:
            return float(chunk.times[within])
        return float(chunk.times[0]) + within / self._info.sfreq

    def _publish(self, item: _Pending) -> Estimate:
        values = self._estimate(item.window)
        latency_ms = 1000 * (self._clock.now() - item.arrival)
        estimate = Estimate(item.t, item.window.index, *values, item.window.reason, latency_ms)
        self.tally.count(estimate)
        if self._person is not None:
            self._person.publish(estimate)
        return estimate

    def _estimate(self, window: Window) -> _Values:
        """Return valence, arousal and their standard deviations, smoothed; None for each when invalid."""
        self.quality = window.quality
        if window.eeg is None:
            return None, None, None, None
        good = list(window.good)
        names = tuple(self._info.channels[row] for row in good)
        stream_time_s = window.index / self._info.sfreq
        added_sd, removal = 0.0, None
        if self._running is not None:
            added_sd = self._running.added_sd
            removal = self._running.take(stream_time_s, window.eeg, good)
        inference = self._engine.infer(window.eeg, names, removal)
        bands = np.full((len(self._info.channels), inference.band_power_db.shape[1]), np.nan)
        bands[good] = inference.band_power_db
        self.band_power_db = bands
        mean, sd = inference.mean, inference.sd
        if self._person is not None:
            mean, sd = self._person.read(stream_time_s, inference, bands)
        mean, sd = self._smoother.update(stream_time_s, mean, np.hypot(sd, added_sd))
        return float(mean[0]), float(mean[1]), float(sd[0]), float(sd[1])


def _without_missing(chunk: Chunk) -> Iterator[Chunk]:
    """Split a chunk where every channel is missing: such samples were lost."""
    there = ~np.isnan(chunk.data).all(axis=0)
    if there.all():
        if there.size:
            yield chunk
        return
    edges = np.flatnonzero(np.diff(there, prepend=False, append=False))
    for low, high in edges.reshape(-1, 2).tolist():
        yield Chunk(chunk.first_index + low, chunk.data[:, low:high], chunk.times[low:high], chunk.arrival)
