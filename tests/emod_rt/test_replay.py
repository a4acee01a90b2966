"""A recording goes out as LSL and comes back in sample by sample."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from emod_model.errors import UsageError
from emod_rt import liblsl
from emod_rt.clock import SystemClock
from emod_rt.readers import Recording
from emod_rt.replay import Replay
from emod_rt.sources.lsl import LSLSource
from tests.emod_rt import programs
from tests.emod_rt.lsl_help import noise, unique, until
from tests.emod_rt.recordings import brainlike

LABELS = ("Fp1", "Fp2", "C3", "C4")


class QuickClock(SystemClock):
    """Twenty seconds a second, so that a minute of signal passes in three."""

    def __init__(self, pace=20.0):
        self._pace = pace

    def now(self):
        return super().now() * self._pace

    def wait(self, seconds, stop):
        return super().wait(seconds / self._pace, stop)


def recording(index, markers=(), sfreq=250.0, simulated=False):
    index = np.asarray(index, dtype=np.int64)
    return Recording(
        data=noise(index.size).T.copy(),
        sfreq=sfreq,
        channels=LABELS,
        times=7.0 + index / sfreq,
        index=index,
        markers=list(markers),
        notes=(),
        name="made.csv",
        path=Path("made.csv"),
        simulated=simulated,
    )


class Player:
    """A replay in a thread of its own."""

    def __init__(self, replay, wait_s=300.0):
        self.stop, self.positions, self.met = threading.Event(), [], None

        def run():
            self.met = replay.run(self.stop, wait_s, lambda p: self.positions.append(p))

        self.thread = threading.Thread(target=run)
        self.thread.start()

    def end(self):
        self.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()


def listen(name, count):
    source = LSLSource(name)
    info = source.open(10.0)
    chunks = []
    until(lambda: chunks.extend(source.read(0.05)) or sum(c.times.size for c in chunks) >= count)
    source.close()
    index = np.concatenate([np.arange(c.first_index, c.first_index + c.times.size) for c in chunks])
    return (
        info,
        index,
        np.concatenate([c.data for c in chunks], axis=1),
        np.concatenate([c.times for c in chunks]),
    )


def test_a_reader_gets_every_sample_from_the_first_with_the_holes_in_their_place():
    name, made = unique("replay"), recording(np.r_[0:1000, 1001:2000, 2600:4000])
    player = Player(Replay(made, name, clock=QuickClock()))
    info, index, data, _ = listen(name, made.index.size)
    player.end()
    assert player.met
    assert (info.channels, info.sfreq, info.notes) == (LABELS, 250.0, ())
    np.testing.assert_array_equal(index, made.index)
    np.testing.assert_array_equal(data, made.data)


def test_a_simulated_recording_says_so_on_the_network():
    name = unique("simulated")
    player = Player(Replay(recording(np.arange(400), simulated=True), name, clock=QuickClock()))
    info, _, _, _ = listen(name, 400)
    player.end()
    assert info.simulated


@pytest.mark.parametrize("speed", [0.5, 4.0])
def test_speed_changes_the_pace_but_not_the_stamps(speed):
    name, made = unique("speed"), recording(np.arange(500))
    player = Player(Replay(made, name, speed=speed, clock=QuickClock(4.0)))
    source = LSLSource(name)
    source.open(10.0)
    began = time.monotonic()
    chunks = []
    until(lambda: chunks.extend(source.read(0.05)) or sum(c.times.size for c in chunks) >= 500)
    took = time.monotonic() - began
    source.close()
    player.end()
    times = np.concatenate([c.times for c in chunks])
    np.testing.assert_allclose(np.diff(times), 1 / 250, rtol=0, atol=5e-4)
    assert took <= 2.0 / (4 * speed) + 0.5


def test_a_part_is_played_and_a_loop_goes_on_with_the_grid():
    name, made = unique("loop"), recording(np.r_[0:300, 310:1000])
    player = Player(Replay(made, name, loop=True, start=1.0, stop=2.0, clock=QuickClock()))
    _, index, data, _ = listen(name, 720)
    player.end()
    turn = np.r_[0:50, 60:250]
    expected = np.concatenate([turn, 250 + turn, 500 + turn])
    np.testing.assert_array_equal(index[:720], expected)
    np.testing.assert_array_equal(data[:, :240], made.data[:, 250:490])
    np.testing.assert_array_equal(data[:, 240:480], made.data[:, 250:490])
    assert player.positions[-1].turn >= 2
    assert 1.0 <= player.positions[-1].position_s <= 2.0


def test_markers_come_at_their_place_among_the_samples():
    pylsl = liblsl.load()
    name = unique("marked")
    made = recording(np.arange(2000), markers=[(8.0, "look"), (11.5, "away")])
    replay = Replay(made, name, clock=QuickClock())
    inlets = {}

    def follow(stream, key):
        found = until(lambda: pylsl.resolve_byprop("name", stream, 1, 0.2))
        inlets[key] = pylsl.StreamInlet(found[0])
        inlets[key].open_stream(5.0)

    player = Player(replay)
    # the EEG reader starts the replay, so the markers' reader comes first
    follow(f"{name}-markers", "markers")
    follow(name, "eeg")
    first = until(lambda: inlets["eeg"].pull_sample(0.5)[1])
    got = [inlets["markers"].pull_sample(10.0) for _ in range(2)]
    player.end()
    assert [text for (text,), _ in got] == ["look", "away"]
    np.testing.assert_allclose([stamp - first for _, stamp in got], [1.0, 4.5], rtol=0, atol=1e-4)


def test_without_a_reader_it_waits_and_then_plays_to_nobody():
    made = recording(np.arange(100))
    waited = []
    replay = Replay(made, unique("alone"), clock=QuickClock())
    met = replay.run(threading.Event(), 2.0, lambda p: waited.append(p.waiting))
    assert not met
    assert waited[0]
    assert not waited[-1]


def test_stopping_ends_it_at_once():
    player = Player(Replay(recording(np.arange(100_000)), unique("stop")))
    until(lambda: player.positions)
    began = time.monotonic()
    player.end()
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("speed", [0.0, 0.05, 21.0, -1.0, float("nan")])
def test_a_speed_out_of_range_is_refused(speed):
    with pytest.raises(UsageError, match=r"choose 0\.1 to 20"):
        Replay(recording(np.arange(100)), "x", speed=speed)


@pytest.mark.parametrize(("start", "stop"), [(5.0, None), (0.2, 0.1), (None, 0.0)])
def test_an_empty_part_is_refused(start, stop):
    with pytest.raises(UsageError, match="holds no sample"):
        Replay(recording(np.arange(100)), "x", start=start, stop=stop)


def test_the_command_takes_the_rate_behind_the_name_as_the_sentence_advises(tmp_path):
    path = tmp_path / "plain.csv"
    np.savetxt(path, brainlike(2, 2.0, 220.0).T, delimiter=",")
    named = ("--channels", "Fp1,Fp2", "--start", "3")
    advised = programs.run("replay", str(path), *named)
    assert advised.returncode == 3
    assert "as in PATH?rate=256" in advised.stderr
    done = programs.run("replay", f"{path}?rate=220", *named)
    assert done.returncode == 2
    assert "which lasts 2 s" in done.stderr
