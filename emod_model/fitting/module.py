"""The part of a Lightning module that pretraining and fine-tuning share."""

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import lightning
import torch
from torch import nn

from emod_model.errors import UsageError
from emod_model.fitting.batches import seeded
from emod_model.fitting.config import Optimiser, RunSettings
from emod_model.fitting.stores import StoreLike, fingerprint
from emod_model.network import EMOD
from emod_model.pretraining.gather import world
from emod_model.training.fit import follow

# where a run lies and what it runs on change nothing that it computes
_FREE = {"out", "machine", "store", "stores", "start"}


class FittedNetwork(lightning.LightningModule):
    """A network with its optimiser, its schedule, and a running average of its weights.

    All chance of a step (dropout, augmentation) comes from seed, step and process, so that a run goes on from
    its state on disk as if it had never stopped.

    Parameters
    ----------
    network : EMOD
        What is fitted.
    heads : iterable of torch.nn.Module
        The heads that are trained; the others stay as they are.
    optimiser : Optimiser
        How.
    settings : RunSettings
        Of the run; its state is resumed with the same ones alone.
    stores : sequence of StoreLike
        What it learns from; its state is resumed with the same ones alone.

    Attributes
    ----------
    steps : int
        Of the whole run, along which the rate falls.
    """

    def __init__(
        self,
        network: EMOD,
        heads: Iterable[nn.Module],
        optimiser: Optimiser,
        settings: RunSettings,
        stores: Sequence[StoreLike],
    ) -> None:
        super().__init__()
        self.network = network
        self.steps = 1
        self._optimiser, self._seed = optimiser, settings.seed
        self._told = settings.model_dump(mode="json", exclude=_FREE)
        self._told["stores"] = [fingerprint(store) for store in stores]
        self._heads = [p for head in heads for p in head.parameters()]
        self._backbone = [p for part in (network.encoder, network.layers) for p in part.parameters()]
        network.requires_grad_(False)
        for parameter in (*self._heads, *self._backbone):
            parameter.requires_grad_(True)
        self.average = None if optimiser.average is None else copy.deepcopy(network).requires_grad_(False)

    @property
    def kept(self) -> EMOD:
        """What is judged and kept: the running average where there is one."""
        return self.network if self.average is None else self.average

    def configure_optimizers(self) -> Any:
        """Return AdamW and its schedule, a step at a time."""
        told = self._optimiser
        groups = [
            {"params": self._backbone, "lr": told.learning_rate * told.backbone},
            {"params": self._heads, "lr": told.learning_rate},
        ]
        optimiser = torch.optim.AdamW(groups, weight_decay=told.weight_decay)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.steps, told.final_rate)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Draw this step's chance from its number."""
        del batch, batch_idx
        step = seeded(self._seed, self.global_step, world()[0])
        torch.manual_seed(int(step.integers(2**63)))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put the settings into the state."""
        checkpoint["settings"] = self._told

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse to go on with other settings.

        Raises
        ------
        UsageError
            A field is not what it was; the sentence names it.
        """
        before = checkpoint["settings"]
        for field, value in self._told.items():
            if before.get(field) != value:
                raise UsageError(
                    f"the run began with {field} = {before.get(field)} and now has {value}; "
                    "resume it with the settings it began with, or begin another in a folder of its own"
                )

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Make a step, and let the average follow."""
        super().optimizer_step(*args, **kwargs)
        if self.average is not None and self._optimiser.average is not None:
            # early on the average is that of all steps so far, not the random start
            follow(self.average, self.network, min(self._optimiser.average, 1 - 1 / (self.global_step + 2)))
