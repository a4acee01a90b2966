"""What of an XDF file pyxdf may see: it believes every number it reads, and makes room for it."""

import io
from pathlib import Path
from typing import BinaryIO

from emod_model.errors import InputFileError
from emod_rt.recording.scan import Scan
from emod_rt.recording.xdf import MAGIC


def open_whole(path: Path) -> tuple[BinaryIO, int]:
    """Open a file, or the whole chunks of it in memory when it has others too.

    Returns
    -------
    tuple of (binary file, int)
        To be read from its start and closed; and how many bytes were left out.

    Raises
    ------
    InputFileError
        It holds no whole stream header.
    """
    with path.open("rb") as file:
        size = path.stat().st_size
        scan = Scan(file, size)
        if not scan.streams:
            raise InputFileError(
                f"no whole stream header in its {size} bytes; look for another copy of the recording"
            )
        if scan.kept == size:
            return path.open("rb"), 0
        whole = io.BytesIO(MAGIC)
        whole.seek(0, io.SEEK_END)
        for start, stop in scan.spans():
            file.seek(start)
            whole.write(file.read(stop - start))
    whole.seek(0)
    return whole, size - scan.kept
