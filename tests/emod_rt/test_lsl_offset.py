"""The offset between two clocks, followed from scripted measurements."""

import numpy as np
import pytest

from emod_rt.sources.lsl_offset import ClockOffset


def follow(true, measured, period=0.005):
    """Stamps of a sender for as long as there are measurements, one every two seconds; (error, times)."""
    offset, errors, times = ClockOffset(measured[0]), [], []
    per_block = round(0.05 / period)
    for block in range(round(2.0 * (len(measured) - 1) / 0.05)):
        begin = block * 0.05
        stamps = 1000.0 + begin + period * np.arange(per_block)
        offset.measured(measured[1 + int(begin // 2)])
        even = stamps + offset.base
        moved = even + offset.follow(even)
        times.append(moved)
        errors.append(moved - stamps - true(stamps - 1000.0))
    return np.concatenate(errors), np.concatenate(times)


def test_a_drift_of_100_ppm_is_followed_to_half_a_millisecond():
    def true(t):
        return -7000.0 + 1e-4 * t

    error, times = follow(true, [true(2.0 * k) for k in range(61)])
    assert np.abs(error).max() < 1e-3
    assert np.diff(times).min() > 0


def test_measurements_that_scatter_by_5_ms_move_the_times_by_less():
    rng = np.random.default_rng(1)
    error, times = follow(lambda t: 0.0, rng.normal(0, 5e-3, 300))
    later = error[error.size // 10 :]
    assert later.std() < 2.5e-3
    # each step between samples stays even to five microseconds
    assert np.abs(np.diff(times) - 0.005).max() < 5.1e-6


def test_a_measurement_that_is_wild_changes_nothing():
    measured = [0.0] + [1e-6 * k for k in range(30)]
    measured[7], measured[15] = 0.4, -3.0
    error, _ = follow(lambda t: 0.0, measured)
    assert np.abs(error).max() < 1e-4


@pytest.mark.parametrize("jump", [1.0, -1.0, 3600.0, -10.0, 200_000.0])
def test_a_clock_that_was_set_is_followed_when_three_measurements_say_so(jump):
    measured = [1e-6 * k + (jump if k >= 10 else 0.0) for k in range(20)]
    error, _ = follow(lambda t: np.where(t >= 18.0, jump, 0.0), measured)
    assert np.abs(error[: round(18 / 0.005)]).max() < 1e-4
    assert np.abs(error[round(22.1 / 0.005) :]).max() < 1e-4


def test_another_sender_with_another_clock_goes_on_without_a_step_in_our_time():
    offset, drift = ClockOffset(5.0), 1e-4
    for second in range(100):
        offset.measured(5.0 + drift * second)
        offset.follow(100.0 + second + 5.0 + np.arange(250) / 250)
    assert offset.value == pytest.approx(5.01, abs=1e-3)
    even_before = 200.0 + offset.base
    offset.restart(-40.0)
    # the same moment by the new sender's clock
    even_after = 200.0 + 5.01 + 40.0 + offset.base
    assert even_after == pytest.approx(even_before, abs=1e-3)


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_a_measurement_that_is_no_number_is_none(odd):
    offset = ClockOffset(1.0)
    for _ in range(5):
        offset.measured(odd)
    assert offset.value == 1.0
