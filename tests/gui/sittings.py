"""A real protocol and a real sitting, on a session and a clock that do as they are told."""

from collections.abc import Sequence
from dataclasses import replace

from emod_rt.calibration.events import Mark, mark_of
from emod_rt.calibration.prompts import PROMPTS
from emod_rt.calibration.protocol import Protocol
from emod_rt.calibration.scene import Scene, Stimulus
from emod_rt.calibration.schedule import Schedule
from emod_rt.calibration.sitting import Sitting
from emod_rt.estimate import Estimate, Reason
from emod_rt.markers import Marker, typed_stream
from emod_rt.view import View
from tests.gui.views import make_view

PLAN = Schedule(trials=4, trial_s=30, rest_s=60, pause_s=6)
AHEAD = 40.0  # of the source's clock


class Clock:
    """Time that passes as told."""

    def __init__(self) -> None:
        self.t = 100.0

    def now(self) -> float:
        return self.t


class Taped:
    """A session that records: its windows come when time is let pass."""

    def __init__(self, clock: Clock, **changes: object) -> None:
        self.clock = clock
        self.picture = replace(make_view(), estimates=(), recording="/home/ada/recordings/ada.xdf", **changes)
        self.marks: list[tuple[float, Mark]] = []
        self.ended = False

    def view(self) -> View:
        return self.picture

    def moment(self) -> float | None:
        return self.clock.now() + AHEAD

    def mark(self, text: str, t: float | None = None) -> Marker:
        mark = mark_of(text)
        assert mark is not None
        assert t is not None
        self.marks.append((t - AHEAD, mark))
        return Marker(t, (text,), typed_stream())

    def window(self, reason: Reason | None) -> None:
        """Read one window that ends now."""
        t = self.clock.now() + AHEAD
        v = None if reason else 0.1
        newest = Estimate(t, round(250 * t), v, v, v, v, reason, 5.0)
        self.picture = replace(self.picture, estimates=(*self.picture.estimates[-200:], newest))

    def events(self) -> list[str]:
        return [mark.event for _, mark in self.marks]


class Sat:
    """A calibration that is sat through: `waits` lets time pass, with a window each half second."""

    def __init__(
        self, plan: Schedule = PLAN, stimuli: Sequence[Stimulus] | None = None, **changes: object
    ) -> None:
        self.clock = Clock()
        self.session = Taped(self.clock, **changes)
        if stimuli is None:
            stimuli = [PROMPTS[4 * (n % 4) + n // 4] for n in range(plan.trials)]
        self.protocol = Protocol(plan, stimuli, "ada", seed=3)
        self.sitting = Sitting(self.session, self.protocol, self.clock)

    def waits(self, seconds: float, reason: Reason | None = None) -> Scene:
        """Let time pass; with a reason nothing can be read meanwhile."""
        for _ in range(round(2 * seconds)):
            self.clock.t += 0.5
            self.session.window(reason)
            scene = self.sitting.step()
        return scene

    def ratings(self) -> list[tuple[int, int, int]]:
        """What was marked: trial, valence, arousal."""
        return [(m.trial, m.valence, m.arousal) for _, m in self.session.marks if m.event == "rating"]
