"""Region-balanced batches over many corpora.

As published, a round draws one window from each of the nine regions of each corpus, and a batch is a few
rounds. Where a corpus has no window in a region (no class of any published vocabulary is calm), the slot is
dealt to the regions it does have, in turn and shuffled: all gain alike. Handing it to the next region, as the
released code does, would make whatever lies beside a gap many times as frequent.

Within a region windows come in shuffled order, each once before any comes again, so an epoch shows as many
different ones as it can.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emod_model.affect import N_REGIONS
from emod_model.errors import UsageError

Indices = npt.NDArray[np.int64]


class RegionBalancedSampler:
    """Draws the windows of every batch of an epoch.

    Parameters
    ----------
    regions : sequence of numpy.ndarray, one a corpus, shape (windows,)
        Region of each window, 0 to 8.
    rounds : int
        Windows from each region of each corpus in a batch; 4 as published.
    batches : int, optional
        Of an epoch and process; as many windows as there are, all processes together, by default.
    seed : int
        The same seed and epoch give the same batches.
    rank, processes : int
        This process and how many there are: each draws its own part of the same plan.

    Attributes
    ----------
    batches : int
        Batches an epoch.
    size : int
        Windows a batch: rounds x 9 x corpora.

    Raises
    ------
    UsageError
        No corpus, or one without windows.
    """

    def __init__(
        self,
        regions: Sequence[npt.ArrayLike],
        *,
        rounds: int = 4,
        batches: int | None = None,
        seed: int = 0,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self._windows = [_by_region(np.asarray(r, dtype=np.int64)) for r in regions]
        if not self._windows:
            raise UsageError("no corpus was given to draw batches from; give at least one")
        if empty := [k for k, windows in enumerate(self._windows) if not windows]:
            raise UsageError(f"corpus number {empty[0] + 1} holds no window to train on; leave it out")
        self.rounds = rounds
        self.size = rounds * N_REGIONS * len(self._windows)
        everything = sum(len(w) for windows in self._windows for w in windows.values())
        self.batches = batches or max(1, everything // (self.size * processes))
        self._seed, self._rank, self._processes = seed, rank, processes

    def epoch(self, number: int) -> Indices:
        """Return the windows of an epoch.

        Parameters
        ----------
        number : int
            Of the epoch, from 0.

        Returns
        -------
        numpy.ndarray, shape (batches, corpora, rounds x 9), int64
            Number of each window in its corpus.
        """
        plan = [
            self._corpus(windows, np.random.default_rng((self._seed, number, k)))
            for k, windows in enumerate(self._windows)
        ]
        # every process makes the same plan of all batches and takes each n-th: none is drawn twice
        return np.stack(plan, 1)[self._rank :: self._processes]

    def _corpus(self, windows: dict[int, Indices], rng: np.random.Generator) -> Indices:
        """Return one corpus' windows of all processes' batches, (batches x processes, rounds x 9)."""
        shape = (self.batches * self._processes, self.rounds * N_REGIONS)
        slots = np.broadcast_to(np.arange(shape[1]) % N_REGIONS, shape).copy()
        occupied = np.array(sorted(windows))
        vacant = ~np.isin(slots, occupied)
        slots[vacant] = _dealt(occupied, int(vacant.sum()), rng)
        drawn = np.empty(shape, dtype=np.int64)
        for region, members in windows.items():
            here = slots == region
            drawn[here] = _dealt(members, int(here.sum()), rng)
        return drawn


def _by_region(regions: Indices) -> dict[int, Indices]:
    """Return the windows of each region that has any."""
    return {int(r): np.flatnonzero(regions == r) for r in np.unique(regions)}


def _dealt(items: Indices, n: int, rng: np.random.Generator) -> Indices:
    """Return `n` items: all in shuffled order, then all anew, and so on."""
    turns = -(-n // len(items))
    shuffled = rng.permuted(np.tile(items, (turns, 1)), axis=1)
    return np.asarray(shuffled.ravel()[:n], dtype=np.int64)
