"""What is asked of whatever a corpus' file holds, and the one sentence where it does not fit."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emod_model.affect.vocabulary import vocabulary
from emod_model.errors import InputFileError, UsageError

Eeg = npt.NDArray[np.float32]

MICROVOLTS, VOLTS = (0.1, 1000.0), (1e-7, 1e-3)
"""Between these lies the median channel's deviation of any scalp EEG, in the one unit or the other."""
# longer than most blinks' gaps and shorter than the drift of a direct-coupled amplifier
_STRETCH_S = 1.0


def numbered(name: str) -> tuple[tuple[int, str], ...]:
    """Return a key that sorts names as people count: s2 before s10."""
    parts = re.findall(r"(\d+)|(\D+)", name)
    return tuple((int(digits), "") if digits else (-1, text.lower()) for digits, text in parts)


def place(raw: Path, folder: str) -> Path:
    """Return the folder of that name at any depth of `raw`, or `raw` itself where people gave it."""
    if raw.name.lower() == folder.lower():
        return raw
    return next((path for path in sorted(raw.rglob(folder)) if path.is_dir()), raw)


def found(raw: Path, paths: Iterable[Path], expected: str) -> list[Path]:
    """Return the files in counting order.

    Raises
    ------
    InputFileError
        There are none.
    """
    files = sorted((path for path in paths if path.is_file()), key=lambda path: numbered(str(path)))
    if not files:
        raise InputFileError(f"{raw}: holds no {expected}; give the folder that the corpus was unpacked into")
    return files


def signal(
    path: Path,
    field: str,
    value: object,
    rows: int,
    *,
    time_major: bool = False,
    spare: bool = False,
    finite: bool = True,
) -> Eeg:
    """Return a matrix of a file as (rows, samples), float32.

    Parameters
    ----------
    path, field : pathlib.Path, str
        Where it was found, for the sentence.
    value : object
        What was found there.
    rows : int
        Channels that it has to have; with `spare` there may be more, which are left off.
    time_major : bool
        The file has (samples, channels).
    spare : bool
        More channels may follow.
    finite : bool
        False lets NaN through, for corpora that are known to have it.

    Raises
    ------
    InputFileError
        No matrix of numbers, another shape, or not finite.
    """
    wanted = f"(samples, {rows})" if time_major else f"({rows}, samples)"
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise InputFileError(f"{path}: {field} is {describe(value)}, not numbers of shape {wanted}")
    eeg = value.T if time_major and value.ndim == 2 else value
    if eeg.ndim != 2 or eeg.shape[0] < rows or (eeg.shape[0] > rows and not spare) or eeg.shape[1] < 1:
        raise InputFileError(
            f"{path}: {field} has shape {value.shape}, not {wanted}; take the file as the corpus gives it"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        eeg = np.ascontiguousarray(eeg[:rows], dtype=np.float32)
    if finite and not np.isfinite(eeg).all():
        row, sample = np.argwhere(~np.isfinite(eeg))[0]
        raise InputFileError(
            f"{path}: {field} is {eeg[row, sample]} at channel {row}, sample {sample}; copy the file again"
        )
    return eeg


def describe(value: object) -> str:
    """Return what a file holds in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array {value.shape} of {value.dtype}"
    return "absent" if value is None else type(value).__name__


def deviation(eeg: Eeg, sfreq: float) -> float:
    """Return the median channel's deviation within stretches of 1 s, so that drift does not count."""
    size = max(1, min(eeg.shape[1], round(_STRETCH_S * sfreq)))
    count = eeg.shape[1] // size
    stretches = eeg[:, : count * size].reshape(eeg.shape[0], count, size)
    return float(np.median(np.median(stretches.std(axis=2, dtype=np.float64), axis=1)))


def to_microvolts(path: Path, field: str, trials: Sequence[Eeg], sfreq: float, notes: Counter[str]) -> float:
    """Return what takes a file's numbers to microvolts: 1, or 1e6 where they are volts, which is noted.

    Raises
    ------
    InputFileError
        The median channel fits neither unit.
    """
    size = float(np.median([deviation(eeg, sfreq) for eeg in trials]))
    if MICROVOLTS[0] <= size <= MICROVOLTS[1]:
        return 1.0
    if VOLTS[0] <= size <= VOLTS[1]:
        notes["a file in volts was read as such"] += 1
        return 1e6
    raise InputFileError(
        f"{path}: {field} has a median channel deviation of {size:.3g}, which is EEG neither in microvolts "
        f"({MICROVOLTS[0]:g} to {MICROVOLTS[1]:g}) nor in volts ({VOLTS[0]:g} to {VOLTS[1]:g}); "
        "take the file as the corpus gives it"
    )


def scaled(eeg: Eeg, factor: float) -> Eeg:
    """Return the signal times what `to_microvolts` says."""
    return eeg if factor == 1.0 else (eeg * np.float32(factor)).astype(np.float32)


def ratings(corpus: str, path: Path, field: str, *, valence: float, arousal: float) -> dict[str, float]:
    """Return ratings on [-1, 1], floats kept.

    Raises
    ------
    InputFileError
        Not on the corpus' scale, NaN included.
    """
    scale = vocabulary(corpus)
    result = {}
    for axis, value in (("valence", valence), ("arousal", arousal)):
        try:
            result[axis] = float(scale.rating(value))
        except UsageError as error:
            raise InputFileError(f"{path}: {field}, {axis} {value:g}: {error}") from error
    return result


def word(corpus: str, path: Path, field: str, code: float) -> str:
    """Return a class by its number on disk.

    Raises
    ------
    InputFileError
        No class of the corpus.
    """
    try:
        if int(code) != code:
            raise UsageError("it is no whole number")
        return vocabulary(corpus).word(int(code))
    except (UsageError, ValueError, OverflowError) as error:
        raise InputFileError(f"{path}: {field} is {code}, no class of {corpus} ({error})") from error
