"""Recordings of one state each, and the windows that a protocol cuts out of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from emod_model.centring import REST_S
from emod_model.evaluation.table import WindowTable
from emod_model.signal.conditioner import Conditioner
from emod_model.signal.spec import SignalSpec

Caps = Mapping[str, tuple[tuple[str, ...], bool]]
WINDOW_S = 5.0
PLAIN_SFREQ = 200.0
"""Rate of the windows that the published networks and the plain linear models get, Hz."""
_LONGEST_PERIOD = 1000
_EPS = 1e-9


@dataclass(frozen=True, eq=False)
class Recorded:
    """One recording of one state of a person.

    Attributes
    ----------
    subject, trial, label : str
        Who, which, and the state.
    eeg : numpy.ndarray, shape (channels, samples), float32
        Microvolts as acquired; NaN where samples were lost.
    sfreq : float
        Hz.
    channels : tuple of str
    rest : bool
        Its first minute is the person's baseline.
    """

    subject: str
    trial: str
    label: str
    eeg: npt.NDArray[np.float32]
    sfreq: float
    channels: tuple[str, ...]
    rest: bool

    @property
    def n_windows(self) -> int:
        """Whole windows of 5 s; the last incomplete one is dropped."""
        return int(self.eeg.shape[1] / self.sfreq / WINDOW_S + _EPS)


@dataclass(frozen=True, eq=False)
class Material:
    """What a protocol is carried out on.

    Attributes
    ----------
    recorded : list of Recorded
        Person by person, rest first, all of the same channels.
    classes : tuple of str
        The states; of two, a model's arousal is judged as the score of the second.
    caps : dict
        Title of a linear model -> its channels, and whether they are referenced to their mean.
    channels : tuple of str
        Electrodes that the model gets.
    source : str
        Where the recordings came from.
    """

    recorded: list[Recorded]
    classes: tuple[str, ...]
    caps: Caps
    channels: tuple[str, ...]
    source: str


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows' signal, one row a row of the table.

    Attributes
    ----------
    eeg : numpy.ndarray, shape (windows, channels, samples), float32
        Microvolts.
    sfreq : float
        Hz.
    channels : tuple of str
    """

    eeg: npt.NDArray[np.float32]
    sfreq: float
    channels: tuple[str, ...]

    def pick(self, channels: Sequence[str], average: bool) -> "Windows":
        """Return some of the channels, if wanted referenced to their mean."""
        eeg = self.eeg[:, [self.channels.index(name) for name in channels]]
        return Windows(eeg - eeg.mean(1, keepdims=True) if average else eeg, self.sfreq, tuple(channels))


def table(recorded: Sequence[Recorded], classes: tuple[str, ...]) -> WindowTable:
    """Return one row for each window of the recordings, in their order."""
    counts = [one.n_windows for one in recorded]
    start = np.concatenate([np.arange(count) * WINDOW_S for count in counts])
    rest = np.repeat([one.rest for one in recorded], counts)
    return WindowTable(
        subject=np.repeat([one.subject for one in recorded], counts),
        session=np.full(len(start), "1"),
        trial=np.repeat([one.trial for one in recorded], counts),
        # what was done is the class itself: no stimulus could be told from it
        stimulus=np.full(len(start), ""),
        label=np.repeat([classes.index(one.label) for one in recorded], counts).astype(np.intp),
        start_s=start,
        baseline=rest & (start + WINDOW_S <= REST_S),
        classes=classes,
    )


def plain_windows(recorded: Sequence[Recorded]) -> Windows:
    """Return the windows without any filter but the resampling to 200 Hz."""
    from scipy.signal import resample_poly

    samples = round(WINDOW_S * PLAIN_SFREQ)
    cut: list[npt.NDArray[np.float32]] = []
    for one in recorded:
        step = Fraction(PLAIN_SFREQ / one.sfreq).limit_denominator(_LONGEST_PERIOD)
        filled = _filled(one.eeg)
        # the offset of an amplifier would ring at the ends
        offset = filled.mean(1, keepdims=True)
        eeg = resample_poly(filled - offset, step.numerator, step.denominator, axis=1) + offset
        whole = eeg[:, : one.n_windows * samples].astype(np.float32)
        cut.append(whole.reshape(len(whole), one.n_windows, samples).swapaxes(0, 1))
    return Windows(np.concatenate(cut), PLAIN_SFREQ, recorded[0].channels)


def live_windows(recorded: Sequence[Recorded], spec: SignalSpec) -> Windows:
    """Return the same windows as the live path conditions them: causal, at the model's rate.

    Parameters
    ----------
    recorded : sequence of Recorded
        Of the same channels.
    spec : SignalSpec
        Its rate, band and notches count; channels are left as recorded, to be picked and referenced.
    """
    samples = round(WINDOW_S * spec.sfreq)
    cut: list[npt.NDArray[np.float32]] = []
    for one in recorded:
        conditioner = Conditioner(spec, one.sfreq, len(one.eeg))
        eeg = conditioner.process(one.eeg).astype(np.float32)
        ends = [conditioner.n_outputs(round((k + 1) * WINDOW_S * one.sfreq)) for k in range(one.n_windows)]
        cut.append(np.stack([eeg[:, end - samples : end] for end in ends]))
    return Windows(np.concatenate(cut), spec.sfreq, recorded[0].channels)


def _filled(eeg: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Draw a straight line over what is missing."""
    result = eeg.astype(np.float64)
    for row in result:
        missing = np.isnan(row)
        if missing.any():
            at = np.arange(len(row))
            row[missing] = np.interp(at[missing], at[~missing], row[~missing]) if not missing.all() else 0.0
    return result
