"""A recording as MNE's Raw, for the formats that MNE writes."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from emod_rt.export.continuous import Continuous
from emod_rt.readers.marks import SIMULATED
from emod_rt.readers.recording import Recording

NOBODY = f"{SIMULATED}: no person stands behind this signal"

# from 2001 on; LSL's clocks count from when a machine was switched on
_FIRST_EPOCH, _LAST_EPOCH = 1e9, 4e9


def began(recording: Recording) -> datetime | None:
    """Return when the first sample was taken; None when the recording's clock is no calendar."""
    t0 = float(recording.times[0])
    return datetime.fromtimestamp(t0, UTC) if _FIRST_EPOCH < t0 < _LAST_EPOCH else None


def make_raw(recording: Recording, filled: Continuous) -> Any:
    """Return the recording as mne.io.RawArray, holes and markers as annotations."""
    import mne

    info = mne.create_info(list(filled.channels), filled.sfreq, "eeg", verbose="error")
    for channel in info["chs"]:
        # MNE stores volts divided by this: a file then holds the microvolts themselves, to the bit
        channel["cal"] = 1e-6
    raw = mne.io.RawArray(filled.data.astype(np.float64) * 1e-6, info, copy=None, verbose="error")
    raw.set_meas_date(began(recording))
    if recording.simulated:
        raw.info["description"] = NOBODY
    raw.set_annotations(annotations(filled), verbose="error")
    return raw


def annotations(filled: Continuous) -> Any:
    """Return gaps and the markers within the signal as mne.Annotations, each with its exact sample."""
    import mne

    marks = filled.inside
    return mne.Annotations(
        [mark.onset for mark in marks],
        [mark.count / filled.sfreq for mark in marks],
        [mark.text or "n/a" for mark in marks],
        ch_names=[mark.channels for mark in marks],
        extras=[{"sample": mark.sample, "stream": mark.stream} for mark in marks],
    )
