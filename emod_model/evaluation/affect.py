"""What a frozen model makes of the windows of a protocol, with a person's baseline removed or not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emod_model.calibration.centre import Centre
from emod_model.calibration.head import CentredHead
from emod_model.calibration.reading import FUSED, Reading, join, leave_out, read
from emod_model.checkpoint import Model
from emod_model.errors import ModelError
from emod_model.evaluation.linear import Kind
from emod_model.evaluation.table import Array, Rows, WindowTable
from emod_model.signal.windows import Window, condition_recording

_EPS_S = 1e-6


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
    without : tuple of numpy.ndarray, or None
        From `leave_out`, where an electrode was bad somewhere.
    """

    reading: Reading
    row: Rows
    without: tuple[Array, Array] | None


def look_at(model: Model, signals: Sequence[Signal], window_s: float) -> Seen:
    """Let the model read one person's recordings by the live path.

    The one difference: the first seconds of a recording count too, as the protocols judge every window.

    Parameters
    ----------
    model : Model
        Frozen.
    signals : sequence of Signal
        Of one montage.
    window_s : float
        Length of the table's windows, s; an estimate belongs to the window that holds all its samples.

    Raises
    ------
    ModelError
        The model reads longer windows, or a rate that cannot carry its band.
    """
    spec = model.spec.model_copy(update={"settle_s": 0.0})
    if spec.window_s > window_s + _EPS_S:
        raise ModelError(
            f"{model.path} reads windows of {spec.window_s:g} s and the protocol's are {window_s:g} s long; "
            "take a model with shorter ones"
        )
    readings: list[Reading] = []
    rows: list[int] = []
    read_of: list[Window] = []
    for signal in signals:
        kept: list[Window] = []
        for window in condition_recording(signal.eeg, signal.sfreq, spec, channels=signal.channels):
            end = (window.index + 1) / signal.sfreq
            at = math.floor((end - spec.window_s + _EPS_S) / window_s)
            # what reaches over two windows of the protocol belongs to neither
            if window.valid and 0 <= at < signal.count and end <= (at + 1) * window_s + _EPS_S:
                kept.append(window)
                rows.append(signal.first + at)
        readings.append(read(model, kept, signal.channels, signal.sfreq))
        read_of += kept
    every = join(readings)
    some_bad = bool(np.isnan(every.band_db).any())
    without = leave_out(model, read_of, signals[0].channels) if some_bad else None
    return Seen(every, np.array(rows, dtype=np.intp), without)


def estimates(seen: Seen, table: WindowTable, kind: Kind, head: CentredHead | None) -> tuple[Array, Array]:
    """Return valence and arousal of one person's windows, and what the frozen backbone says of them.

    Parameters
    ----------
    seen : Seen
    table : WindowTable
        All windows, or this person's.
    kind : {"none", "causal", "transductive"}
        What is taken off: nothing, the windows that the table marks as rest, all.
    head : CentredHead or None
        The checkpoint's own, which reads what is centred; without one the centred estimate counts.

    Returns
    -------
    numpy.ndarray, shape (windows, 2)
        Mean of the estimates within each window; NaN where there is none.
    numpy.ndarray, shape (windows, features)
        The same of the fused view.
    """
    reading = seen.reading
    said = reading.mean
    if kind != "none":
        base = table.baseline[seen.row] if kind == "causal" else np.ones(len(reading), dtype=bool)
        if base.any():
            reading = Centre.of(reading[base], seen.without).remove(reading)
        said = reading.mean if head is None else head(reading.views[:, FUSED])
    return _means(said, seen.row, len(table)), _means(reading.views[:, FUSED], seen.row, len(table))


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
