"""One step of pretraining: encode corpus by corpus, join, contrast."""

from collections.abc import Sequence

import torch
from torch import Tensor

from emod_model.fitting.module import FittedNetwork
from emod_model.fitting.stores import StoreLike
from emod_model.fitting.windows import features
from emod_model.network import EMOD
from emod_model.pretraining.augment import published
from emod_model.pretraining.config import Pretraining
from emod_model.pretraining.data import Part
from emod_model.pretraining.joint import joint_loss
from emod_model.signal.spec import SignalSpec


class PretrainedNetwork(FittedNetwork):
    """EMOD's backbone and embedding under the contrastive loss.

    Corpora differ in their electrodes, so each is encoded by itself; the pooled tokens are joined, over
    corpora and processes, before the head and the loss.

    Parameters
    ----------
    network : EMOD
        What is pretrained.
    spec : SignalSpec
        Of the windows.
    settings : Pretraining
        Of the run.
    stores : sequence of StoreLike
        The corpora.
    """

    def __init__(
        self, network: EMOD, spec: SignalSpec, settings: Pretraining, stores: Sequence[StoreLike]
    ) -> None:
        super().__init__(network, [network.projection], settings.optimiser, settings, stores)
        self._spec, self._loss = spec, settings.loss

    def loss(self, batch: list[Part], network: EMOD, *, augment: bool) -> Tensor:
        """Return this process' part of the loss of a batch.

        Parameters
        ----------
        batch : list of Part
            One a corpus.
        network : EMOD
            What embeds.
        augment : bool
            One view of each window, augmented as published (two where views are the positives); else
            the windows as they are.
        """
        views = 2 if self._loss.variant == "augmentation" else 1
        pooled, points, numbers = [], [], []
        for view in range(views):
            for part in batch:
                # a window and its own copy would be told together by anything
                changed = augment or view == 1
                seen = published(part.seen) if changed else part.seen
                pooled.append(network.projection.pool(network.tokens(*features(seen, self._spec))))
                points.append(part.points)
            numbers.append(torch.arange(sum(len(part.points) for part in batch), device=self.device))
        return joint_loss(
            torch.cat(pooled),
            torch.cat(points),
            torch.cat(numbers),
            network.projection,
            variant=self._loss.variant,
            d_max=self._loss.d_max,
            temperature=self._loss.temperature,
        )

    def training_step(self, batch: list[Part], batch_idx: int) -> Tensor:
        """Return the loss of a step."""
        del batch_idx
        loss = self.loss(batch, self.network, augment=True)
        size = sum(len(part.points) for part in batch)
        self.log("loss", loss, prog_bar=True, sync_dist=True, batch_size=size)
        self.log("training/loss", loss, on_step=False, on_epoch=True, sync_dist=True, batch_size=size)
        return loss

    def validation_step(self, batch: list[Part], batch_idx: int) -> None:
        """Log the loss on held-out people."""
        # the same chance in every epoch: losses differ by the weights alone
        torch.manual_seed(batch_idx)
        loss = self.loss(batch, self.kept, augment=False)
        size = sum(len(part.points) for part in batch)
        self.log("validation/loss", loss, prog_bar=True, sync_dist=True, batch_size=size)
