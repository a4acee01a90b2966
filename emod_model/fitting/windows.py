"""Windows of a store that can be trained on, and batches of them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from emod_model.centring import Removal, remove
from emod_model.errors import UsageError
from emod_model.features import Features, assemble
from emod_model.fitting.baselines import Baselines
from emod_model.fitting.stores import FEWEST_CHANNELS, Rows, StoreLike
from emod_model.montage import spatial_weights
from emod_model.signal.spec import SignalSpec


class Seen(NamedTuple):
    """Windows as some cap sees them.

    Attributes
    ----------
    eeg : torch.Tensor, shape (windows, channels, samples)
        Microvolts, average-referenced over these channels.
    spatial : torch.Tensor, shape (windows, channels, 72)
        Weights of each channel's electrode over the rows of the embedding table.
    removal : Removal or None
        What takes each wearer's baseline off the features.
    """

    eeg: Tensor
    spatial: Tensor
    removal: Removal | None = None


class Worn(NamedTuple):
    """A cap, and the baselines of those who wear it.

    Attributes
    ----------
    channels : numpy.ndarray of int
        Electrodes, by their place in the store.
    baselines : Baselines
        Of the same electrodes.
    """

    channels: Rows
    baselines: Baselines


class StoredWindows:
    """Chosen windows of one store.

    Parameters
    ----------
    store : StoreLike
        Where they lie; nothing is read before it is asked for.
    rows : numpy.ndarray of int
        Which; those with fewer than three good channels (or one that has but these) are passed over.
    worn : sequence of Worn
        Caps that batches are read through by turns of chance, the whole one first; without any, windows
        are read as they are.

    Attributes
    ----------
    rows : numpy.ndarray of int
        Those that are left.

    Raises
    ------
    UsageError
        None is left.
    """

    def __init__(self, store: StoreLike, rows: Rows, worn: Sequence[Worn] = ()) -> None:
        self.store, self._worn = store, tuple(worn)
        self._fewest = min(FEWEST_CHANNELS, len(store.channels))
        self.rows: Rows = rows[store.good[rows].sum(1) >= self._fewest]
        if not len(self.rows):
            raise UsageError(
                f"the store of {store.corpus} holds no window to use; prepare it anew or leave it out"
            )
        self._spatial = spatial_weights(store.channels)

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, index: Rows, rng: np.random.Generator) -> list[tuple[Rows, Seen]]:
        """Read windows to train on.

        Without a baseline all have as many channels: the good ones of the window that has fewest, and as
        many of the others' good ones. With one, windows are read through a cap, those of the same good
        electrodes together: fewer electrodes would have another baseline.

        Parameters
        ----------
        index : numpy.ndarray of int
            Numbers among `rows`.
        rng : numpy.random.Generator
            Chooses among the good channels of windows that have more, and the cap.

        Returns
        -------
        list of (numpy.ndarray, Seen)
            Places in `index`, and their windows.
        """
        good = self.store.good[self.rows[index]]
        if self._worn:
            cap = self._worn[int(rng.integers(len(self._worn)))]
            within = good & np.isin(np.arange(good.shape[1]), cap.channels)
            enough = bool(within.sum(1).min() >= self._fewest)
            return self._alike(index, within if enough else good, cap if enough else self._worn[0])
        count = int(good.sum(1).min())
        if count == good.shape[1]:
            chosen = np.broadcast_to(np.arange(count), good.shape)
        else:
            chosen = np.argsort(np.where(good, rng.random(good.shape), np.inf), axis=1)[:, :count]
        return [(np.arange(len(index)), self._seen(self.rows[index], chosen))]

    def read_alike(self, index: Rows) -> list[tuple[Rows, Seen]]:
        """Read windows with all their good channels, those of one cap together, as the live path sees them.

        Returns
        -------
        list of (numpy.ndarray, Seen)
            Places in `index`, and their windows.
        """
        return self._alike(index, self.store.good[self.rows[index]], self._worn[0] if self._worn else None)

    def _alike(self, index: Rows, good: npt.NDArray[np.bool_], cap: Worn | None) -> list[tuple[Rows, Seen]]:
        patterns, of_window = np.unique(good, axis=0, return_inverse=True)
        parts = []
        for number, pattern in enumerate(patterns):
            places = np.flatnonzero(of_window.reshape(-1) == number)
            rows, channels = self.rows[index[places]], np.flatnonzero(pattern)
            seen = self._seen(rows, np.broadcast_to(channels, (len(places), len(channels))))
            if cap is not None:
                seen = seen._replace(removal=cap.baselines.removals(rows, channels.tolist()))
            parts.append((places, seen))
        return parts

    def _seen(self, rows: Rows, chosen: Rows) -> Seen:
        eeg = np.take_along_axis(np.asarray(self.store.windows[rows]), chosen[..., None], 1)
        eeg = eeg - eeg.mean(1, keepdims=True)
        return Seen(torch.from_numpy(eeg), torch.from_numpy(self._spatial[chosen]))


def features(seen: Seen, spec: SignalSpec) -> Features:
    """Return what the network takes, in single precision whatever the loop runs in."""
    with torch.autocast(seen.eeg.device.type, enabled=False):
        eeg = seen.eeg.float()
        told = assemble(eeg, seen.spatial, spec)
        return told if seen.removal is None else remove(told, eeg, spec, seen.removal)


def spectrum_statistics(
    parts: list[StoredWindows], spec: SignalSpec, rng: np.random.Generator, most: int = 512
) -> tuple[Tensor, Tensor]:
    """Return mean and deviation (45,) of the log power over windows drawn from each part alike.

    Parameters
    ----------
    parts : list of StoredWindows
        Training windows.
    spec : SignalSpec
        With the log-power spectrum.
    rng : numpy.random.Generator
        Draws them.
    most : int
        How many in all.

    Raises
    ------
    UsageError
        A window holds NaN or infinity.
    """
    each = max(1, most // len(parts))
    means, squares = [], []
    for part in parts:
        index = rng.choice(len(part), min(each, len(part)), replace=False)
        spectra = [features(seen, spec).spectral for _, seen in part.read_alike(index)]
        flat = torch.cat([s.reshape(-1, s.shape[-1]) for s in spectra])
        if not bool(flat.isfinite().all()):
            raise UsageError(f"windows of {part.store.corpus} hold what is no number; prepare it anew")
        means.append(flat.mean(0))
        squares.append((flat**2).mean(0))
    mean = torch.stack(means).mean(0)
    return mean, (torch.stack(squares).mean(0) - mean**2).clamp(min=1e-6).sqrt()


def one_spec(stores: list[StoreLike]) -> SignalSpec:
    """Return the signal specification that all stores share.

    Raises
    ------
    UsageError
        Two of them were prepared differently.
    """
    first = stores[0].spec
    for store in stores[1:]:
        if field := differs(first, store.spec):
            raise UsageError(
                f"the stores of {stores[0].corpus} and {store.corpus} were prepared with {field} "
                f"{getattr(first, field)} and {getattr(store.spec, field)}; prepare them alike"
            )
    return first


def differs(one: SignalSpec, other: SignalSpec) -> str | None:
    """Return the first field in which two specifications make other windows, None where they agree."""
    # how often a live stream is read changes no window
    fields = (name for name in type(one).model_fields if name != "hop_s")
    return next((name for name in fields if getattr(one, name) != getattr(other, name)), None)
