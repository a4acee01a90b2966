"""Batches by their number, so that any of them can be had anew: what makes a resumed run the same."""

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from torch.utils.data import DataLoader, Dataset

Batch = TypeVar("Batch", covariant=True)


class Plan(Protocol[Batch]):
    """Which windows each batch of an epoch holds, and how they are read."""

    @property
    def batches(self) -> int:
        """Batches an epoch."""

    def epoch(self, number: int) -> npt.NDArray[np.int64]:
        """Return the windows of each batch of an epoch, batches first."""

    def read(self, windows: npt.NDArray[np.int64], rng: np.random.Generator) -> Batch:
        """Read one batch; all chance comes from `rng`."""


def seeded(*numbers: int) -> np.random.Generator:
    """Return a generator that depends on these numbers alone."""
    return np.random.default_rng(numbers)


class _Epoch(Dataset[Batch]):
    def __init__(self, plan: Plan[Batch], number: int, seed: tuple[int, ...]) -> None:
        self._plan, self._seed = plan, (*seed, number)
        self._windows = plan.epoch(number)

    def __getitem__(self, k: int) -> Batch:
        return self._plan.read(self._windows[k], seeded(*self._seed, k))


class Batches(Generic[Batch]):
    """The loader that Lightning iterates: one epoch an iteration, resumed in the middle of one.

    Parameters
    ----------
    plan : Plan
        What is in a batch.
    epoch : callable
        Returns the number of the epoch that begins.
    seed : tuple of int
        Of what is drawn while reading; another one in every process.
    workers : int
        Processes that read ahead.
    """

    def __init__(
        self, plan: Plan[Batch], epoch: Callable[[], int], seed: tuple[int, ...], workers: int = 0
    ) -> None:
        self._plan, self._epoch, self._seed, self._workers = plan, epoch, seed, workers
        self._next = 0
        self._resumed = False

    def __len__(self) -> int:
        return self._plan.batches

    def __iter__(self) -> Iterator[Batch]:
        first = self._next if self._resumed else 0
        self._resumed = False
        data = _Epoch(self._plan, self._epoch(), self._seed)
        # None: the plan makes whole batches itself
        loader = DataLoader(data, None, sampler=range(first, len(self)), num_workers=self._workers)
        self._next = first
        for batch in loader:
            self._next += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Return how far the epoch is."""
        return {"next": self._next}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from there with the next iteration."""
        self._next = state["next"] % len(self)
        self._resumed = True
