"""Region-balanced batches: every region and corpus has its share, and no neighbour of a gap gains."""

import numpy as np
import pytest

from emod_model.errors import UsageError
from emod_model.pretraining.sampling import RegionBalancedSampler


def corpora() -> list[np.ndarray]:
    """Three corpora: rated everywhere but unevenly; three regions alone; one region alone."""
    rng = np.random.default_rng(0)
    uneven = rng.choice(9, 4000, p=np.arange(1, 10) / 45)
    return [uneven, rng.choice([3, 4, 8], 900, p=[0.1, 0.1, 0.8]), np.full(50, 4)]


def shares(sampler: RegionBalancedSampler, regions: list[np.ndarray], epochs: int = 1) -> np.ndarray:
    """Part of each corpus' windows that each region has, (corpora, 9)."""
    counts = np.zeros((len(regions), 9))
    for number in range(epochs):
        plan = sampler.epoch(number)
        for k, of_windows in enumerate(regions):
            counts[k] += np.bincount(of_windows[plan[:, k].ravel()], minlength=9)
    return counts / counts.sum(1, keepdims=True)


class TestShares:
    def test_a_batch_is_rounds_by_nine_regions_by_corpora(self) -> None:
        sampler = RegionBalancedSampler(corpora())
        plan = sampler.epoch(0)
        assert sampler.size == 4 * 9 * 3
        assert plan.shape == (sampler.batches, 3, 36)
        assert sampler.batches == 4950 // 108

    def test_every_region_of_a_full_corpus_has_exactly_a_ninth_of_every_batch(self) -> None:
        regions = corpora()
        for batch in RegionBalancedSampler(regions).epoch(0)[:, 0]:
            np.testing.assert_array_equal(np.bincount(regions[0][batch], minlength=9), 4)

    def test_vacant_regions_are_shared_out_alike_and_no_neighbour_gains(self) -> None:
        regions = corpora()
        achieved = shares(RegionBalancedSampler(regions, batches=50), regions)
        np.testing.assert_allclose(achieved[0], 1 / 9, atol=1e-12)
        np.testing.assert_allclose(achieved[1, [3, 4, 8]], 1 / 3, atol=1e-3)
        assert achieved[1, [0, 1, 2, 5, 6, 7]].sum() == 0
        assert achieved[2, 4] == 1

    def test_every_corpus_has_the_same_share_whatever_its_size(self) -> None:
        assert RegionBalancedSampler(corpora()).epoch(0).shape[1:] == (3, 36)

    def test_within_a_region_every_window_comes_once_before_any_comes_twice(self) -> None:
        regions = corpora()
        drawn = RegionBalancedSampler(regions, batches=40).epoch(0)[:, 0].ravel()
        for number in range(9):
            times = np.bincount(drawn[regions[0][drawn] == number], minlength=4000)[regions[0] == number]
            assert times.max() - times.min() <= 1


class TestOrder:
    def test_the_same_seed_and_epoch_give_the_same_batches_and_others_others(self) -> None:
        one = RegionBalancedSampler(corpora(), seed=5)
        np.testing.assert_array_equal(one.epoch(3), RegionBalancedSampler(corpora(), seed=5).epoch(3))
        assert (one.epoch(3) != one.epoch(4)).any()
        assert (one.epoch(3) != RegionBalancedSampler(corpora(), seed=6).epoch(3)).any()

    def test_processes_share_one_plan_and_repeat_nothing_of_each_other(self) -> None:
        whole = RegionBalancedSampler(corpora(), batches=12).epoch(1)
        parts = [RegionBalancedSampler(corpora(), batches=6, rank=r, processes=2).epoch(1) for r in (0, 1)]
        np.testing.assert_array_equal(parts[0], whole[::2])
        np.testing.assert_array_equal(parts[1], whole[1::2])

    def test_an_epoch_of_eight_corpora_is_planned_at_once(self) -> None:
        rng = np.random.default_rng(0)
        sampler = RegionBalancedSampler([rng.integers(0, 9, 10_000) for _ in range(8)])
        assert sampler.size == 288
        assert sampler.epoch(0).shape == (277, 8, 36)

    @pytest.mark.parametrize(
        ("regions", "sentence"), [([], "no corpus"), ([[1, 2], []], "corpus number 2 holds no window")]
    )
    def test_nothing_to_draw_from_is_refused(self, regions: list[list[int]], sentence: str) -> None:
        with pytest.raises(UsageError, match=sentence):
            RegionBalancedSampler(regions)
