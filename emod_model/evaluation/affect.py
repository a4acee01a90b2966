"""What a frozen model makes of the windows of a protocol, with a person's baseline removed or not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emod_model.calibration.centre import Centre
from emod_model.calibration.reading import FUSED, Reading, join, leave_out, look, read
from emod_model.centring import Baseline
from emod_model.checkpoint import Model
from emod_model.errors import ModelError
from emod_model.evaluation.linear import Kind
from emod_model.evaluation.recorded import WINDOW_S
from emod_model.evaluation.table import Array, Rows, WindowTable
from emod_model.signal.windows import Window, condition_recording

_EPS_S = 1e-6
_BATCH = 64


@dataclass(frozen=True, eq=False)
class Signal:
    """One recording as acquired, and where in the table its windows begin.

    Attributes
    ----------
    eeg : numpy.ndarray, shape (channels, samples)
        Microvolts.
    sfreq : float
        Hz.
    channels : tuple of str
    first : int
        Row of the table of its first window; the others follow.
    count : int
        Windows.
    """

    eeg: npt.NDArray[np.floating]
    sfreq: float
    channels: tuple[str, ...]
    first: int
    count: int


@dataclass(frozen=True, eq=False)
class Seen:
    """One person's recordings as the frozen model sees them, estimate by estimate.

    Attributes
    ----------
    reading : Reading
    row : numpy.ndarray of int, shape (estimates,)
        Window of the table that an estimate lies in wholly.
    windows : list of Window
        What the estimates were made of.
    without : tuple of numpy.ndarray, or None
        From `leave_out`, where an electrode was bad somewhere.
    """

    reading: Reading
    row: Rows
    windows: list[Window]
    without: tuple[Array, Array] | None


def look_at(model: Model, signals: Sequence[Signal]) -> Seen:
    """Let the model read one person's recordings by the live path.

    The one difference: the first seconds of a recording count too, as the protocols judge every window.

    Parameters
    ----------
    model : Model
        Frozen.
    signals : sequence of Signal
        Of one montage. An estimate belongs to the window of the table that holds all its samples.

    Raises
    ------
    ModelError
        The model reads longer windows, or a rate that cannot carry its band.
    """
    spec = model.spec.model_copy(update={"settle_s": 0.0})
    if spec.window_s > WINDOW_S + _EPS_S:
        raise ModelError(
            f"{model.path} reads windows of {spec.window_s:g} s and the protocol's are {WINDOW_S:g} s long; "
            "take a model with shorter ones"
        )
    readings: list[Reading] = []
    rows: list[int] = []
    read_of: list[Window] = []
    for signal in signals:
        kept: list[Window] = []
        for window in condition_recording(signal.eeg, signal.sfreq, spec, channels=signal.channels):
            end = (window.index + 1) / signal.sfreq
            at = math.floor((end - spec.window_s + _EPS_S) / WINDOW_S)
            # what reaches over two windows of the protocol belongs to neither
            if window.valid and 0 <= at < signal.count and end <= (at + 1) * WINDOW_S + _EPS_S:
                kept.append(window)
                rows.append(signal.first + at)
        readings.append(read(model, kept, signal.channels, signal.sfreq, relative=False))
        read_of += kept
    every = join(readings)
    bad = np.flatnonzero(np.isnan(every.band_db).any((0, 2))).tolist()
    # where the baseline is taken off the input, nothing is left to make up for
    makes_up = bool(bad) and model.info.centring is None
    without = leave_out(model, read_of, signals[0].channels, bad) if makes_up else None
    return Seen(every, np.array(rows, dtype=np.intp), read_of, without)


def estimates(seen: Seen, table: WindowTable, kind: Kind, model: Model) -> tuple[Array, Array]:
    """Return valence and arousal of one person's windows, and what the frozen backbone says of them.

    A checkpoint that takes a baseline off its input does so; one with a head for centred features reads with
    that; of any other the centred estimate counts.

    Parameters
    ----------
    seen : Seen
    table : WindowTable
        Of everyone.
    kind : {"none", "causal", "transductive"}
        What is taken off: nothing, the windows that the table marks as rest, all.
    model : Model
        The one that has read.

    Returns
    -------
    numpy.ndarray, shape (windows, 2)
        Mean of the estimates within each window; NaN where there is none.
    numpy.ndarray, shape (windows, features)
        The same of the fused view.
    """
    reading = seen.reading
    said, fused = reading.mean, reading.views[:, FUSED]
    base = table.baseline[seen.row] if kind == "causal" else np.ones(len(reading), dtype=bool)
    if kind != "none" and base.any():
        if model.info.centring is not None:
            said, fused = _relative(model, seen, base)
        else:
            reading = Centre.of(reading[base], seen.without).remove(reading)
            fused = reading.views[:, FUSED]
            said = reading.mean if model.info.centred is None else model.info.centred(fused)
    return _means(said, seen.row, len(table)), _means(fused, seen.row, len(table))


def _relative(model: Model, seen: Seen, base: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return estimates (n, 2) and fused views (n, features) with a baseline taken off the input."""
    import torch

    from emod_model.features.spectrum import spectra

    centring, spec, channels = model.info.centring, model.spec, seen.reading.channels
    assert centring is not None
    baseline = Baseline(len(channels))
    # windows overlap: together they cover the rows they lie in, each once
    step_s = len(set(seen.row[base].tolist())) * WINDOW_S / int(base.sum())
    every = [
        spectra(torch.from_numpy(np.asarray(window.eeg)), spec.sfreq, spec.window_tokens)
        for window in seen.windows
    ]
    by_good: dict[tuple[int, ...], list[int]] = {}
    for at, window in enumerate(seen.windows):
        by_good.setdefault(window.good, []).append(at)
        if base[at]:
            baseline.take(every[at][None], window.good, step_s)
    said = np.zeros((len(seen.windows), 2))
    fused = np.zeros((len(seen.windows), model.info.network.d_model))
    for good, rows in by_good.items():
        # where an electrode was bad all through the baseline each window is its own, as live
        size = _BATCH if baseline.covers(good) else 1
        for start in range(0, len(rows), size):
            block = rows[start : start + size]
            own = baseline.with_own(every[block[0]], good, spec.window_s)
            eeg = np.stack([np.asarray(seen.windows[at].eeg) for at in block])
            removal = own.removal(centring, good)
            said[block], views, _ = look(model, eeg, [channels[at] for at in good], removal)
            fused[block] = views[:, FUSED]
    return said, fused


def _means(values: Array, row: Rows, n_rows: int) -> Array:
    """Return the mean of the values (estimates, k) of each row; NaN where there is none."""
    total, count = np.zeros((n_rows, values.shape[1])), np.zeros(n_rows)
    np.add.at(total, row, values)
    np.add.at(count, row, 1)
    with np.errstate(invalid="ignore"):
        result: Array = total / count[:, None]
    return result


def held(values: Array, table: WindowTable, otherwise: float) -> Array:
    """Fill windows without an estimate with the last one of their trial, else with `otherwise`.

    A window that the live path would not read is still judged, so that every method has the same windows.
    """
    result = values.copy()
    _, of = table.trials()
    for row in np.flatnonzero(np.isnan(values).any(1)):
        before = row - 1
        result[row] = result[before] if before >= 0 and of[before] == of[row] else otherwise
    return result
