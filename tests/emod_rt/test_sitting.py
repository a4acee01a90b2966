"""Protocol and session together: clocks, markers, warnings, and sessions that end too early."""

from dataclasses import replace

import pytest

from emod_model.errors import UsageError
from emod_rt.calibration.events import mark_of
from emod_rt.calibration.live import hold
from emod_rt.calibration.protocol import Protocol
from emod_rt.calibration.scene import Stimulus
from emod_rt.calibration.schedule import Schedule
from emod_rt.calibration.sitting import Sitting
from emod_rt.calibration.terminal import Terminal, draw
from emod_rt.estimate import Estimate
from emod_rt.markers import Marker, typed_stream
from tests.emod_rt.doubles import ManualClock
from tests.gui.views import make_view

AHEAD = 5000.0
"""How far the source's clock is ahead of the machine's."""
PLAN = Schedule(trials=4, trial_s=20, rest_s=10, pause_s=2)
STIMULI = [Stimulus(f"p{n}", "text", f"Recall {n}.", intended=(0.5, 0.5)) for n in range(4)]


class StagedSession:
    """A session of which a test decides everything."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.now = make_view(estimates=())
        self.begun = True
        self.marked: list[tuple[float, str]] = []
        self.refuses = False
        self.stopped = False

    def view(self):
        return self.now

    def moment(self) -> float | None:
        return self.clock.now() + AHEAD if self.begun else None

    def mark(self, text: str, t: float | None = None) -> Marker:
        if self.refuses:
            raise UsageError("nothing is running")
        assert t is not None
        mark = mark_of(text)
        assert mark is not None
        self.marked.append((round(t - AHEAD, 6), mark.event))
        return Marker(t, (text,), typed_stream())

    def stop(self) -> None:
        self.stopped = True

    def join(self, timeout_s: float | None = None) -> bool:
        return True


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def session(clock) -> StagedSession:
    return StagedSession(clock)


@pytest.fixture
def sitting(session, clock) -> Sitting:
    return Sitting(session, Protocol(PLAN, STIMULI, "ada", 1), clock)


def windows(session, clock, seconds: float, reason=None) -> None:
    """Let time pass with two windows a second, which the session's picture keeps."""
    made = []
    for _ in range(round(2 * seconds)):
        clock.time += 0.5
        value = 0.0 if reason is None else None
        index = round(1000 * clock.time)
        made.append(Estimate(clock.time + AHEAD, index, value, value, value, value, reason, 5.0))
    session.now = replace(session.now, estimates=tuple(made))


def test_what_happens_is_marked_in_the_clock_of_the_samples(sitting, session, clock):
    sitting.act("next")
    clock.time += 10
    assert sitting.step().kind == "ready"
    clock.time += 3
    sitting.act("next")
    assert session.marked == [(100, "begin"), (100, "rest-begin"), (110, "rest-end"), (113, "trial-begin")]


def test_what_happens_before_the_first_sample_is_marked_with_its_own_time_later(sitting, session, clock):
    session.begun = False
    sitting.act("next")
    clock.time += 4
    sitting.step()
    assert session.marked == []
    session.begun = True
    sitting.step()
    assert session.marked == [(100, "begin"), (100, "rest-begin")]


def test_windows_are_counted_once_for_the_trial_they_end_in(sitting, session, clock):
    sitting.act("next")
    sitting.act("skip_rest")
    sitting.act("next")
    windows(session, clock, 19)
    assert sitting.step().check.valid == 26
    assert sitting.step().check.valid == 26, "looked at twice, counted once"
    windows(session, clock, 1, "bad-signal")
    assert sitting.step().kind == "rating"
    windows(session, clock, 4, "bad-signal")
    check = sitting.step().check
    assert (check.valid, check.seen) == (26, 28), "what ends after the stimulus is not of the trial"


def test_a_session_that_ends_breaks_off_and_says_why(sitting, session):
    sitting.act("next")
    session.now = replace(session.now, state="failed", message="the headset is gone; plug it in")
    scene = sitting.step()
    assert scene.kind == "aborted"
    assert "Broken off: the headset is gone; plug it in." in scene.text
    assert session.marked[-1][1] == "abort"


def test_a_recording_that_takes_no_markers_breaks_off(sitting, session):
    session.refuses = True
    assert sitting.act("next").kind in ("rest", "aborted")
    scene = sitting.step()
    assert scene.kind == "aborted"
    assert "nothing is running" in scene.text


def test_a_quiet_source_and_a_lost_recording_are_said(sitting, session):
    stalled = replace(session.now, state="stalled", message="No new samples from sim:1 for 3 s.")
    session.now = replace(stalled, recording=None, notices=("The disk is full.",))
    assert sitting.step().warning == "No new samples from sim:1 for 3 s. The disk is full."


def test_however_a_screen_ends_the_recording_is_closed_and_says_how(session, clock):
    session.now = replace(session.now, recording="r.xdf")

    def closes(sitting: Sitting) -> None:
        sitting.act("next")

    scene, path = hold(session, Protocol(PLAN, STIMULI, "ada", 1), clock, closes)
    assert (scene.kind, str(path), session.stopped) == ("aborted", "r.xdf", True)
    assert session.marked[-1][1] == "abort"
    session.stopped = False

    def breaks(sitting: Sitting) -> None:
        sitting.act("next")
        raise RuntimeError("the screen broke")

    with pytest.raises(RuntimeError, match="the screen broke"):
        hold(session, Protocol(PLAN, STIMULI, "ada", 1), clock, breaks)
    assert session.stopped
    assert session.marked[-1][1] == "abort"


def test_what_was_never_recorded_cannot_be_fitted(session, clock):
    session.now = replace(session.now, recording=None)
    with pytest.raises(UsageError, match="was not recorded, so nothing can be fitted"):
        hold(session, Protocol(PLAN, STIMULI, "ada", 1), clock, lambda sitting: None)


# -- keys


def test_digits_rate_what_is_asked_and_v_or_a_picks_what_is_said_anew(sitting, session, clock):
    keys = Terminal(sitting)
    scene = sitting.step()
    for key in (" ", "x", "\x1b[A", "9", "\n", "s", "\r"):
        scene = keys.press(key, scene)
    assert scene.kind == "stimulus"
    clock.time += 20
    scene = sitting.step()
    for key in "0x73":
        scene = keys.press(key, scene)
    assert (scene.valence, scene.arousal) == (7, 3)
    for key in "v2a8":
        scene = keys.press(key, scene)
    assert (scene.valence, scene.arousal, scene.kind) == (2, 8, "rating")
    assert keys.press("space", scene).kind == "review", "no window ever came"


def test_every_scene_can_be_drawn_in_a_narrow_terminal(sitting, session, clock):
    from io import StringIO

    from rich.console import Console

    out = StringIO()
    console = Console(file=out, width=60, height=20, force_terminal=True)
    keys, scene = Terminal(sitting), sitting.step()
    seen = []
    for key in (" ", "s", " ", None, "7", "3", " ", "r", " ", None, "5", "5", " ", " ", "p", "q"):
        if key is None:
            clock.time += 20
            scene = sitting.step()
        else:
            scene = keys.press(key, scene)
        seen.append(scene.kind)
        console.print(draw(scene))
    assert set(seen) == {"rest", "ready", "stimulus", "rating", "review", "pause", "aborted"}
    assert "Recall" in out.getvalue()
