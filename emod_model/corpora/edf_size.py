"""Whether an EDF or BDF is all there: MNE reads one that was cut short as far as it goes."""

from pathlib import Path

from emod_model.errors import InputFileError

_FIXED_HEADER, _PER_SIGNAL, _BEFORE_SIZES = 256, 256, 216
WIDTHS = {".edf": 2, ".bdf": 3}
"""Bytes a sample."""


def check_whole(path: Path) -> None:
    """Compare the size of a file with what its header says.

    Parameters
    ----------
    path : pathlib.Path
        An .edf or .bdf.

    Raises
    ------
    InputFileError
        It cannot be read, has a damaged header, or is cut short.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_FIXED_HEADER)
            signals, records = int(head[252:256]), int(head[236:244])
            head += file.read(max(signals, 0) * _PER_SIGNAL)
        first = _FIXED_HEADER + signals * _BEFORE_SIZES
        sizes = [int(head[first + 8 * at : first + 8 * at + 8]) for at in range(signals)]
        size = path.stat().st_size
    except ValueError as error:
        raise InputFileError(f"{path}: not an EDF, or with a damaged header; copy it again") from error
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read ({error.strerror}); check that it is yours") from error
    expected = len(head) + WIDTHS[path.suffix.lower()] * records * sum(sizes)
    if records < 1 or size < expected:
        raise InputFileError(f"{path}: cut short, {size} of {expected} bytes; copy it again")
