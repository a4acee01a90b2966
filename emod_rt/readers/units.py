"""What one step of the numbers is worth: volts, millivolts or microvolts."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError

TO_UV = {"V": 1e6, "mV": 1e3, "µV": 1.0, "nV": 1e-3}
_SPELLINGS = {
    "V": ("v", "volt", "volts"),
    "mV": ("mv", "millivolt", "millivolts", "millivolt(s)"),
    "µV": ("uv", "µv", "μv", "microvolt", "microvolts", "microvolt(s)", "micro volts"),
    "nV": ("nv", "nanovolt", "nanovolts"),
}
_BY_NAME = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings}

# scalp EEG with its mains hum moves by about 1 to some thousands of µV; the limits leave room on each side
_LOWEST_UV = 0.7
_LOWEST_DECLARED_UV = 0.2
_HIGHEST_UV = 50_000.0
_MAX_BLOCKS = 120


class Unit(NamedTuple):
    """What `settle_unit` found.

    Attributes
    ----------
    factor : float
        Multiply the values by it to get microvolts.
    note : str or None
        One sentence when a person should know how it was settled; None when it was plain.
    """

    factor: float
    note: str | None


def parse_unit(declared: str | None) -> str | None:
    """Return "V", "mV", "µV" or "nV" for a declared unit, None for anything else."""
    return _BY_NAME.get(declared.strip().lower()) if declared else None


def amplitude(data: npt.NDArray[Any], sfreq: float | None = None) -> npt.NDArray[np.float64]:
    """Return how much each channel moves within a second, whatever its offset and drift.

    Parameters
    ----------
    data : numpy.ndarray, shape (channels, samples)
        Any unit; NaN is left out.
    sfreq : float, optional
        Rate, Hz; without it the whole is taken as one second.

    Returns
    -------
    numpy.ndarray, shape (channels,)
        Median over one-second blocks of the standard deviation around a straight line, in the unit of the
        data; NaN for a channel without one whole block of values.
    """
    n = data.shape[1]
    length = min(n, max(round(sfreq), 8)) if sfreq else n
    if length < 3:
        return np.full(data.shape[0], np.nan)
    count = n // length
    starts = np.unique(np.linspace(0, count - 1, min(count, _MAX_BLOCKS)).astype(int)) * length
    blocks = np.stack([np.asarray(data[:, s : s + length], dtype=np.float64) for s in starts], axis=1)
    blocks = blocks - blocks.mean(axis=2, keepdims=True)
    ramp = np.arange(length) - (length - 1) / 2
    slope = (blocks @ ramp) / (ramp @ ramp)
    sd = (blocks - slope[..., None] * ramp).std(axis=2)
    found = np.full(data.shape[0], np.nan)
    for row, values in enumerate(sd):
        whole = values[np.isfinite(values)]
        if whole.size:
            found[row] = np.median(whole)
    return found


def settle_unit(data: npt.NDArray[Any], declared: str | None = None, sfreq: float | None = None) -> Unit:
    """Find the factor to microvolts from the declared unit, checked against the signal itself.

    A declared unit is believed unless it makes the signal impossible for EEG; without one, the size of the
    movement within a second decides (the offset does not count: a raw Cyton channel may rest at 60,000 µV).

    Parameters
    ----------
    data : numpy.ndarray, shape (channels, samples)
        A second or more of signal as it came.
    declared : str, optional
        Unit that the file or stream declares ("microvolts", "uV", "V"); anything unknown counts as none.
    sfreq : float, optional
        Rate, Hz; without it `data` is taken as one second.

    Returns
    -------
    Unit
        The factor, and a note where it was not plain.

    Raises
    ------
    InputFileError
        The values cannot be EEG: missing, flat, counting, or far too large. The sentence gives what was
        measured; whoever knows the file or stream puts its name in front.
    """
    level = _level(data, sfreq)
    unit = parse_unit(declared)
    if unit is not None and _LOWEST_DECLARED_UV <= level * TO_UV[unit] <= _HIGHEST_UV:
        return Unit(TO_UV[unit], None)
    for guess in ("µV", "mV", "V"):
        if _LOWEST_UV <= level * TO_UV[guess] <= _HIGHEST_UV:
            return Unit(TO_UV[guess], _explain(declared, unit, guess, level))
    raise InputFileError(
        f"the values move by {level:.3g} within a second (median channel), which is EEG neither in volts, "
        "millivolts nor microvolts; check that these columns are EEG"
    )


def _explain(declared: str | None, unit: str | None, guess: str, level: float) -> str | None:
    measured = f"values move by {level:.3g} within a second"
    if unit is not None:
        return f"declared as {declared}, but {measured}: read as {guess}"
    if guess == "µV":
        return None
    return f"no unit declared and {measured}: read as {guess}"


def _level(data: npt.NDArray[Any], sfreq: float | None) -> float:
    """Return the median movement of the channels that move; refuse what holds no signal at all."""
    if not np.isfinite(data).any():
        raise InputFileError(
            f"all values of the {data.shape[0]} channels are missing (NaN); record or export it again"
        )
    sd = amplitude(data, sfreq)
    if not np.isfinite(sd).any():
        raise InputFileError(
            f"no second of the {data.shape[1]} samples is without missing values (NaN); "
            "record or export it again"
        )
    # rounding noise around an offset is no movement
    resting = np.array(
        [np.median(np.abs(row[np.isfinite(row)])) if np.isfinite(row).any() else 0 for row in data]
    )
    moving = np.isfinite(sd) & (sd > 1e-9 * resting)
    counting = np.array([_counts(row) for row in data])
    # a dead channel must not drag the median down
    alive = moving & ~counting
    if alive.any():
        return float(np.median(sd[alive]))
    if counting.any():
        raise InputFileError(
            "the values only count in equal steps, which is a counter and not EEG; name the EEG columns"
        )
    first = float(data[np.isfinite(data)][0])
    raise InputFileError(
        f"all {data.shape[0]} channels are flat (first value {first:g}); check that the electrodes recorded"
    )


def _counts(row: npt.NDArray[Any]) -> bool:
    """Tell a counter, wrapping or not, from a signal."""
    steps = np.diff(np.asarray(row[: _MAX_BLOCKS * 8], dtype=np.float64))
    if steps.size < 8:
        return False
    again = (steps[1:] == steps[:-1]) & (steps[1:] != 0)
    return bool(again.mean() > 0.9)
