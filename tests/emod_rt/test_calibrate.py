"""`emod-rt calibrate` in a real terminal, and without one."""

import json
import re
import signal
import sys
import termios
import time
from pathlib import Path

import pytest

from emod_model.calibration import fit
from emod_model.checkpoint import load_checkpoint
from emod_model.errors import UsageError
from emod_rt.calibration import schedule
from emod_rt.calibration.finish import finish
from emod_rt.calibration.from_recording import read_session
from emod_rt.calibration.log import read_log
from emod_rt.cli.calibrate import calibrate
from emod_rt.readers import read_recording
from tests.emod_rt.hasty import COARSE
from tests.emod_rt.programs import EMOD_RT, run
from tests.emod_rt.test_typed import Terminal

HASTY = Path(__file__).with_name("hasty.py")
SPEED = "5"
_PATIENCE_S = 90
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
    while "\x1b[?1049l" not in shown.said:
        assert time.monotonic() < deadline, f"it hangs at {frame(shown)}"
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
