"""What was stamped beside a sample stays beside it on the recording's grid."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emod_rt.readers.align import on_grid
from emod_rt.readers.timing import index_from_stamps

HOLES = st.lists(st.tuples(st.integers(300, 20_000), st.integers(1, 2000)), max_size=3)


def sender(seed, sfreq, drift, holes=(), seconds=90.0):
    """True indices of the samples that arrived, and when each was taken by the recorder's clock."""
    kept = np.ones(round(seconds * sfreq), dtype=bool)
    for first, count in holes:
        kept[first : first + count] = False
    kept[:200] = kept[-200:] = True
    true = np.flatnonzero(kept)
    origin = 1e4 * np.random.default_rng(seed).random()
    return true, origin + true / (sfreq * (1 + drift))


def placed(times, stamps, sfreq, index=None):
    """Absolute index, with its fraction, that events fall on."""
    rows = index_from_stamps(stamps, sfreq).rows if index is None else index
    return (on_grid(np.asarray(times), stamps, rows, sfreq) - stamps[0]) * sfreq


@settings(max_examples=30)
@given(
    sfreq=st.sampled_from([125.0, 250.0, 256.0, 512.0]),
    drift=st.floats(-5e-4, 5e-4),
    holes=HOLES,
    seed=st.integers(0, 2**32 - 1),
)
def test_a_marker_stamped_like_a_sample_is_on_that_sample_whatever_the_senders_true_rate(
    sfreq, drift, holes, seed
):
    true, stamps = sender(seed, sfreq, drift, holes)
    np.testing.assert_allclose(placed(stamps, stamps, sfreq), true, rtol=0, atol=1e-3)


@settings(max_examples=10)
@given(drift=st.floats(-5e-4, 5e-4), holes=HOLES, seed=st.integers(0, 2**32 - 1))
def test_jitter_of_the_samples_moves_a_marker_by_less_than_one_sample(drift, holes, seed):
    true, taken = sender(seed, 250.0, drift, holes)
    late = np.random.default_rng(seed).exponential(0.003, taken.size)
    found = placed(taken, np.maximum.accumulate(taken + late), 250.0, true)
    # the first stamp, from which the grid is counted, has its own jitter
    assert np.abs(found - true - np.median(found - true)).max() < 1


def test_bursts_of_50_ms_do_not_carry_markers_along():
    true, taken = sender(1, 250.0, 1e-4)
    burst = true // 12
    stamps = np.array([taken[burst == at][-1] for at in range(burst[-1] + 1)])[burst] + 0.002
    found = placed(taken, stamps, 250.0)
    assert np.abs(found - true - np.median(found - true)).max() < 1.1


def test_ten_minutes_of_a_slow_sender_would_put_the_last_marker_fifteen_samples_off():
    true, stamps = sender(0, 250.0, 1e-4, seconds=600.0)
    grid = stamps[0] + true / 250.0
    assert abs(stamps[-1] - grid[-1]) > 0.059
    assert placed(stamps[-1:], stamps, 250.0)[0] == pytest.approx(true[-1], abs=1e-3)


def test_a_clock_set_while_recording_keeps_markers_beside_their_samples_on_both_sides():
    true, stamps = sender(3, 250.0, 2e-4)
    # corrected back by 6 ms, then on by 1.3 samples, which makes a hole of one
    stamps[8000:] -= 0.006
    stamps[16_000:] += 0.0052
    at = np.r_[0:7990, 8010:15_990, 16_010 : true.size]
    index = index_from_stamps(stamps, 250.0).rows
    np.testing.assert_allclose(placed(stamps[at], stamps, 250.0), index[at], rtol=0, atol=0.01)


def test_a_restarted_sender_of_another_true_rate_is_followed():
    first, second = np.arange(10_000), np.arange(12_000, 24_000)
    stamps = 50 + np.r_[first / 250.05, second / 249.98]
    index = index_from_stamps(stamps, 250.0).rows
    np.testing.assert_allclose(placed(stamps, stamps, 250.0), index, rtol=0, atol=0.01)


def test_inside_a_hole_a_marker_keeps_its_proportion():
    true, stamps = sender(0, 250.0, 3e-4, holes=[(5000, 1000)])
    row = int(np.flatnonzero(np.diff(true) > 1)[0])
    quarter = stamps[row] + 0.25 * (stamps[row + 1] - stamps[row])
    assert placed([quarter], stamps, 250.0)[0] == pytest.approx(true[row] + 1001 / 4, abs=0.01)


def test_before_the_first_sample_and_after_the_last_a_marker_keeps_its_distance():
    true, stamps = sender(0, 250.0, 3e-4)
    found = placed([stamps[0] - 2.0, stamps[-1] + 2.0], stamps, 250.0)
    np.testing.assert_allclose(found, [-500, true[-1] + 500], atol=0.01)


@settings(max_examples=30)
@given(
    times=st.lists(st.floats(-10, 40), min_size=2, max_size=20),
    seed=st.integers(0, 2**32 - 1),
)
def test_markers_keep_their_order(times, seed):
    true, taken = sender(seed, 250.0, 1e-4, seconds=30.0)
    stamps = np.maximum.accumulate(taken + np.random.default_rng(seed).exponential(0.01, taken.size))
    ordered = stamps[0] + np.sort(times)
    assert (np.diff(placed(ordered, stamps, 250.0, true)) >= 0).all()


def test_without_events_there_is_nothing_to_place():
    assert on_grid(np.zeros(0), np.arange(8) / 250, np.arange(8), 250.0).size == 0
    assert math.isclose(on_grid(np.array([0.5]), np.arange(8) / 250, np.arange(8), 250.0)[0], 0.5)
