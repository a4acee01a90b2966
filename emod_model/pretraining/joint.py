"""The contrastive loss of the batch that all processes hold together."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor
from torch.nn import functional

from emod_model.network.heads import ProjectionHead
from emod_model.pretraining.gather import gather, total, world
from emod_model.pretraining.loss import D_MAX, TEMPERATURE, contrast, hard_weights, soft_weights, view_weights

Variant = Literal["soft", "hard", "augmentation"]


def joint_loss(
    pooled: Tensor,
    points: Tensor,
    windows: Tensor,
    head: ProjectionHead,
    *,
    variant: Variant = "soft",
    d_max: float = D_MAX,
    temperature: float = TEMPERATURE,
) -> Tensor:
    """Return this process' part of the loss of the joined batch.

    Mean over processes it is the loss of one process that holds the whole batch, and so is its gradient once
    averaged over processes, as DistributedDataParallel does. What is gathered are the pooled tokens, before
    the head: its BatchNorm then sees the joined batch in every process. Each process contrasts its own
    windows, as anchors, with all.

    Parameters
    ----------
    pooled : torch.Tensor, shape (windows, d)
        Pooled tokens of this process' windows; as many in every process.
    points : torch.Tensor, shape (windows, 2)
        Valence and arousal, [-1, 1].
    windows : torch.Tensor, shape (windows,), integer
        Number of each window within this process' batch: equal for views of one window.
    head : ProjectionHead
        Maps pooled tokens to embeddings.
    variant : str
        What a positive is: see `emod_model.pretraining.loss`.
    d_max, temperature : float
        As there.
    """
    rank, processes = world()
    z = functional.normalize(head.mlp(gather(pooled)), dim=-1)
    weigh: dict[Variant, Callable[[], Tensor]] = {
        "soft": lambda: soft_weights(points, gather(points), d_max),
        "hard": lambda: hard_weights(points, gather(points)),
        "augmentation": lambda: _views(windows, rank),
    }
    part = contrast(z, weigh[variant](), temperature, first=rank * len(pooled))
    return part.total * processes / total(part.rows).clamp(min=1)


def _views(windows: Tensor, rank: int) -> Tensor:
    # windows are numbered from 0 in each process
    own = windows + rank * len(windows)
    return view_weights(own, gather(own))
