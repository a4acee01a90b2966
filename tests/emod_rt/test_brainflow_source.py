"""Headsets through BrainFlow; its synthetic board is real but for the person."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emod_model.errors import SourceError, UsageError
from emod_rt.clock import SystemClock
from emod_rt.sources.brainflow import BrainFlowSource, choose_rows
from emod_rt.sources.brainflow_board import Board, describe_board, find_board, in_words, input_params, load
from emod_rt.sources.packets import Counting, PacketClock, learn_counting
from tests.emod_rt.lsl_help import until

ONE_BYTE = Counting(1, 256)


def bursty(true, sfreq, rng, every_s=0.05, stall_s=0.0):
    """When a host that reads in bursts reads each sample."""
    taken = 1000 + true / sfreq
    read = np.ceil(taken / every_s) * every_s + rng.random() * 1e-3
    stalled = (taken > 1005) & (taken < 1005 + stall_s)
    return np.where(stalled, 1005 + stall_s, read)


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
    with pytest.raises(UsageError, match=r"no parameter 'port'; allowed are.*serial_port"):
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


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), drift=st.floats(-1e-3, 1e-3), begin=st.integers(0, 255))
def test_the_counter_gives_every_loss_exactly_also_beyond_a_turn(seed, drift, begin):
    rng = np.random.default_rng(seed)
    true = np.flatnonzero(rng.random(4000) > 0.01)
    gone = rng.integers(1000, 2000)
    true = true[(true < gone) | (true > gone + rng.integers(1, 1500))]
    true -= true[0]
    clock = PacketClock(250.0, ONE_BYTE)
    read = bursty(true, 250.0 * (1 + drift), rng)
    index = []
    for part in np.array_split(np.arange(true.size), 300):
        index.append(clock.push((begin + true[part]) % 256, read[part])[1])
    np.testing.assert_array_equal(np.concatenate(index), true)
    assert clock.lost == true[-1] + 1 - true.size


def test_times_are_even_although_reads_are_bursty():
    rng = np.random.default_rng(1)
    true = np.arange(7500)
    clock = PacketClock(250.0, ONE_BYTE)
    read = bursty(true, 250.1, rng, stall_s=0.4)
    times = np.concatenate(
        [clock.push(true[part] % 256, read[part])[2] for part in np.array_split(true, 600)]
    )
    assert clock.lost == 0
    assert np.diff(times).min() > 0
    late = times - (1000 + true / 250.1)
    assert np.abs(late[2500:]).max() < 0.05
    assert np.diff(times[2500:]).std() < 1e-3


def test_a_packet_that_repeats_its_number_is_left_out_and_counted_lost():
    counts = np.array([0, 2, 4, 6, 8, 8, 12, 14], dtype=float)
    counting = learn_counting(np.arange(0, 60, 2, dtype=float), 256)
    assert counting == Counting(2, 256)
    kept, index, _ = PacketClock(125.0, counting).push(counts, 5 + np.arange(8) / 125)
    np.testing.assert_array_equal(kept, [0, 1, 2, 3, 4, 6, 7])
    np.testing.assert_array_equal(index, [0, 1, 2, 3, 4, 6, 7])


def test_a_longer_turn_than_it_seemed_is_learnt():
    counts = np.arange(120, 400, dtype=float)
    counting = learn_counting(np.arange(100, 120, dtype=float))
    assert counting == Counting(1, 128)
    _, index, _ = PacketClock(250.0, counting).push(counts, counts / 250)
    np.testing.assert_array_equal(index, np.arange(280))


def test_rows_that_do_not_count_samples_are_not_believed():
    assert learn_counting(np.repeat(np.arange(5.0), 12)) is None
    assert learn_counting(np.zeros(50)) is None
