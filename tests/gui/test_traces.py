import numpy as np
import pytest

from gui.labels import bar_uv
from gui.traces import STEPS_UV, peaks, scale


def test_peaks_keep_every_extreme_on_a_fixed_grid():
    rng = np.random.default_rng(0)
    signal = rng.standard_normal((3, 1000)).astype(np.float32)
    drawn, position = peaks(signal[:, 137:937], 137, 4)
    assert position[0] == 140  # the first whole bin
    expected = signal[:, 140:936].reshape(3, -1, 4)
    np.testing.assert_array_equal(drawn[:, 0::2], expected.min(axis=2))
    np.testing.assert_array_equal(drawn[:, 1::2], expected.max(axis=2))


def test_peaks_do_not_change_while_the_picture_scrolls():
    signal = np.random.default_rng(1).standard_normal((1, 400)).astype(np.float32)
    early, at_early = peaks(signal[:, 0:300], 0, 5)
    late, at_late = peaks(signal[:, 13:313], 13, 5)
    both = np.intersect1d(at_early, at_late)
    np.testing.assert_array_equal(early[0, np.isin(at_early, both)], late[0, np.isin(at_late, both)])


def test_a_hole_is_never_bridged_by_peaks():
    signal = np.ones((1, 40), np.float32)
    signal[0, 17] = np.nan
    drawn, position = peaks(signal, 0, 4)
    assert np.isnan(drawn[0, (position >= 16) & (position < 20)]).all()
    assert np.isfinite(drawn[0, position < 16]).all()


@pytest.mark.parametrize("size", [3.0, 20.0, 180.0])
def test_the_scale_is_a_round_number_that_holds_the_signal(size):
    signal = (size * np.sin(np.arange(1000) / 9))[None].astype(np.float32)
    chosen = scale(signal, 100.0, rows=1)
    assert chosen in STEPS_UV
    assert 0.9 * 2 * size <= chosen <= 7 * size


def test_the_scale_holds_still_for_small_changes():
    signal = (20 * np.sin(np.arange(1000) / 9))[None].astype(np.float32)
    assert scale(signal, 50.0, rows=1) == scale(0.8 * signal, 50.0, rows=1) == 50.0


def test_blinks_in_front_do_not_flatten_the_rest():
    calm = np.tile(20 * np.sin(np.arange(1000) / 9), (8, 1)).astype(np.float32)
    blinking = calm.copy()
    blinking[:2] *= 12
    assert scale(blinking, 50.0, rows=8) == scale(calm, 50.0, rows=8)


def test_a_hole_does_not_change_the_scale():
    signal = (20 * np.sin(np.arange(1000) / 9))[None].astype(np.float32)
    holed = signal.copy()
    holed[:, 100:700] = np.nan
    assert scale(holed, 500.0, rows=1) == scale(signal, 500.0, rows=1)


def test_nothing_to_see_keeps_the_scale():
    assert scale(np.full((2, 10), np.nan, np.float32), 200.0, rows=2) == 200.0
    assert scale(np.empty((0, 0), np.float32), 200.0, rows=0) == 200.0


@pytest.mark.parametrize(("pixels_per_uv", "microvolts"), [(0.7, 20.0), (0.3, 100.0), (0.0035, 5000.0)])
def test_the_scale_bar_is_the_largest_round_number_that_fits(pixels_per_uv, microvolts):
    assert bar_uv(pixels_per_uv) == microvolts
