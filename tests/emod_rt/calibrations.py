"""Recordings of calibrations: simulated people who sit through the real protocol, as XDF."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emod_model.montage import CYTON
from emod_model.simulate import SimulatedPerson
from emod_model.training.sessions import SFREQ, Experience, Plan, points_and_ratings
from emod_rt.calibration.events import text_of
from emod_rt.calibration.prompts import PROMPTS
from emod_rt.calibration.protocol import Protocol
from emod_rt.calibration.schedule import Schedule
from emod_rt.calibration.stimuli import choose
from emod_rt.markers import Marker, typed_stream
from emod_rt.recording.recorder import Recorder
from emod_rt.sources.base import Chunk, StreamInfo
from tests.emod_rt.doubles import ManualClock

START = 1000.0
"""Time of the first sample, s."""


class Recorded:
    """A protocol whose markers go to a recorder, beside the signal of a person who does not exist.

    Time passes only as told: `live` moves it and records what the headset gave meanwhile.
    """

    def __init__(
        self,
        path: Path,
        person: SimulatedPerson,
        schedule: Schedule,
        user: str = "ada",
    ) -> None:
        self.path = path
        self._clock = ManualClock()
        self._clock.time = START
        self.protocol = Protocol(schedule, choose(PROMPTS, schedule.trials, 1), user, 1)
        self._person = person
        self._made = 0
        info = StreamInfo("sim:test", SFREQ, tuple(person.channels), simulated=True)
        self._recorder = Recorder(path, info, self._clock)

    @property
    def now(self) -> float:
        return self._clock.time

    def live(self, seconds: float, lost: bool = False) -> None:
        """Let time pass; `lost` samples are missing in the recording."""
        for _ in range(round(2 * seconds)):
            count = round(SFREQ / 2)
            data = self._person.generate(count)
            times = START + np.arange(self._made, self._made + count) / SFREQ
            if not lost:
                self._recorder.push(Chunk(self._made, data.astype(np.float32), times, self.now))
            self._made += count
            self._clock.time += 0.5
            self.protocol.tick(self.now)
            self.write()

    def write(self) -> None:
        for t, mark in self.protocol.drain():
            self._recorder.push(Marker(t, (text_of(mark),), typed_stream()))

    def close(self) -> Path:
        self.live(2)
        self.write()
        self._recorder.close()
        return self.path


def sit_through(
    path: Path,
    seed: int,
    plan: Plan,
    channels: Sequence[str] = CYTON,
    ratings: npt.NDArray[np.float64] | None = None,
) -> Path:
    """Record a simulated person who feels and rates as `emod_model.training.sessions` has it."""
    points, said = points_and_ratings(seed, plan)
    person = SimulatedPerson(seed, channels, SFREQ, Experience(plan, points))
    run = Recorded(path, person, Schedule(plan.trials, plan.trial_s, plan.rest_s, plan.pause_s))
    assert run.protocol.act("next", run.now)
    run.live(plan.rest_s)
    for valence, arousal in (said if ratings is None else ratings) * 4 + 5:
        assert run.protocol.act("next", run.now)
        run.live(plan.trial_s)
        run.protocol.rate("valence", round(valence))
        run.protocol.rate("arousal", round(arousal))
        run.protocol.act("next", run.now)
        if run.protocol.scene(run.now).kind == "review":
            # nobody counts windows here; the offer to repeat is declined
            run.protocol.act("next", run.now)
        run.live(plan.pause_s)
    return run.close()
