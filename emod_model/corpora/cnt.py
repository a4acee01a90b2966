"""Neuroscan's continuous files (.cnt) with 32-bit samples, a stretch at a time: they reach a gigabyte."""

from dataclasses import dataclass
from pathlib import Path
from struct import unpack_from

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError

_HEADER, _PER_CHANNEL = 900, 75
_CHANNELS, _RATE, _EVENTS, _BLOCK = 370, 376, 886, 894
_NAME, _BASELINE, _SENSITIVITY, _CALIBRATION = 10, 47, 59, 71
_STEPS_A_UNIT = 204.8
_MOST_CHANNELS = 1024


@dataclass(frozen=True, eq=False)
class Cnt:
    """A recording opened for its samples.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    sfreq : float
        Hz.
    labels : tuple of str
        As in the header.
    samples : int
        Of each channel.
    """

    path: Path
    sfreq: float
    labels: tuple[str, ...]
    samples: int
    _gain: npt.NDArray[np.float64]
    _baseline: npt.NDArray[np.int64]

    def microvolts(self, first: int, stop: int, rows: list[int]) -> npt.NDArray[np.float32]:
        """Return samples `first` to `stop` of some channels, shape (rows, samples).

        Raises
        ------
        InputFileError
            The file ends before `stop`, or cannot be read.
        """
        if not 0 <= first < stop <= self.samples:
            raise InputFileError(f"{self.path}: ends at sample {self.samples}, before {stop}; copy it again")
        width = 4 * len(self.labels)
        try:
            with self.path.open("rb") as file:
                file.seek(_HEADER + _PER_CHANNEL * len(self.labels) + first * width)
                data = file.read((stop - first) * width)
        except OSError as error:
            raise InputFileError(f"{self.path}: cannot be read ({error.strerror}); copy it again") from error
        if len(data) < (stop - first) * width:
            raise InputFileError(f"{self.path}: has changed while it was read; copy it again")
        raw = np.frombuffer(data, "<i4").reshape(-1, len(self.labels))
        values = np.empty((len(rows), stop - first), dtype=np.float32)
        # row by row, since a clip of five minutes is large enough once
        for at, row in enumerate(rows):
            values[at] = (raw[:, row] - self._baseline[row]) * self._gain[row]
        return values


def read_cnt(path: Path) -> Cnt:
    """Read the header of a .cnt and see that its samples are there.

    Raises
    ------
    InputFileError
        Absent, damaged, or cut short.
    """
    try:
        whole = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEADER)
            if len(head) < _HEADER:
                raise InputFileError(f"{path}: is cut short in its header of {_HEADER} bytes; copy it again")
            (count,), (rate,) = unpack_from("<H", head, _CHANNELS), unpack_from("<H", head, _RATE)
            (events,), (block,) = unpack_from("<i", head, _EVENTS), unpack_from("<i", head, _BLOCK)
            blocks = file.read(count * _PER_CHANNEL)
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read ({error.strerror}); check that it is there") from error
    start = _HEADER + _PER_CHANNEL * count
    if not 0 < count <= _MOST_CHANNELS or rate < 1 or block > 4:
        raise InputFileError(
            f"{path}: a header of {count} channels at {rate} Hz in blocks of {block} bytes, where one sample "
            "of each should follow the other; copy it again"
        )
    if whole < max(start, events):
        raise InputFileError(
            f"{path}: is cut short, {whole} of at least {max(start, events)} bytes are there; copy it again"
        )
    # beyond 2 GiB the place of the events overflows, and the samples reach to the end
    end = events if events > start else whole
    labels, gain, baseline = [], np.empty(count), np.zeros(count, np.int64)
    for channel in range(count):
        said = blocks[channel * _PER_CHANNEL : (channel + 1) * _PER_CHANNEL]
        (sensitivity,), (calibration,) = (unpack_from("<f", said, at) for at in (_SENSITIVITY, _CALIBRATION))
        (baseline[channel],) = unpack_from("<h", said, _BASELINE)
        labels.append(said[:_NAME].split(b"\0")[0].decode("latin-1").strip())
        gain[channel] = sensitivity * calibration / _STEPS_A_UNIT
        if not np.isfinite(gain[channel]) or gain[channel] == 0:
            raise InputFileError(
                f"{path}: channel {labels[-1]} has sensitivity {sensitivity:g} and calibration "
                f"{calibration:g}, which give no microvolts; copy it again"
            )
    return Cnt(path, float(rate), tuple(labels), (end - start) // (4 * count), gain, baseline)
