"""One batch over many processes: embeddings gathered with their gradient."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def world() -> tuple[int, int]:
    """Return this process' rank and how many there are; (0, 1) outside torchrun."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


class _AllGather(torch.autograd.Function):
    """Forward: the rows of all processes. Backward: the sum of all processes' gradients, of the own rows."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.rows = len(x)
        parts = [torch.empty_like(x) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, x.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        # every process' loss depends on these rows, and each holds but its own part of the sum
        gradient = gradients[0].contiguous().clone()
        dist.all_reduce(gradient)
        first = dist.get_rank() * ctx.rows
        return gradient[first : first + ctx.rows]


def gather(x: Tensor) -> Tensor:
    """Return the rows of all processes, in the order of their ranks; gradients flow back to each.

    Parameters
    ----------
    x : torch.Tensor, shape (rows, ...)
        As many rows in every process.

    Returns
    -------
    torch.Tensor, shape (processes x rows, ...)
    """
    if world()[1] == 1:
        return x
    joined: Tensor = _AllGather.apply(x)  # type: ignore[no-untyped-call]
    return joined


def total(x: Tensor) -> Tensor:
    """Return the sum of a number over all processes, without gradient."""
    x = x.detach().clone()
    if world()[1] > 1:
        dist.all_reduce(x)
    return x
