"""A whole pretraining run: stores in, one checkpoint out."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from emod_model.checkpoint import CheckpointInfo, save_checkpoint
from emod_model.fitting.batches import Batches
from emod_model.fitting.begin import begin, taken_off
from emod_model.fitting.loop import UNWATCHED, Watch, fit, run_folder
from emod_model.fitting.stores import StoreLike
from emod_model.fitting.windows import one_spec
from emod_model.fitting.worn import worn
from emod_model.network import EMODConfig
from emod_model.pretraining.config import Pretraining
from emod_model.pretraining.data import ContrastPlan, CorpusWindows, Part, held_out
from emod_model.pretraining.module import PretrainedNetwork
from emod_model.pretraining.sampling import RegionBalancedSampler
from emod_model.signal.spec import SignalSpec
from emod_model.store import open_store

WEIGHTS = "pretrained.safetensors"
# of what is drawn at the start, beside the epochs' own
_TRAIN, _VALIDATE = 2, 3


def pretrain(
    settings: Pretraining,
    *,
    stores: Sequence[StoreLike] | None = None,
    resume: bool = False,
    watch: Watch = UNWATCHED,
) -> Path:
    """Pretrain, and write the weights of the last epoch, as published.

    Parameters
    ----------
    settings : Pretraining
        Of the run.
    stores : sequence of StoreLike, optional
        The corpora, where they are not to be opened from `settings.stores`.
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
        Stores that cannot be read or do not go together, or a folder that holds another run.
    """
    opened: list[StoreLike] = list(stores) if stores is not None else [open_store(p) for p in settings.stores]
    spec = one_spec(opened)
    people = [held_out(store.subject.tolist(), settings.validation_people, settings.seed) for store in opened]
    caps = [worn(store, settings.centring, spec.tokens_per_s) for store in opened]
    each = list(zip(opened, people, caps, strict=True))
    corpora = [CorpusWindows(store, train, cap) for store, (train, _), cap in each]
    judged = [CorpusWindows(store, held, cap) for store, (_, held), cap in each if held]
    network, config, origin = begin(settings, corpora, spec, n_classes=0)
    module = PretrainedNetwork(network, spec, settings, opened)
    state = run_folder(settings.out, resume)
    training = _batches(settings, corpora, lambda: module.trainer.current_epoch, _TRAIN)
    # one pass over as many windows as are held out, the same in every epoch
    validation = _batches(settings, judged, lambda: 0, _VALIDATE) if judged else None
    fit(module, training, validation, settings, settings.optimiser, state, watch)
    path = settings.out / WEIGHTS
    # a run that was done already has its figures in its checkpoint
    if module.trainer.is_global_zero and module.trainer.callback_metrics:
        figures = {
            name: float(value) for name, value in module.trainer.callback_metrics.items() if "/" in name
        }
        kept = module.kept.cpu().eval()
        save_checkpoint(path, kept, _info(settings, config, origin, spec, corpora, figures))
    return path


def _batches(
    settings: Pretraining, corpora: list[CorpusWindows], epoch: Callable[[], int], purpose: int
) -> Batches[list[Part]]:
    rank, processes = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    sampler = RegionBalancedSampler(
        [corpus.regions for corpus in corpora],
        rounds=settings.batches.rounds,
        batches=settings.batches.an_epoch if purpose == _TRAIN else None,
        seed=settings.seed,
        rank=rank,
        processes=processes,
    )
    seed = (settings.seed, purpose, rank)
    return Batches(ContrastPlan(corpora, sampler), epoch, seed, settings.machine.workers)


def _info(
    settings: Pretraining,
    config: EMODConfig,
    origin: str,
    spec: SignalSpec,
    corpora: list[CorpusWindows],
    figures: dict[str, float],
) -> CheckpointInfo:
    counts = ", ".join(f"{corpus.store.corpus} ({len(corpus):,} windows)" for corpus in corpora)
    return CheckpointInfo(
        name=settings.name,
        network=config,
        signal=spec,
        training_data=(
            f"{counts}: {settings.loss.variant} contrast over {settings.epochs} epochs, "
            f"seed {settings.seed}, {origin}{taken_off(settings.centring)}"
        ),
        licence=settings.licence,
        figures=figures,
        simulated=settings.simulated,
        affect_trained=False,
        centring=None if settings.centring is None else settings.centring.centring,
    )
