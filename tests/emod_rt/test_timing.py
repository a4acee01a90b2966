"""From a clock or a counter to the absolute index of every row."""

import numpy as np
import pytest

from emod_model.errors import InputFileError
from emod_rt.readers.timing import (
    count_repeats,
    index_from_counter,
    index_from_stamps,
    seconds_per_unit,
    snap_rate,
)

RNG = np.random.default_rng(5)


def lose(n: int, *holes: tuple[int, int]) -> np.ndarray:
    """True absolute indices of the rows that are left."""
    kept = np.ones(n, dtype=bool)
    for first, count in holes:
        kept[first : first + count] = False
    return np.flatnonzero(kept)


@pytest.mark.parametrize("rate", [125.0, 128.0, 220.0, 250.0, 256.0, 500.0, 1000.0])
def test_stamps_rounded_to_milliseconds_give_the_true_rate_and_no_hole(rate):
    stamps = np.round(1.7e9 + np.arange(20_000) / rate, 3)
    timing = index_from_stamps(stamps)
    assert timing.sfreq == rate
    np.testing.assert_array_equal(timing.rows, np.arange(20_000))


@pytest.mark.parametrize("rate", [125.0, 256.0, 1000.0])
def test_holes_in_rounded_stamps_are_exact_from_one_sample_up(rate):
    true = lose(12_000, (2000, 1), (3000, 36), (3040, 2), (9000, 700))
    # a single sample at 1000 Hz is as small as the rounding
    digits = 3 if rate < 500 else 4
    timing = index_from_stamps(np.round(1.7e9 + true / rate, digits))
    assert timing.sfreq == rate
    np.testing.assert_array_equal(timing.rows, true)


def test_a_drifting_clock_is_no_hole():
    drift = np.cumsum(RNG.standard_normal(60_000)) * 2e-6
    timing = index_from_stamps(np.round(np.arange(60_000) * 1.0003 / 256 + drift, 3))
    assert timing.sfreq == 256.0
    assert timing.rows[-1] == 59_999


def test_a_late_burst_is_no_hole():
    stamps = np.arange(10_000) / 250
    # the link stalls for 0.6 s and then hands over everything at once
    stalled = slice(5000, 5150)
    stamps[stalled] = np.maximum(stamps[stalled], stamps[5149])
    timing = index_from_stamps(np.sort(stamps))
    np.testing.assert_array_equal(timing.rows, np.arange(10_000))


def test_packets_of_twelve_with_one_arrival_time_lose_whole_packets():
    true = lose(256 * 60, (12 * 300, 12), (12 * 900, 120))
    packet = true // 12
    arrival = np.maximum.accumulate(
        (np.arange(true.max() // 12 + 1) * 12 + 11) / 256 + RNG.exponential(0.004, true.max() // 12 + 1)
    )
    timing = index_from_stamps(arrival[packet], 256.0)
    assert timing.sfreq == 256.0
    assert timing.rows[-1] == pytest.approx(true[-1], abs=2)
    np.testing.assert_array_equal(np.flatnonzero(np.diff(timing.rows) > 1), np.flatnonzero(np.diff(true) > 1))


def test_a_declared_rate_is_kept_when_the_stamps_agree_and_corrected_when_not():
    stamps = np.arange(5000) / 249.9
    assert index_from_stamps(stamps, 250.0).sfreq == 250.0
    wrong = index_from_stamps(np.arange(5000) / 220.0, 250.0)
    assert wrong.sfreq == 220.0
    assert "250" in wrong.notes[0]


def test_a_long_hole_says_nothing_of_the_rate():
    # a sender that is slower than it says, restarted after minutes
    stamps = np.r_[np.arange(13_000) / 92.9, 430.0 + np.arange(15_000) / 92.9]
    timing = index_from_stamps(stamps, 100.0)
    assert timing.sfreq == pytest.approx(92.9, rel=1e-6)
    assert timing.rows[13_000] == round(430.0 * 92.9)


def test_an_unusual_rate_stays_as_fitted():
    assert index_from_stamps(np.arange(5000) / 178.0).sfreq == pytest.approx(178.0, rel=1e-6)
    assert snap_rate(255.9) == 256.0
    assert snap_rate(178.0) == 178.0


@pytest.mark.parametrize(("unit", "rate"), [(1.0, 256.0), (1e-3, 250.0), (1e-6, 1000.0), (1e-9, 128.0)])
def test_the_unit_of_a_time_column_is_told_by_its_rate(unit, rate):
    assert seconds_per_unit(1e9 + np.arange(3000) / rate / unit) == unit


@pytest.mark.parametrize(
    ("stamps", "said"),
    [
        (np.zeros(100), "advance"),
        (np.arange(100.0)[::-1] / 250, "advance"),
        (np.r_[np.arange(500), np.arange(300, 800)] / 250.0, "goes back"),
        (np.r_[np.arange(500) / 250, np.nan, np.arange(501, 900) / 250], "missing"),
        (np.r_[np.arange(500) / 250, 90_000 + np.arange(500) / 250], "jumps"),
        (np.arange(1000) / 10.0, "10 Hz"),
        (np.r_[np.zeros(900), np.arange(100) / 250.0], "repeat"),
    ],
    ids=["still", "backwards", "set back", "nan", "a day later", "10 Hz", "mostly still"],
)
def test_stamps_that_cannot_be_a_clock_are_refused(stamps, said):
    with pytest.raises(InputFileError, match=said):
        index_from_stamps(stamps)


def test_a_clock_corrected_back_by_milliseconds_is_no_new_recording():
    stamps = np.arange(5000) / 250
    stamps[2500:] -= 0.006
    timing = index_from_stamps(stamps)
    np.testing.assert_array_equal(timing.rows, np.arange(5000))
    assert "before" in timing.notes[0]


def test_a_wrapping_counter_tells_holes_to_the_sample():
    true = lose(5000, (100, 1), (1000, 20), (1500, 254))
    placed = index_from_counter(true % 256.0)
    assert placed is not None
    index, turn = placed
    assert turn == 256
    np.testing.assert_array_equal(index, true)


def test_whole_turns_lost_are_settled_by_bursty_stamps():
    true = lose(9000, (1200, 255), (2000, 256), (4000, 600), (4900, 3), (7000, 512))
    stamps = 1.5e9 + true / 250 + RNG.exponential(0.008, true.size)
    placed = index_from_counter(true % 256.0, stamps, 250.0)
    assert placed is not None
    np.testing.assert_array_equal(placed[0], true)


def test_a_counter_alone_cannot_see_a_whole_turn():
    placed = index_from_counter(lose(3000, (1000, 256)) % 256.0)
    assert placed is not None
    assert placed[0][-1] == 2743


def test_a_daisy_counts_in_twos():
    true = lose(4000, (900, 5))
    placed = index_from_counter(true * 2 % 256.0)
    assert placed is not None
    assert placed[1] == 128
    np.testing.assert_array_equal(placed[0], true)


@pytest.mark.parametrize(
    "column",
    [np.zeros(1000), RNG.standard_normal(1000), np.full(1000, np.nan)],
    ids=["still", "noise", "nan"],
)
def test_a_column_that_does_not_count_is_no_counter(column):
    assert index_from_counter(column) is None


def test_repeated_rows_are_counted():
    rows = np.arange(20.0).reshape(10, 2)
    assert count_repeats(rows) == 0
    assert count_repeats(np.repeat(rows, 2, axis=0)) == 10
