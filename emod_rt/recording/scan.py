"""Finds the whole chunks of a damaged XDF file, in one pass and little memory."""

import contextlib
import math
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from xml.etree import ElementTree as ET

import numpy as np

from emod_rt.recording.xdf import (
    BOUNDARY,
    BOUNDARY_UUID,
    CLOCK_OFFSET,
    FILE_HEADER,
    MAGIC,
    SAMPLES,
    STREAM_FOOTER,
    STREAM_HEADER,
    chunk,
)

_LARGEST = 2**30
_LARGEST_XML = 2**22
_MOST_CHANNELS = 2**20
_LONGEST_HEADER = 11
_BLOCK = 2**20
_VALUE_BYTES = {"int8": 1, "int16": 2, "int32": 4, "int64": 8, "float32": 4, "double64": 8, "string": 0}
_BOUNDARY_HEAD = chunk(BOUNDARY, BOUNDARY_UUID)[: -len(BOUNDARY_UUID)]
_BOUNDARY_HEADS = (_BOUNDARY_HEAD, b"\x01\x12\x05\x00")


@dataclass
class FoundStream:
    """What the whole chunks hold of one stream.

    Attributes
    ----------
    name : str
        From its header.
    channels : int
        Channels.
    value_bytes : int
        Of one value; 0 for text.
    step : float
        Seconds from a sample to the next one without a time stamp.
    count : int
        Samples.
    first, last : float
        Time stamps, s; meaningless without samples.
    footer : bool
        A whole footer is there.
    """

    name: str
    channels: int
    value_bytes: int
    step: float
    count: int = 0
    first: float = 0.0
    last: float = 0.0
    footer: bool = False


class Scan:
    """The whole chunks of a file.

    A chunk is whole when its content is what its tag asks for, to the byte. One that is not is left out alone
    when another chunk begins where it ends; otherwise everything up to the next boundary is.

    Parameters
    ----------
    file : binary file
        Begins as XDF does.
    size : int
        Bytes of it to look at.

    Attributes
    ----------
    streams : dict of int to FoundStream
        By number.
    has_header : bool
        The first whole chunk is the file's header.
    kept : int
        Bytes in whole chunks, with the four that the file begins with.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._spans = array("Q")
        self.streams: dict[int, FoundStream] = {}
        self.has_header = False
        self.kept = len(MAGIC)
        self._run()

    def spans(self) -> Iterator[tuple[int, int]]:
        """Yield first byte and the byte after the last of each stretch of whole chunks."""
        return zip(self._spans[::2], self._spans[1::2], strict=True)

    def _run(self) -> None:
        at = len(MAGIC)
        # chunks that end in nothing may lie in each other: so much of them is looked into, for linear time
        spare = 4 * self._size
        while at < self._size:
            head = self._header(at)
            if head is None:
                at = self._boundary_after(at)
                continue
            framed = head[2] == self._size or self._header(head[2]) is not None
            spare -= 0 if framed else head[2] - at
            if spare >= 0 and self._is_whole(*head):
                self._keep(at, head[2])
                at = head[2]
            else:
                at = head[2] if framed else self._boundary_after(at)

    def _keep(self, start: int, stop: int) -> None:
        self.kept += stop - start
        if self._spans and self._spans[-1] == start:
            self._spans[-1] = stop
        else:
            self._spans.extend((start, stop))

    def _read(self, start: int, stop: int) -> bytes:
        self._file.seek(start)
        return self._file.read(max(min(stop, self._size) - start, 0))

    def _header(self, at: int) -> tuple[int, int, int] | None:
        """Return tag, first byte of the content and the byte after it; None where no chunk can begin."""
        head = self._read(at, at + _LONGEST_HEADER)
        length = _varlen(head, 0)
        if length is None or not 2 <= length[0] <= _LARGEST or len(head) < length[1] + 2:
            return None
        start = at + length[1] + 2
        stop = start + length[0] - 2
        tag = int.from_bytes(head[length[1] : length[1] + 2], "little")
        if stop > self._size or not FILE_HEADER <= tag <= STREAM_FOOTER:
            return None
        return tag, start, stop

    def _boundary_after(self, at: int) -> int:
        """Return where reading can go on behind damage at `at`: at the next boundary, or at the end."""
        start, block = at + 1, 256
        while start < self._size:
            found = self._read(start, start + block).find(BOUNDARY_UUID)
            if found >= 0:
                for head in _BOUNDARY_HEADS:
                    begin = start + found - len(head)
                    if begin > at and self._read(begin, start + found) == head:
                        return begin
                return start + found + len(BOUNDARY_UUID)
            # blocks overlap, so that no boundary hides between two; they grow, so that near ones cost little
            start += block - len(BOUNDARY_UUID) + 1
            block = min(2 * block, _BLOCK)
        return self._size

    def _is_whole(self, tag: int, start: int, stop: int) -> bool:
        """Tell whether the content is what the tag asks for, and take note of it."""
        if tag == BOUNDARY:
            return self._read(start, stop) == BOUNDARY_UUID
        if tag == FILE_HEADER:
            return self._file_header(start, stop)
        number = int.from_bytes(self._read(start, start + 4), "little")
        start += 4
        if tag == STREAM_HEADER:
            return number not in self.streams and self._stream_header(number, start, stop)
        stream = self.streams.get(number)
        if stream is None or start > stop:
            return False
        if tag == SAMPLES:
            return self._samples(stream, start, stop)
        if tag == CLOCK_OFFSET:
            return stop - start == 16 and all(
                map(math.isfinite, struct.unpack("<dd", self._read(start, stop)))
            )
        root = self._xml(start, stop)
        # readers stumble on a footer that does not count
        if root is None or not root.findtext("sample_count", "").isdecimal():
            return False
        stream.footer = True
        return True

    def _xml(self, start: int, stop: int) -> ET.Element | None:
        if not 0 < stop - start <= _LARGEST_XML:
            return None
        with contextlib.suppress(ET.ParseError, ValueError, LookupError):
            root = ET.fromstring(self._read(start, stop))
            return root if root.tag == "info" else None
        return None

    def _file_header(self, start: int, stop: int) -> bool:
        # a second one would only hide the first
        if self.has_header or self._spans or self._xml(start, stop) is None:
            return False
        self.has_header = True
        return True

    def _stream_header(self, number: int, start: int, stop: int) -> bool:
        root = self._xml(start, stop)
        if root is None or root.find("name") is None:
            return False
        value_bytes = _VALUE_BYTES.get(root.findtext("channel_format", ""))
        try:
            channels = int(root.findtext("channel_count", ""))
            rate = float(root.findtext("nominal_srate", ""))
        except ValueError:
            return False
        if value_bytes is None or not 1 <= channels <= _MOST_CHANNELS or not 0 <= rate < math.inf:
            return False
        name = root.findtext("name") or f"stream {number}"
        self.streams[number] = FoundStream(name, channels, value_bytes, 1 / rate if rate else 0.0)
        return True

    def _samples(self, stream: FoundStream, start: int, stop: int) -> bool:
        length = _varlen(self._read(start, start + 9), 0)
        # the least that so many samples take, before anything of that size is read
        if length is None or length[0] * (1 + stream.channels * max(stream.value_bytes, 1)) > stop - start:
            return False
        found = _measure(self._read(start + length[1], stop), length[0], stream)
        if found is None:
            return False
        if length[0]:
            stream.first = stream.first if stream.count else found[0]
            stream.last = found[1]
            stream.count += length[0]
        return True


def _varlen(data: bytes, at: int) -> tuple[int, int] | None:
    """Return a number of variable length and where it ends."""
    width = data[at] if at < len(data) else 0
    stop = at + 1 + width
    return (
        (int.from_bytes(data[at + 1 : stop], "little"), stop)
        if width in (1, 4, 8) and stop <= len(data)
        else None
    )


def _measure(body: bytes, count: int, stream: FoundStream) -> tuple[float, float] | None:
    """Return first and last time stamp of `count` samples; None when they do not fill the body exactly."""
    size = stream.channels * stream.value_bytes
    if count and size and len(body) == count * (9 + size):
        rows = np.frombuffer(body, np.dtype([("stamped", "u1"), ("time", "<f8"), ("values", f"V{size}")]))
        if (rows["stamped"] == 8).all():
            return float(rows["time"][0]), float(rows["time"][-1])
    at, first, last = 0, math.nan, stream.last
    for row in range(count):
        stamped = body[at : at + 1]
        if stamped == b"\x08" and at + 9 <= len(body):
            last = struct.unpack_from("<d", body, at + 1)[0]
        elif stamped == b"\x00":
            last += stream.step
        else:
            return None
        after = _skip_values(body, at + (9 if stamped == b"\x08" else 1), stream)
        if after is None:
            return None
        at = after
        first = first if row else last
    return (first, last) if at == len(body) else None


def _skip_values(body: bytes, at: int, stream: FoundStream) -> int | None:
    """Return where the values of one sample end."""
    if stream.value_bytes:
        return at + stream.channels * stream.value_bytes
    for _ in range(stream.channels):
        length = _varlen(body, at)
        if length is None:
            return None
        at = length[0] + length[1]
    return at
