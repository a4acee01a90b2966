"""The distance-aware contrastive loss, and the two variants it is compared with.

With embeddings z of unit length, temperature t and pair weights w_ij (EMOD, AAAI 2026):

    L = mean over i of  - sum_{j != i} w_ij log( exp(z_i.z_j / t) / sum_{k != i} exp(z_i.z_k / t) )
                        / sum_{j != i} w_ij

The three differ in w alone: `soft_weights` as published, `hard_weights` for positives by class,
`view_weights` for augmented views of the same window. A window without any positive has nothing to be drawn
to: it is left out of the mean and still pushes the others away.
"""

from typing import NamedTuple

import torch
from torch import Tensor

TEMPERATURE = 0.07
D_MAX = 5.0
"""Distance on [-4, 4] from which on a pair weighs nothing (the paper's; the released code has 13.49)."""
_SCALE = 4.0
"""Published coordinates are four times ours."""


class Contrast(NamedTuple):
    """Loss summed over the anchors that have a positive, and how many those are."""

    total: Tensor
    rows: Tensor

    def mean(self) -> Tensor:
        """Return the loss; 0, with a gradient of 0, where no anchor has a positive."""
        return self.total / self.rows.clamp(min=1)


def soft_weights(anchors: Tensor, points: Tensor, d_max: float = D_MAX) -> Tensor:
    """Return max(0, 1 - distance / d_max) of every anchor and window: the published weights.

    Parameters
    ----------
    anchors : torch.Tensor, shape (anchors, 2)
        Valence and arousal, [-1, 1].
    points : torch.Tensor, shape (windows, 2)
        The same of the windows they are compared with.
    d_max : float
        On the published scale, [-4, 4].

    Returns
    -------
    torch.Tensor, shape (anchors, windows)
    """
    # differences, not a matrix product: the latter gives equal points a distance above 0
    distance: Tensor = torch.linalg.vector_norm(_SCALE * (anchors[:, None] - points[None]), dim=-1)
    return (1 - distance / d_max).clamp(min=0)


def hard_weights(anchors: Tensor, points: Tensor) -> Tensor:
    """Return 1 where both lie in one cell of the 9 x 9 grid, else 0: positives by class, for comparison.

    Classes lie on the grid, so that windows of one class, of whatever corpus, are positives; ratings, which
    are hardly ever equal, count by the cell they fall into.

    Parameters
    ----------
    anchors : torch.Tensor, shape (anchors, 2)
        Valence and arousal, [-1, 1].
    points : torch.Tensor, shape (windows, 2)
        The same of the windows they are compared with.

    Returns
    -------
    torch.Tensor, shape (anchors, windows)
    """
    cells, others = (torch.floor(_SCALE * x + 0.5) for x in (anchors, points))
    return (cells[:, None] == others[None]).all(-1).to(points.dtype)


def view_weights(anchors: Tensor, windows: Tensor) -> Tensor:
    """Return 1 for two views of one window, else 0: contrast by augmentation alone, for comparison.

    Parameters
    ----------
    anchors : torch.Tensor, shape (anchors,), integer
        Number of the window that each anchor is a view of.
    windows : torch.Tensor, shape (windows,), integer
        The same of all views.

    Returns
    -------
    torch.Tensor, shape (anchors, windows)
    """
    return (anchors[:, None] == windows[None]).float()


def contrast(z: Tensor, weights: Tensor, temperature: float = TEMPERATURE, first: int = 0) -> Contrast:
    """Contrast anchors with all windows of a batch.

    Parameters
    ----------
    z : torch.Tensor, shape (windows, d)
        Embeddings of unit length, of the whole batch.
    weights : torch.Tensor, shape (anchors, windows)
        Of each pair, 0 or above. A window's weight with itself is not looked at.
    temperature : float
        Divides the cosines.
    first : int
        The anchors are windows `first` and on; all of them by default.

    Returns
    -------
    Contrast
    """
    # half precision would round cosines by 0.004, which the temperature makes 0.06 of a logit
    with torch.autocast(z.device.type, enabled=False):
        z = z if z.dtype == torch.float64 else z.float()
        count = len(weights)
        logits = z[first : first + count] @ z.t() / temperature
        own = torch.zeros_like(logits, dtype=torch.bool)
        own[torch.arange(count), first + torch.arange(count)] = True
        log_share = logits.masked_fill(own, torch.finfo(logits.dtype).min).log_softmax(1)
        weights = weights.to(z).masked_fill(own, 0)
        sums = weights.sum(1)
        # the share of a window with itself is -3e38 and must not meet a weight of 0
        losses = -(weights * log_share.masked_fill(own, 0)).sum(1)
        positive = sums > 0
        total = torch.where(positive, losses / sums.masked_fill(~positive, 1), losses * 0).sum()
        return Contrast(total, positive.sum().to(z))
