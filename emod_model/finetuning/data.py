"""Fine-tuning batches out of one store."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from emod_model.affect import corpora, vocabulary
from emod_model.errors import UsageError
from emod_model.finetuning.config import Finetuning
from emod_model.fitting.stores import Rows, StoreLike
from emod_model.fitting.windows import Seen, StoredWindows, Worn
from emod_model.fitting.worn import resting
from emod_model.pretraining.data import held_out

NO_CLASS = -1
_JUDGED_AT_ONCE = 128


class Labelled(NamedTuple):
    """Windows and what is known of them.

    Attributes
    ----------
    seen : Seen
        The windows.
    label : torch.Tensor, shape (windows,), int64
        Place among the classes, -1 where there is none.
    point : torch.Tensor, shape (windows, 2)
        Valence and arousal, [-1, 1]; NaN where there is none.
    """

    seen: Seen
    label: Tensor
    point: Tensor


class LabelledWindows(StoredWindows):
    """Windows of a store with their class and their place in the plane.

    Parameters
    ----------
    store : StoreLike
        Where they lie.
    rows : numpy.ndarray of int
        Which.
    classes : sequence of str
        Words in the order of their numbers.
    worn : sequence of Worn
        See `StoredWindows`.
    """

    def __init__(
        self, store: StoreLike, rows: Rows, classes: Sequence[str], worn: Sequence[Worn] = ()
    ) -> None:
        super().__init__(store, rows, worn)
        number = {word: k for k, word in enumerate(classes)}
        self.label = np.array([number.get(w, NO_CLASS) for w in store.label[self.rows].tolist()], np.int64)
        self.point: npt.NDArray[np.float32] = np.stack(
            [store.valence[self.rows], store.arousal[self.rows]], 1
        ).astype(np.float32)

    def labelled(self, seen: Seen, index: Rows) -> Labelled:
        """Return windows that were read, with what is known of them."""
        return Labelled(seen, torch.from_numpy(self.label[index]), torch.from_numpy(self.point[index]))


class ShuffledPlan:
    """Batches of all windows in an order that is another in every epoch.

    What does not fill a batch waits for another epoch; of fewer windows than a batch, all are one.

    Parameters
    ----------
    windows : LabelledWindows
        Where from.
    size : int
        Windows a batch and process.
    seed : int
        Of the orders.
    rank, processes : int
        This process and how many there are.
    """

    def __init__(self, windows: LabelledWindows, size: int, seed: int, rank: int, processes: int) -> None:
        self._windows, self._seed, self._rank, self._processes = windows, seed, rank, processes
        self._size = min(size, max(1, len(windows) // processes))

    @property
    def batches(self) -> int:
        """Batches an epoch."""
        return max(1, len(self._windows) // (self._size * self._processes))

    def epoch(self, number: int) -> Rows:
        """Return the windows of an epoch, (batches, windows)."""
        order = np.random.default_rng((self._seed, number)).permutation(len(self._windows))
        used = order[: self.batches * self._processes * self._size]
        return used.reshape(-1, self._size)[self._rank :: self._processes]

    def read(self, windows: Rows, rng: np.random.Generator) -> list[Labelled]:
        """Read a batch, cap by cap where a baseline is taken off."""
        return [
            self._windows.labelled(seen, windows[places]) for places, seen in self._windows.read(windows, rng)
        ]


class JudgedPlan:
    """All windows in their order, each with all its good channels, as the live path sees them.

    Parameters
    ----------
    windows : LabelledWindows
        Where from.
    """

    def __init__(self, windows: LabelledWindows) -> None:
        self._windows = windows

    @property
    def batches(self) -> int:
        """Batches an epoch."""
        return -(-len(self._windows) // _JUDGED_AT_ONCE)

    def epoch(self, number: int) -> Rows:
        """Return where each batch begins, (batches, 1)."""
        del number
        return np.arange(self.batches)[:, None] * _JUDGED_AT_ONCE

    def read(self, windows: Rows, rng: np.random.Generator) -> list[Labelled]:
        """Read a batch, cap by cap."""
        del rng
        first = int(windows[0])
        index = np.arange(first, min(first + _JUDGED_AT_ONCE, len(self._windows)))
        return [
            self._windows.labelled(seen, index[places]) for places, seen in self._windows.read_alike(index)
        ]


def classes_of(settings: Finetuning, store: StoreLike) -> tuple[str, ...]:
    """Return the classes to tell apart: those asked for, else the store's in the order of its vocabulary.

    Raises
    ------
    UsageError
        A class that no window has, or fewer than two of them.
    """
    if settings.head == "affect":
        return ()
    there = set(store.label[~store.baseline].tolist()) - {""}
    if absent := [word for word in settings.classes if word not in there]:
        raise UsageError(
            f"classes names {absent[0]!r}, and no window of {store.corpus} has it; "
            f"it has {', '.join(sorted(there)) or 'no classes'}"
        )
    known = vocabulary(store.corpus).words if store.corpus in corpora() else ()
    wanted = settings.classes or tuple(sorted(there, key=lambda w: (known.index(w) if w in known else 99, w)))
    if len(wanted) < 2:
        raise UsageError(
            f"{store.corpus} has {len(wanted)} classes to tell apart; set head = 'affect', or prepare another"
        )
    return wanted


def parts(settings: Finetuning, store: StoreLike, classes: Sequence[str]) -> tuple[Rows, Rows]:
    """Return the windows to train on and those to validate on, people apart.

    Raises
    ------
    UsageError
        A person whom the store does not have, or a part without any window that the head can learn from.
    """
    people = set(store.subject.tolist())
    told = settings.validation_people
    named = (*settings.kept_out, *(told if isinstance(told, tuple) else ()))
    if absent := [name for name in named if name not in people]:
        raise UsageError(
            f"{absent[0]!r} is nobody of {store.corpus}; it has {', '.join(sorted(people)[:12])}"
        )
    out = np.isin(store.subject, list(settings.kept_out))
    if isinstance(told, tuple):
        held = set(told)
    else:
        held = set(held_out(store.subject[~out].tolist(), told, settings.seed)[1])
    usable = ~out & ~resting(store, settings.centring) & useful(settings, store, classes)
    validation = np.isin(store.subject, sorted(held))
    rows = np.flatnonzero(usable & ~validation), np.flatnonzero(usable & validation)
    for what, part in zip(("train", "validate"), rows, strict=True):
        if not len(part):
            raise UsageError(f"{store.corpus} has no window to {what} on with head = {settings.head!r}")
        if settings.head == "both" and not np.isfinite(store.valence[part] + store.arousal[part]).any():
            raise UsageError(
                f"{store.corpus} has no window with valence and arousal to {what} on; set head = 'classes'"
            )
        if settings.head == "both" and not np.isin(store.label[part], list(classes)).any():
            raise UsageError(f"{store.corpus} has no window with a class to {what} on; set head = 'affect'")
    return rows


def useful(settings: Finetuning, store: StoreLike, classes: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Tell which windows the head can learn from."""
    placed = np.isfinite(store.valence) & np.isfinite(store.arousal)
    labelled = np.isin(store.label, list(classes))
    return {"classes": labelled, "affect": placed, "both": labelled | placed}[settings.head]
