"""The raw signal shows what the filters hide: rails, packets filled with zeros, a level that wanders."""

import numpy as np
import numpy.typing as npt
import pytest

from emod_model.signal.contact import Contact, inspect
from emod_model.signal.spec import SignalSpec
from emod_model.signal.windows import Windower, condition_recording

SFREQ = 250.0
N = 750
T = np.arange(N) / SFREQ
SPEC = SignalSpec()


def eeg(seed: int = 0, offset: float = 20_000.0) -> npt.NDArray[np.float64]:
    return offset + 15 * np.random.default_rng(seed).normal(size=N)


def look(*rows: npt.NDArray[np.float64], sfreq: float = SFREQ) -> Contact:
    """Judge a window that is all there has been."""
    raw = np.stack(rows).astype(np.float32)
    return inspect(raw, np.nanmin(raw, axis=1), np.nanmax(raw, axis=1), sfreq)


def test_a_signal_that_never_rests_has_contact() -> None:
    found = look(eeg(1), eeg(2, offset=-40_000))
    assert not found.railed.any()
    assert not found.dropouts.any()
    assert found.drift_uv_s.max() < 5


@pytest.mark.parametrize("rail", [187_500.0, -187_500.0, 999.5, -1000.0])
def test_a_signal_cut_off_at_its_extreme_is_railed(rail: float) -> None:
    cut = np.clip(rail - np.sign(rail) * 40 + 60 * np.sin(2 * np.pi * T), -abs(rail), abs(rail))
    assert look(eeg(), cut).railed.tolist() == [False, True]


def test_a_channel_at_the_rail_from_the_first_sample_on_is_railed() -> None:
    assert look(eeg(), np.full(N, -187_500.02)).railed.tolist() == [False, True]


def test_a_channel_that_only_says_zero_or_a_small_number_is_not_railed_but_flat() -> None:
    assert not look(np.zeros(N), np.full(N, 1234.0)).railed.any()


def test_a_channel_long_at_the_rail_is_known_by_what_it_said_before() -> None:
    raw = np.full((1, N), 999.5, dtype=np.float32)
    before = np.array([-60.0], dtype=np.float32)
    assert inspect(raw, before, raw[:, 0], SFREQ).railed.tolist() == [True]
    assert inspect(raw, before, raw[:, 0] + 1, SFREQ).railed.tolist() == [False]


@pytest.mark.parametrize(("count", "share"), [(7, 0.0), (8, 8 / N), (12, 12 / N)])
def test_a_packet_filled_with_zeros_is_a_dropout_and_no_rail(count: int, share: float) -> None:
    raw = eeg(offset=-37.0)
    raw[300 : 300 + count] = 0.0
    found = look(raw)
    assert not found.railed[0]
    assert found.dropouts[0] == pytest.approx(share)


def test_a_packet_repeated_in_place_of_a_lost_one_is_a_dropout() -> None:
    raw = eeg()
    raw[100:125] = raw[99]
    assert look(raw).dropouts[0] == pytest.approx(26 / N)


def test_coarse_steps_are_no_dropouts() -> None:
    slow = np.round(eeg(offset=0.0) / 3 + 30 * np.sin(2 * np.pi * 2 * T))
    assert look(slow).dropouts[0] == 0


@pytest.mark.parametrize("slope", [-700.0, 40.0, 300.0])
def test_drift_is_the_slope_of_the_level(slope: float) -> None:
    assert look(eeg() + slope * T).drift_uv_s[0] == pytest.approx(abs(slope), rel=0.05)


def test_a_blink_hardly_drifts() -> None:
    assert look(eeg() + 300 * np.exp(-(((T - 2.8) / 0.08) ** 2))).drift_uv_s[0] < 40


def test_missing_values_disturb_no_other_channel() -> None:
    gone = eeg(1)
    gone[200:220] = np.nan
    found, alone = look(eeg(0), gone), look(eeg(0))
    assert found.drift_uv_s[0] == alone.drift_uv_s[0]
    assert not found.railed.any()
    assert not found.dropouts.any()


def person(seconds: float, sfreq: float = SFREQ) -> npt.NDArray[np.float64]:
    n = round(seconds * sfreq)
    return 15 * np.random.default_rng(5).normal(size=(4, n)) + np.array([[20e3], [-5e3], [0.0], [-37.0]])


def test_windows_say_what_the_raw_signal_shows() -> None:
    data = person(20)
    t = np.arange(data.shape[1]) / SFREQ
    data[0, 2500:] = 187_500.0
    data[2] += 700 * t
    for at in range(0, data.shape[1], 250):
        data[3, at : at + 12] = 0.0
    last = condition_recording(data, SFREQ, SPEC)[-1]
    assert [channel.reason for channel in last.quality] == ["railed", None, "drift", "dropouts"]
    assert [channel.good for channel in last.quality] == [False, True, True, True]
    assert last.quality[3].score == pytest.approx(1 - 0.8 * 12 / 250 / 0.25)


def test_a_window_that_lacks_more_than_a_quarter_is_not_used() -> None:
    data = person(8)
    data[3].reshape(-1, 40)[:, :12] = 0.0
    last = condition_recording(data, SFREQ, SPEC)[-1]
    assert (last.quality[3].good, last.quality[3].reason) == (False, "dropouts")


def test_an_infinite_value_is_missing_and_no_rail() -> None:
    data = person(8)
    data[1, 1500] = np.inf
    last = condition_recording(data, SFREQ, SPEC)[-1]
    assert [channel.reason for channel in last.quality] == [None, "missing samples", None, None]


def test_what_was_said_before_a_hole_is_forgotten() -> None:
    data = person(8)
    rail = data.copy()
    rail[0] = 900.0
    windower = Windower(SPEC, SFREQ, 4)
    windower.push(0, data)
    after = windower.push(3000, rail)[-1]
    fresh = Windower(SPEC, SFREQ, 4).push(3000, rail)[-1]
    assert after.quality == fresh.quality
    assert after.quality[0].reason == "flat"
