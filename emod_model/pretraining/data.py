"""Pretraining batches out of the stores of many corpora."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from emod_model.affect import region
from emod_model.errors import UsageError
from emod_model.fitting.stores import StoreLike
from emod_model.fitting.windows import Seen, StoredWindows, Worn
from emod_model.pretraining.sampling import Indices, RegionBalancedSampler


class Part(NamedTuple):
    """Windows of one corpus and one cap, of a batch.

    Attributes
    ----------
    seen : Seen
        The windows.
    points : torch.Tensor, shape (windows, 2)
        Valence and arousal, [-1, 1].
    """

    seen: Seen
    points: Tensor


class CorpusWindows(StoredWindows):
    """The windows of a store that have a place in the plane.

    Parameters
    ----------
    store : StoreLike
        Where they lie.
    people : sequence of str
        Whose windows.
    worn : sequence of Worn
        See `StoredWindows`.

    Attributes
    ----------
    points : numpy.ndarray, shape (windows, 2), float32
        Valence and arousal, [-1, 1], fractions kept.
    regions : numpy.ndarray, shape (windows,)
        0 to 8.

    Raises
    ------
    UsageError
        No window has a place in the plane.
    """

    def __init__(self, store: StoreLike, people: Sequence[str], worn: Sequence[Worn] = ()) -> None:
        placed = np.isfinite(store.valence) & np.isfinite(store.arousal) & ~store.baseline
        if not placed.any():
            raise UsageError(
                f"no window of {store.corpus} has valence and arousal; give its classes a place in a TOML "
                "file and prepare it anew"
            )
        super().__init__(store, np.flatnonzero(placed & np.isin(store.subject, list(people))), worn)
        valence, arousal = store.valence[self.rows], store.arousal[self.rows]
        self.points: npt.NDArray[np.float32] = np.stack([valence, arousal], 1).astype(np.float32)
        if np.abs(self.points).max() > 1:
            raise UsageError(
                f"{store.corpus} has a window at valence and arousal {np.abs(self.points).max():g}, outside "
                "[-1, 1]; prepare it anew"
            )
        self.regions = region(valence, arousal)


class ContrastPlan:
    """Region-balanced batches over corpora, by their number.

    Parameters
    ----------
    corpora : list of CorpusWindows
        Where from.
    sampler : RegionBalancedSampler
        Which.
    """

    def __init__(self, corpora: list[CorpusWindows], sampler: RegionBalancedSampler) -> None:
        self._corpora, self._sampler = corpora, sampler

    @property
    def batches(self) -> int:
        """Batches an epoch."""
        return self._sampler.batches

    def epoch(self, number: int) -> Indices:
        """Return the windows of an epoch, (batches, corpora, rounds x 9)."""
        return self._sampler.epoch(number)

    def read(self, windows: Indices, rng: np.random.Generator) -> list[Part]:
        """Read a batch, corpus by corpus and, where a baseline is taken off, cap by cap."""
        return [
            Part(seen, torch.from_numpy(corpus.points[index[places]]))
            for corpus, index in zip(self._corpora, windows, strict=True)
            for places, seen in corpus.read(index, rng)
        ]


def held_out(subjects: Iterable[str], part: float, seed: int) -> tuple[list[str], list[str]]:
    """Return the people to train on and the people to validate on, drawn by the seed.

    Parameters
    ----------
    subjects : iterable of str
        Whose each window is.
    part : float
        To validate on; at least one person where it is above 0 and there are two.
    seed : int
        Of the draw.
    """
    people = sorted(set(subjects))
    count = 0 if part == 0 or len(people) < 2 else min(max(1, round(part * len(people))), len(people) - 1)
    order = np.random.default_rng((seed, 11)).permutation(len(people))
    validation = {people[k] for k in order[:count]}
    return [p for p in people if p not in validation], sorted(validation)
