"""Makes a whole file of a recording that was cut short or damaged; the original stays as it is."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from emod_model.errors import InputFileError, UsageError
from emod_rt.placing import give_name
from emod_rt.recording.scan import Scan
from emod_rt.recording.xdf import MAGIC, file_header, stream_footer

_BLOCK = 2**20


@dataclass(frozen=True)
class Recovered:
    """What came of a recording.

    Attributes
    ----------
    path : pathlib.Path or None
        The new file; None when the recording is whole and nothing was written.
    samples : tuple of (str, int)
        Name and whole samples of each stream, in the file's order.
    bytes_dropped : int
        Bytes of the recording that belong to no whole chunk.
    """

    path: Path | None
    samples: tuple[tuple[str, int], ...]
    bytes_dropped: int


def recover(path: str | Path) -> Recovered:
    """Write the whole chunks of an XDF recording, and the footers it lacks, to a new file beside it.

    NAME.xdf gives NAME.recovered.xdf, readable by its owner only. Chunks of more than 1 GiB count as damaged.

    Parameters
    ----------
    path : path-like
        The recording; never changed.

    Returns
    -------
    Recovered
        Where the new file is and what it holds.

    Raises
    ------
    InputFileError
        Missing, not readable, not XDF, or without a whole stream header.
    UsageError
        The new file is there already, or cannot be written.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise InputFileError(f"{path} is no file; give a recording in XDF")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if file.read(len(MAGIC)) != MAGIC:
                raise InputFileError(
                    f"{path} does not begin as an XDF file does; give a recording in XDF, unpacked"
                )
            scan = Scan(file, size)
            return _settle(path, file, size, scan)
    except OSError as error:
        raise InputFileError(
            f"{path} cannot be read ({error.strerror or error}); check that it is yours to read"
        ) from error


def _settle(path: Path, file: BinaryIO, size: int, scan: Scan) -> Recovered:
    if not scan.streams:
        raise InputFileError(
            f"{path} holds no whole stream header in its {size} bytes, so nothing of it can be recovered; "
            "look for another copy of the recording"
        )
    samples = tuple((stream.name, stream.count) for stream in scan.streams.values())
    dropped = size - scan.kept
    if dropped == 0 and scan.has_header and all(stream.footer for stream in scan.streams.values()):
        return Recovered(None, samples, 0)
    target = path.with_name(f"{path.stem}.recovered.xdf")
    try:
        _write(target, file, scan)
    except FileExistsError as error:
        raise UsageError(f"{target} is there already and is not overwritten; move it away") from error
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written ({error.strerror}); copy the recording where there is room"
        ) from error
    return Recovered(target, samples, dropped)


def _write(target: Path, file: BinaryIO, scan: Scan) -> None:
    """Write the new file under another name, then give it its own in one step."""
    if target.exists():
        raise FileExistsError(target)
    # such a file is its owner's alone from the first byte on
    handle, name = tempfile.mkstemp(prefix=f".{target.stem}.", suffix=".part", dir=target.parent)
    part = Path(name)
    try:
        with open(handle, "wb") as out:  # noqa: PTH123 - a file that is open already
            out.write(MAGIC if scan.has_header else MAGIC + file_header())
            for start, stop in scan.spans():
                _copy(file, start, stop, out)
            for number, stream in scan.streams.items():
                if not stream.footer:
                    span = (stream.first, stream.last) if stream.count else ()
                    out.write(stream_footer(number, span, stream.count))
            out.flush()
            os.fsync(out.fileno())
        give_name(part, target)
    finally:
        part.unlink(missing_ok=True)


def _copy(file: BinaryIO, start: int, stop: int, out: BinaryIO) -> None:
    file.seek(start)
    while start < stop:
        block = file.read(min(_BLOCK, stop - start))
        if not block:
            raise OSError(0, "the recording became shorter while it was read")
        out.write(block)
        start += len(block)
