"""The contrastive loss is the published formula, to the letter, in one process and in many."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.nn import functional

from emod_model.network import EMODConfig
from emod_model.network.heads import ProjectionHead
from emod_model.pretraining.joint import Variant, joint_loss
from emod_model.pretraining.loss import D_MAX, contrast, hard_weights, soft_weights, view_weights

TINY = EMODConfig(d_model=8, n_layers=1, n_heads=2, d_feedforward=8, pool_dropout=0.0)


def by_loops(z: Tensor, points: Tensor, temperature: float = 0.07, d_max: float = 5.0) -> Tensor:
    """The formula of the paper, written out: points on [-4, 4]."""
    losses = []
    for i in range(len(z)):
        numerator, weight_sum, below = z.new_zeros(()), 0.0, z.new_zeros(())
        for k in range(len(z)):
            if k != i:
                below = below + torch.exp(z[i] @ z[k] / temperature)
        for j in range(len(z)):
            if j != i:
                w = max(0.0, 1 - math.dist(points[i].tolist(), points[j].tolist()) / d_max)
                numerator = numerator + w * torch.log(torch.exp(z[i] @ z[j] / temperature) / below)
                weight_sum += w
        if weight_sum > 0:
            losses.append(-numerator / weight_sum)
    return torch.stack(losses).mean()


def drawn(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    z = torch.from_numpy(rng.normal(size=(n, 6)))
    return z.requires_grad_(), torch.from_numpy(rng.uniform(-4, 4, (n, 2)))


class TestFormula:
    @pytest.mark.parametrize("seed", range(4))
    def test_value_and_gradient_are_those_of_the_formula_written_out(self, seed: int) -> None:
        raw, points = drawn(11, seed)
        expected = by_loops(functional.normalize(raw, dim=-1), points)
        (gradient,) = torch.autograd.grad(expected, raw)
        ours = contrast(functional.normalize(raw, dim=-1), soft_weights(points / 4, points / 4)).mean()
        (own_gradient,) = torch.autograd.grad(ours, raw)
        torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(own_gradient, gradient, rtol=1e-10, atol=1e-12)

    def test_single_precision_is_close_to_it(self) -> None:
        raw, points = drawn(30)
        z = functional.normalize(raw, dim=-1)
        single = contrast(z.float(), soft_weights(points.float() / 4, points.float() / 4)).mean()
        torch.testing.assert_close(single.double(), by_loops(z, points), rtol=1e-5, atol=1e-5)

    def test_bf16_embeddings_are_contrasted_in_single_precision(self) -> None:
        z = functional.normalize(drawn(8)[0], dim=-1).float()
        points = torch.rand(8, 2)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = contrast(z, soft_weights(points, points)).mean()
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, contrast(z, soft_weights(points, points)).mean(), rtol=0, atol=0)

    def test_a_window_without_a_positive_is_left_out_and_gives_no_nan(self) -> None:
        raw, points = drawn(6)
        with torch.no_grad():
            points[:5] = torch.tensor([3.0, 3.0], dtype=points.dtype)
            points[5] = torch.tensor([-3.0, -3.0], dtype=points.dtype)
        z = functional.normalize(raw, dim=-1)
        result = contrast(z, soft_weights(points / 4, points / 4))
        assert result.rows == 5
        torch.testing.assert_close(result.mean(), by_loops(z, points))
        (gradient,) = torch.autograd.grad(result.mean(), raw)
        assert gradient.isfinite().all()
        assert gradient[5].abs().sum() > 0, "it still pushes the others away"

    @pytest.mark.parametrize("n", [1, 2])
    def test_a_batch_without_any_positive_has_a_loss_of_nothing(self, n: int) -> None:
        raw, _ = drawn(n)
        points = torch.tensor([[1.0, 1.0], [-1.0, -1.0]], dtype=torch.float64)[:n]
        loss = contrast(functional.normalize(raw, dim=-1), soft_weights(points, points)).mean()
        (gradient,) = torch.autograd.grad(loss, raw)
        assert loss == 0
        assert (gradient == 0).all()

    def test_windows_a_person_rates_alike_are_drawn_together_more_than_ones_far_off(self) -> None:
        points = torch.tensor([[0.0, 0.0], [0.1, 0.0], [0.9, 0.0], [1.0, 1.0]])
        weights = soft_weights(points, points)
        torch.testing.assert_close(weights[0], torch.tensor([1, 1 - 0.4 / D_MAX, 1 - 3.6 / D_MAX, 0.0]))
        assert 1 - 4 * math.sqrt(2) / D_MAX < 0


class TestVariants:
    def test_hard_positives_share_a_cell_of_the_grid(self) -> None:
        points = torch.tensor([[0.75, 0.5], [0.75, 0.5], [0.70, 0.45], [0.5, 0.5]])
        expected = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 1.0]])
        torch.testing.assert_close(hard_weights(points, points), expected)

    def test_contrast_by_augmentation_is_the_usual_one_of_two_views(self) -> None:
        raw, _ = drawn(8)
        z = functional.normalize(raw, dim=-1)
        number = torch.arange(4).repeat(2)
        logits = (z @ z.t() / 0.07).masked_fill(torch.eye(8, dtype=torch.bool), -math.inf)
        expected = functional.cross_entropy(logits, (torch.arange(8) + 4) % 8)
        torch.testing.assert_close(contrast(z, view_weights(number, number)).mean(), expected)


_VARIANTS: tuple[Variant, ...] = ("soft", "hard", "augmentation")


def _head(seed: int = 0) -> ProjectionHead:
    torch.manual_seed(seed)
    return ProjectionHead(TINY)


def _encoder() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(5, TINY.d_model)


def _batch(n: int = 12) -> tuple[Tensor, Tensor, Tensor]:
    rng = np.random.default_rng(3)
    x = torch.from_numpy(rng.normal(size=(n, 5))).float()
    return x, torch.from_numpy(rng.uniform(-1, 1, (n, 2))).float(), torch.arange(n // 2).repeat_interleave(2)


class _Whole(nn.Module):
    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.encoder, self.head, self.variant = _encoder(), _head(), variant

    def forward(self, x: Tensor, points: Tensor, windows: Tensor) -> Tensor:
        return joint_loss(self.encoder(x), points, windows, self.head, variant=self.variant)


def _process(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    for variant in _VARIANTS:
        # the pooling scores are not used here, as in one process
        model = nn.parallel.DistributedDataParallel(_Whole(variant), find_unused_parameters=True)
        x, points, windows = _batch()
        own = slice(rank * 6, rank * 6 + 6)
        loss = model(x[own], points[own], windows[own] - 3 * rank)
        loss.backward()
        mean = loss.detach().clone()
        dist.all_reduce(mean)
        gradients = {name: p.grad for name, p in model.module.named_parameters() if p.grad is not None}
        torch.save({"loss": mean / 2, "gradients": gradients}, Path(folder) / f"{variant}-{rank}.pt")
    dist.destroy_process_group()
    # gloo's threads now and then abort a process that takes its interpreter down; the program leaves this way
    os._exit(0)


def test_two_processes_have_the_loss_and_gradients_of_one_with_the_joined_batch(tmp_path: Path) -> None:
    mp.start_processes(_process, (str(tmp_path),), nprocs=2, start_method="spawn")
    for variant in _VARIANTS:
        whole = _Whole(variant)
        loss = whole(*_batch())
        loss.backward()
        for rank in (0, 1):
            told = torch.load(tmp_path / f"{variant}-{rank}.pt", weights_only=True)
            torch.testing.assert_close(told["loss"], loss.detach(), rtol=1e-6, atol=1e-6)
            own = {name: p.grad for name, p in whole.named_parameters() if p.grad is not None}
            assert {name for name, g in told["gradients"].items() if g.any()} <= own.keys()
            for name, gradient in own.items():
                torch.testing.assert_close(told["gradients"][name], gradient, rtol=1e-4, atol=1e-6)
