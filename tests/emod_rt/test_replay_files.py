"""Every kind of file goes out as a live stream, sample by sample."""

import threading

import numpy as np
import pytest

from emod_rt import liblsl
from emod_rt.readers import read_recording
from emod_rt.recording.streams import StreamDescription
from emod_rt.recording.xdf import XdfWriter
from emod_rt.replay import Replay
from emod_rt.sources.base import Metadata
from emod_rt.sources.lsl import LSLSource
from tests.emod_rt import labrecorder, programs
from tests.emod_rt.lsl_help import unique, until
from tests.emod_rt.recordings import (
    NAMES,
    brainlike,
    write_brainvision,
    write_edf,
    write_fif,
    write_set,
)

DATA = brainlike()
TIMES = 1e9 + np.arange(2000) / 250
MUSE = ("TP9", "AF7", "AF8", "TP10")
REAL = {
    "openbci_cyton/*.txt": (None, None),
    "insight_eyes/Baseline/Open_20sx1_201227-103048.csv.gz": (None, None),
    "muse_states/S2_confused_3.csv.gz": (None, None),
    "muse_lsl_p300/subject1_data_2017-02-04-15_45_13.csv": (None, None),
    "muse_artifacts/clean.csv": (MUSE, 220.0),
    "eegmat/Subject00_2.edf": (None, None),
}


def described(names):
    channels = (f"<channel><label>{name}</label><unit>microvolts</unit></channel>" for name in names)
    return f"<desc><channels>{''.join(channels)}</channels></desc>"


def replayed(recording, start=None, stop=None):
    """Publish a part at 20x and read it back: index, microvolts and what the stream says."""
    name, ended = unique("file"), threading.Event()
    replay = Replay(recording, name, speed=20.0, start=start, stop=stop)
    player = threading.Thread(target=replay.run, args=(ended, 30.0))
    player.start()
    place = recording.index - recording.index[0]
    first, last = round((start or 0) * recording.sfreq), (stop or 1e9) * recording.sfreq
    rows = np.flatnonzero((place >= first) & (place < last))
    source, chunks = LSLSource(name), []
    try:
        info = source.open(30.0)
        until(lambda: chunks.extend(source.read(0.05)) or sum(c.times.size for c in chunks) >= rows.size)
    finally:
        source.close()
        ended.set()
        player.join(30)
    index = np.concatenate([np.arange(c.first_index, c.first_index + c.times.size) for c in chunks])
    data = np.concatenate([c.data for c in chunks], axis=1)
    np.testing.assert_array_equal(index, place[rows] - place[rows[0]])
    np.testing.assert_array_equal(data, recording.data[:, rows])
    assert (info.channels, info.sfreq) == (recording.channels, recording.sfreq)


@pytest.mark.parametrize(
    ("name", "write"),
    [("a.bdf", write_edf), ("a_eeg.fif", write_fif), ("a.vhdr", write_brainvision), ("a.set", write_set)],
)
def test_the_formats_of_which_no_real_file_is_at_hand_replay(tmp_path, name, write):
    replayed(read_recording(write(tmp_path / name, DATA)))


@pytest.mark.parametrize("where", list(REAL))
def test_real_recordings_replay(shared_data, where):
    path = next(shared_data.glob(where))
    recording = read_recording(path, *REAL[where])
    # the hole of S2_confused_3 lies at 75 s
    replayed(recording, 72.0, 80.0) if recording.lost else replayed(recording, 2.0, 10.0)


def test_labrecorders_integers_replay_as_microvolts(tmp_path):
    values = np.round(brainlike(2) * 10).T.astype(np.int16)
    cap = labrecorder.Sent("Cap", "EEG", "int16", 250.0, TIMES, values, 2, described(("C3", "C4")))
    recording = read_recording(labrecorder.write(tmp_path / "a.xdf", [cap], footers=False))
    np.testing.assert_array_equal(recording.data, values.T)
    replayed(recording)


def test_a_recording_of_ours_comes_back_with_its_markers_on_their_samples(tmp_path):
    path, name = tmp_path / "ours.xdf", unique("ours")
    with XdfWriter(path) as writer:
        cap = Metadata(name, "EEG", "cap", described(NAMES))
        signal = writer.add_stream(StreamDescription(cap, 250.0, 6, "float32"))
        typed = writer.add_stream(StreamDescription(Metadata(f"{name}-typed", "Markers"), 0.0, 1, "string"))
        codes = writer.add_stream(StreamDescription(Metadata(f"{name}-codes", "Markers"), 0.0, 2, "int16"))
        writer.samples(signal, TIMES, DATA)
        writer.samples(typed, TIMES[[250, 700]], [["eyes open", "Augen zu"]])
        writer.samples(codes, TIMES[[900]], [[-3], [7]])
    recording = read_recording(path)
    ended = threading.Event()
    player = threading.Thread(target=Replay(recording, speed=20.0).run, args=(ended, 30.0))
    player.start()
    pylsl = liblsl.load()

    def inlet(which):
        made = pylsl.StreamInlet(until(lambda: pylsl.resolve_byprop("name", which, 1, 0.2))[0])
        made.open_stream(5.0)
        return made

    words, numbers, eeg = inlet(f"{name}-typed"), inlet(f"{name}-codes"), inlet(name)
    try:
        first = until(lambda: eeg.pull_sample(0.5)[1])
        got = [words.pull_sample(10.0), words.pull_sample(10.0), numbers.pull_sample(10.0)]
    finally:
        ended.set()
        player.join(30)
    assert [values for values, _ in got] == [["eyes open"], ["Augen zu"], [-3, 7]]
    np.testing.assert_allclose([(t - first) * 250 for _, t in got], [250, 700, 900], atol=1e-3)


def test_a_replay_that_is_recorded_anew_has_every_marker_on_the_sample_it_had(tmp_path):
    name = unique("again")
    taken = 1000.0 + np.arange(2500) * 1.0001 / 250
    data = brainlike(6, 10.0)
    data[0] = np.arange(2500) / 100  # tells its own sample
    at = [3, 400, 401, 999]
    cap = labrecorder.Sent(
        "Cap", "EEG", "float32", 250.0, taken - 5e5, data.T, 6, described(NAMES), offset=5e5
    )
    cues = [f"{name} {row}" for row in at]
    marks = labrecorder.Sent(f"{name}-cues", "Markers", "string", 0.0, taken[at] + 9e4, cues, offset=-9e4)
    first = read_recording(labrecorder.write(tmp_path / "first.xdf", [cap, marks]))
    ended = threading.Event()
    player = threading.Thread(target=Replay(first, name).run, args=(ended, 60.0))
    player.start()
    try:
        again = tmp_path / "again.xdf"
        done = programs.run("record", "--source", f"lsl:{name}", "--out", str(again), "--duration", "5")
        assert done.returncode == 0, done.stderr
    finally:
        ended.set()
        player.join(30)
    second = read_recording(again)
    assert second.lost == 0
    np.testing.assert_array_equal(second.data, first.data[:, :1250])
    places = [(event.t - second.times[0]) * 250 for event in second.events if event.text in cues]
    np.testing.assert_allclose(places, at, rtol=0, atol=0.25)
