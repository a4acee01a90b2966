"""From a trial to its windows, by the very code that conditions a live stream (rule 3 of the house)."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emod_model.corpora.base import Trial
from emod_model.signal.spec import SignalSpec
from emod_model.signal.windows import Windower


@dataclass(frozen=True, eq=False)
class Cut:
    """The windows of one trial that hold a signal.

    Attributes
    ----------
    eeg : numpy.ndarray, shape (windows, channels, samples), float32
        Microvolts, average-referenced over the good channels; 0 where a channel is bad.
    good : numpy.ndarray, shape (windows, channels), bool
        Which channels the live path would let through.
    start_s : numpy.ndarray, shape (windows,), float64
        Where each begins in its recording, s.
    baseline : numpy.ndarray, shape (windows,), bool
        It lies within the rest before the stimulus.
    lost : collections.Counter of str
        Windows without a signal, by reason ("gap", "bad-signal").
    """

    eeg: npt.NDArray[np.float32]
    good: npt.NDArray[np.bool_]
    start_s: npt.NDArray[np.float64]
    baseline: npt.NDArray[np.bool_]
    lost: Counter[str]


def cut(trial: Trial, spec: SignalSpec, hop_s: float) -> Cut:
    """Condition a trial from its first sample and cut it.

    The first window of the stimulus begins with it, or once the filters have settled where no rest comes
    before it. A window that is part rest, part stimulus is neither.

    Parameters
    ----------
    trial : Trial
        As recorded.
    spec : SignalSpec
        What the model reads.
    hop_s : float
        Time between windows, s.

    Raises
    ------
    ModelError
        The rate of the trial cannot carry the band of `spec`.
    """
    windower = Windower(spec, trial.sfreq, len(trial.channels), hop_s, trial.channels)
    span = round(spec.window_s * trial.sfreq)
    onset = round(trial.baseline_s * trial.sfreq)
    begin = max(onset, round(spec.settle_s * trial.sfreq))
    # windows end at multiples of the hop: shift the index so that one of them begins where it should
    first = -(begin + span) % windower.hop
    kept = []
    lost: Counter[str] = Counter()
    for window in windower.push(first, trial.eeg):
        stop = window.index + 1 - first
        if window.reason == "settling" or stop - span < onset < stop:
            continue
        if window.eeg is None:
            lost[str(window.reason)] += 1
        else:
            kept.append((stop - span, window))
    shape = (len(kept), len(trial.channels))
    eeg = np.zeros((*shape, spec.window_samples), dtype=np.float32)
    good = np.zeros(shape, dtype=np.bool_)
    for row, (_, window) in enumerate(kept):
        good[row, window.good] = True
        eeg[row, window.good] = window.eeg
    starts = np.array([start for start, _ in kept], dtype=np.int64)
    return Cut(eeg, good, trial.start_s + starts / trial.sfreq, starts < onset, lost)
