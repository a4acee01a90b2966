"""`emod-rt calibrate` in a real terminal, and without one."""

import io
import json
import os
import re
import signal
import sys
import termios
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from emod_model.calibration import fit
from emod_model.checkpoint import load_checkpoint
from emod_model.errors import UsageError
from emod_model.training.sessions import Plan
from emod_rt.calibration import schedule
from emod_rt.calibration.finish import finish
from emod_rt.calibration.from_recording import read_session
from emod_rt.calibration.log import read_log
from emod_rt.calibration.prompts import PROMPTS
from emod_rt.calibration.protocol import Protocol
from emod_rt.calibration.schedule import Schedule
from emod_rt.calibration.stimuli import choose
from emod_rt.cli.calibrate import calibrate
from emod_rt.cli.calibration import sit_through as sit_through_it
from emod_rt.clock import SystemClock
from emod_rt.readers import read_recording
from emod_rt.recording.names import place
from emod_rt.session import Session
from tests.emod_rt.calibrations import sit_through
from tests.emod_rt.hasty import COARSE
from tests.emod_rt.programs import EMOD_RT, run
from tests.emod_rt.test_typed import Terminal

HASTY = Path(__file__).with_name("hasty.py")
SPEED = "5"
_PATIENCE_S = 240
_LEFT = "\x1b[?1049l"  # the screen is given back
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture
def data(tmp_path, monkeypatch) -> Path:
    """Where profiles go."""
    monkeypatch.setenv("EMOD_RT_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def terminal(tmp_path, data):
    opened: list[Terminal] = []

    def start(*words: str) -> Terminal:
        opened.append(Terminal(*words, cwd=tmp_path))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def frame(shown: Terminal) -> str:
    """The newest picture that is whole."""
    frames = shown.said.split("\x1b[H")
    return _CONTROL.sub("", frames[-2]) if len(frames) > 2 else ""


def answer(shown: Terminal, ratings: list[str]) -> None:
    """Do what a person does: read, begin, rate; until the screen is left."""
    deadline, done = time.monotonic() + _PATIENCE_S, ""
    left = list(ratings)
    while _LEFT not in shown.said:
        assert time.monotonic() < deadline, f"it hangs at {frame(shown)}"
        assert shown.program.poll() is None, f"it ended: {shown.said}"
        shown.read(0.05)
        now = frame(shown)
        if now == done:
            continue
        done = now
        if "[space] Begin" in now or "[space] Start" in now or "[space] Confirm" in now:
            shown.type(" ")
        elif "[space] Go on" in now:
            shown.type("\r")
        elif "[s] Skip" in now:
            shown.type("s")
        elif "How pleasant" in now and left:
            shown.type(left.pop(0))
        else:
            continue
        # what was drawn before the key is no answer to it
        if _LEFT not in shown.said:
            shown.said = shown.said[-1:]


def recordings(folder: Path) -> list[Path]:
    return sorted((folder / "recordings" / "sub-ada" / "ses-01" / "eeg").glob("*.xdf"))


def test_a_person_in_a_terminal_gets_a_profile_and_the_recording_gives_the_same_again(
    terminal, data, tmp_path, untrained, monkeypatch
):
    words = ("calibrate", "--user", "ada", "--source", "sim:3", "--model", str(untrained), "--headless")
    shown = terminal(sys.executable, str(HASTY), SPEED, *words, "--trials", "4", "--trial-s", "10")
    answer(shown, ["73", "28", "55", "91"])
    assert shown.end() == 0, shown.said
    assert termios.tcgetattr(shown.slave) == shown.before
    (path,) = recordings(tmp_path)
    assert path.name == "sub-ada_ses-01_task-calibration_run-01_eeg.xdf"
    ratings = [(rated.rating.valence, rated.rating.arousal) for rated in read_log(read_recording(path)).rated]
    assert ratings == [(7, 3), (2, 8), (5, 5), (9, 1)]
    live = json.loads((data / "profiles" / "ada.json").read_text())

    monkeypatch.setenv("EMOD_RT_DATA", str(tmp_path / "again"))
    model = load_checkpoint(untrained)
    finish(read_session(read_recording(path), model), model, **COARSE)
    again = json.loads((tmp_path / "again" / "profiles" / "ada.json").read_text())
    del live["created"], again["created"]
    assert live == again


@pytest.mark.parametrize("end", ["key", "signal"])
def test_an_end_from_outside_closes_the_recording_and_gives_the_terminal_back(
    terminal, tmp_path, untrained, end
):
    words = ("calibrate", "--user", "ada", "--source", "sim:3", "--model", str(untrained), "--headless")
    shown = terminal(str(EMOD_RT), *words)
    shown.until("[space] Begin")
    shown.type(" ")
    shown.until("Rest")
    if end == "key":
        shown.type("\x03")
    else:
        shown.program.send_signal(signal.SIGTERM)
    assert shown.end() == 0, shown.said
    assert termios.tcgetattr(shown.slave) == shown.before
    (path,) = recordings(tmp_path)
    recording = read_recording(path)
    assert recording.data.shape[1] > 0
    assert [json.loads(event.text)["event"] for event in recording.events] == [
        "begin", "rest-begin", "rest-end", "abort"
    ]  # fmt: skip
    assert "at least 4 are needed to fit" in _CONTROL.sub("", shown.said)


UNFITTED = f"""
import sys, time
sys.path.insert(0, {str(HASTY.parents[2])!r})
from tests.emod_rt.hasty import HastyClock
from functools import partial
from emod_rt import clock
from emod_rt.calibration import finish
from emod_rt.start import main
clock.SystemClock = partial(HastyClock, 5.0)
finish.finish = lambda *_: (print("FITTING", flush=True), time.sleep(60))
main()
"""


@pytest.mark.parametrize("again", [False, True], ids=["the first fit", "a fit from disk"])
def test_a_signal_while_it_is_fitted_leaves_the_fit_for_later(terminal, tmp_path, untrained, again):
    words = ("calibrate", "--user", "ada", "--model", str(untrained))
    if again:
        path = sit_through(tmp_path / "ada.xdf", 1, Plan(4, 25.0, 12.0, 2.0), ("Fp1", "Fp2", "C3", "C4"))
        shown = terminal(sys.executable, "-c", UNFITTED, *words, "--from", str(path))
    else:
        live = ("--source", "sim:3", "--headless", "--trials", "4", "--trial-s", "10")
        shown = terminal(sys.executable, "-c", UNFITTED, *words, *live)
        answer(shown, ["73", "28", "55", "91"])
        (path,) = (each.relative_to(tmp_path) for each in recordings(tmp_path))
    shown.until("FITTING")
    shown.program.send_signal(signal.SIGTERM)
    assert shown.end() == 0, shown.said
    said = _CONTROL.sub("", shown.said)
    assert "Ended before it was fitted; the recording is whole." in said
    assert f"Fit it: emod-rt calibrate --user ada --from {path}" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("moment", ["before the screen", "on the screen", "after the screen"])
def test_whenever_a_signal_comes_the_recording_is_closed_and_says_how_it_ended(
    tmp_path, untrained, monkeypatch, moment
):
    monkeypatch.chdir(tmp_path)
    now, stop = SystemClock(), threading.Event()

    def signalled() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    class Told(Console):
        def print(self, *words, **how):
            if moment == "before the screen" and not stop.is_set():
                signalled()
            super().print(*words, **how)

    def show(sitting, _conclude):
        if moment != "before the screen":
            assert sitting.act("next").kind == "rest"
            while sitting.view().recording is None:
                now.wait(0.01, stop)
        if moment == "on the screen":
            signalled()
        assert stop.is_set() == (moment != "after the screen")

    said = io.StringIO()
    session = Session("sim:3", untrained, record=place(task="calibration"), clock=now)
    protocol = Protocol(Schedule(4, 10.0), choose(PROMPTS, 4, 1), "ada", 1)
    if moment == "after the screen":
        closing = session.join
        monkeypatch.setattr(session, "join", lambda *_: (signalled(), closing()))
    before = signal.getsignal(signal.SIGTERM)
    sit_through_it(session, protocol, now, show, stop, Told(file=said, width=200), as_json=False)
    assert signal.getsignal(signal.SIGTERM) is before
    assert stop.is_set()
    (path,) = (tmp_path / "recordings").rglob("*.xdf")
    events = [json.loads(event.text)["event"] for event in read_recording(path).events]
    # before anything has begun there is nothing to break off
    assert events[-1:] == ["abort"] or moment == "before the screen"
    assert str(path.relative_to(tmp_path)) in said.getvalue()


def test_without_a_terminal_or_a_window_one_sentence_says_so(tmp_path):
    done = run("calibrate", "--user", "ada", "--source", "sim:3", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "There is no display here, and this is no terminal in which a person could answer" in done.stderr
    assert not (tmp_path / "recordings").exists()


WRONG = {
    "neither": ({}, "either made or fitted again; give --source SRC or --from RECORDING"),
    "both": ({"source": "sim:1", "recording": "x.xdf"}, "either made or fitted again"),
    "no name": ({"user": "../x", "source": "sim:1"}, "'../x' cannot be a user's name"),
    "three trials": ({"source": "sim:1", "trials": 3}, "--trials 3 cannot be judged or sat through"),
    "a session with --from": (
        {"recording": "x.xdf", "stimuli": "d", "trials": 8, "trial_s": 45.0, "headless": True},
        "--stimuli and --trials and --trial-s and --headless cannot change it; leave them out",
    ),
    "a length with --from": (
        {"recording": "x.xdf", "trial_s": 30.0},
        "--from fits what a recording holds, so --trial-s cannot change it; leave it out",
    ),
    "no time": ({"source": "sim:1", "trial_s": 2.0}, "--trial-s 2 is no length of a trial"),
}


@pytest.mark.parametrize(("options", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_done_is_refused_before_anything_is_opened(options, said):
    with pytest.raises(UsageError, match=said):
        calibrate(**{"user": "ada", **options})


def test_a_terminal_refuses_pictures(tmp_path):
    for name in "abcd":
        (tmp_path / f"{name}.png").write_bytes(b"x")
    with pytest.raises(UsageError, match="a terminal shows no images or films; use a display"):
        calibrate(user="ada", source="sim:1", stimuli=str(tmp_path), headless=True)


def test_a_schedule_of_the_fewest_trials_can_be_fitted():
    assert schedule.FEWEST_TRIALS == fit.FEWEST_TRIALS
