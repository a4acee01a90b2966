"""The XDF container: chunks that are whole or absent, written one after another.

Source: the XDF 1.0 specification (sccn/xdf wiki). Every chunk is a length, a tag and its content; a file
that ends in the middle of a chunk has lost that chunk alone.
"""

import struct
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt

from emod_rt.recording.disk import RecordingFile
from emod_rt.recording.streams import StreamDescription

MAGIC = b"XDF:"
FILE_HEADER, STREAM_HEADER, SAMPLES, CLOCK_OFFSET, BOUNDARY, STREAM_FOOTER = range(1, 7)
# the sixteen bytes that the specification gives a boundary, for readers that search for solid ground
BOUNDARY_UUID = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")
_FORMATS = {
    "int8": np.dtype("i1"),
    "int16": np.dtype("<i2"),
    "int32": np.dtype("<i4"),
    "int64": np.dtype("<i8"),
    "float32": np.dtype("<f4"),
    "double64": np.dtype("<f8"),
}


Values = npt.NDArray[Any] | Sequence[Sequence[Any]]


class XdfWriter:
    """Append chunks to a new XDF file.

    Parameters
    ----------
    path : Path
        Must not exist.

    Attributes
    ----------
    file : RecordingFile
        What it writes to.

    Raises
    ------
    OSError
        From any method: the file exists, the disk is full, the folder has gone.
    """

    def __init__(self, path: Path) -> None:
        self._streams: dict[int, tuple[StreamDescription, list[float], int]] = {}
        self.file = RecordingFile(path)
        try:
            self.file.append(MAGIC + file_header())
        except OSError:
            self.file.discard()
            raise

    def add_stream(self, description: StreamDescription) -> int:
        """Write a stream header and return the stream's number."""
        number = len(self._streams) + 1
        self.file.append(chunk(STREAM_HEADER, struct.pack("<I", number) + description.header()))
        # known once its header is on the disk: readers stumble on samples of a stream without one
        self._streams[number] = (description, [], 0)
        return number

    def samples(self, number: int, times: npt.NDArray[np.float64], values: Values) -> None:
        """Write samples, each with its own time stamp.

        Parameters
        ----------
        number : int
            From `add_stream`.
        times : numpy.ndarray, shape (samples,)
            Seconds.
        values : array or sequences, shape (channels, samples)
            Numbers in the stream's unit, or text, by its format.
        """
        if not len(times):
            return
        description, span, count = self._streams[number]
        body = (
            _texts(times, values)
            if description.format == "string"
            else _numbers(times, np.asarray(values), description)
        )
        head = struct.pack("<I", number) + struct.pack("<BI", 4, len(times))
        self.file.append(chunk(SAMPLES, head + body))
        span = [span[0] if span else float(times[0]), float(times[-1])]
        self._streams[number] = (description, span, count + len(times))

    def clock_offsets(self, time: float, offset: float) -> None:
        """Write, for every stream, the offset between its clock and ours, s."""
        for number in self._streams:
            self.file.append(chunk(CLOCK_OFFSET, struct.pack("<Idd", number, time, offset)))

    def boundary(self) -> None:
        """Write a boundary, from which a reader finds its way after damage."""
        self.file.append(chunk(BOUNDARY, BOUNDARY_UUID))

    def close(self) -> None:
        """Write the footers and close the file."""
        if self.file.closed:
            return
        try:
            for number, (_, span, count) in self._streams.items():
                self.file.append(stream_footer(number, span, count))
        finally:
            self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def file_header() -> bytes:
    """Return the chunk that every file begins with."""
    header = ET.Element("info")
    ET.SubElement(header, "version").text = "1.0"
    return chunk(FILE_HEADER, _xml(header))


def stream_footer(number: int, span: Sequence[float], count: int) -> bytes:
    """Return the chunk that ends a stream.

    Parameters
    ----------
    number : int
        The stream.
    span : sequence of float
        Time stamp of its first and of its last sample, s; empty without samples.
    count : int
        Samples.
    """
    footer = ET.Element("info")
    if span:
        ET.SubElement(footer, "first_timestamp").text = repr(span[0])
        ET.SubElement(footer, "last_timestamp").text = repr(span[1])
    ET.SubElement(footer, "sample_count").text = str(count)
    return chunk(STREAM_FOOTER, struct.pack("<I", number) + _xml(footer))


def _numbers(
    times: npt.NDArray[np.float64], values: npt.NDArray[Any], description: StreamDescription
) -> bytes:
    dtype = _FORMATS[description.format]
    record = np.dtype([("stamped", "u1"), ("time", "<f8"), ("values", dtype, (description.channel_count,))])
    block = np.empty(len(times), record)
    block["stamped"] = 8
    block["time"] = times
    block["values"] = values.T
    return block.tobytes()


def _texts(times: npt.NDArray[np.float64], values: Values) -> bytes:
    packed = bytearray()
    for time, row in zip(times, zip(*values, strict=True), strict=True):
        packed += struct.pack("<Bd", 8, time)
        for cell in row:
            # half of a character that a keyboard or a sender cut through is no reason to end a recording
            text = str(cell).encode(errors="replace")
            packed += struct.pack("<BI", 4, len(text)) + text
    return bytes(packed)


def _xml(element: ET.Element) -> bytes:
    text: bytes = ET.tostring(element, encoding="utf-8", xml_declaration=True)
    return text


def chunk(tag: int, content: bytes) -> bytes:
    """Return a chunk: its length, its tag, its content."""
    length = len(content) + 2
    size = struct.pack("<BI", 4, length) if length < 2**32 else struct.pack("<BQ", 8, length)
    return size + struct.pack("<H", tag) + content
