"""Windows end at fixed indices, whatever the chunks and the holes, and say why they carry nothing."""

import time

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emod_model.errors import ModelError
from emod_model.signal import windows as windows_module
from emod_model.signal.conditioner import Conditioner
from emod_model.signal.spec import SignalSpec
from emod_model.signal.windows import Window, Windower, condition_recording

SPEC = SignalSpec()
SHORT = SignalSpec(window_s=0.4, settle_s=0.2, hop_s=0.1)
RATES = [125.0, 128.0, 200.0, 249.7, 250.0, 256.0, 512.0]


def noise(n_channels: int, n: int, seed: int = 0) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 20, (n_channels, n)) + 30_000 * rng.normal(size=(n_channels, 1))).astype(np.float32)


def same(a: list[Window], b: list[Window]) -> bool:
    """Whether two runs say the same, to the bit."""

    def picture(window: Window) -> tuple[object, ...]:
        eeg = None if window.eeg is None else window.eeg.tobytes()
        numbers = repr([channel.measured for channel in window.quality])
        return (window.index, window.reason, window.good, window.quality, numbers, eeg)

    return [picture(window) for window in a] == [picture(window) for window in b]


def push_in_chunks(
    windower: Windower,
    data: npt.NDArray[np.float32],
    sizes: list[int],
    first_index: int = 0,
    skip_lost: bool = False,
) -> list[Window]:
    """Push `data` piece by piece; with `skip_lost`, samples that are NaN everywhere are jumped over."""
    windows: list[Window] = []
    lost = np.isnan(data).all(axis=0)
    at, turn = 0, 0
    while at < data.shape[1]:
        stop = min(at + sizes[turn % len(sizes)], data.shape[1])
        if skip_lost and lost[at]:
            at += 1
            continue
        if skip_lost and lost[at:stop].any():
            stop = at + int(np.argmax(lost[at:stop]))
        windows += windower.push(first_index + at, data[:, at:stop])
        at, turn = stop, turn + 1
    return windows


def expected_reasons(
    lost: npt.NDArray[np.bool_], sfreq: float, spec: SignalSpec, first_index: int = 0
) -> list[tuple[int, str | None]]:
    """Say from the contract alone where windows end and which are a gap or still settling."""
    hop, span, settle = (round(s * sfreq) for s in (spec.hop_s, spec.window_s, spec.settle_s))
    found: list[tuple[int, str | None]] = []
    for end in range(first_index + 1, first_index + len(lost) + 1):
        if end % hop:
            continue
        past = lost[: end - first_index]
        since_hole = len(past) if not past.any() else int(np.argmax(past[::-1]))
        if past[-span:].any():
            found.append((end - 1, "gap"))
        else:
            found.append((end - 1, "settling" if since_hole < span + settle else None))
    return found


with_losses = st.lists(st.tuples(st.integers(0, 899), st.integers(1, 120)), max_size=3)
with_values_missing = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 899), st.integers(1, 60)), max_size=3
)
chunk_sizes = st.lists(st.integers(1, 250), min_size=1, max_size=6)


@settings(deadline=None, derandomize=True, max_examples=80)
@given(
    sfreq=st.sampled_from(RATES),
    first_index=st.integers(0, 2000),
    sizes=chunk_sizes,
    losses=with_losses,
    missing=with_values_missing,
    stuck=with_losses,
)
def test_chunks_and_the_way_a_loss_is_told_leave_no_mark(
    sfreq: float,
    first_index: int,
    sizes: list[int],
    losses: list[tuple[int, int]],
    missing: list[tuple[int, int, int]],
    stuck: list[tuple[int, int]],
) -> None:
    data = noise(4, 900)
    ends = data[:, [0, -1]].copy()
    for row, at, count in missing:
        data[row, at : at + count] = np.nan
    for at, count in stuck:
        data[2, at : at + count] = data[2].max()
    for at, count in losses:
        data[:, at : at + count] = np.nan
    data[:, [0, -1]] = ends  # a jump is only told by the samples around it

    def fresh() -> Windower:
        return Windower(SHORT, sfreq, 4, channels=("Fp1", "F3", "Fz", "F4"))

    whole = fresh().push(first_index, data)
    told = [push_in_chunks(fresh(), data, sizes, first_index, skip_lost=skip) for skip in (False, True)]
    assert same(told[0], whole)
    assert same(told[1], whole)
    lost = np.isnan(data).all(axis=0)
    contract = expected_reasons(lost, sfreq, SHORT, first_index)
    seen = [(window.index, window.reason if window.reason != "bad-signal" else None) for window in whole]
    assert seen == contract


def test_one_sample_at_a_time_gives_the_same_windows() -> None:
    data = noise(8, 2000)
    data[:, 700:720] = np.nan
    whole = Windower(SHORT, 250.0, 8).push(0, data)
    assert same(push_in_chunks(Windower(SHORT, 250.0, 8), data, [1], skip_lost=True), whole)
    assert sum(window.valid for window in whole) > 50


@pytest.mark.parametrize("sfreq", RATES)
def test_the_first_valid_window_ends_once_window_and_settling_are_full(sfreq: float) -> None:
    windows = condition_recording(noise(4, round(8 * sfreq)), sfreq, SPEC)
    hop = round(SPEC.hop_s * sfreq)
    assert [window.index for window in windows] == [hop * (k + 1) - 1 for k in range(len(windows))]
    assert all(window.reason == "settling" and window.eeg is None for window in windows[:8])
    first = next(window for window in windows if window.valid)
    assert first.index < 5.01 * sfreq
    assert first.eeg is not None
    assert first.eeg.shape == (4, SPEC.window_samples)
    assert first.eeg.dtype == np.float32


@pytest.mark.parametrize("sfreq", RATES)
def test_a_window_is_the_newest_conditioned_signal_referenced_to_the_mean(sfreq: float) -> None:
    data = noise(4, round(7 * sfreq))
    for window in condition_recording(data, sfreq, SPEC):
        if window.eeg is None:
            continue
        conditioned = Conditioner(SPEC, sfreq, 4).process(data[:, : window.index + 1])
        newest = conditioned[:, -SPEC.window_samples :]
        assert np.allclose(window.eeg, newest - newest.mean(axis=0), atol=1e-4)
        assert np.abs(window.eeg.mean(axis=0)).max() < 1e-4


def test_after_a_hole_the_stream_starts_as_a_fresh_one() -> None:
    before, after = noise(3, 1000, seed=1), noise(3, 1500, seed=2) + 5000
    windower = Windower(SPEC, 250.0, 3)
    windower.push(0, before)
    resumed = [window for window in windower.push(1250, after) if window.valid]
    fresh = [window for window in Windower(SPEC, 250.0, 3).push(1250, after) if window.valid]
    assert resumed
    assert same(resumed, fresh)


def test_windows_that_end_in_a_hole_are_gaps() -> None:
    windower = Windower(SPEC, 250.0, 3)
    assert windower.push(0, noise(3, 1500))[-1].valid
    windows = windower.push(2000, noise(3, 2000))
    assert [window.index for window in windows] == list(range(1624, 4000, 125))
    reasons = [window.reason for window in windows]
    assert reasons == ["gap"] * 9 + ["settling"] * 3 + [None] * 8
    assert all(window.eeg is None and window.quality == () for window in windows[:12])


def test_a_hole_of_one_sample_is_a_hole() -> None:
    windower = Windower(SPEC, 250.0, 3)
    windower.push(0, noise(3, 1500))
    windows = windower.push(1501, noise(3, 1374))
    assert [window.reason for window in windows] == ["gap"] * 6 + ["settling"] * 3 + [None] * 2


def test_a_night_without_the_headset_is_told_once_and_quickly() -> None:
    windower = Windower(SPEC, 250.0, 3)
    windower.push(0, noise(3, 1500))
    start = time.perf_counter()
    windows = windower.push(10**15, noise(3, 2500))
    assert time.perf_counter() - start < 2
    inside = [window for window in windows if window.index < 10**15]
    assert len(inside) == 120
    assert {window.reason for window in inside} == {"gap"}
    assert windows[-1].valid
    assert (windows[-1].index + 1) % windower.hop == 0


def test_a_long_hole_told_in_pieces_is_cut_off_at_the_same_place() -> None:
    lost = np.full((3, 25_000), np.nan, dtype=np.float32)
    tail = noise(3, 10)
    jump, pieces = Windower(SPEC, 250.0, 3), Windower(SPEC, 250.0, 3)
    for windower in (jump, pieces):
        windower.push(0, noise(3, 300))
    told = push_in_chunks(pieces, np.concatenate([lost, tail], axis=1), [77], first_index=300)
    assert same(told, jump.push(25_300, tail))


def test_a_stream_joined_late_has_no_hole_before_it() -> None:
    windows = Windower(SPEC, 250.0, 3).push(1_000_003, noise(3, 2000))
    assert windows[0].index == 1_000_124
    assert {window.reason for window in windows} == {"settling", None}


def test_time_does_not_run_backwards() -> None:
    windower = Windower(SPEC, 250.0, 2)
    windower.push(0, noise(2, 100))
    with pytest.raises(ValueError, match="sample 99 was pushed before"):
        windower.push(99, noise(2, 10))
    with pytest.raises(ValueError, match=r"shape \(3, 10\)"):
        windower.push(100, noise(3, 10))
    assert windower.push(100, noise(2, 0)) == []
    assert windower.end == 100


def test_a_dead_channel_is_left_out_and_not_invented() -> None:
    data = noise(4, 2000)
    data[2] = 1234.0
    window = condition_recording(data, 250.0, SPEC)[-1]
    assert window.good == (0, 1, 3)
    assert window.quality[2].reason == "flat"
    assert window.eeg is not None
    assert window.eeg.shape[0] == 3
    living = condition_recording(data[[0, 1, 3]], 250.0, SPEC)[-1]
    assert np.array_equal(window.eeg, living.eeg)


@pytest.mark.parametrize(
    ("n_channels", "dead", "valid"), [(8, 4, True), (8, 5, False), (5, 2, True), (5, 3, False), (2, 1, False)]
)
def test_too_few_good_channels_make_a_bad_signal(n_channels: int, dead: int, valid: bool) -> None:
    data = noise(n_channels, 2000)
    data[:dead] = 0.0
    window = condition_recording(data, 250.0, SPEC)[-1]
    assert window.valid is valid
    assert window.reason == (None if valid else "bad-signal")
    assert (window.eeg is None) is not valid
    assert len(window.good) == n_channels - dead
    assert len(window.quality) == n_channels


def test_a_missing_value_costs_its_channel_until_the_filter_has_settled() -> None:
    data = noise(4, 5000)
    data[1, 2000] = np.nan
    for window in condition_recording(data, 250.0, SPEC):
        if not window.quality:
            continue
        touched = 2000 <= window.index < 2000 + round((SPEC.window_s + SPEC.settle_s) * 250)
        assert window.quality[1].good is not touched
        assert (window.quality[1].reason == "missing samples") is touched
        assert window.good == ((0, 2, 3) if touched else (0, 1, 2, 3))
        assert window.eeg is not None
        assert np.isfinite(window.eeg).all()


class PassThrough:
    """A conditioner that changes nothing, to follow single samples."""

    delay_s = 0.0

    def __init__(self, spec: SignalSpec, sfreq: float, n_channels: int) -> None:
        self.n_channels = n_channels

    def reset(self) -> None:
        pass

    def n_outputs(self, n_inputs: int) -> int:
        return n_inputs

    def process(self, data: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        return data.astype(np.float64)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(sizes=chunk_sizes, losses=with_losses)
def test_no_sample_is_lost_or_moved(sizes: list[int], losses: list[tuple[int, int]]) -> None:
    index = np.arange(1500)
    data = np.stack([index, -index]).astype(np.float32) * 0.25
    for at, count in losses:
        data[:, at : at + count] = np.nan
    data[:, 0] = 0.0
    data[:, -1] = np.array([1499, -1499]) * 0.25
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows_module, "Conditioner", PassThrough)
        windower = Windower(SHORT, 125.0, 2)
        windows = push_in_chunks(windower, data, sizes, skip_lost=True)
    n = SHORT.window_samples
    for window in windows:
        if window.eeg is not None:
            assert np.array_equal(window.eeg[0] * 4, np.arange(window.index + 1 - n, window.index + 1))
    assert np.array_equal(windower.trace(1500), data, equal_nan=True)
    assert windower.trace_end == windower.end == 1500


def test_the_trace_shows_the_newest_signal_and_its_holes() -> None:
    windower = Windower(SPEC, 250.0, 2)
    assert windower.trace(100).shape == (2, 0)
    assert windower.trace_end == 0
    windower.push(500, noise(2, 1000))
    assert windower.trace_end == 500
    assert windower.trace(10_000).shape == (2, 500)
    windower.push(2000, noise(2, 1000))
    assert windower.trace_end == 1250
    trace = windower.trace(1250)
    assert np.isnan(trace[:, 500:750]).all()
    assert np.isfinite(trace[:, :500]).all()
    assert np.isfinite(trace[:, 750:]).all()
    assert np.array_equal(windower.trace(40), trace[:, -40:])
    kept = trace.copy()
    windower.push(3000, noise(2, 20_000))
    assert np.array_equal(trace, kept, equal_nan=True)
    assert windower.trace(10**6).shape == (2, 30 * 125)


def test_a_hop_or_a_rate_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"hop_s is 0\.001 s"):
        Windower(SPEC, 250.0, 2, hop_s=0.001)
    with pytest.raises(ModelError, match="64 Hz"):
        Windower(SPEC, 64.0, 2)
    assert Windower(SPEC, 250.0, 2, hop_s=0.1).hop == 25
    assert Windower(SPEC, 256.0, 2).hop == 128
