"""Our replay beside mne-lsl's own player, read by mne-lsl's own stream."""

import threading
import time

import numpy as np
import pytest

from emod_rt.readers import read_recording
from emod_rt.replay import Replay
from tests.emod_rt.lsl_help import unique, until
from tests.emod_rt.recordings import NAMES, brainlike

mne = pytest.importorskip("mne")
mne_lsl = pytest.importorskip("mne_lsl")

CUE = 500


@pytest.fixture
def counted(tmp_path):
    """A recording that both can play: the first channel tells its own sample, one sample has a marker."""
    data = brainlike(6, 8.0)
    data[0] = np.arange(2000) / 100
    raw = mne.io.RawArray(data * 1e-6, mne.create_info(list(NAMES), 250.0, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations([CUE / 250], [0.0], ["cue"]))
    path = tmp_path / "counted_raw.fif"
    raw.save(path, verbose="error")
    return path


class Reader:
    """A stream of mne-lsl's: what it says of a sender, and what it holds of it."""

    def __init__(self, name):
        from mne_lsl.stream import StreamLSL

        self.stream = StreamLSL(4.0, name=name).connect(acquisition_delay=0.05, timeout=30)

    def said(self):
        info = self.stream.info
        return info["ch_names"], info["sfreq"], self.stream.get_channel_types()

    def signal(self, microvolt):
        """Samples in volts by their number."""
        data, _ = self.stream.get_data()
        data = data[:, np.any(data != 0, axis=0)] * microvolt
        return dict(zip(np.round(data[0] * 1e8).astype(int).tolist(), data.T, strict=True))


def test_mne_lsl_reads_from_our_replay_what_it_reads_from_its_own_player(counted):
    from mne_lsl.player import PlayerLSL

    ours, theirs, ended = unique("ours"), unique("theirs"), threading.Event()
    replay = threading.Thread(target=Replay(read_recording(counted), ours, loop=True).run, args=(ended, 30.0))
    replay.start()
    player = PlayerLSL(counted, name=theirs, chunk_size=25).start()
    try:
        one, other = Reader(ours), Reader(theirs)
        assert one.said() == other.said()
        mine, its = {}, {}

        def met():
            # kept from pass to pass: the two may play far apart
            mine.update(one.signal(1e-6))
            its.update(other.signal(1.0))
            return len(set(mine) & set(its)) > 250

        until(met, 60.0)
        for at in set(mine) & set(its):
            np.testing.assert_allclose(mine[at], its[at], rtol=0, atol=1e-9)
        one.stream.disconnect()
        other.stream.disconnect()
    finally:
        player.stop()
        ended.set()
        replay.join(10)


def test_a_marker_lies_on_its_sample_and_never_farther_from_it_than_with_the_player(counted):
    import pylsl
    from mne_lsl.player import PlayerLSL

    def connect(name):
        inlet = pylsl.StreamInlet(until(lambda: pylsl.resolve_byprop("name", name, 1, 0.2), 30.0)[0])
        inlet.open_stream(30.0)
        return inlet

    def apart(signal, marks, scale):
        """Seconds from the sample that the marker belongs to, by their stamps."""
        numbers, stamps, told = [], [], None
        deadline = time.monotonic() + 60
        # the player stamps a marker no later than the sample before it, so its own may still be on its way
        while told is None or max(stamps, default=0.0) < told[1] + 1.0:
            assert time.monotonic() < deadline, "waited in vain"
            data, times = signal.pull_chunk(0.1, 1024, min_samples=1, as_numpy=True)
            numbers += np.round(data[:, 0] * scale).astype(int).tolist()
            stamps += times.tolist()
            if (got := marks.pull_sample(0.0))[0]:
                told = got
        assert told[0] == ["cue"]
        return min(abs(told[1] - stamp) for at, stamp in zip(numbers, stamps, strict=True) if at == CUE)

    theirs = unique("theirs")
    player = PlayerLSL(
        counted, name=theirs, chunk_size=25, annotations=True, annotations_encoding="string"
    ).start()
    try:
        its = apart(connect(theirs), connect(f"{theirs}-annotations"), 1e8)
    finally:
        player.stop()
    # begun when the player is done: a replay that nobody reads for its 30 s plays to nobody
    ours, ended = unique("ours"), threading.Event()
    replay = threading.Thread(target=Replay(read_recording(counted), ours).run, args=(ended, 90.0))
    replay.start()
    try:
        marks = connect(f"{ours}-markers")
        mine = apart(connect(ours), marks, 100)
        assert mine < 1e-6
        assert mine <= its
    finally:
        ended.set()
        replay.join(10)
