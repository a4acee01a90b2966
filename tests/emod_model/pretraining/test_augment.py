"""Augmentation: each window its own, as published, and ours."""

import numpy as np
import pytest
import torch

from emod_model.features import assemble
from emod_model.fitting.windows import Seen
from emod_model.montage import CYTON, spatial_weights
from emod_model.network import EMOD, EMODConfig
from emod_model.pretraining.augment import add_noise, drop_channels, published, shift_time, zero_time
from emod_model.signal.spec import SignalSpec


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def windows(n: int, samples: int = 100) -> tuple[torch.Tensor, torch.Tensor]:
    spatial = torch.from_numpy(spatial_weights(CYTON)).expand(n, 8, 72)
    return 10 * torch.randn(n, 8, samples), spatial


class TestPublished:
    def test_half_stay_a_sixth_each_gets_noise_another_order_and_a_hole(self) -> None:
        eeg, spatial = windows(3000)
        changed, moved, _ = published(Seen(eeg, spatial))
        same = (changed == eeg).flatten(1).all(1)
        hole = ((changed == 0).all(1).sum(1) == 20) & ~same
        permuted = (moved != spatial).flatten(1).any(1)
        noisy = ~same & ~hole & ~permuted
        # one of the 24 orders of four channels is the old one
        for part, expected in ((same, 0.5 + 1 / 144), (hole, 1 / 6), (permuted, 23 / 144), (noisy, 1 / 6)):
            assert abs(part.float().mean() - expected) < 0.03
        residual = (changed - eeg)[noisy].std((1, 2)) / eeg[noisy].std((1, 2))
        torch.testing.assert_close(residual.mean(), torch.tensor(0.1), atol=0.002, rtol=0)

    def test_a_permuted_channel_keeps_its_electrode_and_at_most_half_move(self) -> None:
        eeg, spatial = windows(300)
        eeg = eeg - eeg + spatial.argmax(-1, keepdim=True)
        changed, moved, _ = published(Seen(eeg, spatial))
        permuted = (moved != spatial).flatten(1).any(1)
        torch.testing.assert_close(changed[permuted][..., 0], moved[permuted].argmax(-1).float())
        assert ((moved != spatial).any(-1).sum(1) <= 4).all()

    def test_the_published_permutation_changes_no_embedding(self) -> None:
        spec = SignalSpec()
        network = EMOD(EMODConfig(d_model=16, n_layers=1, n_heads=2, d_feedforward=16)).eval()
        eeg, spatial = windows(2, spec.window_samples)
        order = torch.tensor([2, 1, 0, 3, 5, 4, 6, 7])
        with torch.no_grad():
            plain = network.encode(*assemble(eeg, spatial, spec))[1]
            moved = network.encode(*assemble(eeg[:, order], spatial[:, order], spec))[1]
        torch.testing.assert_close(plain, moved, atol=1e-5, rtol=1e-5)


class TestOurs:
    def test_noise_is_a_part_of_each_windows_own_deviation(self) -> None:
        eeg = torch.randn(2, 8, 5000) * torch.tensor([1.0, 50.0])[:, None, None]
        residual = (add_noise(eeg, 0.2) - eeg).std((1, 2))
        torch.testing.assert_close(residual, torch.tensor([0.2, 10.0]), rtol=0.05, atol=0)

    def test_a_contiguous_part_is_zeroed_in_all_channels_at_once(self) -> None:
        eeg = torch.ones(50, 3, 100)
        zero = (zero_time(eeg, 0.2) == 0).all(1)
        assert (zero.sum(1) == 20).all()
        assert (zero.diff(dim=1).sum(1) <= 2).all()

    def test_a_shift_keeps_every_sample_in_order_and_mirrors_the_edge(self) -> None:
        ramp = torch.arange(20.0).expand(100, 1, 20)
        shifted = shift_time(ramp, 5)[:, 0]
        starts = {tuple(row.tolist()) for row in shifted}
        assert len(starts) == 11
        assert tuple(float(abs(k - 5)) for k in range(20)) in starts
        assert (*map(float, range(5, 20)), 18.0, 17.0, 16.0, 15.0, 14.0) in starts

    def test_a_smaller_cap_has_its_own_reference_and_its_own_electrodes(self) -> None:
        eeg, spatial = windows(40)
        eeg = eeg - eeg.mean(1, keepdim=True)
        counts = set()
        for _ in range(30):
            fewer, places = drop_channels(eeg, spatial, 0.5)
            counts.add(fewer.shape[1])
            torch.testing.assert_close(fewer.mean(1), torch.zeros(40, 100), atol=1e-5, rtol=0)
            assert (places.sum(1).max(1).values == 1).all(), "no electrode twice"
        assert counts == {4, 5, 6, 7, 8}
        assert len(np.unique(places.argmax(-1).sort(1).values.numpy(), axis=0)) > 10
