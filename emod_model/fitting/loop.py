"""The loop: Lightning's trainer for one process or for torchrun, its logs, and how a run is stopped."""

import logging
import os
import signal
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, RichProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from emod_model.errors import ModelError, UsageError
from emod_model.fitting.batches import Batches
from emod_model.fitting.config import Machine, Optimiser, RunSettings
from emod_model.fitting.module import FittedNetwork
from emod_model.fitting.state import SafeState

STATE = "state.safetensors"
_TOLD = (
    *("training/loss", "validation/loss", "validation/kappa", "validation/balanced_accuracy"),
    "validation/ccc",
)
"""Figures of the line after an epoch; the logs have all."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Watch:
    """Who looks at a run, and may end it.

    Attributes
    ----------
    stop : callable
        Asked after every step whether to stop.
    say : callable
        Told a line after every epoch.
    bar : bool
        Whether a progress bar is shown.
    """

    stop: Callable[[], bool] = lambda: False
    say: Say = lambda _: None
    bar: bool = False


UNWATCHED = Watch()


class Interrupted(Exception):  # noqa: N818 - it is no error
    """The run was asked to stop; its state is on disk."""


class _Keeper(Callback):
    """Writes the state after every epoch, and when the run is asked to stop."""

    def __init__(self, path: Path, watch: Watch) -> None:
        self._path, self._watch = path, watch
        self._term = signal.getsignal(signal.SIGTERM)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Take SIGTERM back from Lightning, which would end the run without its state."""
        del trainer, pl_module
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._term)

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any, **__: Any) -> None:
        """Stop when asked to: all processes at the same step."""
        if trainer.strategy.reduce_boolean_decision(self._watch.stop(), all=False):
            trainer.save_checkpoint(self._path)
            raise Interrupted

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the state and tell how it goes.

        Raises
        ------
        ModelError
            The loss is not a number any more.
        """
        del pl_module
        if not bool(torch.isfinite(trainer.callback_metrics["training/loss"])):
            raise ModelError(
                f"the loss is no number after epoch {trainer.current_epoch + 1}; "
                "lower optimiser.learning_rate, or look for windows that are no EEG"
            )
        trainer.save_checkpoint(self._path)
        figures = ", ".join(
            f"{name.replace('/', ' ').replace('_', ' ')} {float(trainer.callback_metrics[name]):.4f}"
            for name in _TOLD
            if name in trainer.callback_metrics
        )
        if trainer.is_global_zero:
            self._watch.say(f"epoch {trainer.current_epoch + 1} of {trainer.max_epochs}: {figures}")


def run_folder(out: Path, resume: bool) -> Path | None:
    """Make a run's folder, and return the state to go on from, None for a new run.

    Raises
    ------
    UsageError
        A new run where one is, or one to resume where none is.
    """
    state = out / STATE
    if resume:
        if not state.is_file():
            raise UsageError(f"{out} holds no state of a run to resume; start one without --resume")
        return state
    if state.exists():
        raise UsageError(
            f"{out} holds a run already; continue it with --resume, or name another folder in out"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out} cannot be made: {error.strerror}; name another folder in out") from error
    return None


def fit(
    module: FittedNetwork,
    training: Batches[Any],
    validation: Any,
    settings: RunSettings,
    optimiser: Optimiser,
    state: Path | None = None,
    watch: Watch = UNWATCHED,
) -> None:
    """Fit a module.

    Parameters
    ----------
    module : FittedNetwork
        What is fitted.
    training : Batches
        What it is fitted to.
    validation : iterable or None
        What it is judged on after every epoch.
    settings : RunSettings
        Where results go, for how long, on what.
    optimiser : Optimiser
        Where gradients are clipped.
    state : pathlib.Path, optional
        Go on from there.
    watch : Watch
        Who looks at it.

    Raises
    ------
    Interrupted
        `watch.stop` said so; the state is in the run's folder.
    """
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    module.steps = settings.epochs * len(training)
    trainer = _trainer(settings, optimiser, len(training), watch)
    with warnings.catch_warnings():
        # batches are read by this loop's own loader, which knows how many workers it has
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        # nobody held out is a choice
        warnings.filterwarnings("ignore", ".*have no `val_dataloader`.*")
        # Lightning asks torch for a leaf in the old way
        warnings.filterwarnings("ignore", ".*LeafSpec.*", FutureWarning)
        trainer.fit(module, training, validation, ckpt_path=state)


def _trainer(settings: RunSettings, optimiser: Optimiser, steps: int, watch: Watch) -> lightning.Trainer:
    """Return Lightning's trainer for epochs of so many steps."""
    keeper = _Keeper(settings.out / STATE, watch)
    return lightning.Trainer(
        max_epochs=settings.epochs,
        gradient_clip_val=optimiser.clip,
        callbacks=[keeper, RichProgressBar()] if watch.bar else [keeper],
        enable_progress_bar=watch.bar,
        enable_model_summary=False,
        enable_checkpointing=False,
        logger=[CSVLogger(settings.out, "csv"), TensorBoardLogger(settings.out, "tensorboard")],
        log_every_n_steps=min(50, steps),
        num_sanity_val_steps=0,
        plugins=[SafeState()],
        use_distributed_sampler=False,
        **_where(settings.machine),
    )


def _where(machine: Machine) -> dict[str, Any]:
    """Return what the trainer is told of devices; torchrun says how many."""
    gpu = machine.accelerator != "cpu" and torch.cuda.is_available()
    if machine.accelerator == "cuda" and not gpu:
        raise UsageError("machine.accelerator = 'cuda', but torch sees no GPU here; say auto or cpu")
    precision = machine.precision if machine.precision != "auto" else ("bf16" if gpu else "32")
    told: dict[str, Any] = {
        "accelerator": "cuda" if gpu else "cpu",
        "precision": {"bf16": "bf16-mixed", "32": "32-true"}[precision],
        "devices": int(os.environ.get("LOCAL_WORLD_SIZE", "1")),
        "num_nodes": int(os.environ.get("GROUP_WORLD_SIZE", "1")),
    }
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        told["strategy"] = "ddp"
    return told
