"""The conditioned signal: same bits for any chunking, the right frequencies, no trace of the offset."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal as scipy_signal

from emod_model.errors import ModelError
from emod_model.signal import conditioner as conditioner_module
from emod_model.signal import resample
from emod_model.signal.conditioner import Conditioner
from emod_model.signal.filters import design_sos
from emod_model.signal.resample import Resampler
from emod_model.signal.spec import SignalSpec

SPEC = SignalSpec()
RATES = [100.0, 125.0, 128.0, 200.0, 249.7, 250.0, 256.0, 500.0, 512.0, 1000.0, 2048.0]


def noise(n_channels: int, n: int, seed: int = 0) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 20, (n_channels, n)) + 50_000 * rng.normal(size=(n_channels, 1))).astype(np.float32)


def in_chunks(
    conditioner: Conditioner, data: npt.NDArray[np.float32], sizes: list[int]
) -> npt.NDArray[np.float64]:
    parts, at, turn = [], 0, 0
    while at < data.shape[1]:
        size = sizes[turn % len(sizes)]
        parts.append(conditioner.process(data[:, at : at + size]))
        at, turn = at + size, turn + 1
    return np.concatenate(parts, axis=1)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    sfreq=st.sampled_from(RATES),
    n_channels=st.integers(1, 4),
    sizes=st.lists(st.integers(1, 300), min_size=1, max_size=8),
    holes=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 699), st.integers(1, 50)), max_size=4),
)
def test_any_chunking_gives_the_same_bits(
    sfreq: float, n_channels: int, sizes: list[int], holes: list[tuple[int, int, int]]
) -> None:
    data = noise(n_channels, 700)
    for row, at, count in holes:
        data[row % n_channels, at : at + count] = np.nan
    whole = Conditioner(SPEC, sfreq, n_channels).process(data)
    assert np.array_equal(in_chunks(Conditioner(SPEC, sfreq, n_channels), data, sizes), whole)


@pytest.mark.parametrize("sfreq", [125.0, 128.0, 250.0, 2048.0])
@pytest.mark.parametrize("n_channels", [1, 8])
def test_one_sample_at_a_time_gives_the_same_bits(sfreq: float, n_channels: int) -> None:
    data = noise(n_channels, 400)
    whole = Conditioner(SPEC, sfreq, n_channels).process(data)
    assert np.array_equal(in_chunks(Conditioner(SPEC, sfreq, n_channels), data, [1]), whole)


def test_a_long_array_is_cut_into_blocks_without_a_mark() -> None:
    data = noise(32, 20_000)
    whole = Conditioner(SPEC, 1000.0, 32).process(data)
    assert np.array_equal(in_chunks(Conditioner(SPEC, 1000.0, 32), data, [333, 4001]), whole)


@pytest.mark.parametrize("sfreq", RATES)
def test_channels_do_not_touch_each_other(sfreq: float) -> None:
    data = noise(5, 600)
    together = Conditioner(SPEC, sfreq, 5).process(data)
    assert np.array_equal(Conditioner(SPEC, sfreq, 2).process(data[3:]), together[3:])


@pytest.mark.parametrize("sfreq", RATES)
def test_the_number_of_outputs_is_known_beforehand(sfreq: float) -> None:
    conditioner = Conditioner(SPEC, sfreq, 1)
    data, made = noise(1, 300), 0
    for at in range(300):
        made += conditioner.process(data[:, at : at + 1]).shape[1]
        assert made == conditioner.n_outputs(at + 1)
    assert conditioner.n_outputs(round(10 * sfreq)) == pytest.approx(10 * SPEC.sfreq, abs=1)


@pytest.mark.parametrize("sfreq", RATES)
@pytest.mark.parametrize("frequency", [4.0, 10.0, 30.0])
def test_a_sine_keeps_the_size_and_the_place_that_the_filters_give_it(sfreq: float, frequency: float) -> None:
    conditioner = Conditioner(SPEC, sfreq, 1)
    t = np.arange(round(6 * sfreq)) / sfreq
    out = conditioner.process(np.sin(2 * np.pi * frequency * t)[np.newaxis])[0]
    times = np.arange(len(out)) / SPEC.sfreq
    late = times > 3
    found = 2 * np.mean(out[late] * np.exp(-2j * np.pi * frequency * times[late]) * 1j)
    _, response = scipy_signal.sosfreqz(design_sos(SPEC, sfreq), worN=[frequency], fs=sfreq)
    wanted = response[0] * np.exp(-2j * np.pi * frequency * conditioner.delay_s)
    assert found == pytest.approx(wanted, abs=0.03)


@pytest.mark.parametrize("sfreq", [rate for rate in RATES if rate >= 200])
def test_what_would_fold_into_the_band_is_gone(sfreq: float) -> None:
    conditioner = Conditioner(SPEC, sfreq, 1)
    t = np.arange(round(4 * sfreq)) / sfreq
    for frequency in np.arange(SPEC.sfreq - SPEC.band_hz[1] + 2, min(sfreq / 2, 400), 7):
        conditioner.reset()
        out = conditioner.process(np.sin(2 * np.pi * frequency * t)[np.newaxis])[0]
        residue_db = 20 * np.log10(out[len(out) // 2 :].std() * np.sqrt(2))
        assert residue_db < -50, f"{frequency} Hz leaves {residue_db:.0f} dB"


@pytest.mark.parametrize("sfreq", [rate for rate in RATES if rate != SPEC.sfreq])
def test_the_resampler_is_short(sfreq: float) -> None:
    assert 0 < Conditioner(SPEC, sfreq, 1).delay_s <= 0.041


def test_the_resampler_answers_an_impulse_evenly_around_its_delay() -> None:
    resampler = Resampler(500.0, 125.0, 45.0, 1)
    impulse = np.zeros((1, 400))
    impulse[0, 200] = 1
    out = resampler.process(impulse)[0]
    centre = round((200 / 500 + resampler.delay_s) * 125)
    assert np.argmax(out) == centre
    assert np.allclose(out[centre - 8 : centre], out[centre + 8 : centre : -1], atol=1e-12)
    assert out.sum() == pytest.approx(0.25, rel=1e-2)


def test_a_source_at_the_models_rate_is_only_filtered() -> None:
    data = noise(2, 500).astype(np.float64)
    conditioner = Conditioner(SPEC, SPEC.sfreq, 2)
    centred = data - data[:, :1]
    assert conditioner.delay_s == 0
    assert np.array_equal(
        conditioner.process(data), scipy_signal.sosfilt(design_sos(SPEC, SPEC.sfreq), centred, axis=1)
    )


@pytest.mark.parametrize("sfreq", RATES)
def test_a_constant_offset_of_60_mv_leaves_nothing(sfreq: float) -> None:
    assert not Conditioner(SPEC, sfreq, 1).process(np.full((1, 1000), 60_000.0)).any()


def test_the_offset_of_the_electrode_does_not_change_the_signal() -> None:
    data = noise(1, 2000).astype(np.float64)
    plain = Conditioner(SPEC, 250.0, 1).process(data)
    shifted = Conditioner(SPEC, 250.0, 1).process(data + 60_000)
    assert np.allclose(plain, shifted, atol=1e-8)
    assert np.abs(shifted).max() < 100


def test_reset_forgets_everything() -> None:
    conditioner = Conditioner(SPEC, 256.0, 2)
    conditioner.process(noise(2, 777, seed=1))
    conditioner.reset()
    data = noise(2, 300)
    assert np.array_equal(conditioner.process(data), Conditioner(SPEC, 256.0, 2).process(data))


def test_missing_values_never_reach_the_filter() -> None:
    data = noise(3, 1000)
    clean = Conditioner(SPEC, 250.0, 3).process(data)
    data[1, 100:110], data[1, 400] = np.nan, np.inf
    out = Conditioner(SPEC, 250.0, 3).process(data)
    assert np.isfinite(out).all()
    assert np.array_equal(out[[0, 2]], clean[[0, 2]])
    assert np.array_equal(out[1, :50], clean[1, :50])
    assert np.abs(out[1]).max() < 200


def test_a_channel_that_comes_late_starts_from_its_own_first_value() -> None:
    data = noise(2, 500)
    data[0, :100] = np.nan
    out = Conditioner(SPEC, 125.0, 2).process(data)
    assert not out[0, :100].any()
    assert np.array_equal(out[:1, 100:], Conditioner(SPEC, 125.0, 1).process(data[:1, 100:]))


def test_the_callers_buffer_may_be_reused() -> None:
    data = noise(2, 400).astype(np.float64)
    data[0, 200:210] = np.nan
    conditioner, buffer, parts = Conditioner(SPEC, 250.0, 2), np.empty((2, 50)), []
    for at in range(0, 400, 50):
        buffer[:] = data[:, at : at + 50]
        parts.append(conditioner.process(buffer).copy())
        buffer[:] = -1e6
    assert np.array_equal(np.concatenate(parts, axis=1), Conditioner(SPEC, 250.0, 2).process(data))


@pytest.mark.parametrize("sfreq", [0.0, -250.0, float("nan"), 50.0, 98.0])
def test_a_rate_that_cannot_carry_the_band_is_refused_by_name(sfreq: float) -> None:
    with pytest.raises(ModelError, match=f"{sfreq:g} Hz"):
        Conditioner(SPEC, sfreq, 4)


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="n_channels is 0"):
        Conditioner(SPEC, 250.0, 0)
    with pytest.raises(ValueError, match=r"shape \(3, 10\)"):
        Conditioner(SPEC, 250.0, 2).process(np.zeros((3, 10)))
    assert Conditioner(SPEC, 250.0, 2).process(np.zeros((2, 0))).shape == (2, 0)


def work(monkeypatch: pytest.MonkeyPatch, n_channels: int, n_chunks: int) -> list[int]:
    """Count the numbers that pass through the filter and the resampler, chunk by chunk."""
    counts: list[int] = []
    sosfilt, sum_taps = scipy_signal.sosfilt, resample._sum_taps

    def counted_sosfilt(sos, x, axis, zi):
        counts[-1] += x.size * len(sos)
        return sosfilt(sos, x, axis=axis, zi=zi)

    def counted_sum(products):
        counts[-1] += products.size
        return sum_taps(products)

    monkeypatch.setattr(conditioner_module.signal, "sosfilt", counted_sosfilt)
    monkeypatch.setattr(resample, "_sum_taps", counted_sum)
    conditioner, data = Conditioner(SPEC, 1000.0, n_channels), noise(n_channels, 80)
    for _ in range(n_chunks):
        counts.append(0)
        conditioner.process(data)
    monkeypatch.undo()
    return counts


def test_the_work_grows_with_the_channels_and_not_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = work(monkeypatch, 8, 50), work(monkeypatch, 256, 50)
    assert len(set(few)) == 1
    assert [32 * count for count in few] == many
