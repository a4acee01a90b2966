"""What MNE does not say of an EDF or BDF: whether it is whole, where it pauses, and in which unit it is."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError
from emod_rt.readers.marks import SIMULATED
from emod_rt.readers.units import TO_UV, parse_unit

_FIELDS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)


@dataclass(frozen=True)
class EdfHeader:
    """The header of an EDF or BDF.

    Attributes
    ----------
    labels, units : tuple of str
        One a signal.
    sizes : tuple of int
        Samples of each signal in a data record.
    record_s : float
        Length of a data record, s.
    records : int
        Data records in the file.
    interrupted : bool
        EDF+D or BDF+D: there may be pauses between records.
    closed : bool
        False when the recorder never wrote the number of records.
    start, width : int
        First byte of the data, bytes a sample.
    simulated : bool
        The recorder says that no person stands behind the signal.
    """

    labels: tuple[str, ...]
    units: tuple[str, ...]
    sizes: tuple[int, ...]
    record_s: float
    records: int
    interrupted: bool
    closed: bool
    start: int
    width: int
    simulated: bool

    def rate(self, label: str) -> float:
        """Return the rate of a signal, Hz."""
        return self.sizes[self.labels.index(label)] / self.record_s

    def microvolts(self, label: str, volts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
        """Undo MNE's scaling of a signal and apply its own unit; None when that is unknown."""
        unit = parse_unit(self.units[self.labels.index(label)])
        return None if unit is None else self.as_written(label, volts) * TO_UV[unit]

    def as_written(self, label: str, volts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Undo MNE's scaling: it knows µV and mV, and takes all else for volts."""
        unit = parse_unit(self.units[self.labels.index(label)])
        return volts * {"µV": 1e6, "mV": 1e3}.get(unit or "", 1.0)


def read_header(path: Path, kind: str) -> EdfHeader:
    """Read the header and compare it with the size of the file.

    Raises
    ------
    InputFileError
        The header is damaged, or the file ends before the header says.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(256)
        try:
            start, count = int(head[184:192]), int(head[252:256])
            records, record_s = int(head[236:244]), float(head[244:252])
            rest = file.read(max(count, 0) * sum(_FIELDS)).decode("latin-1")
            labels, units = _field(rest, count, 0), _field(rest, count, 2)
            sizes = tuple(int(cell) for cell in _field(rest, count, 8))
        except ValueError as error:
            raise InputFileError(f"a damaged {kind} header; record or export the file again") from error
    width = 2 if kind == "EDF" else 3
    per_record = sum(sizes) * width
    if count < 1 or min(sizes) < 0 or per_record < 1 or records == 0 or not record_s > 0 or size <= start:
        raise InputFileError(
            f"{count} signals and {records} data records of {record_s:g} s in {size} bytes hold nothing; "
            "record or export it again"
        )
    have = (size - start) // per_record
    if records > have:
        raise InputFileError(
            f"cut short: {have} of {records} data records are there "
            f"({size} of {start + records * per_record} bytes); copy it again"
        )
    return EdfHeader(
        labels=labels,
        units=units,
        sizes=sizes,
        record_s=record_s,
        records=records if records > 0 else have,
        interrupted=head[192:197] in (b"EDF+D", b"BDF+D"),
        closed=records > 0,
        start=start,
        width=width,
        simulated=SIMULATED.encode() in head[88:168],
    )


def place_records(path: Path, header: EdfHeader, sfreq: float, rows: int) -> npt.NDArray[np.int64]:
    """Return the absolute index of each row: pauses of an interrupted file are holes.

    Raises
    ------
    InputFileError
        An interrupted file whose records do not say when they begin.
    """
    straight = np.arange(rows, dtype=np.int64)
    note = next((at for at, label in enumerate(header.labels) if label.endswith("DF Annotations")), None)
    if not header.interrupted or note is None:
        return straight
    before = sum(header.sizes[:note]) * header.width
    length = header.sizes[note] * header.width
    per_record = sum(header.sizes) * header.width
    blob = path.read_bytes()
    onsets = []
    for record in range(header.records):
        first = header.start + record * per_record + before
        text = blob[first : first + length].split(b"\x14", 1)[0]
        try:
            onsets.append(float(text))
        except ValueError as error:
            raise InputFileError(
                f"an interrupted recording whose data record {record} does not say when it begins; "
                "export it again"
            ) from error
    starts = np.round((np.array(onsets) - onsets[0]) * sfreq).astype(np.int64)
    size = rows // header.records
    if (np.diff(starts) < size).any():
        record = int(np.flatnonzero(np.diff(starts) < size)[0]) + 1
        raise InputFileError(
            f"data record {record} begins before the one before it ends; export the file again"
        )
    return (starts[:, None] + np.arange(size)).reshape(-1)[:rows]


def _field(rest: str, count: int, which: int) -> tuple[str, ...]:
    """Return one of the header's fields for every signal."""
    width = _FIELDS[which]
    first = count * sum(_FIELDS[:which])
    return tuple(rest[first + at * width : first + (at + 1) * width].strip() for at in range(count))
