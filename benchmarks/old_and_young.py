"""Whether a path that has worked for a day is slower than one that has just begun.

    python benchmarks/old_and_young.py [--hours 24]

Two paths (conditioning to estimate, picture for the screens, recorder on a real file), alike but for their
age, work on the same signal in turns, half a second each, so that whatever else slows the machine slows both.
The old one gets its age with holes and without the network, which has no memory; what is compared has the
shipped model. It fails, with exit code 1, when the old path's median exceeds 1.1 of the young one's.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from emod_model.checkpoint import Model, default_checkpoint, load_checkpoint
from emod_model.montage import CYTON
from emod_model.simulate import SimulatedPerson
from emod_rt.clock import SystemClock
from emod_rt.engine import Inference
from emod_rt.picture import Picture
from emod_rt.pipeline import Pipeline
from emod_rt.recording.recorder import Recorder
from emod_rt.sources.base import Chunk, StreamInfo
from emod_rt.torchscript import TorchScriptEngine

SFREQ, HOP, CHUNK = 250.0, 125, 5
TURNS, SLOWER = 2000, 1.1
YOUNG_S = 600.0
INFO = StreamInfo("old and young", SFREQ, tuple(CYTON))


class Ageing:
    """An engine that costs nothing until it is told to work."""

    def __init__(self, engine: TorchScriptEngine) -> None:
        self.spec = engine.spec
        self.centring = engine.centring
        self.working = False
        self._engine = engine

    def infer(self, eeg: np.ndarray, channels: tuple[str, ...], removal=None) -> Inference:
        """Estimate one window."""
        if self.working:
            return self._engine.infer(eeg, channels, removal)
        return Inference(np.zeros(2), np.ones(2), np.zeros((len(channels), 5)))


class Walk:
    """One path, as old as it was made.

    Parameters
    ----------
    signal : numpy.ndarray, shape (channels, samples)
        Over and over.
    engine : TorchScriptEngine
        Shared by both.
    model : Model
        The checkpoint.
    path : Path
        The recording.
    age_s : float
        Signal that it has behind it, s.
    """

    def __init__(
        self, signal: np.ndarray, engine: TorchScriptEngine, model: Model, path: Path, age_s: float
    ) -> None:
        self._signal = signal
        self._clock = SystemClock()
        self._engine = Ageing(engine)
        self._pipeline = Pipeline(self._engine, INFO, self._clock)
        self._picture = Picture("old and young", model)
        self._recorder = Recorder(path, INFO, self._clock, model)
        self._at = 0
        while self._at < age_s * SFREQ:
            if self._at % (360 * HOP) == 7 * HOP:
                self._at += HOP
            self._take(HOP)
        self._engine.working = True

    def turn(self) -> tuple[float, float]:
        """Work on half a second; return milliseconds of the processor and of the clock."""
        spent, began = time.thread_time(), time.perf_counter()
        for number in range(HOP // CHUNK):
            self._take(CHUNK)
            if number % 3 == 0:
                self._picture.running("running", None, self._pipeline, INFO, recording=None, notices=())
        return 1000 * (time.thread_time() - spent), 1000 * (time.perf_counter() - began)

    def close(self) -> None:
        """End the recording."""
        self._recorder.close()

    def _take(self, count: int) -> None:
        at = self._at % self._signal.shape[1]
        times = 1000 + (self._at + np.arange(count)) / SFREQ
        chunk = Chunk(self._at, self._signal[:, at : at + count], times, self._clock.now())
        self._recorder.push(chunk)
        for estimate in self._pipeline.push([chunk]):
            self._picture.add(estimate)
            self._recorder.push(estimate)
        self._at += count


def measure(hours: float) -> dict[str, dict[str, float]]:
    """Return medians of both, ms, and old over young."""
    signal = SimulatedPerson(7, CYTON, SFREQ).generate(round(600 * SFREQ)).astype(np.float32)
    model = load_checkpoint(default_checkpoint())
    engine = TorchScriptEngine(model)
    engine.warm_up()
    with tempfile.TemporaryDirectory() as folder:
        walks = [
            Walk(signal, engine, model, Path(folder) / f"{age_s:.0f}.xdf", age_s)
            for age_s in (YOUNG_S, 3600 * hours)
        ]
        turns = np.array([[walk.turn() for walk in walks] for _ in range(TURNS)])
        for walk in walks:
            walk.close()
    young, old = np.median(turns, axis=0)
    named = zip(("processor", "clock"), young.tolist(), old.tolist(), strict=True)
    return {
        name: {"young_ms": round(new, 3), "old_ms": round(aged, 3), "ratio": round(aged / new, 3)}
        for name, new, aged in named
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=24.0)
    hours = parser.parse_args().hours
    figures = measure(hours)
    table = Table(title=f"half a second of 8 channels, median of {TURNS}: {hours:g} h old beside 10 min")
    for heading in ("", "young ms", "old ms", "old / young"):
        table.add_column(heading, justify="right")
    for name, figure in figures.items():
        table.add_row(name, *(f"{value:.3f}" for value in figure.values()))
    Console().print(table)
    slower = max(figure["ratio"] for figure in figures.values()) > SLOWER
    verdict = "FAIL" if slower else "PASS"
    print(json.dumps({"benchmark": "old_and_young", "hours": hours, "verdict": verdict, **figures}))
    sys.exit(slower)


if __name__ == "__main__":
    main()
