"""What SEED, SEED-IV and SEED-VII share: a MATLAB variable a trial, 62 channels, 200 Hz."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from emod_model.corpora import checks
from emod_model.corpora.base import Trial
from emod_model.corpora.caps import NEUROSCAN_62
from emod_model.corpora.mat import MatFile
from emod_model.errors import InputFileError

SFREQ = 200.0


def variables(path: Path, mat: MatFile, pattern: str, most: int) -> dict[int, str]:
    """Return the trials' variables by the number at the end of their names, whatever their order in the file.

    Raises
    ------
    InputFileError
        None, a number that cannot be, or one twice.
    """
    result: dict[int, str] = {}
    for name in mat.names():
        match = re.fullmatch(pattern, name)
        if match is None:
            continue
        number = int(match[1])
        if not 1 <= number <= most:
            raise InputFileError(f"{path}: {name} is trial {number} of a session of {most}")
        if number in result:
            raise InputFileError(f"{path}: {name} and {result[number]} are both trial {number}")
        result[number] = name
    if not result:
        there = ", ".join(mat.names()[:4]) or "nothing"
        raise InputFileError(f"{path}: holds {there}, no trials' EEG; give the folder of the signals")
    return dict(sorted(result.items()))


def read_trials(
    path: Path,
    *,
    pattern: str,
    labels: Sequence[str],
    subject: str,
    session: str,
    film: str,
    notes: Counter[str],
) -> Iterator[Trial]:
    """Yield the trials of a file in counting order, one in memory.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    pattern : str
        Of the variables' names, with the trial's number in a group.
    labels : sequence of str
        Word of each trial.
    subject, session : str
        As in `Trial`.
    film : str
        What the stimulus is called, without its number.
    notes : collections.Counter of str
        Where missing trials and volts are noted.

    Raises
    ------
    InputFileError
        The file is damaged or holds something else.
    """
    mat = MatFile(path)
    names = variables(path, mat, pattern, len(labels))
    missing = [str(number) for number in range(1, len(labels) + 1) if number not in names]
    if missing:
        notes[f"{path.name} lacks trials {', '.join(missing[:8])}{' ...' * (len(missing) > 8)}"] += 1
    factor: float | None = None
    for number, name in names.items():
        eeg = whole_seconds(checks.signal(path, name, mat.read(name), 62))
        factor = factor or checks.to_microvolts(path, name, [eeg], SFREQ, notes)
        yield Trial(
            subject=subject,
            session=session,
            trial=str(number),
            stimulus=f"{film} {number}",
            eeg=checks.scaled(eeg, factor),
            sfreq=SFREQ,
            channels=NEUROSCAN_62,
            baseline_s=0.0,
            label=labels[number - 1],
            ratings=None,
        )


def whole_seconds(eeg: checks.Eeg) -> checks.Eeg:
    """Leave off the one sample that SEED and SEED-IV have beyond whole seconds."""
    return eeg[:, :-1] if eeg.shape[1] > 1 and eeg.shape[1] % SFREQ == 1 else eeg
