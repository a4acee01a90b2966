"""A whole fine-tuning run: a store in, the checkpoint that validates best out."""

import os
from collections.abc import Callable
from pathlib import Path

import torch

from emod_model.checkpoint import CheckpointInfo, LabelSpace, load_checkpoint, save_checkpoint
from emod_model.errors import UsageError
from emod_model.finetuning.config import Finetuning
from emod_model.finetuning.data import JudgedPlan, LabelledWindows, ShuffledPlan, classes_of, parts
from emod_model.finetuning.module import FinetunedNetwork
from emod_model.fitting.batches import Batches, seeded
from emod_model.fitting.loop import Say, fit, run_folder
from emod_model.fitting.windows import Rows, StoreLike, differs, spectrum_statistics
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import SignalSpec
from emod_model.store import open_store

WEIGHTS = "finetuned.safetensors"
_START, _TRAIN = 1, 2


def finetune(
    settings: Finetuning,
    *,
    store: StoreLike | None = None,
    rows: tuple[Rows, Rows] | None = None,
    resume: bool = False,
    stop: Callable[[], bool] = lambda: False,
    say: Say = lambda _: None,
    bar: bool = False,
) -> Path:
    """Fine-tune, and keep the weights that validate best: by kappa, by CCC, or by the mean of both.

    Parameters
    ----------
    settings : Finetuning
        Of the run.
    store : StoreLike, optional
        The corpus, where it is not to be opened from `settings.store`.
    rows : pair of numpy.ndarray of int, optional
        Windows to train on and to validate on, in place of what the settings say of people.
    resume : bool
        Go on from the state in `settings.out`.
    stop : callable
        Asked after every step whether to stop.
    say : callable
        Told a line after every epoch.
    bar : bool
        Show a progress bar.

    Returns
    -------
    pathlib.Path
        The checkpoint.

    Raises
    ------
    Interrupted
        `stop` said so; the state is in `settings.out`.
    UsageError, InputFileError, ModelError
        A store or checkpoint that cannot be read or do not go together, or a folder that holds another run.
    """
    opened: StoreLike = open_store(settings.store) if store is None else store
    classes = classes_of(settings, opened)
    train_rows, validation_rows = rows if rows is not None else parts(settings, opened, classes)
    train = LabelledWindows(opened, train_rows, classes)
    judged = LabelledWindows(opened, validation_rows, classes)
    network, config, origin = _begin(settings, opened.spec, train, len(classes))
    path = settings.out / WEIGHTS

    def keep(best: EMOD, figures: dict[str, float]) -> None:
        people = len(set(opened.subject[train.rows].tolist()))
        told = CheckpointInfo(
            name=settings.name,
            network=config,
            signal=opened.spec,
            labels=LabelSpace(classes=classes),
            training_data=f"{opened.corpus}, {people} people, {len(train):,} windows, {origin}",
            licence=settings.licence,
            figures=figures,
            simulated=settings.simulated,
            affect_trained=settings.head != "classes",
        )
        save_checkpoint(path, best, told)

    module = FinetunedNetwork(network, opened.spec, settings, keep)
    state = run_folder(settings.out, resume)
    rank, processes = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    plan = ShuffledPlan(train, settings.batch, settings.seed, rank, processes)
    training = Batches(
        plan,
        lambda: module.trainer.current_epoch,
        (settings.seed, _TRAIN, rank),
        settings.machine.workers,
    )
    validation = Batches(JudgedPlan(judged), lambda: 0, (), settings.machine.workers)
    fit(
        module,
        training,
        validation,
        settings,
        settings.optimiser,
        state=state,
        stop=stop,
        say=say,
        bar=bar,
    )
    return path


def _begin(
    settings: Finetuning, spec: SignalSpec, train: LabelledWindows, n_classes: int
) -> tuple[EMOD, EMODConfig, str]:
    """Return the network to start with, its architecture, and where its weights come from."""
    torch.manual_seed(settings.seed)
    changes = {"dropout": settings.dropout, "n_classes": n_classes}
    if settings.start is None:
        config = (settings.network or EMODConfig()).model_copy(update=changes)
        network = EMOD(config)
        if config.spectrum == "log-power":
            network.set_spectrum_statistics(
                *spectrum_statistics([train], spec, seeded(settings.seed, _START))
            )
        return network, config, "from scratch"
    model = load_checkpoint(settings.start)
    if field := differs(model.spec, spec):
        raise UsageError(
            f"{settings.start} reads windows with {field} {getattr(model.spec, field)} and the store has "
            f"{getattr(spec, field)}; prepare it with --model {settings.start}"
        )
    config = model.info.network.model_copy(update=changes)
    network = EMOD(config)
    old = model.network.state_dict()
    if model.info.network.n_classes != n_classes:
        old = {name: value for name, value in old.items() if not name.startswith("classes.")}
    missing = network.load_state_dict(old, strict=False).missing_keys
    # the head for classes alone may begin anew
    assert all(name.startswith("classes.") for name in missing), missing
    return network, config, f"from {model.name}"
