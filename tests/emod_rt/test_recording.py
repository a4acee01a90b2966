"""Recordings: whole in other people's reader, raw as acquired, whole up to the last chunk when cut short."""

import stat
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import pyxdf

from emod_model.errors import UsageError
from emod_rt.estimate import Estimate
from emod_rt.readers import read_recording
from emod_rt.recording.recorder import Recorder
from emod_rt.recording.take import Take
from emod_rt.sources.base import StreamInfo
from tests.emod_rt.doubles import CHANNELS, ManualClock, ScriptedMarkers, ScriptedSource, chunks_of, eeg

INFO = StreamInfo("lsl:Cyton", 250.0, CHANNELS)


def read(path):
    streams, header = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    return {stream["info"]["type"][0]: stream for stream in streams}, header


def record(path, n=5000, size=10):
    clock = ManualClock()
    recorder = Recorder(
        path, INFO, clock, SimpleNamespace(name="emod", sha256="0" * 64, simulated=True, unvalidated=())
    )
    for chunk in chunks_of(eeg(n) + 62_000, size):
        clock.time += size / 250
        recorder.push(chunk)
    return recorder


def test_what_was_recorded_opens_in_pyxdf_sample_for_sample(tmp_path):
    recorder = record(tmp_path / "s.xdf")
    recorder.push(Estimate(3.0, 749, 0.1, -0.2, 0.3, 0.4, None, 1.0))
    recorder.push(Estimate(3.5, 874, None, None, None, None, "gap", 1.0))
    recorder.close()
    streams, _ = read(tmp_path / "s.xdf")
    np.testing.assert_array_equal(streams["EEG"]["time_series"], (eeg(5000) + 62_000).T)
    np.testing.assert_allclose(streams["EEG"]["time_stamps"], np.arange(5000) / 250.0)
    channels = streams["EEG"]["info"]["desc"][0]["channels"][0]["channel"]
    assert [channel["label"][0] for channel in channels] == list(CHANNELS)
    assert {channel["unit"][0] for channel in channels} == {"microvolts"}
    assert streams["EEG"]["footer"]["info"]["sample_count"] == ["5000"]
    np.testing.assert_array_equal(streams["Affect"]["time_series"][0], [0.1, -0.2, 0.3, 0.4, 1.0])
    assert np.isnan(streams["Affect"]["time_series"][1, :4]).all()


@pytest.mark.parametrize("kind", ["every sample its own index", "no head connected"])
def test_whatever_was_recorded_is_read_back(tmp_path, kind):
    data = np.tile(np.arange(1000) if kind.startswith("every") else np.full(1000, 62_000), (len(CHANNELS), 1))
    recorder = Recorder(tmp_path / "s.xdf", INFO, ManualClock())
    for chunk in chunks_of(data.astype(np.float32), 10):
        recorder.push(chunk)
    recorder.close()
    recording = read_recording(tmp_path / "s.xdf")
    np.testing.assert_array_equal(recording.data, data)
    assert any("declared as microvolts" in note for note in recording.notes), "and it is said"


def test_a_program_killed_at_any_moment_leaves_every_sample_it_had_read(tmp_path):
    clock, path, killed = ManualClock(), tmp_path / "s.xdf", tmp_path / "killed.xdf"
    recorder = Recorder(path, INFO, clock)
    for number, chunk in enumerate(chunks_of(eeg(5000) + 62_000, 10)):
        clock.time += 10 / 250
        recorder.push(chunk)
        if number % 37 == 0:
            # what a kill leaves is what the operating system has been given
            killed.write_bytes(path.read_bytes())
            streams, _ = read(killed)
            seen = 10 * (number + 1)
            np.testing.assert_array_equal(streams["EEG"]["time_series"], (eeg(5000) + 62_000).T[:seen])
    recorder.close()


def test_a_recording_is_never_overwritten_and_is_its_owners_alone(tmp_path):
    record(tmp_path / "s.xdf").close()
    assert stat.S_IMODE((tmp_path / "s.xdf").stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="is there already and is not overwritten"):
        Recorder(tmp_path / "s.xdf", INFO, ManualClock())


def test_a_take_holds_every_sample_of_its_source(tmp_path):
    take = Take(
        ScriptedSource([chunks_of(eeg(1000), 20)]),
        tmp_path / "t.xdf",
        ManualClock(),
        3.0,
        markers=ScriptedMarkers(),
    )
    take.open(0.0)
    assert list(take.run())[-1] == pytest.approx(3.0)
    streams, _ = read(tmp_path / "t.xdf")
    np.testing.assert_array_equal(streams["EEG"]["time_series"], eeg(1000)[:, :750].T)
    assert take.tally.lost == 0


def test_the_affect_stream_says_which_model_and_that_it_is_simulated(tmp_path):
    recorder = record(tmp_path / "s.xdf")
    recorder.push(Estimate(3.0, 749, 0.1, -0.2, 0.3, 0.4, None, 1.0))
    recorder.close()
    description = read(tmp_path / "s.xdf")[0]["Affect"]["info"]["desc"][0]
    assert description["model"] == ["emod"]
    assert description["simulated"] == ["true"]


FULL_DISK = """
import resource, signal, sys
from emod_rt.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
sys.argv = ["emod-rt", "record", "--source", "sim:1", "--out", "full.xdf", "--duration", "20"]
main()
"""


def test_a_full_disk_is_one_sentence_and_what_was_written_is_whole(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK], cwd=tmp_path, text=True, capture_output=True, timeout=240
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "full.xdf takes no more data" in done.stderr
    streams, _ = read(tmp_path / "full.xdf")
    assert len(streams["EEG"]["time_stamps"]) > 500
