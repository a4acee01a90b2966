"""A channel is judged by what electrodes really do: fall off, rail, pop, blink, clench, hum."""

import numpy as np
import numpy.typing as npt
import pytest

from emod_model.signal.quality import ChannelQuality, assess
from emod_model.signal.spec import SignalSpec

SPEC = SignalSpec()
T = np.arange(SPEC.window_samples) / SPEC.sfreq


def eeg(seed: int = 0) -> npt.NDArray[np.float64]:
    """One channel at rest: 10 Hz rhythm in noise, about 15 µV."""
    rng = np.random.default_rng(seed)
    background = np.convolve(rng.normal(0, 8, SPEC.window_samples + 4), np.ones(5) / 2.2, "valid")
    return background + 8 * np.sin(2 * np.pi * 10 * T)


def judge(*rows: npt.NDArray[np.float64], missing: tuple[int, ...] = ()) -> tuple[ChannelQuality, ...]:
    lost = np.zeros(len(rows), dtype=bool)
    lost[list(missing)] = True
    return assess(np.stack(rows), lost, SPEC)


def blink(peak: float, at: float = 1.5) -> npt.NDArray[np.float64]:
    return peak * np.exp(-(((T - at) / 0.08) ** 2))


def test_a_quiet_head_is_clean() -> None:
    assert judge(eeg(1), eeg(2), eeg(3)) == (ChannelQuality(True, 1.0, None),) * 3


def test_a_dead_electrode_is_flat() -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, SPEC.window_samples)
    assert judge(np.zeros_like(T), noise) == (ChannelQuality(False, 0.0, "flat"),) * 2


def test_an_electrode_that_fell_off_a_second_ago_is_flat() -> None:
    assert judge(np.where(T < 1.95, eeg(), 0.0))[0] == ChannelQuality(False, 0.0, "flat")


@pytest.mark.parametrize("peak", [180.0, 250.0, 350.0])
def test_a_blink_is_named_and_used(peak: float) -> None:
    found = judge(eeg() + blink(peak))[0]
    assert found.good
    assert found.reason == "blink or movement"
    assert 0.2 <= found.score < 1


def test_the_larger_the_blink_the_lower_the_score() -> None:
    scores = [judge(eeg() + blink(peak))[0].score for peak in (100, 200, 300, 400)]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 4


def test_a_popping_electrode_is_too_large() -> None:
    assert judge(eeg() + blink(900))[0] == ChannelQuality(False, 0.0, "too large")


def test_a_steady_swing_below_the_peak_is_too_large_too() -> None:
    assert judge(300 * np.sin(2 * np.pi * 2 * T))[0] == ChannelQuality(False, 0.0, "too large")


def test_a_clenched_jaw_is_muscle_and_usable() -> None:
    rng = np.random.default_rng(0)
    carrier = np.sin(2 * np.pi * 38 * T + np.cumsum(rng.normal(0, 0.3, len(T))))
    found = judge(eeg() + 40 * carrier)[0]
    assert found.good
    assert found.reason == "muscle"
    assert found.score < 0.95


def test_a_pop_is_not_muscle() -> None:
    step = np.where(T > 1.5, 300 * np.exp(-(T - 1.5) / 0.16), 0.0)
    assert judge(eeg() + step)[0].reason == "blink or movement"


@pytest.mark.parametrize("line", [50.0, 60.0])
def test_mains_is_named_and_refused_when_it_drowns_the_signal(line: float) -> None:
    hum = np.sin(2 * np.pi * (line + 0.3) * T)
    poor, lost = judge(eeg() + 12 * hum, eeg() + 60 * hum)
    assert (poor.good, poor.reason) == (True, "line noise")
    assert lost == ChannelQuality(False, 0.0, "line noise")


def test_missing_samples_come_before_every_other_reason() -> None:
    found = judge(eeg(), np.zeros_like(T), missing=(0, 1))
    assert found == (ChannelQuality(False, 0.0, "missing samples"),) * 2


def test_each_channel_is_judged_by_itself() -> None:
    rows = [eeg(1), np.zeros_like(T), eeg(2) + blink(250), eeg(3) + blink(2000)]
    assert judge(*rows) == tuple(judge(row)[0] for row in rows)


def test_a_spec_without_notches_or_with_them_above_nyquist_is_served() -> None:
    plain = SignalSpec(notch_hz=())
    slow = SignalSpec(sfreq=100.0, band_hz=(1.0, 40.0))
    assert assess(eeg()[np.newaxis], np.zeros(1, dtype=bool), plain)[0].good
    assert assess(eeg()[np.newaxis, :300], np.zeros(1, dtype=bool), slow)[0].good
