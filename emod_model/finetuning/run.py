"""A whole fine-tuning run: a store in, the checkpoint that validates best out."""

import os
from collections.abc import Callable
from pathlib import Path

from emod_model.checkpoint import CheckpointInfo, LabelSpace, save_checkpoint
from emod_model.finetuning.config import Finetuning
from emod_model.finetuning.data import JudgedPlan, Labelled, LabelledWindows, ShuffledPlan, classes_of, parts
from emod_model.finetuning.module import FinetunedNetwork
from emod_model.fitting.batches import Batches, seeded
from emod_model.fitting.begin import begin, taken_off
from emod_model.fitting.loop import UNWATCHED, Watch, fit, run_folder
from emod_model.fitting.stores import Rows, StoreLike
from emod_model.fitting.worn import worn
from emod_model.network import EMOD, EMODConfig
from emod_model.store import open_store

WEIGHTS = "finetuned.safetensors"
_TRAIN, _CAPS = 2, 4


def finetune(
    settings: Finetuning,
    *,
    store: StoreLike | None = None,
    rows: tuple[Rows, Rows] | None = None,
    resume: bool = False,
    watch: Watch = UNWATCHED,
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
    watch : Watch
        Who looks at it.

    Returns
    -------
    pathlib.Path
        The checkpoint.

    Raises
    ------
    Interrupted
        `watch.stop` said so; the state is in `settings.out`.
    UsageError, InputFileError, ModelError
        A store or checkpoint that cannot be read or do not go together, or a folder that holds another run.
    """
    opened: StoreLike = open_store(settings.store) if store is None else store
    classes = classes_of(settings, opened)
    train_rows, validation_rows = rows if rows is not None else parts(settings, opened, classes)
    fewest, rng = settings.augmentation.fewest_channels, seeded(settings.seed, _CAPS)
    caps = worn(opened, settings.centring, opened.spec.tokens_per_s, fewest, rng)
    train = LabelledWindows(opened, train_rows, classes, caps)
    judged = LabelledWindows(opened, validation_rows, classes, caps[:1])
    network, config, origin = begin(
        settings, [train], opened.spec, dropout=settings.dropout, n_classes=len(classes)
    )
    path = settings.out / WEIGHTS

    def keep(best: EMOD, figures: dict[str, float]) -> None:
        save_checkpoint(path, best, _info(settings, config, origin, train, classes, figures))

    module = FinetunedNetwork(network, opened, settings, keep)
    state = run_folder(settings.out, resume)
    training = _batches(settings, train, lambda: module.trainer.current_epoch)
    validation = Batches(JudgedPlan(judged), lambda: 0, (), settings.machine.workers)
    fit(module, training, validation, settings, settings.optimiser, state, watch)
    return path


def _batches(
    settings: Finetuning, train: LabelledWindows, epoch: Callable[[], int]
) -> Batches[list[Labelled]]:
    rank, processes = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    plan = ShuffledPlan(train, settings.batch, settings.seed, rank, processes)
    return Batches(plan, epoch, (settings.seed, _TRAIN, rank), settings.machine.workers)


def _info(
    settings: Finetuning,
    config: EMODConfig,
    origin: str,
    train: LabelledWindows,
    classes: tuple[str, ...],
    figures: dict[str, float],
) -> CheckpointInfo:
    store = train.store
    people = len(set(store.subject[train.rows].tolist()))
    return CheckpointInfo(
        name=settings.name,
        network=config,
        signal=store.spec,
        labels=LabelSpace(classes=classes),
        training_data=(
            f"{store.corpus}, {people} people, {len(train):,} windows, {origin}{taken_off(settings.centring)}"
        ),
        licence=settings.licence,
        figures=figures,
        simulated=settings.simulated,
        affect_trained=settings.head != "classes",
        centring=None if settings.centring is None else settings.centring.centring,
    )
