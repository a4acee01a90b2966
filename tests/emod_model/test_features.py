"""Features: the same signal gives the same numbers at every rate and window length."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import signal
from torch import Tensor

from emod_model.errors import ModelError, UsageError
from emod_model.features import (
    BANDS,
    FLOOR_UV2_HZ,
    FREQS_HZ,
    band_power_db,
    extract,
    log_power,
    real_part_spectrum,
    token_count,
)
from emod_model.signal.spec import SignalSpec

RATES = [125.0, 128.0, 200.0, 250.0, 256.0, 500.0]
SPEC = SignalSpec()
PUBLISHED = SignalSpec(sfreq=200.0, window_s=2.0, spectrum="real-part")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def sines(sfreq: float, seconds: float, parts: list[tuple[float, float, float]]) -> Tensor:
    """Sum of (amplitude, Hz, phase), the first sample half a period after 0 at every rate."""
    t = (torch.arange(round(seconds * sfreq), dtype=torch.float64) + 0.5) / sfreq
    return torch.stack([a * torch.sin(2 * math.pi * f * t + p) for a, f, p in parts]).sum(0)


def busy(sfreq: float, seconds: float) -> Tensor:
    """A signal with energy everywhere below 45 Hz, the same at every rate."""
    rng = np.random.default_rng(3)
    parts = [(30 / f, f + rng.uniform(-0.5, 0.5), rng.uniform(0, 6.28)) for f in range(1, 46)]
    return sines(sfreq, seconds, parts)


def test_the_grid_is_every_hertz_from_1_to_45() -> None:
    assert tuple(range(1, 46)) == FREQS_HZ


@pytest.mark.parametrize("sfreq", RATES)
@pytest.mark.parametrize("hz", [1, 10, 23, 45])
def test_a_sine_has_the_power_of_its_amplitude(sfreq: float, hz: int) -> None:
    result = log_power(sines(sfreq, 3, [(10, hz, 0.4)]), sfreq, 15)
    # A Hann frame of 1 s spreads A^2 / 2 over 1.5 Hz.
    expected = math.log(10**2 / 3)
    tolerance = 1.0 if hz == 1 else 1e-3  # at 1 Hz the negative frequency reaches into the bin
    torch.testing.assert_close(
        result[:, hz - 1], torch.full((15,), expected).double(), atol=tolerance, rtol=0
    )
    assert (result.argmax(-1) - (hz - 1)).abs().max() <= (1 if hz == 1 else 0)


def test_white_noise_has_its_own_density() -> None:
    noise = torch.from_numpy(np.random.default_rng(0).normal(0, 5, (400, 375)))
    density = log_power(noise, 125, 15).exp().mean((0, 1))
    torch.testing.assert_close(density, torch.full((45,), 25 / 62.5).double(), rtol=0.08, atol=0)


@pytest.mark.parametrize("sfreq", RATES[1:])
def test_the_same_signal_gives_the_same_spectrum_at_every_rate(sfreq: float) -> None:
    at_125 = log_power(busy(125.0, 3), 125.0, 15).exp()
    other = log_power(busy(sfreq, 3), sfreq, 15).exp()
    # Frames start on samples, up to half a sample (4 ms) apart between the rates: bins in a trough move most.
    assert (other.sum(-1) / at_125.sum(-1)).log().abs().max() < 0.02
    assert (other.log() - at_125.log()).abs().median() < 0.03


@pytest.mark.parametrize("seconds", [0.2, 0.4, 1.0, 2.0, 3.0, 10.0])
def test_any_window_length_gives_the_level_of_the_signal(seconds: float) -> None:
    tokens = round(5 * seconds)
    signal = sines(125, seconds, [(10, 20, 0.7)])
    result = log_power(signal, 125, tokens)
    assert result.shape == (tokens, 45)
    # A shorter frame is a broader line of the same area.
    power = result.exp().sum(-1)
    torch.testing.assert_close(power, torch.full((tokens,), 50.0).double(), rtol=0.12, atol=0)


def test_frames_follow_the_signal_through_the_window() -> None:
    first, second = sines(125, 1.5, [(10, 8, 0)]), sines(125, 1.5, [(10, 30, 0)])
    result = log_power(torch.cat([first, second]), 125, 15)
    assert (result[:5].argmax(-1) == 7).all()
    assert (result[-5:].argmax(-1) == 29).all()


def test_frames_at_the_edges_are_moved_inwards() -> None:
    result = log_power(busy(125, 3), 125, 15)
    assert torch.equal(result[0], result[1])
    assert torch.equal(result[-1], result[-2])
    assert not torch.equal(result[2], result[3])


def test_windows_are_independent_of_the_batch_they_are_in() -> None:
    windows = torch.randn(3, 4, 375, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(log_power(windows, 125, 15)[1, 2], log_power(windows[1, 2], 125, 15))


def test_a_live_window_first_does_not_spoil_training_after() -> None:
    with torch.inference_mode():
        log_power(busy(125, 3)[:350], 125, 14)
    eeg = busy(125, 3)[:350].requires_grad_()
    log_power(eeg, 125, 14).sum().backward()
    assert eeg.grad is not None
    assert eeg.grad.any()


def test_silence_is_the_floor() -> None:
    assert (log_power(torch.zeros(375), 125, 15) == torch.tensor(FLOOR_UV2_HZ).log()).all()


def test_a_rate_that_holds_no_45_hz_is_refused() -> None:
    with pytest.raises(ModelError, match="needs 90 Hz or more, not 80"):
        log_power(torch.zeros(240), 80, 15)


def test_a_band_holds_the_power_of_its_sine() -> None:
    # 10 uV of amplitude is 50 uV^2: 17 dB.
    for place, hz in enumerate([2.0, 6.0, 10.0, 20.0, 37.0]):
        powers = band_power_db(log_power(sines(125, 3, [(10, hz, 0.0)]), 125, 15))
        assert powers.shape == (len(BANDS),)
        assert powers[place] == pytest.approx(10 * math.log10(50), abs=0.3)
        assert powers.argmax() == place


def test_the_published_spectrum_is_the_real_part_over_the_length() -> None:
    signal = np.random.default_rng(1).normal(size=(2, 3, 100))
    expected = np.fft.rfft(signal).real / 100
    np.testing.assert_allclose(real_part_spectrum(torch.from_numpy(signal)), expected, atol=1e-12)


def test_features_of_a_window() -> None:
    eeg = torch.randn(2, 3, 375, generator=torch.Generator().manual_seed(0)) * 20
    features = extract(eeg, ["Fp1", "AF7", "Cz"], 125.0, SPEC)
    torch.testing.assert_close(features.temporal, eeg / 20)
    torch.testing.assert_close(features.spectral, log_power(eeg, 125, 15))
    assert features.spatial.shape == (2, 3, 72)
    assert features.spatial.dtype == eeg.dtype
    assert features.n_tokens == 15


def test_published_features_keep_microvolts() -> None:
    eeg = torch.randn(1, 2, 400, generator=torch.Generator().manual_seed(0))
    features = extract(eeg, ["Fp1", "Cz"], 200.0, PUBLISHED)
    assert torch.equal(features.temporal, eeg)
    assert features.spectral.shape == (1, 2, 201)
    assert features.n_tokens == 10


def test_tokens_are_counted_to_the_nearest_sample() -> None:
    assert [token_count(n, SPEC) for n in (25, 375, 1250)] == [1, 15, 50]
    at_128 = SignalSpec(sfreq=128.0)
    assert [token_count(n, at_128) for n in (26, 51, 77, 384)] == [1, 2, 3, 15]


def test_the_published_network_makes_five_tokens_of_each_whole_second_at_any_rate() -> None:
    assert [token_count(n, PUBLISHED) for n in (200, 399, 400, 2001, 2199)] == [5, 5, 10, 50, 50]
    assert [token_count(n, PUBLISHED, rate) for n, rate in ((128, 128.0), (3333, 1000 / 3))] == [5, 50]
    eeg = torch.randn(1, 1, 600, generator=torch.Generator().manual_seed(0))
    assert extract(eeg, ["Cz"], 256.0, PUBLISHED).n_tokens == 10
    with pytest.raises(ModelError, match=r"less than the whole second .* cut windows of 200 samples"):
        token_count(199, PUBLISHED)
    for rate in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ModelError, match="not a sampling rate"):
            extract(eeg, ["Cz"], rate, PUBLISHED)


def test_t3_has_a_row_of_its_own_where_the_model_learned_one() -> None:
    own = PUBLISHED.model_copy(update={"electrode_rows": "published"})
    eeg = torch.zeros(1, 2, 200)
    rows = extract(eeg, ["T3", "T7"], 200.0, own).spatial[0].argmax(1).tolist()
    assert rows == [61, 65]
    assert extract(eeg[:, :1], ["T3"], 200.0, PUBLISHED).spatial[0].argmax(1).tolist() == [65]


@pytest.mark.parametrize("samples", [0, 10, 376, 390])
def test_a_window_of_broken_tokens_is_refused(samples: int) -> None:
    with pytest.raises(ModelError, match="not a whole number of 200 ms tokens"):
        token_count(samples, SPEC)


@pytest.mark.parametrize(
    ("shape", "names", "sfreq", "sentence"),
    [
        ((3, 375), ["Fp1", "Fp2", "Cz"], 125.0, "not .batch, channels, samples"),
        ((1, 2, 375), ["Fp1"], 125.0, "2 channels came with 1 names"),
        ((1, 1, 375), ["Fp1"], 128.0, "has 128 Hz and the model takes 125 Hz"),
        ((1, 1, 1275), ["Fp1"], 125.0, "10.2 s is longer than the model takes"),
    ],
)
def test_what_does_not_fit_is_refused(
    shape: tuple[int, ...], names: list[str], sfreq: float, sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence):
        extract(torch.zeros(shape), names, sfreq, SPEC)


def test_a_repeated_electrode_is_refused() -> None:
    with pytest.raises(UsageError, match="both electrode T7"):
        extract(torch.zeros(1, 2, 375), ["T3", "T7"], 125.0, SPEC)


def pz_alpha_db(file: Path) -> float:
    """Alpha power of a recording at Pz, middle of its 3-s windows."""
    pz = np.loadtxt(file, delimiter=",", skiprows=1, usecols=3)
    sos = signal.butter(2, (1, 45), "bandpass", fs=128, output="sos")
    pz = signal.sosfilt(sos, pz - pz[0])[256:]
    windows = torch.from_numpy(pz[: len(pz) // 384 * 384].reshape(-1, 384).copy())
    return float(band_power_db(log_power(windows, 128, 15))[:, list(BANDS).index("alpha")].median())


def test_closing_the_eyes_raises_alpha_on_a_real_headset(shared_data: Path) -> None:
    folder = shared_data / "insight_eyes" / "Baseline"
    closed = [pz_alpha_db(file) for file in sorted(folder.glob("Closed*"))]
    opened = [pz_alpha_db(file) for file in sorted(folder.glob("Open*"))]
    assert len(closed) == len(opened) == 5
    assert min(closed) > max(opened)
    assert all(0 < power < 30 for power in closed + opened)  # microvolts, not volts or converter counts
