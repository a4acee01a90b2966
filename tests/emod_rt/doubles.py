"""A clock, a source and an engine whose every value a test decides."""

import threading

import numpy as np

from emod_model.signal.spec import SignalSpec
from emod_rt.engine import Inference
from emod_rt.sources.base import Chunk, StreamInfo

CHANNELS = ("Fp1", "Fp2", "C3", "C4")


class ManualClock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        self.time += max(seconds, 0.0)
        return stop.is_set()


class ScriptedSource:
    """Delivers what it was given, one list of chunks a read; a callable in the script is called first."""

    def __init__(self, script, sfreq=250.0, channels=CHANNELS, error=None) -> None:
        self._script = list(script)
        self._info = StreamInfo("scripted", sfreq, channels)
        self._error = error
        self.closed = 0

    def open(self, wait_s: float) -> StreamInfo:
        return self._info

    def read(self, timeout_s: float) -> list[Chunk] | None:
        if not self._script:
            if self._error is not None:
                raise self._error
            return None
        step = self._script.pop(0)
        return step() if callable(step) else step

    def close(self) -> None:
        self.closed += 1


class MeanEngine:
    """An engine whose answer is a known function of the window."""

    def __init__(self, clock: ManualClock | None = None, cost_s: float = 0.0) -> None:
        self.spec = SignalSpec()
        self.centring = None
        self.calls: list[tuple[str, ...]] = []
        self._clock = clock
        self._cost_s = cost_s

    def infer(self, eeg: np.ndarray, channels: tuple[str, ...], removal: object = None) -> Inference:
        self.calls.append(channels)
        if self._clock is not None:
            self._clock.time += self._cost_s
        level = float(np.tanh(eeg[0, -1] / 50))
        return Inference(np.array([level, -level]), np.array([0.3, 0.2]), np.zeros((len(channels), 5)))


def eeg(n: int, first: int = 0, channels: int = 4, sfreq: float = 250.0) -> np.ndarray:
    """Plausible EEG whose samples depend on their absolute index alone, microvolts."""
    rng = np.random.default_rng(7)
    walk = rng.standard_normal((channels, first + n)).astype(np.float32) * 10
    time = np.arange(first + n) / sfreq
    return (walk + 15 * np.sin(2 * np.pi * 10 * time)).astype(np.float32)[:, first:]


def chunks_of(
    data: np.ndarray, size: int, sfreq: float = 250.0, first: int = 0, arrival: float = 100.0
) -> list[Chunk]:
    """Cut an array into chunks."""
    return [
        Chunk(
            first + at,
            data[:, at : at + size],
            (first + at + np.arange(data[:, at : at + size].shape[1])) / sfreq,
            arrival,
        )
        for at in range(0, data.shape[1], size)
    ]


class ScriptedMarkers:
    """A network whose streams and markers a test decides."""

    def __init__(self, streams=(), markers=()) -> None:
        self.streams = list(streams)
        self.markers = list(markers)
        self.dropped = 0
        self.closed = 0

    def __call__(self) -> "ScriptedMarkers":
        return self

    def read(self):
        streams, self.streams = self.streams, []
        markers, self.markers = self.markers, []
        return streams, markers

    def close(self) -> None:
        self.closed += 1
