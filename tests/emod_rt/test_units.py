"""What one step of the numbers is worth."""

import numpy as np
import pytest

from emod_model.errors import InputFileError
from emod_rt.readers.units import amplitude, parse_unit, settle_unit

RNG = np.random.default_rng(1)
SFREQ = 250.0


def eeg(sd_uv: float = 20.0, seconds: float = 4.0) -> np.ndarray:
    return RNG.standard_normal((4, round(seconds * SFREQ))) * sd_uv


@pytest.mark.parametrize(("scale", "factor"), [(1.0, 1.0), (1e-3, 1e3), (1e-6, 1e6)])
@pytest.mark.parametrize("sd_uv", [3.0, 20.0, 150.0])
def test_an_undeclared_unit_is_told_by_the_size_of_the_movement(scale, factor, sd_uv):
    assert settle_unit(eeg(sd_uv) * scale, None, SFREQ).factor == factor


def test_an_offset_of_tens_of_millivolts_does_not_fool_it():
    raw = eeg() + np.array([[62_000.0], [-16_000.0], [49_000.0], [0.0]])
    assert settle_unit(raw, None, SFREQ) == (1.0, None)
    assert settle_unit(raw * 1e-6, None, SFREQ).factor == 1e6


def test_a_drift_of_a_millivolt_a_second_does_not_fool_it():
    drift = np.linspace(0, 4000, 1000)
    assert settle_unit(eeg(10.0) * 1e-3 + drift * 1e-3, None, SFREQ).factor == 1e3


def test_one_second_without_a_rate_is_enough_for_a_live_stream():
    assert settle_unit(eeg(seconds=1.0) * 1e-6).factor == 1e6


@pytest.mark.parametrize(
    ("declared", "factor"),
    [("microvolts", 1.0), ("µV", 1.0), ("uV", 1.0), ("mV", 1e3), ("V", 1e6), ("nV", 1e-3)],
)
def test_a_declared_unit_that_fits_is_believed_without_a_word(declared, factor):
    assert settle_unit(eeg() / factor, declared, SFREQ) == (factor, None)


def test_a_weak_signal_declared_in_microvolts_stays_in_microvolts():
    assert settle_unit(eeg(0.4), "microvolts", SFREQ) == (1.0, None)


def test_microvolts_that_evidently_are_volts_are_read_as_volts_and_said():
    unit = settle_unit(eeg() * 1e-6, "microvolts", SFREQ)
    assert unit.factor == 1e6
    assert unit.note is not None
    assert "microvolts" in unit.note
    assert "read as V" in unit.note


def test_a_dead_channel_and_missing_values_do_not_count():
    data = eeg()
    data[:2] = 0.0
    data[2, 100:400] = np.nan
    assert settle_unit(data, None, SFREQ).factor == 1.0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (np.full((3, 1000), np.nan), "missing"),
        (np.zeros((3, 1000)), "flat"),
        (np.full((3, 1000), 4200.0), "flat"),
        (np.tile(np.arange(1000.0), (3, 1)), "counter"),
        (np.tile(np.arange(1000.0) % 256, (3, 1)), "counter"),
        (np.tile([1e6, -1e6], (3, 500)), "1e+06"),
        (eeg() * 1e-12, "within a second"),
    ],
    ids=["nan", "zero", "flat", "ramp", "wrapping counter", "too large", "too small"],
)
def test_what_cannot_be_eeg_is_refused_with_what_was_measured(data, said):
    with pytest.raises(InputFileError) as caught:
        settle_unit(data, "microvolts" if said == "flat" else None, SFREQ)
    assert said in str(caught.value)


def test_amplitude_is_per_channel_and_blind_to_offset():
    data = np.vstack([eeg(10.0)[0] + 1e4, eeg(40.0)[0] - 1e4])
    np.testing.assert_allclose(amplitude(data, SFREQ), [10.0, 40.0], rtol=0.1)


@pytest.mark.parametrize(
    ("text", "unit"), [("Microvolts", "µV"), (" mV ", "mV"), ("degrees", None), (None, None), ("", None)]
)
def test_unit_names(text, unit):
    assert parse_unit(text) == unit
