"""A simulated person on the lab network, so that the whole live path runs without a headset."""

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from emod_model.montage import CYTON
from emod_model.simulate import SimulatedPerson
from emod_rt.clock import Clock, SystemClock
from emod_rt.readers import Recording
from emod_rt.replay import Replay
from emod_rt.sources.sim import SFREQ


class SimulatedStream:
    """Publishes a simulated person as a real LSL stream, from a thread of its own.

    Parameters
    ----------
    seed : int
        The person.
    seconds : float
        Length.
    name : str
        Name of the stream.
    clock : Clock, optional
        Paces the samples.
    """

    def __init__(self, seed: int, seconds: float, name: str, clock: Clock | None = None) -> None:
        clock = clock or SystemClock()
        person = SimulatedPerson(seed, CYTON, SFREQ)
        count = round(seconds * SFREQ)
        index = np.arange(count, dtype=np.int64)
        recording = Recording(
            data=person.generate(count),
            sfreq=SFREQ,
            channels=person.channels,
            times=index / SFREQ,
            index=index,
            markers=[],
            notes=(),
            name=name,
            path=Path(name),
            simulated=True,
        )
        self.person = person
        self._stop = threading.Event()
        replay = Replay(recording, name=name, clock=clock)
        self._thread = threading.Thread(target=replay.run, args=(self._stop,), name="emod-demo")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
