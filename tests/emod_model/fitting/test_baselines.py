"""What a window is told relative to: the rests so far, the trials before, or everything."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from emod_model.centring import MOST_SHARED, Baseline, Centring, remove
from emod_model.errors import UsageError
from emod_model.features import assemble
from emod_model.features.spectrum import spectra
from emod_model.fitting.baselines import Baselines, rests
from emod_model.fitting.config import Relative
from emod_model.fitting.windows import StoredWindows, features
from emod_model.fitting.worn import resting, worn
from emod_model.montage.names import PUBLISHED_NAMES
from emod_model.pretraining.augment import published
from tests.emod_model.fitting.memory_store import SPEC, MemoryStore, store

CHANNELS = ("Fp1", "Fp2", "C3", "C4", "O1")
STORE = store("films", CHANNELS, people=2, each=24)
WHOLE = replace(STORE, good=np.ones_like(STORE.good))
CENTRING = Centring()


def baselines(of: MemoryStore, kind: str = "causal", cap: list[int] | None = None) -> Baselines:
    return Baselines(of, kind, CENTRING, SPEC.tokens_per_s, cap)  # type: ignore[arg-type]


def maps(of: MemoryStore, row: int, kind: str = "causal") -> torch.Tensor:
    return baselines(of, kind).removal(row, range(len(CHANNELS))).maps


def louder(of: MemoryStore, rows: np.ndarray) -> MemoryStore:
    windows = of.windows.copy()
    windows[rows] *= 5
    return replace(of, windows=windows)


class TestCausal:
    def test_a_trial_has_the_rests_that_have_been_by_then_its_own_included(self) -> None:
        # of each person's trials of six windows the last is rest
        parts = spectra(torch.from_numpy(WHOLE.windows[[5, 11]]), SPEC.sfreq, SPEC.window_tokens)
        wanted = Baseline.of(parts, 2 * SPEC.window_s).removal(CENTRING).maps
        torch.testing.assert_close(maps(WHOLE, 6), wanted, atol=1e-5, rtol=1e-4)

    def test_what_comes_later_and_what_is_no_rest_changes_nothing(self) -> None:
        after = louder(WHOLE, np.array([0, 3, 7, 12, 17, 30]))
        torch.testing.assert_close(maps(after, 6), maps(WHOLE, 6))
        assert not torch.allclose(maps(louder(WHOLE, np.array([11])), 6), maps(WHOLE, 6))

    def test_without_rests_a_trial_has_the_trials_before(self) -> None:
        restless = replace(WHOLE, baseline=np.zeros_like(WHOLE.baseline))
        torch.testing.assert_close(maps(louder(restless, np.arange(6, 24)), 6), maps(restless, 6))
        assert not torch.allclose(maps(louder(restless, np.array([1])), 6), maps(restless, 6))

    def test_and_within_the_first_trial_the_windows_before_of_which_the_first_is_its_own(self) -> None:
        restless = replace(WHOLE, baseline=np.zeros_like(WHOLE.baseline), trial=np.full(48, "1"))
        for row in (0, 1, 5):
            torch.testing.assert_close(
                maps(louder(restless, np.arange(row + 1, 24)), row), maps(restless, row)
            )
        assert not torch.allclose(maps(louder(restless, np.array([0])), 0), maps(restless, 0))
        assert not torch.allclose(maps(louder(restless, np.array([0])), 1), maps(restless, 1))
        torch.testing.assert_close(maps(louder(restless, np.array([1])), 1), maps(restless, 1))

    def test_a_rest_that_comes_later_is_not_known_before(self) -> None:
        late = replace(WHOLE, baseline=np.arange(48) % 24 >= 18)
        torch.testing.assert_close(maps(louder(late, np.arange(18, 24)), 12), maps(late, 12))
        torch.testing.assert_close(maps(louder(late, np.arange(0, 12)), 18), maps(late, 18))

    def test_nobody_has_the_baseline_of_another(self) -> None:
        torch.testing.assert_close(maps(louder(WHOLE, np.arange(24)), 24), maps(WHOLE, 24))


def test_transductive_is_everything_of_the_session() -> None:
    parts = spectra(torch.from_numpy(WHOLE.windows[:24]), SPEC.sfreq, SPEC.window_tokens)
    wanted = Baseline.of(parts, 24 * SPEC.window_s).removal(CENTRING).maps
    torch.testing.assert_close(maps(WHOLE, 3, "transductive"), wanted, atol=1e-5, rtol=1e-4)


def test_a_window_whose_electrodes_were_not_seen_together_by_then_is_its_own_baseline() -> None:
    good = np.ones_like(STORE.good)
    good[5, 2] = False
    early = baselines(replace(STORE, good=good))
    own = spectra(torch.from_numpy(STORE.windows[[0]]), SPEC.sfreq, SPEC.window_tokens)
    before = Baseline(5)
    four = STORE.windows[[5]][:, [0, 1, 3, 4]]
    four = torch.from_numpy(four - four.mean(1, keepdims=True))
    before.take(spectra(four, SPEC.sfreq, SPEC.window_tokens), [0, 1, 3, 4], SPEC.window_s)
    before.take(own, range(5), SPEC.window_s)
    wanted = before.removal(CENTRING).maps
    torch.testing.assert_close(early.removal(0, range(5)).maps, wanted, atol=1e-4, rtol=1e-3)


def test_a_window_with_too_few_good_electrodes_makes_no_baseline() -> None:
    good = np.ones_like(STORE.good)
    good[5, 1:] = False
    sparse = replace(STORE, good=good)
    assert baselines(sparse).of[6] == baselines(replace(sparse, windows=STORE.windows * 2)).of[6]
    torch.testing.assert_close(maps(louder(sparse, np.array([5])), 6), maps(sparse, 6))


def test_what_many_electrodes_share_is_there_for_a_window_with_few_enough_good_ones() -> None:
    many = store("films", PUBLISHED_NAMES[3 : MOST_SHARED + 4], people=1, each=24)
    good = np.ones_like(many.good)
    good[7, 0] = False
    few = baselines(replace(many, good=good)).removal(7, range(1, MOST_SHARED + 1)).maps
    whole = baselines(replace(many, good=np.ones_like(good))).removal(7, range(MOST_SHARED + 1)).maps
    assert not torch.equal(few, torch.diag_embed(torch.diagonal(few, dim1=1, dim2=2)))
    torch.testing.assert_close(whole, torch.diag_embed(torch.diagonal(whole, dim1=1, dim2=2)))


def test_windows_that_hold_no_numbers_are_refused() -> None:
    windows = STORE.windows.copy()
    windows[5, 0, 3] = np.nan
    with pytest.raises(UsageError, match="windows of films hold what is no number"):
        baselines(replace(WHOLE, windows=windows))


def test_in_eegmat_the_first_minute_of_rest_is_the_baseline_under_causal_centring_alone() -> None:
    label = np.where(np.arange(48) % 24 < 12, "rest", "arithmetic")
    start = np.arange(48) % 12 * 10.0
    eegmat = replace(
        STORE, corpus="eegmat", label=label, start_s=start, baseline=np.zeros_like(STORE.baseline)
    )
    # the last of them reaches beyond the minute
    assert np.flatnonzero(rests(eegmat))[:6].tolist() == list(range(6))
    assert not rests(eegmat)[label == "arithmetic"].any()
    assert not resting(eegmat, Relative(kind="transductive")).any()
    assert not resting(eegmat, None).any()


class TestReading:
    def test_training_windows_are_what_a_reader_of_the_checkpoint_makes_of_them(self) -> None:
        windows = StoredWindows(WHOLE, np.arange(48), worn(WHOLE, Relative(), SPEC.tokens_per_s))
        index = np.array([7, 31])
        ((_, seen),) = windows.read(index, np.random.default_rng(0))
        eeg = torch.from_numpy(WHOLE.windows[index])
        removal = baselines(WHOLE).removals(index, range(5))
        wanted = remove(assemble(eeg, seen.spatial, SPEC), eeg, SPEC, removal)
        for one, other in zip(features(seen, SPEC)[:2], wanted[:2], strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)

    @pytest.mark.parametrize("place", ["signal", "power", "cross-power"])
    def test_how_loud_a_person_is_makes_no_difference(self, place: str) -> None:
        told = Relative.model_validate({"place": place})
        gain = np.repeat([1.0, 30.0], 24).astype(np.float32)[:, None, None]
        # all far above the floor of the logarithm
        plain = replace(STORE, windows=10 * STORE.windows)
        loud = replace(STORE, windows=plain.windows * gain)
        seen = [
            StoredWindows(one, np.arange(48), worn(one, told, SPEC.tokens_per_s)).read(
                np.arange(48), np.random.default_rng(0)
            )
            for one in (plain, loud)
        ]
        assert len(seen[0]) > 1, "some windows have a bad channel"
        for (_, one), (_, two) in zip(*seen, strict=True):
            first, second = features(one, SPEC), features(two, SPEC)
            torch.testing.assert_close(second.spectral, first.spectral, atol=0.01, rtol=0)
            torch.testing.assert_close(second.temporal, first.temporal, atol=1e-4, rtol=1e-3)

    def test_no_window_is_read_through_fewer_electrodes_than_are_good(self) -> None:
        windows = StoredWindows(STORE, np.arange(48), worn(STORE, Relative(), SPEC.tokens_per_s))
        read = windows.read(np.arange(48), np.random.default_rng(0))
        assert sorted(np.concatenate([places for places, _ in read]).tolist()) == list(range(48))
        for places, seen in read:
            assert (STORE.good[places].sum(1) == seen.eeg.shape[1]).all()

    def test_a_smaller_cap_is_referenced_to_itself_in_its_baseline_too(self) -> None:
        cap = [0, 2, 4]
        rest = WHOLE.windows[[5, 11]][:, cap]
        rest = rest - rest.mean(1, keepdims=True)
        parts = spectra(torch.from_numpy(rest), SPEC.sfreq, SPEC.window_tokens)
        wanted = Baseline.of(parts, 2 * SPEC.window_s).removal(CENTRING).maps
        removal = baselines(WHOLE, cap=cap).removal(6, cap)
        torch.testing.assert_close(removal.maps, wanted, atol=1e-5, rtol=1e-4)

    def test_channels_are_left_out_by_wearing_smaller_caps(self) -> None:
        caps = worn(STORE, Relative(), SPEC.tokens_per_s, 0.5, np.random.default_rng(1))
        windows = StoredWindows(STORE, np.arange(48), caps)
        sizes = set()
        for seed in range(40):
            for _, seen in windows.read(np.array([8, 20, 40]), np.random.default_rng(seed)):
                assert seen.removal is not None
                assert seen.removal.maps.shape[-1] == seen.eeg.shape[1]
                mean = seen.eeg.mean(1)
                torch.testing.assert_close(mean, torch.zeros_like(mean), atol=1e-4, rtol=0)
                sizes.add(seen.eeg.shape[1])
        assert min(sizes) >= 3
        assert len(sizes) > 1

    def test_the_published_permutation_moves_what_takes_the_baseline_off_along(self) -> None:
        windows = StoredWindows(WHOLE, np.arange(48), worn(WHOLE, Relative(), SPEC.tokens_per_s))
        ((_, seen),) = windows.read(np.array([7, 8, 9, 31] * 8), np.random.default_rng(0))
        torch.manual_seed(0)
        moved = published(seen)
        # noise and holes of other windows are not looked at
        order = moved.spatial.argmax(-1)
        permuted = (order != seen.spatial.argmax(-1)).any(1)
        assert permuted.any()
        before, after = (features(one, SPEC).spectral[permuted] for one in (seen, moved))
        back = order[permuted].argsort(1)
        first = seen.spatial.argmax(-1)[permuted].argsort(1)
        torch.testing.assert_close(
            torch.take_along_dim(after, back[:, :, None, None], 1),
            torch.take_along_dim(before, first[:, :, None, None], 1),
            atol=1e-4,
            rtol=1e-4,
        )
