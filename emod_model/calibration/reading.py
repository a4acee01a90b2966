"""What the frozen model makes of a person's windows: all that a calibration sees."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import torch

from emod_model.centring import Baseline, Removal, Running, remove
from emod_model.checkpoint import Model
from emod_model.features import BANDS, band_power_db, extract, log_power
from emod_model.features.spectrum import spectra
from emod_model.montage import positions
from emod_model.signal.windows import Window

Array = npt.NDArray[np.float64]

N_VIEWS = 5
FUSED = 2
"""Which of the network's views is the backbone's own, see `EMOD.views`."""
MOST_LEFT_OUT = 30
"""Windows of rest that are read again without each electrode."""
_FEWEST = 3
_BATCH = 64


@dataclass(frozen=True, eq=False)
class Reading:
    """Valid windows of one person, in time, as the frozen model sees them.

    Attributes
    ----------
    channels : tuple of str
        Electrodes of the montage.
    t : numpy.ndarray, shape (windows,)
        End of each window, s.
    views : numpy.ndarray, shape (windows, 5, features)
        As `EMOD.views` gives them.
    band_db : numpy.ndarray, shape (windows, channels, 5)
        Band power, 10 log10 of microvolts squared; NaN where a channel was bad.
    mean : numpy.ndarray, shape (windows, 2)
        What the model says to everybody: valence and arousal.
    """

    channels: tuple[str, ...]
    t: Array
    views: Array
    band_db: Array
    mean: Array

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.t)

    def __getitem__(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp] | slice) -> Self:
        """Return some of the windows."""
        parts = (self.t[rows], self.views[rows], self.band_db[rows], self.mean[rows])
        return type(self)(self.channels, *parts)

    def between(self, start: float, stop: float) -> Self:
        """Return the windows that end within (start, stop], s."""
        return self[(self.t > start) & (self.t <= stop)]


def join(readings: Sequence[Reading]) -> Reading:
    """Return the windows of several readings of one montage, one after the other."""
    first = readings[0]
    return Reading(
        first.channels,
        np.concatenate([reading.t for reading in readings]),
        np.concatenate([reading.views for reading in readings]),
        np.concatenate([reading.band_db for reading in readings]),
        np.concatenate([reading.mean for reading in readings]),
    )


def read(
    model: Model,
    windows: Sequence[Window],
    channels: Sequence[str],
    sfreq: float,
    *,
    relative: bool = True,
) -> Reading:
    """Let the frozen model read windows; those without a signal are left out.

    A checkpoint that takes a baseline off its input takes off the running one, as the live path does.

    Parameters
    ----------
    model : Model
        Frozen.
    windows : sequence of Window
        Of one recording, in time.
    channels : sequence of str
        Electrodes of the recording.
    sfreq : float
        Rate of the recording, Hz: time is index / sfreq.
    relative : bool
        False leaves even such a checkpoint's input as it is.

    Raises
    ------
    ModelError
        The model never learned valence and arousal.
    """
    model.require_affect()
    valid = [window for window in windows if window.eeg is not None]
    n, width = len(valid), model.info.network.d_model
    views, mean = np.zeros((n, N_VIEWS, width)), np.zeros((n, 2))
    band_db = np.full((n, len(channels), len(BANDS)), np.nan)
    removals = _removals(model, valid, len(channels), sfreq) if relative else []
    by_pattern: dict[tuple[int, ...], list[int]] = {}
    for row, window in enumerate(valid):
        by_pattern.setdefault(window.good, []).append(row)
    for good, rows in by_pattern.items():
        names = [channels[at] for at in good]
        for start in range(0, len(rows), _BATCH):
            part = rows[start : start + _BATCH]
            eeg = np.stack([window.eeg for row in part if (window := valid[row]).eeg is not None])
            own = _stacked([removals[row] for row in part]) if removals else None
            mean[part], views[part], band_db[np.ix_(part, good)] = look(model, eeg, names, own)
    t = np.array([(window.index + 1) / sfreq for window in valid])
    return Reading(tuple(channels), t, views, band_db, mean)


def _removals(model: Model, windows: Sequence[Window], n_channels: int, sfreq: float) -> list[Removal]:
    """Return what takes the running baseline off each window; nothing where the model takes none off."""
    if model.info.centring is None:
        return []
    running = Running(model.info.centring, model.spec, n_channels)
    return [
        running.take(window.index / sfreq, window.eeg, window.good)
        for window in windows
        if window.eeg is not None
    ]


def _stacked(removals: Sequence[Removal]) -> Removal:
    return Removal(*(torch.stack(part) for part in zip(*removals, strict=True)))


def look(
    model: Model, eeg: npt.NDArray[np.float32], names: Sequence[str], removal: Removal | None = None
) -> tuple[Array, Array, Array]:
    """Return mean, views and band power of windows (windows, channels, samples) of one set of electrodes."""
    spec = model.spec
    with torch.inference_mode():
        windows = torch.from_numpy(eeg)
        features = extract(windows, names, spec.sfreq, spec)
        places = torch.from_numpy(positions(names)).to(features.temporal)
        spectrum = features.spectral
        if removal is not None:
            features = remove(features, windows, spec, removal)
        mean, _, views = model.network.views(*features, places)
        if spec.spectrum != "log-power":
            spectrum = log_power(torch.from_numpy(eeg), spec.sfreq, features.n_tokens)
        bands = band_power_db(spectrum)
    return mean.double().numpy(), views.double().numpy(), bands.double().numpy()


def leave_out(
    model: Model, windows: Sequence[Window], channels: Sequence[str], rows: Sequence[int] | None = None
) -> tuple[Array, Array]:
    """Measure how the frozen model's views move when an electrode is missing.

    Parameters
    ----------
    model : Model
        Frozen.
    windows : sequence of Window
        A person's rest; those with every electrode good are used, at most `MOST_LEFT_OUT`.
    channels : sequence of str
        Electrodes.
    rows : sequence of int, optional
        Which of them, where only those can be missing; all by default.

    Returns
    -------
    views : numpy.ndarray, shape (channels, 5, features)
        Mean of the views without the electrode less that with it; 0 where nothing can be measured.
    mean : numpy.ndarray, shape (channels, 2)
        The same of the general estimate.
    """
    width = model.info.network.d_model
    views, mean = np.zeros((len(channels), N_VIEWS, width)), np.zeros((len(channels), 2))
    whole = [window.eeg for window in windows if window.eeg is not None and len(window.good) == len(channels)]
    if not whole or len(channels) < _FEWEST:
        return views, mean
    eeg = np.stack(whole[:: -(-len(whole) // MOST_LEFT_OUT)])
    all_mean, all_views, _ = look(model, eeg, channels, _of_itself(model, eeg))
    for row in range(len(channels)) if rows is None else rows:
        names = [name for at, name in enumerate(channels) if at != row]
        rest = np.delete(eeg, row, axis=1)
        # what is left is referenced to its own mean, as the live path does it
        rest = rest - rest.mean(1, keepdims=True)
        said, seen, _ = look(model, rest, names, _of_itself(model, rest))
        views[row], mean[row] = (seen - all_views).mean(0), (said - all_mean).mean(0)
    return views, mean


def _of_itself(model: Model, eeg: npt.NDArray[np.float32]) -> Removal | None:
    """Return what takes the windows' own mean off them, where the model takes one off."""
    if model.info.centring is None:
        return None
    spec = model.spec
    parts = spectra(torch.from_numpy(eeg), spec.sfreq, spec.window_tokens)
    return Baseline.of(parts, len(eeg) * spec.window_s).removal(model.info.centring)
