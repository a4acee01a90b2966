"""A recording as FIF, MNE's own format."""

import warnings
from pathlib import Path

from emod_rt.export.continuous import fill
from emod_rt.export.mne_raw import make_raw
from emod_rt.readers.recording import Recording


def write_fif(recording: Recording, path: Path) -> list[str]:
    """Write NAME.fif, and NAME-1.fif and so on beyond 2 GB.

    Values are stored as float32 in steps of a microvolt's own float32: to the bit as they were read.

    Returns
    -------
    list of str
        Notes on what the format cannot hold.
    """
    filled = fill(recording)
    raw = make_raw(recording, filled)
    # names are the user's choice
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        raw.save(path, fmt="single", verbose="error")
    return [f"{filled.outside} markers lie outside the signal and are left out"] if filled.outside else []
