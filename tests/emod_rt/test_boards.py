"""Boards on a pseudo-terminal, byte for byte, through BrainFlow's own drivers.

Every value is its own sample's index, so each test proves which samples came, and that none moved.
"""

import json
import threading
import time

import numpy as np
import pyxdf

from emod_model.simulate import SimulatedPerson
from emod_rt.sources.brainflow import BrainFlowSource
from tests.emod_rt.lsl_help import until
from tests.emod_rt.programs import run
from tests.peers import ganglion, knight
from tests.peers.cyton import CHANNEL_STEP, RESET_S, UV_PER_COUNT, Cyton, CytonDaisy
from tests.peers.ganglion import Ganglion
from tests.peers.knight import Knight
from tests.peers.serial_board import cut, ended, lost, stuck, twice

BUSY = 5  # samples that a host with other things to do may read late
NAMES = ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2")


class Take:
    """What a source delivered until a sample index, and what it told."""

    def __init__(self, board, kind, end, step=CHANNEL_STEP, uv=UV_PER_COUNT, channels=None):
        params = board if isinstance(board, dict) else {"serial_port": board.port}
        source = BrainFlowSource(kind, params, channels)
        chunks = []
        try:
            self.info = source.open(30.0)
            deadline = time.monotonic() + 90.0
            while not chunks or chunks[-1].first_index + chunks[-1].times.size < end:
                assert time.monotonic() < deadline, "waited in vain"
                chunks += source.read(0.05)
            self.notices = source.notices()
        finally:
            source.close()
        self.index = np.concatenate([c.first_index + np.arange(c.times.size) for c in chunks])
        self.times = np.concatenate([c.times for c in chunks])
        data = np.concatenate([c.data for c in chunks], axis=1)
        counts = np.round(data / np.float32(uv)).astype(int)
        self.values = counts - step * np.arange(len(counts))[:, None]

    def missing(self, end):
        return np.setdiff1d(np.arange(end), self.index).tolist()


def holes(*runs):
    return [index for first, count in runs for index in range(first, first + count)]


def test_what_a_cyton_loses_is_found_to_the_sample_whatever_the_fault():
    faults = (
        lost(100)
        | lost(255, 2)  # over the counter's wrap
        | lost(300, 256)  # a whole turn
        | lost(600, 300)  # more than a turn
        | twice(950)
        | stuck(960)
        | ended(970, 0x41)
        | ended(980, 0xC1)  # the driver takes it all the same
        | cut(990, 0)
        | cut(1000, 1)
        | cut(1010, 1, 5)
        | cut(1020, 20, 9)
        | cut(1030, 2, 31)
        # the counter of the next packet stands where the end byte belongs, and is one
        | cut(192 + 1024 - 1, 5, 2)
    )
    with Cyton(faults=faults, every_s=0.05) as board:
        take = Take(board, "cyton", 1300)
    # where bytes are missing, the driver takes the next packet's for them, and so loses that one as well
    gone = [(100, 1), (255, 2), (300, 256), (600, 300), (960, 1), (970, 1), (980, 1)]
    gone += [(990, 1), (1000, 2), (1010, 2), (1020, 2), (1030, 2), (1215, 2)]
    assert take.missing(1300) == holes(*gone)
    np.testing.assert_array_equal(take.values, np.tile(take.index, (8, 1)))
    assert np.diff(take.times).min() > 0
    assert "bytes of their packets were lost" in take.notices[0]
    assert take.info.metadata.source_id == f"brainflow:cyton:{board.port}"
    assert "OpenBCI" in take.info.metadata.desc
    assert take.info.lsl_clock


def test_a_daisy_whose_stream_begins_with_a_second_half_begins_with_a_whole_sample():
    with CytonDaisy(faults=lost(0) | lost(2)) as board:
        take = Take(board, "cyton_daisy", 30)
    np.testing.assert_array_equal(take.values, np.tile(take.index + 2, (16, 1)))


def test_a_board_of_another_maker_is_as_exact():
    with Knight(lost(80, 3) | lost(100, 256) | cut(380, 2, 1) | cut(390, 1, 7) | ended(400, 1)) as board:
        take = Take(board, "neuropawn_knight", 400, knight.CHANNEL_STEP, knight.UV_PER_COUNT, NAMES)
    before = take.values[0, 0]
    np.testing.assert_array_equal(take.values, np.tile(take.index + before, (8, 1)))
    gone = [(80, 3), (100, 256), (380, 2), (390, 2), (400, 1)]
    assert take.missing(400) == [index for index in np.subtract(holes(*gone), before) if 0 <= index < 400]


def test_a_ganglion_whose_packets_hold_two_samples_is_as_exact():
    faults = lost(60, 3) | lost(99, 2) | lost(150, 100) | lost(280, 120)
    with Ganglion(faults, every_s=0.03) as board:
        params = {"serial_port": board.port, "mac_address": ganglion.ADDRESS, "timeout": "5"}
        take = Take(params, "ganglion", 840, ganglion.CHANNEL_STEP, ganglion.UV_PER_COUNT, NAMES[:4])
    np.testing.assert_array_equal(take.values, np.tile(take.index, (4, 1)))
    assert take.missing(840) == holes((120, 6), (198, 4), (300, 200), (560, 240))


def test_after_radio_silence_the_place_is_exact_and_nothing_more_is_lost():
    with Cyton(out_of_reach=[range(200, 700)]) as board:
        take = Take(board, "cyton", 750)
    assert take.missing(750) == holes((200, 500))
    np.testing.assert_array_equal(take.values, np.tile(take.index, (8, 1)))


def test_a_board_that_was_switched_off_and_on_is_back_within_two_seconds():
    with Cyton() as board:
        board.at |= {200: board.switch_off, 500: board.switch_on}
        take = Take(board, "cyton", 900)
    back = take.index[take.index >= 200][0]
    assert 500 <= back < 500 + 2 * 250
    assert np.abs(take.values - take.index).max() <= BUSY, "the hole is sized by time"


def test_a_board_that_is_plugged_in_late_is_waited_for_and_one_that_is_away_is_closed_at_once():
    with Cyton() as board:
        board.unplug()
        plugging = threading.Timer(0.3, board.replug)
        plugging.start()
        source = BrainFlowSource("cyton", {"serial_port": board.port})
        assert source.open(30.0).channels == NAMES
        plugging.join()
        board.unplug()
        until(lambda: source.read(0.0) == [])
        # connecting takes a second and more, of which no read takes part
        board.replug()
        reads = 0
        while not source.read(0.01):
            reads += 1
        assert reads > 20
        board.unplug()
        until(lambda: source.read(0.0) == [])
        began = time.monotonic()
        source.close()
        assert time.monotonic() - began < 0.5
        assert source.read(0.0) is None


def test_a_board_left_streaming_by_a_program_that_was_killed_is_taken_over():
    with Cyton(reset_s=RESET_S) as board:
        board.begin()
        time.sleep(0.05)
        take = Take(board, "cyton", 100)
    np.testing.assert_array_equal(np.diff(take.values[0]), 1)


def recorded(path):
    """The EEG stream of a recording: values (channels, samples), time stamps."""
    streams, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    (eeg,) = [stream for stream in streams if stream["info"]["type"][0] == "EEG"]
    return eeg["time_series"].T, eeg["time_stamps"]


def test_a_daisys_stale_halves_are_never_recorded_as_data(tmp_path):
    # sample n is packet 2n, with channels 9 to 16, and packet 2n + 1, with channels 1 to 8
    faults = (
        lost(100)  # a first half alone: the driver sends 49's again, under its number
        | lost(151)  # a second half alone: 75 is not sent, and nobody can tell whose half 74 got
        | lost(201, 2)  # 100's second half and 101's first: 100 is sent with 101's, and no number tells
        | lost(260, 2)  # a whole sample
        | lost(301, 4)
        | lost(360, 256)  # a turn of the counter
        | cut(701, 8, 12)
    )
    file = tmp_path / "daisy.xdf"
    with CytonDaisy(faults=faults, every_s=0.05) as board:
        source = f"brainflow:cyton_daisy?serial_port={board.port}"
        done = run("record", "--source", source, "--out", str(file), "--duration", "3.2")
    assert done.returncode == 0, done.stderr
    assert "their two halves was lost" in done.stderr
    data, times = recorded(file)
    values = np.round(data / np.float32(UV_PER_COUNT)).astype(int) - CHANNEL_STEP * np.arange(16)[:, None]
    np.testing.assert_array_equal(values, np.tile(values[0], (16, 1)))
    gone = [(50, 1), (74, 2), (100, 2), (129, 2), (150, 3), (179, 129), (350, 2)]
    assert np.setdiff1d(np.arange(400), values[0]).tolist() == holes(*gone)
    assert np.abs(times - times[0] - (values[0] - values[0][0]) / 125).max() < 0.06


def test_run_survives_a_pulled_dongle_and_is_back_within_two_seconds(tmp_path):
    eeg = SimulatedPerson(5, NAMES, 250.0).generate(5000)
    lines, file = tmp_path / "run.jsonl", tmp_path / "run.xdf"
    with Cyton(eeg, faults=lost(240, 40) | lost(320, 300), every_s=0.05, reset_s=0.3) as board:
        board.at |= {1250: board.unplug, 1400: board.replug}
        source = f"brainflow:cyton?serial_port={board.port}"
        words = ("run", "--headless", "--source", source, "--duration", "13")
        done = run(*words, "--jsonl", str(lines), "--record", str(file))
        taken = np.vectorize(board.time_of)
        data, times = recorded(file)
        # which of the person's samples each one is tells where it belongs
        slots = np.array([int(np.abs(eeg - sample[:, None]).sum(axis=0).argmin()) for sample in data.T])
        late = times - taken(slots)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in lines.read_text().splitlines()]
    windows, summary = told[:-1], told[-1]["summary"]
    gaps = dict(summary["gaps"])
    assert gaps[240] == 40
    assert gaps[320] == 300
    (unplugged,) = [first for first in gaps if first > 1000]
    assert 1230 <= unplugged <= 1250
    assert 150 <= gaps[unplugged] < 170 + 2 * 250
    places = np.setdiff1d(np.arange(summary["samples"] + summary["lost"]), slots)
    assert abs(sum(gaps.values()) - places.size) <= BUSY, "the hole is sized by time"
    assert np.diff(times).min() > 0
    assert np.abs(np.diff(late)).max() < 5e-3
    stalled = [window for window in windows if window["reason"] == "stalled"]
    assert stalled[0]["latency_ms"] < 1500
    back = [window["index"] for window in windows if window["valid"] and window["index"] > 1400]
    assert back, "once the filters have settled there are estimates again"
    valid = [window["index"] for window in windows if window["valid"]]
    held = unplugged, unplugged + gaps[unplugged]
    assert not any(held[0] <= index < held[1] + 3 * 250 for index in valid)
