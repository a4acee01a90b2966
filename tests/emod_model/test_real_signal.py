"""What the conditioning does to real recordings (skipped where they are absent)."""

import csv
import gzip
from collections import Counter
from pathlib import Path

import mne
import numpy as np
import numpy.typing as npt
import pytest
from scipy import signal

from emod_model.signal.conditioner import Conditioner
from emod_model.signal.spec import SignalSpec
from emod_model.signal.windows import Window, Windower, condition_recording

SPEC = SignalSpec()
Array = npt.NDArray[np.float64]


def read_table(path: Path, columns: slice, skip: int) -> Array:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        rows = [row[columns] for row in csv.reader(file) if not row[0].startswith("%")]
    return np.array(rows[skip:], dtype=np.float64).T


@pytest.fixture(scope="module")
def cyton(shared_data: Path) -> Array:
    return read_table(next((shared_data / "openbci_cyton").glob("*.txt")), slice(1, 9), skip=1)


def line_power_db(data: Array, sfreq: float) -> Array:
    """Power within 1 Hz of 60 Hz, channel by channel."""
    freqs, density = signal.welch(data, sfreq, nperseg=round(4 * sfreq))
    return np.asarray(10 * np.log10(density[:, np.abs(freqs - 60) <= 1].sum(axis=1)))


def judged(windows: list[Window]) -> list[Window]:
    return [window for window in windows if window.quality]


def test_the_first_window_of_the_cyton_is_ready_within_five_seconds(cyton: Array) -> None:
    windows = condition_recording(cyton, 250.0, SPEC)
    first = next(window for window in windows if window.valid)
    assert (first.index + 1) / 250 <= 5
    assert len(windows) == cyton.shape[1] // 125
    assert all(window.valid for window in windows if window.index >= first.index)


def test_tens_of_millivolts_leave_no_ringing_once_settled(cyton: Array) -> None:
    assert np.abs(cyton).max() > 60_000
    running = Conditioner(SPEC, 250.0, 8).process(cyton)
    settled = round(SPEC.settle_s * SPEC.sfreq)
    for start in range(2500, 20_000, 2500):
        fresh = Conditioner(SPEC, 250.0, 8).process(cyton[:, start : start + 1125])
        along = running[:, start // 2 : start // 2 + fresh.shape[1]]
        assert np.abs(fresh - along)[:, settled:].max() < 1


def test_60_hz_goes_down_30_db_on_every_channel(cyton: Array) -> None:
    conditioned = Conditioner(SPEC, 250.0, 8).process(cyton)
    fall = line_power_db(cyton, 250.0) - line_power_db(conditioned[:, 250:], 125.0)
    assert fall.min() >= 30, f"60 Hz falls by {np.round(fall, 1)} dB"


def test_what_is_left_has_the_size_of_eeg(cyton: Array) -> None:
    conditioned = Conditioner(SPEC, 250.0, 8).process(cyton)[:, 625:]
    assert np.abs(conditioned.mean(axis=1)).max() < 1
    spread = np.median(np.abs(conditioned), axis=1) / 0.6745
    assert spread.min() > 5
    assert spread.max() < 30


def test_real_chunks_give_the_same_windows(cyton: Array) -> None:
    data = cyton[:, :5000].astype(np.float32)
    whole = Windower(SPEC, 250.0, 8).push(0, data)
    for size in (1, 7, 33, 1024):
        windower, windows = Windower(SPEC, 250.0, 8), []
        for at in range(0, data.shape[1], size):
            windows += windower.push(at, data[:, at : at + size])
        assert [window.quality for window in windows] == [window.quality for window in whole]
        for one, other in zip(windows, whole, strict=True):
            assert (one.index, one.reason, one.good) == (other.index, other.reason, other.good)
            assert np.array_equal(one.eeg, other.eeg) if one.eeg is not None else other.eeg is None


def test_closed_eyes_show_in_the_alpha_band_at_pz(shared_data: Path) -> None:
    power: dict[str, list[float]] = {"Closed": [], "Open": []}
    for path in sorted((shared_data / "insight_eyes").rglob("*.csv.gz")):
        data = read_table(path, slice(1, 6), skip=1)
        pz = Conditioner(SPEC, 128.0, 5).process(data)[2, 188:]
        freqs, density = signal.welch(pz, SPEC.sfreq, nperseg=500)
        power[path.name.split("_")[0]].append(density[(freqs >= 8) & (freqs <= 12)].mean())
    assert len(power["Closed"]) == len(power["Open"]) == 5
    gain = 10 * np.log10(np.mean(power["Closed"]) / np.mean(power["Open"]))
    assert gain >= 3, f"alpha rises by {gain:.1f} dB"


def test_blinks_and_a_jaw_clench_do_not_make_the_cyton_bad(cyton: Array) -> None:
    windows = judged(condition_recording(cyton, 250.0, SPEC))
    reasons = Counter(channel.reason for window in windows for channel in window.quality)
    total = sum(reasons.values())
    assert all(window.valid for window in windows)
    assert sum(channel.good for window in windows for channel in window.quality) / total > 0.98
    assert reasons["blink or movement"] > 0.02 * total
    assert reasons["muscle"] > 0.02 * total


@pytest.mark.parametrize(
    ("folder", "pattern", "sfreq", "columns", "skip"),
    [
        ("muse_states", "S*_control_*.csv.gz", 256.0, slice(1, 5), 1),
        ("muse_lsl_p300", "*.csv", 256.0, slice(1, 5), 1),
        ("muse_artifacts", "*.csv", 220.0, slice(0, 4), 0),
        ("insight_eyes", "**/*.csv.gz", 128.0, slice(1, 6), 1),
    ],
)
def test_worn_headsets_are_usable_nearly_always(
    shared_data: Path, folder: str, pattern: str, sfreq: float, columns: slice, skip: int
) -> None:
    paths = sorted((shared_data / folder).glob(pattern))
    assert len(paths) >= 3
    windows = [
        window
        for path in paths[:4]
        for window in judged(condition_recording(read_table(path, columns, skip), sfreq, SPEC))
    ]
    assert len(windows) > 90
    assert np.mean([window.valid for window in windows]) > 0.98


def test_an_electrode_pulled_off_is_noticed(cyton: Array) -> None:
    data = cyton[:, :5000].copy()
    data[3, 2500:] = data[3, 2499]
    data[5, 2500:] = 187_500.0  # the amplifier's rail
    windows = judged(condition_recording(data, 250.0, SPEC))
    before = [window for window in windows if window.index < 2500]
    after = [window for window in windows if window.index >= 2500 + 5 * 250]
    assert all({3, 5} <= set(window.good) for window in before)
    assert all({3, 5}.isdisjoint(window.good) for window in after)
    assert {window.quality[3].reason for window in after} == {"flat"}
    assert {window.quality[5].reason for window in after} == {"railed"}


@pytest.fixture(scope="module")
def cap(shared_data: Path) -> tuple[Array, list[str]]:
    """A person with 19 electrodes whom no threshold was chosen on, 60 s, and the electrodes' names."""
    raw = mne.io.read_raw_edf(shared_data / "eegmat" / "Subject17_2.edf", verbose="error")
    names = [name for name in raw.ch_names if name.startswith("EEG") and "A2-A1" not in name]
    return raw.get_data(names, stop=15_000) * 1e6, [name.removeprefix("EEG ") for name in names]


def test_noise_in_place_of_one_of_19_electrodes_is_left_out_and_nothing_else(
    cap: tuple[Array, list[str]],
) -> None:
    data, names = cap
    noisy = data.copy()
    noisy[7] = np.cumsum(np.random.default_rng(0).normal(0, 3, data.shape[1]))
    clean, windows = (
        judged(condition_recording(each, 250.0, SPEC, channels=names)) for each in (data, noisy)
    )
    assert np.mean([channel.good for window in clean for channel in window.quality]) > 0.99
    assert np.mean([7 in window.good for window in windows]) < 0.1
    others = {(set(a.good) - {7}) == (set(b.good) - {7}) for a, b in zip(clean, windows, strict=True)}
    assert others == {True}


def test_drift_is_said_of_a_loose_electrode(shared_data: Path) -> None:
    path = shared_data / "insight_eyes" / "Baseline" / "Open_20sx1_201227-102707.csv.gz"
    windows = judged(condition_recording(read_table(path, slice(1, 6), skip=1), 128.0, SPEC))
    drift = np.array(
        [[channel.measured.drift_uv_s for channel in w.quality if channel.measured] for w in windows]
    )
    assert drift[:, 4].max() > 1500
    assert drift[:, [1, 2, 3]].max() < 300


def test_packets_that_muse_lost_and_filled_with_zeros_are_dropouts(shared_data: Path) -> None:
    path = shared_data / "muse_states" / "S2_confused_1.csv.gz"
    windows = judged(condition_recording(read_table(path, slice(1, 5), skip=1), 256.0, SPEC))
    told = Counter(window.quality[2].reason for window in windows)
    assert told["dropouts"] > 0.6 * len(windows)
    assert all(window.valid for window in windows)
