"""One step of fine-tuning, and the choice of the best epoch."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from emod_model.finetuning.config import Augmentation, Finetuning
from emod_model.finetuning.data import NO_CLASS, Labelled
from emod_model.finetuning.figures import affect_figures, class_figures
from emod_model.fitting.module import FittedNetwork
from emod_model.fitting.stores import StoreLike
from emod_model.fitting.windows import Seen, features
from emod_model.network import EMOD
from emod_model.pretraining.augment import add_noise, drop_channels, shift_time
from emod_model.training.fit import objective

Keep = Callable[[EMOD, dict[str, float]], None]


class FinetunedNetwork(FittedNetwork):
    """EMOD with a head for classes, for valence and arousal, or both.

    Parameters
    ----------
    network : EMOD
        What is fine-tuned.
    store : StoreLike
        The corpus.
    settings : Finetuning
        Of the run.
    keep : callable
        Given the network and its figures whenever validation people find it better than before.
    """

    best: Tensor

    def __init__(self, network: EMOD, store: StoreLike, settings: Finetuning, keep: Keep) -> None:
        heads: list[nn.Module] = []
        if settings.head != "affect" and network.classes is not None:
            heads.append(network.classes)
        if settings.head != "classes":
            heads.append(network.affect)
        super().__init__(network, heads, settings.optimiser, settings, [store])
        self._spec, self._settings, self._keep = store.spec, settings, keep
        # a buffer: a run that is resumed still knows what it has to beat
        self.register_buffer("best", torch.tensor(-torch.inf))
        self._said: list[tuple[Tensor, Tensor, Tensor, Tensor, Tensor]] = []

    def training_step(self, batch: list[Labelled], batch_idx: int) -> Tensor:
        """Return the loss of a step."""
        del batch_idx
        told = self._settings.augmentation
        seen = [augmented(part.seen, told, self._spec.sfreq) for part in batch]
        answers = [self._answers(self.network, part) for part in seen]
        logits, mean, sd = (torch.cat(column) for column in zip(*answers, strict=True))
        label = torch.cat([part.label for part in batch])
        loss = self._loss(logits, mean, sd, label, torch.cat([part.point for part in batch]))
        size = len(label)
        self.log("loss", loss, prog_bar=True, sync_dist=True, batch_size=size)
        self.log("training/loss", loss, on_step=False, on_epoch=True, sync_dist=True, batch_size=size)
        return loss

    def validation_step(self, batch: list[Labelled], batch_idx: int) -> None:
        """Remember what is said of these windows."""
        del batch_idx
        for part in batch:
            logits, mean, sd = self._answers(self.kept, part.seen)
            said = (logits.float(), mean.float(), sd.float(), part.label, part.point)
            self._said.append(tuple(x.cpu() for x in said))  # type: ignore[arg-type]

    def on_validation_epoch_end(self) -> None:
        """Judge, and keep the weights if they are better than any before."""
        columns = zip(*self._said, strict=True)
        logits, mean, sd, label, point = (torch.cat(column).double().numpy() for column in columns)
        self._said.clear()
        figures: dict[str, float] = {}
        scores = []
        if self._settings.head != "affect":
            figures |= class_figures(logits, label.astype(np.int64))
            scores.append(figures["kappa"])
        if self._settings.head != "classes":
            figures |= affect_figures(mean, sd, point)
            scores.append(figures["ccc"])
        score = float(np.mean(scores))
        # every process judges everything: nothing has to be put together
        told = {f"validation/{name}": value for name, value in figures.items()}
        self.log_dict(told, sync_dist=True)
        if score > float(self.best):
            self.best.fill_(score)
            if self.trainer.is_global_zero:
                self._keep(self.kept, told | {"validation/epoch": float(self.current_epoch + 1)})

    def _answers(self, network: EMOD, seen: Seen) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits, mean and deviation; what no head says is zeros."""
        tokens = network.tokens(*features(seen, self._spec))
        none = tokens.new_zeros(len(tokens), 2)
        logits = network.logits(tokens) if self._settings.head != "affect" else none
        mean, sd = network.affect(tokens) if self._settings.head != "classes" else (none, none)
        return logits, mean, sd

    def _loss(self, logits: Tensor, mean: Tensor, sd: Tensor, label: Tensor, point: Tensor) -> Tensor:
        loss = logits.new_zeros(())
        if self._settings.head != "affect" and bool((label != NO_CLASS).any()):
            loss = loss + functional.cross_entropy(
                logits.float(),
                label,
                ignore_index=NO_CLASS,
                label_smoothing=self._settings.label_smoothing,
            )
        placed = point.isfinite().all(1)
        # one window alone has no concordance
        if self._settings.head != "classes" and int(placed.sum()) > 1:
            loss = loss + objective(mean[placed].float(), sd[placed].float(), point[placed])
        return loss


def augmented(seen: Seen, told: Augmentation, sfreq: float) -> Seen:
    """Return training windows changed as the settings say.

    Where a baseline is taken off, the plan of the batches has left channels out already: smaller caps have
    baselines of their own.
    """
    eeg, spatial, removal = seen
    if most := round(told.shift_s * sfreq):
        eeg = shift_time(eeg, min(most, eeg.shape[-1] - 1))
    if told.noise > 0:
        eeg = add_noise(eeg, told.noise)
    if told.fewest_channels < 1 and removal is None:
        eeg, spatial = drop_channels(eeg, spatial, told.fewest_channels)
    return Seen(eeg, spatial, removal)
