"""Headsets through BrainFlow; its synthetic board is real but for the person."""

import threading
import time

import numpy as np
import pytest

from emod_model.errors import SourceError, UsageError
from emod_rt.clock import SystemClock
from emod_rt.sources.brainflow import BrainFlowSource
from emod_rt.sources.brainflow_board import Board, describe_board, find_board, in_words, input_params, load
from emod_rt.sources.brainflow_rows import choose_rows
from emod_rt.sources.wall import WallTime
from tests.emod_rt.doubles import ManualClock
from tests.emod_rt.lsl_help import until


def test_the_synthetic_board_streams_in_real_time_and_lets_go():
    source, clock = BrainFlowSource("synthetic"), SystemClock()
    info = source.open(5.0)
    assert (info.name, info.sfreq, len(info.channels)) == ("brainflow:synthetic", 250.0, 16)
    assert info.simulated
    chunks = []
    until(lambda: chunks.extend(source.read(0.1)) or sum(c.times.size for c in chunks) > 500)
    now = clock.now()
    source.close()
    source.close()
    index = np.concatenate([np.arange(c.first_index, c.first_index + c.times.size) for c in chunks])
    times = np.concatenate([c.times for c in chunks])
    np.testing.assert_array_equal(index, np.arange(index.size))
    assert np.diff(times).min() > 0
    assert 0 <= now - times[-1] < 0.5
    assert all(c.data.dtype == np.float32 and c.data.shape[0] == 16 for c in chunks)
    # released: the board can be taken again
    again = BrainFlowSource("SYNTHETIC_BOARD", channels=["Pz", "fz"])
    assert again.open(5.0).channels == ("Pz", "Fz")
    again.close()


def test_a_board_that_is_not_there_says_what_to_check():
    source = BrainFlowSource("cyton", {"serial_port": "/dev/does-not-exist"})
    with pytest.raises(SourceError, match=r"brainflow:cyton.*dialout") as failure:
        source.open(1.0)
    assert failure.value.exit_code == 4
    source.close()


def test_a_missing_parameter_is_named():
    with pytest.raises(SourceError, match="serial_port"):
        BrainFlowSource("CYTON_BOARD").open(1.0)


def test_a_brainflow_file_plays_as_the_board_it_was_recorded_with(tmp_path):
    pytest.importorskip("brainflow")
    with pytest.raises(UsageError, match="master_board=cyton"):
        BrainFlowSource("playback_file", {"file": "x"})
    shim, file = load(), tmp_path / "session.csv"
    rows = np.zeros((shim.BoardShim.get_num_rows(0), 500))
    rows[0] = np.arange(500) % 256
    rows[1:9] = np.random.default_rng(0).normal(0, 20, (8, 500))
    rows[22] = 1.7e9 + np.arange(500) / 250
    np.savetxt(file, rows.T, delimiter="\t", fmt="%.6f")
    source = BrainFlowSource("playback_file", {"file": str(file), "master_board": "cyton"})
    info = source.open(5.0)
    chunks = []
    until(lambda: chunks.extend(source.read(0.1)) or sum(c.times.size for c in chunks) >= 100)
    source.close()
    assert info.channels[:2] == ("Fp1", "Fp2")
    data = np.concatenate([c.data for c in chunks], axis=1)[:, :100]
    np.testing.assert_allclose(data, rows[1:9, :100], atol=1e-4)


def test_names_in_any_spelling_and_the_nearest_for_a_wrong_one():
    assert find_board("Cyton") == find_board("CYTON_BOARD") == find_board("cyton-board") == 0
    with pytest.raises(UsageError, match=r"did you mean.*ganglion"):
        find_board("gangleon")


def test_parameters_are_checked():
    params = input_params({"serial_port": "COM3", "ip_port": "6677", "master_board": "cyton"})
    assert (params.serial_port, params.ip_port, params.master_board) == ("COM3", 6677, 0)
    with pytest.raises(UsageError, match=r"no parameter 'port'; give one of.*serial_port"):
        input_params({"port": "COM3"})
    with pytest.raises(UsageError, match="timeout='soon' must be a whole number"):
        input_params({"timeout": "soon"})


def test_electrodes_come_from_the_board_or_the_user():
    cyton = describe_board(find_board("cyton"))
    rows, names, notes = choose_rows(cyton, None)
    assert names == ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2")
    assert "assumed" in notes[0]
    own = ["F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2"]
    assert choose_rows(cyton, own) == (rows, tuple(own), [])
    assert choose_rows(cyton, ["O1", "C3"])[0] == (rows[6], rows[2])
    with pytest.raises(UsageError, match="8 EEG channels"):
        choose_rows(cyton, ["F3", "F4"])
    nameless = Board(1, "ganglion", 200.0, (1, 2, 3, 4), None, 0, 13, None)
    with pytest.raises(UsageError, match="without names"):
        choose_rows(nameless, None)


def test_an_error_code_nobody_knows_is_still_a_sentence():
    assert "could not be used" in str(in_words("cyton", load().BrainFlowError("odd", 17)))


class FakeCyton:
    """A Cyton that is driven by a test's clock and stamps with the time of day, as BrainFlow does."""

    def __init__(self, clock, wall, counts=True):
        self._clock, self._wall, self._counts = clock, wall, counts
        self.sent = 0
        self.released = 0

    def prepare_session(self):
        pass

    def start_stream(self, buffer):
        self._began = self._clock.time

    def get_board_data(self):
        due = int((self._clock.time - self._began) * 250 + 1e-6)
        number = np.arange(self.sent, due)
        self.sent = due
        block = np.zeros((24, number.size))
        block[0] = number % 256 if self._counts else 0
        # read by the driver some 0.4 ms after each was taken
        block[22] = [self._wall(self._began + (n + 1) / 250 + 4e-4) for n in number]
        return block

    def stop_stream(self):
        pass

    def release_session(self):
        self.released += 1


def cyton_on_a_clock(monkeypatch, steps, counts=True):
    """A source on a fake Cyton; `steps` are (moment, seconds) by which the time of day is set."""
    clock = ManualClock()

    def wall(moment):
        return 1.7e9 + moment + sum(by for at, by in steps if moment >= at)

    board = FakeCyton(clock, wall, counts)

    class Shim(load().BoardShim):
        def __new__(cls, *_):
            return board

    monkeypatch.setattr(load(), "BoardShim", Shim)
    return BrainFlowSource("cyton", clock=clock, wall=lambda: wall(clock.time)), clock, board


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("step_s", [3600.0, -5.0, 0.3, -0.3, -0.02, 1e9])
@pytest.mark.parametrize("poll_s", [0.02, 0.7])
def test_setting_the_time_of_day_loses_nothing_and_bends_no_time(monkeypatch, counts, step_s, poll_s):
    source, clock, board = cyton_on_a_clock(monkeypatch, [(107.013, step_s)], counts)
    source.open(5.0)
    chunks = []
    while clock.time < 115.0:
        clock.time += poll_s
        chunks += source.read(0.0)
    source.close()
    assert board.released == 1
    index = np.concatenate([np.arange(c.first_index, c.first_index + c.times.size) for c in chunks])
    times = np.concatenate([c.times for c in chunks])
    np.testing.assert_array_equal(index, np.arange(board.sent))
    late = times - (100.0 + (index + 1) / 250)
    assert np.abs(late).max() < 0.03


def test_a_sample_stamped_while_the_clocks_are_compared_is_placed_by_the_offset_before():
    clock, ahead = ManualClock(), [1000.0]
    time_of_day = WallTime(clock, lambda: clock.time + ahead[0])
    clock.time += 0.005
    stamped = clock.time + ahead[0]
    ahead[0] += 3600.0
    time_of_day.look()
    clock.time += 0.005
    time_of_day.look()
    np.testing.assert_allclose(time_of_day.local(np.array([stamped])), [clock.time - 0.005])


def test_close_from_another_thread_ends_a_search_that_brainflow_cannot_interrupt(monkeypatch):
    source, _, board = cyton_on_a_clock(monkeypatch, [])
    searching, found = threading.Event(), threading.Event()

    def prepare():
        searching.set()
        found.wait(20.0)

    board.prepare_session = prepare

    def close_while_searching():
        searching.wait(10.0)
        source.close()

    closer, began = threading.Thread(target=close_while_searching), time.monotonic()
    closer.start()
    with pytest.raises(SourceError, match=r"brainflow:cyton was called off"):
        source.open(60.0)
    closer.join()
    assert time.monotonic() - began < 5.0
    # found after all: given back at once
    found.set()
    until(lambda: board.released == 1)
    assert source.read(0.0) is None


def test_close_ends_the_wait_for_the_first_samples(monkeypatch):
    source, _, board = cyton_on_a_clock(monkeypatch, [])
    board.get_board_data = lambda: (source.close(), np.zeros((24, 0)))[1]
    with pytest.raises(SourceError, match="called off"):
        source.open(60.0)
    assert board.released == 1
