"""A corpus made on the spot: as few seconds and people as will do."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emod_model.corpora.base import Trial
from emod_model.errors import InputFileError
from emod_model.signal.spec import SignalSpec
from emod_model.store import Recipe

CHANNELS = ("Fp1", "Fp2", "C3", "C4", "O1", "O2")
SFREQ = 250.0
SPEC = SignalSpec(window_s=2.0)
RECIPE = Recipe(corpus="toy", signal=SPEC, hop_s=2.0)


def signal(seed: int, seconds: float, channels: int = len(CHANNELS), sfreq: float = SFREQ) -> np.ndarray:
    """Noise of the size and about the colour of EEG, float32."""
    rng = np.random.default_rng(seed)
    white = rng.standard_normal((channels, round(seconds * sfreq)))
    slow = np.cumsum(white, axis=1)
    return (12 * (white + 0.05 * (slow - slow.mean(1, keepdims=True)))).astype(np.float32)


def trial(subject: str, number: int, **other) -> Trial:
    """Ten seconds of a film, labelled and rated, unless said otherwise."""
    seed = 1000 * int(subject[1:]) + number
    given = {
        "subject": subject,
        "session": "1",
        "trial": str(number),
        "stimulus": f"film {number}",
        "eeg": signal(seed, 10),
        "sfreq": SFREQ,
        "channels": CHANNELS,
        "baseline_s": 0.0,
        "label": ("happy", "sad", "neutral")[number % 3],
        "ratings": {"valence": 0.5, "arousal": -0.25 * number},
    }
    return Trial(**(given | other))


class Toy:
    """People p0, p1 and so on, each with one file and some trials."""

    name = "toy"

    def __init__(self, folder: Path, people: int = 3, trials: int = 2) -> None:
        self.folder = folder
        self.notes: Counter[str] = Counter()
        self._trials = trials
        for number in range(people):
            self.file(f"p{number}").write_text(f"p{number}")

    def file(self, subject: str) -> Path:
        return self.folder / f"{subject}.dat"

    def subjects(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("p*.dat"))

    def files(self, subject: str) -> list[Path]:
        return [self.file(subject)]

    def trials(self, subject: str) -> Iterator[Trial]:
        if "damaged" in self.file(subject).read_text():
            raise InputFileError(f"{self.file(subject)}: damaged; copy it again")
        for number in range(self._trials):
            yield self.trial(subject, number)

    def trial(self, subject: str, number: int) -> Trial:
        return trial(subject, number)
