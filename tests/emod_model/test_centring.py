"""A person's own baseline: what is taken off, what is left, and that a live stream gets what was trained."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from emod_model.centring import MOST_SHARED, Baseline, Centring, Removal, Running, remove, whitened
from emod_model.features import extract
from emod_model.features.spectrum import FLOOR_UV2_HZ, log_of, spectra
from emod_model.signal.spec import SignalSpec

NAMES = ("Fp1", "Fp2", "C3", "C4", "P7", "P8")
SPEC = SignalSpec(tokens_per_s=2)
PLACES = ("signal", "power", "cross-power")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def windows_of(mixing: np.ndarray, n: int = 60, seed: int = 0) -> torch.Tensor:
    """Windows of 3 s of noise that electrodes share as `mixing` says, average-referenced."""
    rng = np.random.default_rng(seed)
    eeg = np.einsum("cd,ndt->nct", mixing, rng.standard_normal((n, mixing.shape[1], 375)))
    return torch.from_numpy((eeg - eeg.mean(1, keepdims=True)).astype(np.float32))


def mixing(seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 20 * (np.eye(len(NAMES)) + 0.4 * rng.standard_normal((len(NAMES), len(NAMES))))


def parts_of(windows: torch.Tensor) -> torch.Tensor:
    return spectra(windows, SPEC.sfreq, SPEC.window_tokens)


def test_log_power_less_its_mean_at_rest_is_what_removing_power_leaves() -> None:
    windows = windows_of(mixing())
    rest = windows[:30]
    removal = Baseline.of(parts_of(rest), 60.0).removal(Centring(place="power"))
    left = remove(extract(windows, NAMES, 125.0, SPEC), windows, SPEC, removal).spectral
    plain = extract(windows, NAMES, 125.0, SPEC).spectral
    expected = plain - log_of(parts_of(rest)).mean((0, 2))[:, None]
    # the floor is the dead channel's: a ten-thousandth of the person's usual power here
    torch.testing.assert_close(left, expected.clamp(min=np.log(FLOOR_UV2_HZ)), atol=1e-3, rtol=0)


@pytest.mark.parametrize("place", PLACES)
def test_a_louder_amplifier_changes_nothing(place: str) -> None:
    centring = Centring(place=place)
    quiet = windows_of(mixing())
    gain = torch.tensor([1.0, 3.0, 0.5, 2.0, 1.0, 4.0])[:, None]
    gain = gain if place != "cross-power" else torch.tensor(3.0)
    told = []
    for windows in (quiet, quiet * gain):
        removal = Baseline.of(parts_of(windows[:30]), 60.0).removal(centring)
        told.append(remove(extract(windows, NAMES, 125.0, SPEC), windows, SPEC, removal))
    # where a frame holds next to nothing, rounding shows
    assert float((told[0].spectral - told[1].spectral).abs().mean()) < 1e-4
    torch.testing.assert_close(told[0].temporal, told[1].temporal, atol=2e-3, rtol=0)


def test_whitened_electrodes_share_nothing_any_more() -> None:
    windows = windows_of(mixing(), n=200)
    parts = parts_of(windows)
    removal = Baseline.of(parts, 1e6).removal(Centring(shrink=0.0, spread_hz=1))
    shared = Baseline.of(whitened(parts, removal.maps), 1e6).coherence[5:40].mean(0)
    before = Baseline.of(parts, 1e6).coherence[5:40].mean(0)
    off = ~np.eye(len(NAMES), dtype=bool)
    # the average reference takes one direction away for good, so that a fifth is shared after all
    assert np.abs(shared[off]).mean() < 0.25
    assert np.abs(before[off]).mean() > np.abs(shared[off]).mean() + 0.05


def test_a_short_baseline_hardly_trusts_what_electrodes_share() -> None:
    parts = parts_of(windows_of(mixing()))
    shrunk = Baseline.of(parts, 0.01).removal(Centring())
    plain = Baseline.of(parts, 0.01).removal(Centring(place="power"))
    torch.testing.assert_close(shrunk.maps, plain.maps, atol=0.02, rtol=0.05)


def test_of_a_large_cap_the_power_alone_is_taken_off_so_that_a_live_window_does_not_wait() -> None:
    parts = parts_of(torch.randn(3, MOST_SHARED + 1, 375))
    maps = Baseline.of(parts, 60.0).removal(Centring()).maps
    torch.testing.assert_close(maps, torch.diag_embed(torch.diagonal(maps, dim1=1, dim2=2)))


def test_windows_taken_one_by_one_are_the_baseline_of_all() -> None:
    windows = windows_of(mixing(), n=20)
    one_by_one = Baseline(len(NAMES))
    for window in parts_of(windows):
        one_by_one.take(window[None], range(len(NAMES)), 0.5)
    at_once = Baseline.of(parts_of(windows), 10.0)
    np.testing.assert_allclose(one_by_one.level, at_once.level, atol=1e-9)
    np.testing.assert_allclose(one_by_one.coherence, at_once.coherence, atol=1e-9)
    np.testing.assert_allclose(one_by_one.seconds, at_once.seconds)


def test_an_electrode_that_was_bad_gets_a_baseline_of_its_own() -> None:
    windows = windows_of(mixing(), n=20)
    baseline = Baseline(len(NAMES))
    for window in parts_of(windows):
        baseline.take(window[None, :4], range(4), 0.5)
    assert (baseline.seconds[4:] == 0).all()
    baseline.take(parts_of(windows)[:1], range(len(NAMES)), 0.5, weight=0.001)
    np.testing.assert_allclose(baseline.level[:, 5], log_of(parts_of(windows)[0, 5]).mean(0), atol=1e-6)


def ran(windows: torch.Tensor, centring: Centring, times: np.ndarray) -> tuple[list[Removal], Running]:
    running = Running(centring, SPEC, len(NAMES))
    rows = range(len(NAMES))
    return [running.take(t, w, rows) for t, w in zip(times, windows.numpy(), strict=True)], running


def test_the_running_baseline_knows_the_past_alone() -> None:
    windows, times = windows_of(mixing(), n=30), 4.5 + 0.5 * np.arange(30)
    other = windows.clone()
    other[20:] *= 5
    first, second = (ran(w, Centring(), times)[0] for w in (windows, other))
    for at in range(21):
        assert torch.equal(first[at].maps, second[at].maps), at
    assert not torch.equal(first[22].maps, second[22].maps)


def test_the_running_baseline_is_a_mean_at_first_and_follows_slowly_later() -> None:
    centring = Centring(place="power", first_s=10.0, follow_s=100.0)
    windows, times = windows_of(mixing(), n=60), 3.0 + 0.5 * np.arange(60)
    windows[20:] *= 10
    removals, running = ran(windows, centring, times)
    assert running.added_sd == 0.0
    early, late = removals[15].scale, removals[59].scale
    # twenty seconds of a hundred: a fifth of the step in log power, not all of it
    step = (late / early).log().mean() / np.log(10.0)
    assert 0.1 < float(step) < 0.3


def test_a_reading_is_less_sure_while_the_baseline_is_short() -> None:
    running = Running(Centring(), SPEC, len(NAMES))
    widths = []
    for at, window in enumerate(windows_of(mixing(), n=130).numpy()):
        widths.append(running.added_sd)
        running.take(4.5 + 0.5 * at, window, range(len(NAMES)))
    assert widths[0] == 0.5
    assert all(wider >= narrower for wider, narrower in pairwise(widths))
    assert widths[-1] == 0.0
    running.reset()
    assert running.added_sd == 0.5
