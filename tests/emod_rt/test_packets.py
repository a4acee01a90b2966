"""Samples are placed by their packet numbers and timed evenly, whatever happens on the way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emod_rt.sources.packets import NO_SAMPLE, Counting, PacketClock, learn_counting

ONE_BYTE = Counting(1, 256)


def bursty(taken, rng, every_s=0.05, stalls=()):
    """When a host that reads in bursts, and is held up at (moment, seconds), reads what was taken when."""
    read = np.ceil(taken / every_s) * every_s + rng.random() * 1e-3
    for moment, seconds in stalls:
        read = np.where((read > moment) & (read < moment + seconds), moment + seconds, read)
    return read


def placed(clock, counts, read):
    """Push as a source does: what was read together, and again what the clock left."""
    index, times, start = [], [], 0
    for stop in [*(np.flatnonzero(np.diff(read)) + 1).tolist(), read.size]:
        places, at = clock.push(np.asarray(counts[start:stop], float), read[start:stop])
        index.append(places)
        times.append(at)
        start += places.size
    return np.concatenate(index), np.concatenate(times)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), drift=st.floats(-1e-3, 1e-3), begin=st.integers(0, 255))
def test_the_counter_gives_every_loss_exactly_also_beyond_a_turn(seed, drift, begin):
    rng = np.random.default_rng(seed)
    true = np.flatnonzero(rng.random(4000) > 0.01)
    gone = rng.integers(1000, 2000)
    true = true[(true < gone) | (true > gone + rng.integers(1, 1500))]
    true -= true[0]
    read = bursty(1000 + true / (250.0 * (1 + drift)), rng)
    index, _ = placed(PacketClock(250.0, ONE_BYTE), (begin + true) % 256, read)
    np.testing.assert_array_equal(index, true[: index.size])
    assert index.size >= true.size - 1


@pytest.mark.parametrize("many", [1, 2, 127, 254, 255, 256, 257, 511, 512, 768, 2560])
def test_losses_of_whole_turns_are_as_exact_as_single_ones(many):
    true = np.arange(6000)
    true = true[(true < 2345) | (true >= 2345 + many)]
    read = bursty(1000 + true / 250.0, np.random.default_rng(1))
    index, _ = placed(PacketClock(250.0, ONE_BYTE), true % 256, read)
    np.testing.assert_array_equal(index, true)


@pytest.mark.parametrize("seconds", [0.3, 0.8, 1.1, 3.0])
def test_a_host_that_was_busy_has_lost_nothing(seconds):
    true = np.arange(5000)
    read = bursty(1000 + true / 250.0, np.random.default_rng(1), stalls=[(1009.003, seconds)])
    index, _ = placed(PacketClock(250.0, ONE_BYTE), true % 256, read)
    np.testing.assert_array_equal(index, true)


@pytest.mark.parametrize("seconds", [0.8, 1.1, 3.0])
def test_a_host_that_catches_up_little_by_little_has_lost_what_the_counter_says(seconds):
    true = np.delete(np.arange(5000), np.arange(2252, 2292))
    read = bursty(1000 + true / 250.0, np.random.default_rng(1))
    late = (read > 1009.003) & (read < 1009.003 + 1.2 * seconds)
    # a buffer's worth at a time
    read[late] = np.maximum(read[late], 1009.003 + seconds + 0.05 * (np.arange(late.sum()) // 124))
    read = np.maximum.accumulate(read)
    index, _ = placed(PacketClock(250.0, ONE_BYTE), true % 256, read)
    np.testing.assert_array_equal(index, true)


@pytest.mark.parametrize("number", [0, 13, 100, 231, 255])
@pytest.mark.parametrize("at", [5, 1000])
def test_what_is_no_packet_is_not_believed_against_the_next(number, at):
    true = np.delete(np.arange(3000), at + 1)
    counts = true % 256
    # bytes lost in one packet: a driver may take its rest and the next one's beginning for a packet
    counts[at] = number
    read = bursty(1000 + true / 250.0, np.random.default_rng(1))
    index, _ = placed(PacketClock(250.0, ONE_BYTE), counts, read)
    # repeating the number before, or no number of this stream
    assert index[at] in (NO_SAMPLE, index[at - 1])
    np.testing.assert_array_equal(np.delete(index, at), np.delete(true, at))


def test_a_counter_that_starts_anew_is_placed_by_time():
    true = np.concatenate((np.arange(2000), np.arange(2777, 6000)))
    counts = np.where(true < 2000, true, true - 2777) % 256
    read = bursty(1000 + true / 250.0, np.random.default_rng(1))
    clock = PacketClock(250.0, ONE_BYTE)
    first, _ = placed(clock, counts[:2000], read[:2000])
    clock.doubt()
    second, times = placed(clock, counts[2000:], read[2000:])
    np.testing.assert_array_equal(first, true[:2000])
    assert abs(second[0] - 2777) <= 1
    np.testing.assert_array_equal(np.diff(second), 1)
    late = times - (1000 + true[2000:] / 250.0)
    assert np.ptp(late[1250:]) < 2e-3


def test_a_counter_that_only_might_have_started_anew_is_still_exact():
    true = np.concatenate((np.arange(2000), np.arange(2777, 4000)))
    read = bursty(1000 + true / 250.0, np.random.default_rng(1))
    clock = PacketClock(250.0, ONE_BYTE)
    placed(clock, true[:2000] % 256, read[:2000])
    clock.doubt()
    np.testing.assert_array_equal(placed(clock, true[2000:] % 256, read[2000:])[0], true[2000:])


@pytest.mark.parametrize("later", [1, 3, 20, 100])
def test_a_board_that_obeys_after_it_was_heard_again_is_placed_by_time_once_more(later):
    true = np.concatenate((np.arange(2000), np.arange(2777, 4000)))
    anew = 2777 + later
    counts = np.where(true < anew, true, true - anew) % 256
    read = bursty(1000 + true / 250.0, np.random.default_rng(1))
    clock = PacketClock(250.0, ONE_BYTE)
    placed(clock, counts[:2000], read[:2000])
    clock.doubt()
    index, _ = placed(clock, counts[2000:], read[2000:])
    assert np.diff(index).min() > 0
    assert np.abs(index - true[2000:]).max() <= 1


def test_a_counter_thrown_far_ahead_has_started_anew_even_when_nobody_said_so():
    true = np.arange(4000)
    counts = np.where(true < 2000, true, true + 120) % 256
    read = bursty(1000 + true / 250.0, np.random.default_rng(1))
    index, _ = placed(PacketClock(250.0, ONE_BYTE), counts, read)
    assert np.abs(index - true).max() <= 1


def test_a_packet_that_repeats_its_number_shares_the_place_of_the_one_before():
    counts = np.array([0, 2, 4, 6, 8, 8, 12, 14], dtype=float)
    counting = learn_counting(np.arange(0, 60, 2, dtype=float), 256)
    assert counting == Counting(2, 256)
    index, _ = PacketClock(125.0, counting).push(counts, 5 + np.arange(8) / 125)
    np.testing.assert_array_equal(index, [0, 1, 2, 3, 4, 4, 6, 7])


def test_a_longer_turn_than_it_seemed_is_learnt():
    counts = np.arange(120, 400, dtype=float)
    counting = learn_counting(np.arange(100, 120, dtype=float))
    assert counting == Counting(1, 128)
    index, _ = PacketClock(250.0, counting).push(counts, counts / 250)
    np.testing.assert_array_equal(index, np.arange(280))


def test_rows_that_do_not_count_samples_are_not_believed():
    assert learn_counting(np.repeat(np.arange(5.0), 12)) is None
    assert learn_counting(np.zeros(50)) is None


@pytest.mark.parametrize("sfreq", [250.0, 125.0])
@pytest.mark.parametrize("off", [0.0, 50e-6, -50e-6, 5e-3, -5e-3])
def test_times_are_within_two_milliseconds_although_reads_come_in_bursts(sfreq, off):
    rng = np.random.default_rng(3)
    true = np.arange(round(150 * sfreq))
    # the crystal warms up: 10 ppm within the run
    taken = 1000 + true / (sfreq * (1 + off))
    taken += 0.5 * (1e-5 / 150) * (taken - 1000) ** 2
    bursts = np.unique(bursty(taken, np.random.default_rng(3)))
    stalls = [(moment, rng.uniform(0, 0.2)) for moment in bursts[rng.random(bursts.size) < 0.01]]
    read = bursty(taken, np.random.default_rng(3), stalls=stalls)
    held_up = rng.exponential(0.002, bursts.size)
    read = np.maximum.accumulate(read + held_up[np.searchsorted(bursts, read) % bursts.size])
    index, times = placed(PacketClock(sfreq, ONE_BYTE), true % 256, read)
    np.testing.assert_array_equal(index, true)
    late = times - taken
    settled = late[round(30 * sfreq) :]
    assert np.abs(settled - np.median(settled)).max() < 2e-3
    assert np.diff(times).min() > 0
    assert np.abs(np.diff(late)).max() < 5e-3, "also in the first seconds, while the clock is being learnt"
