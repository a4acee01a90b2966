"""DREAMER: 23 people, 18 film clips, Emotiv EPOC, rated 1 to 5 (Katsigiannis and Ramzan 2018)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from emod_model.corpora import checks
from emod_model.corpora.base import FilesOfPeople, Trial
from emod_model.corpora.caps import EPOC_14
from emod_model.corpora.mat import MatFile
from emod_model.errors import InputFileError

SFREQ = 128.0
_WHOLE = "DREAMER"


class DREAMER(FilesOfPeople):
    """One file DREAMER.mat, of which one person at a time is read.

    Rest and film lie in cells of their own; the rest is put before its film on the film's level, so that no
    step lies between them. The headset's offset of some 4,000 microvolts is left as it is.

    Parameters
    ----------
    raw : pathlib.Path
        Holds DREAMER.mat, or is that file.
    """

    name = "dreamer"

    def __init__(self, raw: Path) -> None:
        super().__init__(raw)
        self._mat = MatFile(checks.found(raw, [raw, *raw.rglob("DREAMER.mat")], "DREAMER.mat")[0])
        count = self._mat.count(_WHOLE, "Data")
        self._files = {str(at + 1): (self._mat.path,) for at in range(count)}

    def trials(self, subject: str) -> Iterator[Trial]:
        """Yield a person's clips, each behind its rest.

        Raises
        ------
        InputFileError
            The file is damaged or holds something else.
        UsageError
            No such person.
        """
        (path,) = self._own(subject)
        at = int(subject) - 1
        who = f"{_WHOLE}.Data[{at}]"
        one = _record(path, who, self._mat.read(_WHOLE, "Data", at))
        eeg = _record(path, f"{who}.EEG", one.get("EEG"))
        rest, film = (_cells(path, f"{who}.EEG.{part}", eeg.get(part)) for part in ("baseline", "stimuli"))
        valence, arousal = (
            _scores(path, f"{who}.{name}", one.get(name), len(film))
            for name in ("ScoreValence", "ScoreArousal")
        )
        if len(rest) != len(film):
            raise InputFileError(f"{path}: {who}.EEG has {len(rest)} baselines for {len(film)} stimuli")
        parts = [
            (
                checks.signal(path, f"{who}.EEG.baseline[{clip}]", rest[clip], 14, time_major=True),
                checks.signal(path, f"{who}.EEG.stimuli[{clip}]", film[clip], 14, time_major=True),
            )
            for clip in range(len(film))
        ]
        del one, eeg, rest, film
        factor = checks.to_microvolts(path, f"{who}.EEG", [shown for _, shown in parts], SFREQ, self.notes)
        for clip, (before, shown) in enumerate(parts):
            step = np.median(shown, axis=1) - np.median(before, axis=1)
            whole = np.concatenate([before + step[:, None], shown], axis=1)
            yield Trial(
                subject=subject,
                session="1",
                trial=str(clip + 1),
                stimulus=f"clip {clip + 1}",
                eeg=checks.scaled(whole, factor),
                sfreq=SFREQ,
                channels=EPOC_14,
                baseline_s=before.shape[1] / SFREQ,
                label=None,
                ratings=checks.ratings(
                    self.name, path, f"{who} score {clip}", valence=valence[clip], arousal=arousal[clip]
                ),
            )


def _record(path: Path, field: str, value: Any) -> dict[str, Any]:
    """Return the struct that MATLAB wrapped into one or more cells of one."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise InputFileError(f"{path}: {field} is {checks.describe(value)}, not a struct; download it again")
    return value


def _cells(path: Path, field: str, value: Any) -> list[Any]:
    while isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    if not isinstance(value, list) or not value:
        raise InputFileError(f"{path}: {field} is {checks.describe(value)}, not cells; download it again")
    return value


def _scores(path: Path, field: str, value: Any, count: int) -> list[float]:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu" or value.size != count:
        raise InputFileError(f"{path}: {field} is {checks.describe(value)}, not {count} scores")
    return [float(score) for score in value.ravel(order="F")]
