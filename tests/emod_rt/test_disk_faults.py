"""Faults of the disk under a recording: one sentence, the session goes on, what was written is whole."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import pyxdf

from emod_model.errors import UsageError
from emod_rt.outputs import Outputs
from emod_rt.recording.names import place
from emod_rt.recording.patient import PatientRecorder
from emod_rt.recording.recorder import Recorder
from emod_rt.recording.recover import recover
from emod_rt.session import Session
from emod_rt.sources.base import StreamInfo
from tests.emod_rt.doubles import (
    CHANNELS,
    ManualClock,
    ScriptedMarkers,
    ScriptedSource,
    chunks_of,
    eeg,
)
from tests.emod_rt.lsl_help import until

INFO = StreamInfo("lsl:Cyton", 250.0, CHANNELS)
EEG = eeg(4000)


def signal_of(path: Path, *, ended: bool = True) -> np.ndarray:
    streams, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    found = recover(path)
    assert found.bytes_dropped == 0, "every chunk is whole"
    assert not ended or found.path is None, "it has its footers"
    (found,) = [stream for stream in streams if stream["info"]["type"] == ["EEG"]]
    return found["time_series"].T


def push(recorder, clock, first, n=500):
    for chunk in chunks_of(EEG[:, first : first + n], 50, first=first):
        clock.time += 0.2
        recorder.push(chunk)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """The folder that the program runs in."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return folder


def test_a_folder_that_is_deleted_costs_no_sample_and_the_recording_says_where_it_goes_on(tmp_path, here):
    clock, folder = ManualClock(), tmp_path / "stick"
    recorder = Recorder(folder / "s.xdf", INFO, clock)
    push(recorder, clock, 0)
    shutil.rmtree(folder)
    push(recorder, clock, 500)
    recorder.close()
    assert recorder.path == here / "s.xdf"
    (said,) = recorder.notices
    assert said.startswith(f"{folder / 's.xdf'} was deleted while it was recorded; ")
    assert str(here / "s.xdf") in said
    np.testing.assert_array_equal(signal_of(here / "s.xdf"), EEG[:, :1000])
    assert stat.S_IMODE((here / "s.xdf").stat().st_mode) == 0o600


def test_a_recording_that_is_deleted_just_before_its_end_is_saved_too(tmp_path, here):
    clock = ManualClock()
    recorder = Recorder(tmp_path / "s.xdf", INFO, clock)
    push(recorder, clock, 0)
    (tmp_path / "s.xdf").unlink()
    recorder.close()
    np.testing.assert_array_equal(signal_of(tmp_path / "s.xdf"), EEG[:, :500])


def test_a_rescued_recording_takes_nobody_elses_name_and_goes_home_when_all_else_is_gone(tmp_path, here):
    clock, home = ManualClock(), tmp_path / "home"
    home.mkdir()
    (home / "s.xdf").write_text("mine")
    recorder = Recorder(here / "s.xdf", INFO, clock)
    push(recorder, clock, 0)
    shutil.rmtree(here)
    push(recorder, clock, 500)
    assert recorder.path == home / "s-2.xdf"
    recorder.close()
    np.testing.assert_array_equal(signal_of(home / "s-2.xdf"), EEG[:, :1000])
    assert (home / "s.xdf").read_text() == "mine"


def test_a_recording_that_no_place_takes_is_one_sentence_and_saved_as_soon_as_one_does(tmp_path, here):
    clock = ManualClock()
    recorder = Recorder(here / "s.xdf", INFO, clock)
    push(recorder, clock, 0)
    shutil.rmtree(here)
    with pytest.raises(UsageError, match=r"s\.xdf takes no more data \(No such file or directory\)"):
        push(recorder, clock, 500)
    here.mkdir()
    push(recorder, clock, 1000)
    recorder.close()
    assert signal_of(here / "s.xdf").shape[1] == 1000


def test_a_folder_that_is_moved_is_said_once_and_the_recording_goes_with_it(tmp_path):
    clock, folder = ManualClock(), tmp_path / "a"
    recorder = Recorder(folder / "s.xdf", INFO, clock)
    push(recorder, clock, 0)
    folder.rename(tmp_path / "b")
    push(recorder, clock, 500)
    recorder.close()
    (said,) = recorder.notices
    assert said.startswith(f"{folder / 's.xdf'} was moved or renamed")
    np.testing.assert_array_equal(signal_of(tmp_path / "b" / "s.xdf"), EEG[:, :1000])


def test_a_session_whose_folder_vanishes_says_so_at_once_and_goes_on(tmp_path, here, untrained):
    clock, folder = ManualClock(), tmp_path / "stick"
    parts = [[chunk] for chunk in chunks_of(EEG[:, :3000], 50)]

    def shown():
        clock.time += 0.002
        return session.view()

    def vanish():
        until(lambda: shown().samples == 1500)
        shutil.rmtree(folder)
        return parts[30]

    def said():
        until(lambda: shown().notices)
        assert (session.view().state, session.view().recording) == ("running", str(here / "s.xdf"))
        return []

    session = Session(
        ScriptedSource([*parts[:30], vanish, said, *parts[31:]]),
        untrained,
        clock=clock,
        record=folder / "s.xdf",
        markers=ScriptedMarkers(),
    )
    with session:
        assert [e.index for e in session if e.reason != "stalled"][-1] == 2999
    assert session.sink_notes() == list(session.view().notices)
    assert "was deleted" in session.sink_notes()[0]
    np.testing.assert_array_equal(signal_of(here / "s.xdf"), EEG[:, :3000])


FULL_FOR_A_WHILE = """
import json, resource, signal, sys
from pathlib import Path
from emod_rt.recording.patient import PatientRecorder
from emod_rt.recording.recorder import Recorder
from emod_rt.sources.base import StreamInfo
from tests.emod_rt.doubles import CHANNELS, ManualClock, chunks_of, eeg
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
clock = ManualClock()
recorder = PatientRecorder(Recorder(Path("s.xdf"), StreamInfo("x", 250.0, CHANNELS), clock), clock)
said = []
for limit, first in ((20_000, 0), (-1, 1000), (30_000, 2000), (-1, 3000)):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, -1))
    clock.time += 1.0
    for chunk in chunks_of(eeg(4000)[:, first : first + 1000], 50, first=first):
        clock.time += 0.2
        recorder.push(chunk)
        if len(recorder.notices) > len(said):
            said.append([chunk.first_index, recorder.notices[-1]])
recorder.close({})
print(json.dumps(said))
"""


def test_a_disk_that_is_full_for_a_while_leaves_a_hole_of_known_size_and_nothing_else(tmp_path):
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", FULL_FOR_A_WHILE],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
        text=True,
        capture_output=True,
        check=True,
        timeout=240,
    )
    (full, first), (again, second), (refull, third), (anew, fourth) = json.loads(done.stdout)
    assert "s.xdf takes no more data (File too large); free some space" in first
    assert first.endswith("the session goes on, and the recording once it can.")
    assert third == f"failure 2: {first}", "said again, for it is news"
    assert 1000 <= again <= 1050, "within a second of there being space"
    assert (refull, anew) == (2000, 3000)
    for said, missing in ((second, again - full), (fourth, anew - refull)):
        assert said == f"s.xdf takes data again; {missing:,} samples are missing in it."
    kept = np.concatenate([EEG[:, :full], EEG[:, again:refull], EEG[:, anew:]], axis=1)
    np.testing.assert_array_equal(signal_of(tmp_path / "s.xdf"), kept)


FULL_DISK = """
import resource, signal, sys
from emod_rt.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
words = "run --source sim:1 --record full.xdf --duration 5 --headless --model"
sys.argv[:] = ["emod-rt", *words.split(), *sys.argv[1:]]
main()
"""


def test_a_full_disk_is_said_while_the_session_runs_and_does_not_end_it(tmp_path, untrained):
    words = [sys.executable, "-c", FULL_DISK, str(untrained)]
    done = subprocess.run(words, cwd=tmp_path, text=True, capture_output=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    flat = " ".join(done.stderr.split())
    assert flat.count("full.xdf takes no more data (File too large)") == 1
    # the terminal says it above the table, the summary comes at the end
    assert flat.index("takes no more data") < flat.index("samples 1,250")
    assert signal_of(tmp_path / "full.xdf", ended=False).shape[1] > 250


def as_somebody_else(folder: Path):
    """Let a folder be read-only to us, also for root."""
    folder.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(65534)


@pytest.fixture
def _same_user_afterwards():
    before = os.geteuid()
    yield
    os.seteuid(before)


@pytest.mark.usefixtures("_same_user_afterwards")
def test_a_read_only_folder_is_one_sentence(tmp_path, monkeypatch):
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    as_somebody_else(tmp_path)
    for where in (Path("s.xdf"), Path("new/s.xdf"), place("new/")):
        with pytest.raises(
            UsageError, match=r"cannot be written \(Permission denied\); choose another place"
        ):
            Recorder(where, INFO, ManualClock())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_same_user_afterwards")
def test_a_folder_that_may_not_be_looked_into_is_one_sentence(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(0o700)
    as_somebody_else(tmp_path)
    if os.geteuid() != 65534:
        closed.chmod(0)
    with pytest.raises(UsageError, match=r"cannot be written \(Permission denied\); choose another place"):
        Recorder(closed / "a" / "s.xdf", INFO, ManualClock())


def test_a_folder_that_turns_read_only_does_not_stop_what_is_being_recorded(tmp_path):
    clock = ManualClock()
    recorder = Recorder(tmp_path / "s.xdf", INFO, clock)
    push(recorder, clock, 0)
    tmp_path.chmod(0o500)
    push(recorder, clock, 500)
    recorder.close()
    tmp_path.chmod(0o700)
    assert recorder.notices == []
    np.testing.assert_array_equal(signal_of(tmp_path / "s.xdf"), EEG[:, :1000])


def test_folders_on_the_way_are_made_for_the_owner_alone(tmp_path):
    Recorder(tmp_path / "a" / "b" / "s.xdf", INFO, ManualClock()).close()
    for folder in (tmp_path / "a", tmp_path / "a" / "b"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_where_a_folder_should_be_is_one_sentence(tmp_path):
    (tmp_path / "a").write_text("")
    for where in (tmp_path / "a" / "s.xdf", tmp_path / "a" / "b" / "s.xdf"):
        with pytest.raises(UsageError, match=r"s\.xdf cannot be written \(Not a directory\)"):
            Recorder(where, INFO, ManualClock())


GENERATED = "sub-01/ses-01/eeg/sub-01_ses-01_task-rest_run-{:02d}_eeg.xdf"


def test_in_a_folder_names_follow_bids_and_take_the_next_run(tmp_path):
    for run in (1, 2):
        recorder = Recorder(tmp_path, INFO, ManualClock())
        recorder.close()
        assert recorder.path == tmp_path / GENERATED.format(run)
    (tmp_path / GENERATED.format(99)).write_text("")
    recorder = Recorder(place(tmp_path, task="film", session="B"), INFO, ManualClock())
    recorder.close()
    assert recorder.path.name == "sub-01_ses-B_task-film_run-01_eeg.xdf"
    assert next(place(tmp_path).files()).name == "sub-01_ses-01_task-rest_run-100_eeg.xdf"


def test_programs_that_begin_at_once_never_share_a_name(tmp_path):
    barrier, recorders = threading.Barrier(12), []

    def begin():
        barrier.wait()
        recorders.append(Recorder(tmp_path, INFO, ManualClock()))

    threads = [threading.Thread(target=begin) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for recorder in recorders:
        recorder.close()
    assert {recorder.path for recorder in recorders} == {
        tmp_path / GENERATED.format(run) for run in range(1, 13)
    }


@pytest.mark.parametrize("label", ["", "sub-01", "ä", "a b", "a_b", "../x"])
@pytest.mark.parametrize("key", ["subject", "session", "task"])
def test_a_label_that_bids_does_not_know_is_refused(key, label):
    with pytest.raises(UsageError, match=f"--{key} {re.escape(repr(label))} is no label of BIDS; give"):
        place("recordings", **{key: label})


def test_where_a_recording_goes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert next(place().files()) == Path("recordings") / GENERATED.format(1)
    assert next(place("raw").files()) == Path("raw"), "a file, as long as nothing says otherwise"
    assert next(place("raw/").files()) == Path("raw") / GENERATED.format(1)
    assert next(place("raw", subject="7").files()).parts[:3] == ("raw", "sub-7", "ses-01")
    with pytest.raises(UsageError, match="home of nobody"):
        place("~nobody-of-this-name/s.xdf")
    with pytest.raises(UsageError, match=r"--task makes the name .* but s\.xdf is a file; give a folder"):
        place("s.xdf", task="film")


def test_a_disk_that_is_too_slow_is_said_while_the_session_goes_on(tmp_path, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr("emod_rt.outputs._RECORDING_QUEUE", 2)
    monkeypatch.setattr(PatientRecorder, "push", lambda self, item: release.wait(60))
    outputs = Outputs(None, None, tmp_path / "slow.xdf")
    outputs.open(
        INFO,
        SimpleNamespace(name="emod", sha256="0" * 64, simulated=True, unvalidated=()),
        0.5,
        ManualClock(),
    )
    chunk = chunks_of(eeg(25), 25)[0]
    for _ in range(5):
        outputs.record(chunk)
    assert outputs.notices() == (
        "The disk is too slow for the recording, which now has holes; record to a faster one.",
    )
    release.set()
    outputs.close({})
    assert len(outputs.notes()) == 2
