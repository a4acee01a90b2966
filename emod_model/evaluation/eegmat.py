"""EEGMAT as published: 20 channels as recorded, 200 Hz, windows of 5 s, rest against arithmetic."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from emod_model.corpora.eegmat import ARITHMETIC, EEGMAT, ELECTRODES, HALVES, PUBLISHED_CHANNELS, REST
from emod_model.errors import InputFileError
from emod_model.evaluation.table import WindowTable

CLASSES = (REST, ARITHMETIC)
SFREQ = 200.0
WINDOW_S = 5.0
BASELINE_S = 60.0
"""Beginning of a person's rest that causal centring takes off and that is not scored then, s."""
_LONGEST_PERIOD = 1000


@dataclass(frozen=True, eq=False)
class Half:
    """One file of a person, as recorded.

    Attributes
    ----------
    subject, label : str
        Who, and "rest" or "arithmetic".
    eeg : numpy.ndarray, shape (20, samples), float32
        Microvolts, `PUBLISHED_CHANNELS`.
    sfreq : float
        Hz.
    """

    subject: str
    label: str
    eeg: npt.NDArray[np.float32]
    sfreq: float

    @property
    def n_windows(self) -> int:
        """Whole windows of 5 s; the last incomplete one is dropped."""
        return int(self.eeg.shape[1] / self.sfreq / WINDOW_S + 1e-9)


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of the same channels, and what is known of each.

    Attributes
    ----------
    table : WindowTable
    eeg : numpy.ndarray, shape (windows, channels, samples), float32
        Microvolts.
    sfreq : float
        Hz.
    channels : tuple of str
    """

    table: WindowTable
    eeg: npt.NDArray[np.float32]
    sfreq: float
    channels: tuple[str, ...]

    def pick(self, channels: tuple[str, ...], average: bool) -> "Windows":
        """Return the windows of some channels, if wanted referenced to their mean."""
        eeg = self.eeg[:, [self.channels.index(name) for name in channels]]
        return Windows(self.table, eeg - eeg.mean(1, keepdims=True) if average else eeg, self.sfreq, channels)


def halves(corpus: EEGMAT) -> list[Half]:
    """Read everyone who is there, rest before arithmetic.

    Raises
    ------
    InputFileError
        A file is damaged, lacks a channel, is shorter than a window, or a person lacks a half.
    """
    result: list[Half] = []
    for subject in corpus.subjects():
        if len(corpus.files(subject)) < len(HALVES):
            raise InputFileError(
                f"{corpus.raw}: {subject} has only one of its two files; give both, or neither"
            )
        result += [Half(subject, *half) for half in corpus.published(subject)]
    for half in result:
        if half.n_windows < 1:
            raise InputFileError(
                f"{corpus.raw}: the {half.label} of {half.subject} has {half.eeg.shape[1]} samples, "
                f"less than one window of {WINDOW_S:g} s; copy it again"
            )
        if half.label == REST and half.n_windows * WINDOW_S <= BASELINE_S:
            raise InputFileError(
                f"{corpus.raw}: the rest of {half.subject} ends within the {BASELINE_S:g} s that serve as "
                "baseline; copy it again"
            )
    return result


def table(parts: list[Half]) -> WindowTable:
    """Return one row for each window of the files, in their order."""
    counts = [half.n_windows for half in parts]
    start = np.concatenate([np.arange(count) * WINDOW_S for count in counts])
    label = np.repeat([CLASSES.index(half.label) for half in parts], counts)
    trial = np.repeat([half.label for half in parts], counts)
    return WindowTable(
        subject=np.repeat([half.subject for half in parts], counts),
        session=np.full(len(start), "1"),
        trial=trial,
        # what was done is the class itself: no stimulus could be told from it
        stimulus=np.full(len(start), ""),
        label=label.astype(np.intp),
        start_s=start,
        baseline=(trial == REST) & (start + WINDOW_S <= BASELINE_S),
        classes=CLASSES,
    )


def published_windows(parts: list[Half]) -> Windows:
    """Return the windows of the published protocol."""
    from scipy.signal import resample_poly

    samples = round(WINDOW_S * SFREQ)
    cut: list[npt.NDArray[np.float32]] = []
    for half in parts:
        step = Fraction(SFREQ / half.sfreq).limit_denominator(_LONGEST_PERIOD)
        eeg = resample_poly(half.eeg.astype(np.float64), step.numerator, step.denominator, axis=1)
        whole = eeg[:, : half.n_windows * samples].astype(np.float32)
        cut.append(whole.reshape(len(whole), half.n_windows, samples).swapaxes(0, 1))
    return Windows(table(parts), np.concatenate(cut), SFREQ, PUBLISHED_CHANNELS)


CAPS: dict[str, tuple[tuple[str, ...], bool]] = {
    "20, as recorded": (PUBLISHED_CHANNELS, False),
    "19, average reference": (ELECTRODES, True),
    "Cyton's 8, average reference": (("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2"), True),
    "4 (P7 F7 F8 P8), average reference": (("P7", "F7", "F8", "P8"), True),
}
"""Channels the linear models are fitted on, and whether they are referenced to their mean."""
