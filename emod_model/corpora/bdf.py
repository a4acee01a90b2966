"""BioSemi's BDF: 24-bit samples in data records, and the Status row that holds the triggers."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError

_FIELDS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
_LABEL, _UNIT, _LOW, _HIGH, _DIGITAL_LOW, _DIGITAL_HIGH, _SIZE = 0, 2, 3, 4, 5, 6, 8
_TO_UV = {"uv": 1.0, "µv": 1.0, "mv": 1e3, "v": 1e6}
_MOST_SIGNALS = 1024
# the upper byte is BioSemi's own: battery, speed, the beginning of a block
_TRIGGER_BITS = 0xFFFF


@dataclass(frozen=True, eq=False)
class Bdf:
    """A recording.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    sfreq : float
        Hz, of the first row; a row of another rate, as BDF+ has for its annotations, cannot be asked for.
    labels : tuple of str
        As in the header.
    """

    path: Path
    sfreq: float
    labels: tuple[str, ...]
    _units: tuple[str, ...]
    _scale: npt.NDArray[np.float64]
    _sizes: tuple[int, ...]
    _records: npt.NDArray[np.uint8]

    def microvolts(self, row: int) -> npt.NDArray[np.float32]:
        """Return a row (samples,).

        Raises
        ------
        InputFileError
            The row's unit is no voltage, or its rate another.
        """
        unit = self._units[row].lower()
        if unit not in _TO_UV:
            raise InputFileError(
                f"{self.path}: channel {self.labels[row]} is in {self._units[row]!r}, not in uV, mV or V; "
                "take the file as the corpus gives it"
            )
        gain, offset = self._scale[row] * _TO_UV[unit]
        return np.asarray(self._digital(row) * gain + offset, dtype=np.float32)

    def triggers(self) -> tuple[tuple[int, int], ...]:
        """Return (sample, code) wherever the Status row's code rises.

        Raises
        ------
        InputFileError
            There is no Status row.
        """
        rows = [row for row, label in enumerate(self.labels) if label.lower() == "status"]
        if not rows:
            raise InputFileError(
                f"{self.path}: has no Status row beside {self.labels[-1]}, so no stimulus is marked; "
                "take the file as the corpus gives it"
            )
        codes = self._digital(rows[0]) & _TRIGGER_BITS
        at = np.flatnonzero(np.diff(codes) > 0) + 1
        return tuple((int(sample), int(codes[sample])) for sample in at)

    def _digital(self, row: int) -> npt.NDArray[np.int32]:
        if self._sizes[row] != self._sizes[0]:
            raise InputFileError(
                f"{self.path}: {self.labels[row]} has {self._sizes[row]} samples a record and "
                f"{self.labels[0]} {self._sizes[0]}; take the file as the corpus gives it"
            )
        start = 3 * sum(self._sizes[:row])
        own = self._records[:, start : start + 3 * self._sizes[row]]
        parts = own.reshape(-1, 3).astype(np.int32)
        value = parts[:, 0] | parts[:, 1] << 8 | parts[:, 2] << 16
        return np.where(value & 0x800000, value - 0x1000000, value)


def read_bdf(path: Path) -> Bdf:
    """Open a BDF.

    Raises
    ------
    InputFileError
        Absent, no BDF, damaged, or cut short.
    """
    try:
        whole = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(256)
            if not head.startswith(b"\xffBIOSEMI"):
                raise InputFileError(f"{path}: is no BDF, it begins with {head[:8]!r}; copy it again")
            start, records, record_s, count = _main(path, head)
            fields = _fields(file.read(count * sum(_FIELDS)).decode("latin-1"), count)
            sizes, scale = _signals(path, fields)
            length = sum(sizes) * 3
            if start + records * length > whole:
                raise InputFileError(
                    f"{path}: is cut short, {whole} of {start + records * length} bytes are there; "
                    "copy it again"
                )
            file.seek(start)
            data = np.frombuffer(file.read(records * length), np.uint8)
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read ({error.strerror}); check that it is there") from error
    except MemoryError as error:
        raise InputFileError(f"{path}: needs more memory than there is") from error
    return Bdf(
        path=path,
        sfreq=sizes[0] / record_s,
        labels=fields[_LABEL],
        _units=fields[_UNIT],
        _scale=scale,
        _sizes=tuple(sizes),
        _records=data.reshape(records, sum(sizes) * 3),
    )


def _main(path: Path, head: bytes) -> tuple[int, int, float, int]:
    """Return where the data begin, records, their length in seconds, and signals."""
    try:
        start, records = int(head[184:192]), int(head[236:244])
        record_s, count = float(head[244:252]), int(head[252:256])
    except ValueError as error:
        raise InputFileError(f"{path}: a damaged BDF header ({error}); copy it again") from error
    if not (0 < count <= _MOST_SIGNALS and records > 0 and record_s > 0 and start == 256 * (count + 1)):
        raise InputFileError(
            f"{path}: a header of {count} signals and {records} records of {record_s:g} s in {start} bytes; "
            "copy it again"
        )
    return start, records, record_s, count


def _fields(text: str, count: int) -> list[tuple[str, ...]]:
    result, at = [], 0
    for width in _FIELDS:
        cells = (text[at + width * signal : at + width * (signal + 1)].strip() for signal in range(count))
        result.append(tuple(cells))
        at += width * count
    return result


def _signals(path: Path, fields: list[tuple[str, ...]]) -> tuple[list[int], npt.NDArray[np.float64]]:
    """Return samples a record and (gain, offset) of every signal."""
    try:
        sizes = [int(cell) for cell in fields[_SIZE]]
        low, high, bottom, top = (
            np.array([float(cell) for cell in fields[at]])
            for at in (_LOW, _HIGH, _DIGITAL_LOW, _DIGITAL_HIGH)
        )
    except ValueError as error:
        raise InputFileError(f"{path}: a damaged BDF header ({error}); copy it again") from error
    if min(sizes) < 1:
        raise InputFileError(
            f"{path}: a damaged BDF header ({min(sizes)} samples a record of a signal); copy it again"
        )
    if not (np.isfinite([low, high, bottom, top]).all() and (top > bottom).all()):
        raise InputFileError(f"{path}: a digital range of {bottom[0]:g} to {top[0]:g}; copy it again")
    gain = (high - low) / (top - bottom)
    return sizes, np.column_stack([gain, low - gain * bottom])
