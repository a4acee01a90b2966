"""The watchdog: quiet within a second, patient with senders of large chunks alone."""

import pytest

from emod_rt.watchdog import Watchdog


def after(*arrivals: float) -> Watchdog:
    watchdog = Watchdog()
    for arrival in arrivals:
        watchdog.arrived(arrival)
    return watchdog


def test_nothing_is_quiet_before_the_first_sample():
    assert not Watchdog().quiet(1e9)


def test_a_source_is_quiet_within_a_second():
    watchdog = after(*(k * 0.04 for k in range(100)))
    assert not watchdog.quiet(3.96 + 0.85)
    assert watchdog.quiet(3.96 + 0.95)


def test_a_sender_of_one_second_chunks_is_not_called_quiet_between_them():
    watchdog = after(0.0, 1.0, 2.0, 3.0, 4.0)
    assert not watchdog.quiet(5.2)
    assert watchdog.quiet(5.6)


def test_one_long_pause_makes_it_no_more_patient():
    assert after(0.0, 0.04, 0.08, 3.5, 3.54, 3.58, 3.62).limit_s == pytest.approx(0.9)


def test_patience_ends_at_two_seconds():
    assert after(*(5.0 * k for k in range(9))).limit_s == 2.0
