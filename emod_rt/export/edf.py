"""A recording as EDF+ (16 bits) or BDF+ (24 bits)."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emod_rt.export.continuous import Continuous, Mark, fill
from emod_rt.export.mne_raw import began
from emod_rt.readers.marks import LOST, SIMULATED
from emod_rt.readers.recording import Recording

_LARGEST_RECORD = 61_440
_LONGEST_RECORD_S = 10
# about what amplifiers resolve, and far below the noise of any electrode
_FINE_UV = 0.1
# eight characters of the header
_MOST_UV = 9_999_999


def write_edf(recording: Recording, path: Path) -> list[str]:
    """Write EDF+, or BDF+ when the name ends in .bdf.

    Every channel gets the narrowest range of whole microvolts around its own values, so nothing is clipped.

    Returns
    -------
    list of str
        Notes on the resolution, the rate and the end, where they are not as in the recording.
    """
    import edfio

    filled = fill(recording)
    bdf = path.suffix.lower() == ".bdf"
    size, seconds = record_size(filled.sfreq, len(filled.channels), 3 if bdf else 2)
    notes = [] if size / seconds == filled.sfreq else [
        f"the rate is stored as {size / seconds:.9g} Hz instead of {filled.sfreq:.9g} Hz"
    ]  # fmt: skip
    data, padding = _whole_records(filled.data, size)
    make: Any = edfio.Bdf if bdf else edfio.Edf
    signal: Any = edfio.BdfSignal if bdf else edfio.EdfSignal
    signals, steps = [], []
    for name, row in zip(filled.channels, data, strict=True):
        low, high = _range(row)
        steps.append((high - low) / (2**24 - 1 if bdf else 2**16 - 1))
        values = np.clip(row.astype(np.float64), low, high)
        signals.append(
            signal(values, size / seconds, label=name, physical_dimension="uV", physical_range=(low, high))
        )
    notes += [*_resolution(filled, steps, bdf), *padding]
    marks = [*filled.gaps, *filled.markers]
    if extra := data.shape[1] - filled.data.shape[1]:
        marks.append(Mark(filled.data.shape[1] / filled.sfreq, filled.data.shape[1], extra, LOST))
    date = began(recording)
    make(
        signals,
        patient=edfio.Patient(),
        recording=edfio.Recording(
            startdate=None if date is None else date.date(),
            additional=("emod-rt", SIMULATED) if recording.simulated else ("emod-rt",),
        ),
        # whole seconds: readers disagree on what a fraction does to the annotations
        starttime=None if date is None else date.time().replace(microsecond=0),
        data_record_duration=seconds,
        annotations=[each for mark in marks for each in _annotate(mark, filled.sfreq)],
    ).write(path)
    return notes


def record_size(sfreq: float, channels: int, width: int) -> tuple[int, float]:
    """Return samples and seconds of a data record, so that the header's eight characters give the rate."""
    most = max(_LARGEST_RECORD // (width * channels), 1)
    for longest in (1, _LONGEST_RECORD_S):
        for size in range(min(round(longest * sfreq), most), 0, -1):
            seconds = float(f"{size / sfreq:.8f}"[:8])
            if seconds > 0 and size / seconds == sfreq:
                return size, seconds
    size = max(min(round(sfreq), most), 1)
    return size, float(f"{size / sfreq:.8f}"[:8])


def _whole_records(data: npt.NDArray[np.float32], size: int) -> tuple[npt.NDArray[np.float32], list[str]]:
    """Hold the last value to the end of the last record."""
    extra = -data.shape[1] % size
    if not extra:
        return data, []
    return np.pad(data, ((0, 0), (0, extra)), mode="edge"), [
        f"{extra} samples fill the last data record; they are marked {LOST}"
    ]


def _range(row: npt.NDArray[np.float32]) -> tuple[int, int]:
    low = max(int(np.floor(row.min())), -_MOST_UV)
    high = min(int(np.ceil(row.max())), _MOST_UV)
    return (low, high) if high > low else (low - 1, low + 1)


def _resolution(filled: Continuous, steps: list[float], bdf: bool) -> list[str]:
    worst = int(np.argmax(steps))
    if bdf or steps[worst] <= _FINE_UV:
        return [f"values are rounded to steps of {steps[worst]:.2g} µV or finer"]
    return [
        f"{filled.channels[worst]} moves by {steps[worst] * (2**16 - 1) / 1000:.3g} mV, of which "
        f"the 16 bits of EDF+ keep steps of {steps[worst]:.2g} µV; "
        "a name that ends in .bdf keeps 24 bits"
    ]


def _annotate(mark: Mark, sfreq: float) -> list[Any]:
    import edfio

    duration = mark.count / sfreq if mark.count else None
    # MNE's way to name the channels of an annotation
    texts = [f"{mark.text}@@{name}" for name in mark.channels] or [mark.text]
    return [edfio.EdfAnnotation(round(mark.onset, 9), duration, text) for text in texts]
