"""Eyes, muscle and heart taken out of a corpus by independent components (MNE, ICLabel).

Only for corpora: a component is told by minutes of signal, so a live stream has nothing of the kind.
"""

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from emod_model.corpora.base import Trial
from emod_model.errors import InputFileError, UsageError
from emod_model.montage import positions

ARTEFACTS = ("eye blink", "muscle artifact", "heart beat")
"""What is taken out, in ICLabel's words."""
SURE = 0.7
"""Probability from which a component is taken out."""
FEWEST_ELECTRODES = 8
SHORTEST_S = 30.0
HEAD_M = 0.095
"""Radius of the head that electrodes are put on."""
_BAND_HZ = (1.0, 100.0)
"""What ICLabel was trained on."""
_RATE_HZ = 200.0


def check_installed() -> None:
    """Refuse before anything is read.

    Raises
    ------
    UsageError
        mne-icalabel is not installed.
    """
    if find_spec("mne_icalabel") is None:
        raise UsageError("--ica needs mne-icalabel, which is not installed; pip install 'emod-rt[ica]'")


def without_artefacts(trials: Iterable[Trial], notes: Counter[str]) -> Iterator[Trial]:
    """Take eyes, muscle and heart out, session by session.

    Parameters
    ----------
    trials : iterable of Trial
        Of one person, session after session.
    notes : collections.Counter of str
        Told what was taken out.

    Yields
    ------
    Trial
        Average-referenced; a channel that is flat or has values missing while others have them is NaN.

    Raises
    ------
    InputFileError
        Too few electrodes or seconds to tell components.
    """
    for _, session in groupby(trials, key=lambda trial: (trial.session, trial.channels, trial.sfreq)):
        together = list(session)
        lengths = [trial.eeg.shape[1] for trial in together]
        cleaned = _clean(np.concatenate([trial.eeg for trial in together], axis=1), together[0], notes)
        pieces = np.split(cleaned, np.cumsum(lengths)[:-1], axis=1)
        for trial, piece in zip(together, pieces, strict=True):
            yield replace(trial, eeg=piece)


def _clean(eeg: npt.NDArray[np.float32], like: Trial, notes: Counter[str]) -> npt.NDArray[np.float32]:
    """Return the trials of a session, one after the other, without artefacts."""
    import mne

    there = np.isfinite(eeg).any(axis=0)
    lowest, highest = eeg[:, there].min(axis=1, initial=np.inf), eeg[:, there].max(axis=1, initial=-np.inf)
    # NaN is above nothing: neither flat nor with values missing
    whole = np.asarray(highest > lowest)
    seconds = there.sum() / like.sfreq
    if whole.sum() < FEWEST_ELECTRODES or seconds < SHORTEST_S:
        raise InputFileError(
            f"session {like.session} of {like.subject} has {whole.sum()} whole electrodes and {seconds:.0f} "
            f"s, too little to tell components (the least are {FEWEST_ELECTRODES} and {SHORTEST_S:g} s); "
            "leave --ica out"
        )
    names = [name for name, use in zip(like.channels, whole, strict=True) if use]
    info = mne.create_info(names, like.sfreq, "eeg")
    raw = mne.io.RawArray(1e-6 * eeg[np.ix_(whole, there)].astype(np.float64), info, verbose="error")
    places = dict(zip(names, HEAD_M * positions(names), strict=True))
    raw.set_montage(mne.channels.make_dig_montage(places, coord_frame="head"))
    raw.set_eeg_reference("average", verbose="error")
    ica, taken = _components(raw)
    notes.update(f"ICA took out a component: {label}" for label in taken.values())
    ica.apply(raw, exclude=list(taken), verbose="error")
    result = np.full_like(eeg, np.nan)
    result[np.ix_(whole, there)] = 1e6 * raw.get_data()
    return result


def _components(raw: Any) -> tuple[Any, dict[int, str]]:
    """Return the decomposition, and which components are artefacts."""
    import mne
    from mne_icalabel import label_components

    sfreq = raw.info["sfreq"]
    high = _BAND_HZ[1] if sfreq > 2.1 * _BAND_HZ[1] else None
    with warnings.catch_warnings():
        # a corpus that was filtered before has no 100 Hz, and few iterations more change no label
        warnings.simplefilter("ignore")
        fit = raw.copy().filter(_BAND_HZ[0], high, verbose="error")
        rank = mne.compute_rank(fit, tol=1e-6, tol_kind="relative", verbose="error")["eeg"]
        ica = mne.preprocessing.ICA(
            min(rank, len(raw.ch_names) - 1),
            method="infomax",
            fit_params={"extended": True},
            random_state=0,
            max_iter=500,
            verbose="error",
        )
        ica.fit(fit, decim=max(1, int(sfreq // _RATE_HZ)), verbose="error")
        told = label_components(fit, ica, method="iclabel")
    labels = zip(told["labels"], told["y_pred_proba"], strict=True)
    return ica, {at: label for at, (label, p) in enumerate(labels) if label in ARTEFACTS and p >= SURE}
