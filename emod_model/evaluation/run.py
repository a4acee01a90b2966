"""Carries a protocol out: the model, what it is held against, and the windows they share."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from emod_model.checkpoint import Model
from emod_model.errors import UsageError
from emod_model.evaluation.affect import Seen, Signal, estimates, held, look_at
from emod_model.evaluation.blind import guess
from emod_model.evaluation.figures import join, two_classes
from emod_model.evaluation.linear import KINDS, Kind, band_power, centred, classify, live_power, scored
from emod_model.evaluation.outcome import EMOD, EVERYONE, FROZEN, Evaluation, Outcome
from emod_model.evaluation.own_classes import as_arousal
from emod_model.evaluation.protocols import Split, splits
from emod_model.evaluation.recorded import (
    Caps,
    Material,
    Recorded,
    live_windows,
    plain_windows,
    table,
)
from emod_model.evaluation.table import Array, WindowTable
from emod_model.montage import canonical_names
from emod_model.signal.spec import SignalSpec

Tell = Callable[[str], None]
"""Called with a few words before each step that takes a while."""
THRESHOLD = 0.0
"""Arousal above which a window counts as the second class where the checkpoint names no other."""
FEWEST = 2
"""Electrodes: of one nothing is left under average reference."""
_NOTHING = np.zeros(0, dtype=np.intp)


def on_recordings(material: Material, model: Model | None, protocol: str, tell: Tell) -> Evaluation:
    """Judge a model and the baselines on recordings of one state each.

    Parameters
    ----------
    material : Material
    model : Model or None
        Taken as it comes, by its own classes where it tells just these two, else by its arousal; without one
        only the baselines are judged.
    protocol : str
        A key of `PROTOCOLS` that can part these people or trials.
    tell : callable
        Told what is done.

    Raises
    ------
    ModelError
        The model does not fit the windows, or never learnt arousal.
    UsageError
        A channel that is not there, or a protocol that cannot part these people.
    """
    recorded, classes = material.recorded, material.classes
    names = _electrodes(material.channels, recorded[0].channels)
    windows = table(recorded, classes)
    parts, notes = parted(protocol, windows)
    outcomes: list[Outcome] = []
    affect: dict[Kind, Array] = {}
    unread = 0
    if model is not None:
        model = as_arousal(model, classes) or model
        model.require_affect()
        affect, fused, unread = _ask(model, recorded, names, windows, tell)
        for part, folds in parts.items():
            if windows.binary:
                outcomes += by_arousal(windows, part, folds, affect)
            outcomes += fitted(FROZEN, fused, windows, part, folds)
    if any(len(split.train) for folds in parts.values() for split in folds):
        for title, features in _linear_features(recorded, material.caps, tell):
            each = {kind: centred(features, windows, kind) for kind in KINDS}
            for part, folds in parts.items():
                outcomes += fitted(title, each, windows, part, folds)
    else:
        notes.append("nobody here is learnt from, so there are no fitted baselines")
    for part, folds in parts.items():
        outcomes += blind(windows, part, folds)
    notes += relative_notes(model)
    people = {part: people_of(windows, folds) for part, folds in parts.items()}
    told = about(model, names)
    if told and windows.binary:
        told["threshold"] = THRESHOLD
    return Evaluation(
        protocol, material.source, windows, people, outcomes, told, affect, unread, tuple(notes)
    )


def _electrodes(channels: Sequence[str], there: Sequence[str]) -> tuple[str, ...]:
    names = canonical_names(channels)
    if len(names) < FEWEST:
        raise UsageError(
            f"{', '.join(names)} alone is nothing once its average is taken off; give {FEWEST} or more"
        )
    absent = [name for name in names if name not in there]
    if absent:
        raise UsageError(f"{absent[0]} is not recorded here; there are {', '.join(there)}")
    return names


def parted(
    protocol: str, windows: WindowTable, *, needs_classes: bool = True
) -> tuple[dict[str, list[Split]], list[str]]:
    """Return the folds that judge each part of the people, and what to know of them.

    Parameters
    ----------
    protocol : str
        A key of `PROTOCOLS`.
    windows : WindowTable
    needs_classes : bool
        Leave out folds that judge a class which they learn nothing of.

    Raises
    ------
    UsageError
        The protocol cannot part these, or no fold is left.
    """
    folds = list(splits(protocol, windows))
    parts: dict[str, list[Split]]
    if protocol != "eegmat":
        # a class that was never learnt from cannot be named: such a fold says nothing of a method
        met = [split for split in folds if not needs_classes or _all_met(windows, split)]
        if not met:
            raise UsageError(
                f"no fold of {protocol} learns of every class that it judges; leave people out instead"
            )
        left = len(folds) - len(met)
        notes = (
            [f"{left} of {len(folds)} folds judge a class they learn nothing of; left out"] if left else []
        )
        parts = {"test": met}
        if any(len(split.validate) for split in met):
            chosen = [Split(split.name, split.train, _NOTHING, split.validate) for split in met]
            parts["validate"] = chosen
        return parts, notes
    (split,) = folds
    parts = {}
    if len(split.test):
        parts["test"] = [split]
    if len(split.validate):
        parts["validate"] = [Split("published", split.train, _NOTHING, split.validate)]
    if len(split.train):
        parts["train"] = [Split("published", _NOTHING, _NOTHING, split.train)]
    parts[EVERYONE] = [Split(EVERYONE, _NOTHING, _NOTHING, np.arange(len(windows)))]
    return parts, []


def _all_met(windows: WindowTable, split: Split) -> bool:
    """Tell whether every class that is judged was learnt from."""
    return set(windows.label[split.test].tolist()) - {-1} <= set(windows.label[split.train].tolist())


def people_of(windows: WindowTable, folds: list[Split]) -> tuple[str, ...]:
    """Return everyone who is judged in some fold, in the order of the table."""
    judged = {person for split in folds for person in windows.subject[split.test].tolist()}
    return tuple(person for person in windows.people if person in judged)


def _ask(
    model: Model, recorded: Sequence[Recorded], names: tuple[str, ...], windows: WindowTable, tell: Tell
) -> tuple[dict[Kind, Array], dict[Kind, Array], int]:
    """Return by kind the affect and the fused view of every window, and of how many there was none."""
    picked = [recorded[0].channels.index(name) for name in names]
    everyone: dict[str, list[Signal]] = {}
    first = 0
    for one in recorded:
        signal = Signal(one.eeg[picked], one.sfreq, names, first, one.n_windows)
        everyone.setdefault(one.subject, []).append(signal)
        first += one.n_windows
    seen: list[Seen] = []
    for person, signals in everyone.items():
        tell(f"reading {person}")
        seen.append(look_at(model, signals))
    affect: dict[Kind, Array] = {}
    fused: dict[Kind, Array] = {}
    missing = 0
    for kind in KINDS:
        each = [estimates(one, windows, kind, model) for one in seen]
        said, view = (_merge([pair[which] for pair in each]) for which in (0, 1))
        missing = int(np.isnan(said[:, 0]).sum())
        affect[kind], fused[kind] = held(said, windows, THRESHOLD), held(view, windows, 0.0)
    return affect, fused, missing


def _merge(parts: list[Array]) -> Array:
    """Return each row from whoever has it."""
    result = parts[0]
    for part in parts[1:]:
        result = np.where(np.isnan(result), part, result)
    return result


def by_arousal(
    windows: WindowTable, part: str, folds: list[Split], affect: dict[Kind, Array]
) -> list[Outcome]:
    """Judge arousal as the score of the second class."""
    outcomes: list[Outcome] = []
    rows = np.concatenate([split.test for split in folds])
    for kind in KINDS:
        counts = rows[scored(windows, kind)[rows]]
        arousal = affect[kind][counts, 1]
        judged = two_classes(windows.subject[counts], windows.label[counts], arousal, THRESHOLD)
        outcomes.append(Outcome(EMOD, kind, part, 0, judged))
    return outcomes


def _linear_features(recorded: Sequence[Recorded], caps: Caps, tell: Tell) -> Iterator[tuple[str, Array]]:
    """Yield the features of the linear models, by channels and conditioning."""
    tell("band power")
    plain, live = plain_windows(recorded), live_windows(recorded, SignalSpec())
    for title, (names, average) in caps.items():
        tell(f"linear, {title}")
        windows = plain.pick(names, average)
        yield f"linear, {title}", band_power(windows.eeg, windows.sfreq)
        windows = live.pick(names, average)
        yield f"linear, {title}, live path", live_power(windows.eeg, windows.sfreq)


def fitted(
    title: str, features: dict[Kind, Array], windows: WindowTable, part: str, folds: list[Split]
) -> list[Outcome]:
    """Fit and judge a linear model under each kind of centring; nothing where nobody is learnt from."""
    most = max(len(set(windows.subject[split.train].tolist())) for split in folds)
    outcomes: list[Outcome] = []
    for kind in KINDS if most else ():
        judged = classify(features[kind], windows, folds, kind)
        if judged:
            outcomes.append(Outcome(title, kind, part, most, join(judged)))
    return outcomes


def blind(windows: WindowTable, part: str, folds: list[Split]) -> list[Outcome]:
    """Judge what sees no EEG under each kind of centring, on the windows that count then."""
    most = max(len(set(windows.subject[split.train].tolist())) for split in folds)
    outcomes: list[Outcome] = []
    for kind in KINDS:
        for name, judged in guess(windows, folds, kind).items():
            outcomes.append(Outcome(f"no EEG: {name}", kind, part, most, join(judged)))
    return outcomes


def relative_notes(model: Model | None) -> list[str]:
    """Return what to know of a model that takes a baseline off its input."""
    if model is None or model.info.centring is None:
        return []
    return [
        "this model takes a person's baseline off its input: without centring it reads what it was never "
        "taught"
    ]


def about(model: Model | None, names: Sequence[str]) -> dict[str, Any]:
    """Return what a checkpoint says of itself; nothing without one."""
    if model is None:
        return {}
    return {
        "name": model.name,
        "file": str(model.path),
        "sha256": model.sha256,
        "simulated": model.simulated,
        "unvalidated": list(model.unvalidated),
        "trained_on": model.training_data,
        "channels": list(names),
        "window_s": model.spec.window_s,
        "threshold": None,
    }
