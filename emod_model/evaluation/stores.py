"""Carries a protocol out on a prepared store: classes, ratings, or both."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from emod_model.calibration.reading import FUSED, look
from emod_model.checkpoint import Model
from emod_model.errors import InputFileError, ModelError
from emod_model.evaluation.figures import Judged
from emod_model.evaluation.linear import KINDS, Kind, centred, live_power, scored
from emod_model.evaluation.outcome import EMOD, FROZEN, Evaluation, Outcome
from emod_model.evaluation.protocols import Split
from emod_model.evaluation.rated import Rated, guess_affect, ridge
from emod_model.evaluation.relative import class_logits, relative
from emod_model.evaluation.run import (
    THRESHOLD,
    Tell,
    about,
    blind,
    by_arousal,
    fitted,
    parted,
    people_of,
    relative_notes,
)
from emod_model.evaluation.table import Array, Rows, WindowTable, natural
from emod_model.fitting.baselines import rests
from emod_model.store import Store

LINEAR = "linear, band power"
_BLOCK = 256
_SAME = ("sfreq", "band_hz", "filter_order", "notch_hz", "notch_q", "reference", "spectrum")


def table_of(store: Store) -> WindowTable:
    """Return the windows of a store, classes in the natural order of their words.

    In EEGMAT, whose rest is a class, the first minute of it is each person's baseline.
    """
    classes = tuple(sorted(set(store.label.tolist()) - {""}, key=natural))
    places = {name: at for at, name in enumerate(classes)} | {"": -1}
    if store.corpus == "eegmat":
        classes, places = ("rest", "arithmetic"), {"rest": 0, "arithmetic": 1}
    return WindowTable(
        subject=store.subject,
        session=store.session,
        trial=store.trial,
        # where the task is the class itself, it tells nothing beside it
        stimulus=np.where(store.stimulus == store.label, "", store.stimulus),
        label=np.array([places[word] for word in store.label.tolist()], dtype=np.intp),
        start_s=store.start_s,
        baseline=rests(store),
        classes=classes,
    )


def on_store(store: Store, model: Model | None, protocol: str, tell: Tell) -> Evaluation:
    """Judge a model and the baselines on the windows of a store.

    Parameters
    ----------
    store : Store
        Prepared as the model gets its signal.
    model : Model or None
        Frozen; its own answer is judged where it tells these classes or these axes, and a linear head on its
        fused view, learnt from the people or trials of each fold.
    protocol : str
        A key of `PROTOCOLS`.
    tell : callable
        Told what is done.

    Raises
    ------
    InputFileError
        Nothing in the store is labelled or rated.
    ModelError
        The store was conditioned for another model.
    UsageError
        The protocol cannot part this corpus.
    """
    windows = table_of(store)
    affect = np.stack([store.valence, store.arousal], axis=1)
    there = np.isfinite(affect).all(1)
    if not (windows.label >= 0).any() and not there.any():
        raise InputFileError(f"{store.path} holds neither classes nor ratings; there is nothing to judge by")
    parts, notes = parted(protocol, windows, needs_classes=bool(windows.classes))
    features: dict[str, dict[Kind, Array]] = {}
    said: dict[Kind, Array] = {}
    logits: dict[Kind, Array] = {}
    if model is not None:
        _fits(store, model)
        features[FROZEN], said, logits = _read(store, model, windows, tell)
        notes += relative_notes(model)
    tell("band power")
    power = _power(store)
    features[LINEAR] = {kind: centred(power, windows, kind) for kind in KINDS}
    outcomes: list[Outcome] = []
    rated: list[Rated] = []
    for part, folds in parts.items():
        tell(f"fitting, {part}")
        if len(windows.classes) > 1:
            for kind, own in logits.items():
                outcomes.append(_own_classes(windows, part, folds, kind, own))
            if not logits and said and store.corpus == "eegmat":
                outcomes += by_arousal(windows, part, folds, said)
            for title, each in features.items():
                outcomes += fitted(title, each, windows, part, folds)
            outcomes += blind(windows, part, folds)
        if there.any():
            rated += _rated(windows, affect, part, folds, features, said)
    told: dict[str, Any] = about(model, store.channels)
    if told and said and not logits and store.corpus == "eegmat":
        told["threshold"] = THRESHOLD
    people = {part: people_of(windows, folds) for part, folds in parts.items()}
    source = str(store.path)
    return Evaluation(protocol, source, windows, people, outcomes, told, said, 0, tuple(notes), rated)


def _fits(store: Store, model: Model) -> None:
    """Refuse a store whose signal is not what the model was trained on."""
    for name in _SAME:
        there, wanted = getattr(store.spec, name), getattr(model.spec, name)
        if there != wanted:
            raise ModelError(
                f"{store.path} was prepared with {name} {there} and {model.path} takes {wanted}; prepare it "
                "again with --model"
            )
    most = model.info.network.max_tokens / model.spec.tokens_per_s
    if store.spec.window_s > most:
        raise ModelError(
            f"{store.path} holds windows of {store.spec.window_s:g} s and {model.path} takes {most:g} s at "
            "most; prepare it again with --model"
        )


def _blocks(store: Store) -> Iterator[tuple[Rows, npt.NDArray[np.float32], tuple[int, ...]]]:
    """Yield rows of the same good channels, their signal on these, and which they are."""
    patterns, of = np.unique(store.good, axis=0, return_inverse=True)
    of = of.reshape(-1)
    for at, good in enumerate(patterns):
        channels = tuple(int(row) for row in np.flatnonzero(good))
        rows = np.flatnonzero(of == at)
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            if channels:
                yield block, np.asarray(store.windows[block][:, list(channels)]), channels


def _power(store: Store) -> Array:
    """Return log band power (windows, 5 * channels); a bad channel counts as the mean of the good ones."""
    width = len(store.channels)
    result = np.zeros((len(store), 5, width))
    for rows, eeg, channels in _blocks(store):
        bands = live_power(eeg, store.spec.sfreq).reshape(len(rows), 5, len(channels))
        whole = np.repeat(bands.mean(-1, keepdims=True), width, axis=-1)
        whole[..., list(channels)] = bands
        result[rows] = whole
    return result.reshape(len(store), -1)


def _read(
    store: Store, model: Model, windows: WindowTable, tell: Tell
) -> tuple[dict[Kind, Array], dict[Kind, Array], dict[Kind, Array]]:
    """Return the model's fused view, its valence and arousal, and its logits, under each kind of centring."""
    tell("the frozen model reads")
    mean, fused, own = _ask(store, model, windows.classes)
    views: dict[Kind, Array] = {kind: centred(fused, windows, kind) for kind in KINDS}
    said = _affect(model, mean, views, windows)
    logits: dict[Kind, Array] = {} if own is None else {"none": own}
    if model.info.centring is not None:
        for kind in ("causal", "transductive"):
            tell(f"the frozen model reads, {kind}")
            affect, views[kind], classes = relative(store, model, kind)
            if model.info.affect_trained:
                said[kind] = affect
            if own is not None:
                logits[kind] = classes[:, [model.info.labels.classes.index(name) for name in windows.classes]]
    return views, said, logits


def _ask(store: Store, model: Model, classes: tuple[str, ...]) -> tuple[Array, Array, Array | None]:
    """Return affect (n, 2), fused view (n, d), and logits of the classes where the model tells just these."""
    own = model.info.labels.classes
    tells = bool(classes) and set(classes) <= set(own)
    mean = np.zeros((len(store), 2))
    fused = np.zeros((len(store), model.info.network.d_model))
    logits = np.zeros((len(store), len(classes))) if tells else None
    for rows, eeg, channels in _blocks(store):
        names = [store.channels[at] for at in channels]
        mean[rows], views, _ = look(model, eeg, names)
        fused[rows] = views[:, FUSED]
        if logits is not None:
            logits[rows] = class_logits(model, eeg, names)[:, [own.index(name) for name in classes]]
    return mean, fused, logits


def _affect(model: Model, mean: Array, fused: dict[Kind, Array], windows: WindowTable) -> dict[Kind, Array]:
    """Return the model's own valence and arousal under each kind of centring."""
    if not model.info.affect_trained:
        return {}
    head = model.info.centred
    said: dict[Kind, Array] = {"none": mean}
    for kind in KINDS[1:]:
        said[kind] = centred(mean, windows, kind) if head is None else head(fused[kind])
    return said


def _own_classes(windows: WindowTable, part: str, folds: list[Split], kind: Kind, logits: Array) -> Outcome:
    """Judge the model's own classes as it comes: without centring, and with it where it was taught so."""
    rows = np.concatenate([split.test for split in folds])
    rows = rows[scored(windows, kind)[rows]]
    said = logits[rows].argmax(1).astype(np.intp)
    return Outcome(
        EMOD, kind, part, 0, Judged(windows.subject[rows], windows.label[rows], said, logits[rows])
    )


def _rated(
    windows: WindowTable,
    affect: Array,
    part: str,
    folds: list[Split],
    features: dict[str, dict[Kind, Array]],
    said: dict[Kind, Array],
) -> list[Rated]:
    """Judge valence and arousal: the model's own, ridge on each kind of features, and without EEG."""
    most = max(len(set(windows.subject[split.train].tolist())) for split in folds)
    rows = np.concatenate([split.test for split in folds])
    result: list[Rated] = []
    there = np.logical_and(*np.isfinite(affect).T)

    def add(method: str, kind: Kind, learnt: int, at: Rows, read: Array) -> None:
        if len(at):
            result.append(Rated(method, kind, part, learnt, windows.subject[at], affect[at], read))

    for kind in KINDS:
        counts = there & ~windows.baseline if kind == "causal" else there
        if kind in said:
            at = rows[counts[rows]]
            add(EMOD, kind, 0, at, said[kind][at].clip(-1, 1))
        for title, each in features.items():
            add(title, kind, most, *ridge(each[kind], affect, folds, counts))
        for title, (at, read) in guess_affect(windows, affect, folds, counts).items():
            add(f"no EEG: {title}", kind, most, at, read)
    return result
