"""XDF files laid out as LabRecorder writes them, several computers' clocks and all.

Layout after LabRecorder's own files among the XDF example files and the XDF 1.0 specification: stream headers
as liblsl prints them, samples in chunks that stamp only what cannot be deduced, clock offsets every 5 s by
the sender's clock, a boundary every 10 s, footers that repeat the offsets.
"""

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

_PACK = {"int8": "b", "int16": "h", "int32": "i", "int64": "q", "float32": "f", "double64": "d"}
_BOUNDARY = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")


@dataclass
class Sent:
    """One stream as its sender sent it.

    `stamps` are by the sender's own clock; `offset` is what the recorder adds to it at time 0, and `drift`
    what that gains a second. `resets` are (from this row on, offset) of a computer that was started anew.
    """

    name: str
    type: str
    format: str
    srate: float
    stamps: Any
    values: Any
    channels: int = 1
    desc: str = "<desc />"
    source_id: str = "device-1"
    offset: float = 0.0
    drift: float = 0.0
    resets: tuple[tuple[int, float], ...] = field(default=())

    def header(self) -> bytes:
        return (
            f'<?xml version="1.0"?>\n<info>\n\t<name>{self.name}</name>\n\t<type>{self.type}</type>\n'
            f"\t<channel_count>{self.channels}</channel_count>\n\t<channel_format>{self.format}</channel_format>\n"
            f"\t<source_id>{self.source_id}</source_id>\n\t<nominal_srate>{self.srate:.15f}</nominal_srate>\n"
            "\t<version>1.100000000000000</version>\n\t<created_at>653103.2669223</created_at>\n"
            "\t<uid>fa3e14ab-b621-480e-a9d5-c740f0e47140</uid>\n\t<session_id>default</session_id>\n"
            "\t<hostname>lab-pc</hostname>\n\t<v4address />\n\t<v4data_port>16573</v4data_port>\n"
            "\t<v4service_port>16573</v4service_port>\n\t<v6address />\n\t<v6data_port>0</v6data_port>\n"
            f"\t<v6service_port>0</v6service_port>\n\t{self.desc}\n</info>\n"
        ).encode()

    def at(self, row: int) -> tuple[float, float]:
        """Time by the recorder's clock, and the offset then."""
        offset = next((value for first, value in reversed(self.resets) if row >= first), self.offset)
        stamp = float(self.stamps[row])
        return stamp + offset + self.drift * stamp, offset + self.drift * stamp


def write(path: Path, streams: list[Sent], footers: bool = True, chunk_s: float = 0.5) -> Path:
    """Write the file, the chunks of all streams in the order in which the recorder got them."""
    pieces: list[tuple[float, bytes]] = []
    offsets: dict[int, list[tuple[float, float]]] = {}
    for number, stream in enumerate(streams, 1):
        offsets[number] = []
        first, next_offset = 0, -np.inf
        for row in range(1, len(stream.stamps) + 1):
            now, offset = stream.at(row - 1)
            began, _ = stream.at(first)
            if row == len(stream.stamps) or now - began >= chunk_s:
                pieces.append((now, _chunk(3, _samples(stream, first, row), number)))
                first = min(row, len(stream.stamps) - 1)
            if now >= next_offset:
                next_offset = now + 5.0
                offsets[number].append((now - offset, offset))
                pieces.append((now, _chunk(4, struct.pack("<dd", now - offset, offset), number)))
    pieces.sort(key=lambda piece: piece[0])
    blob = bytearray(b"XDF:" + _chunk(1, b'<?xml version="1.0"?>\n<info><version>1.0</version></info>'))
    for number, stream in enumerate(streams, 1):
        blob += _chunk(2, stream.header(), number)
    next_boundary = -np.inf
    for now, piece in pieces:
        if now >= next_boundary:
            next_boundary = now + 10.0
            blob += _chunk(5, _BOUNDARY)
        blob += piece
    if footers:
        for number, stream in enumerate(streams, 1):
            blob += _chunk(6, _footer(stream, offsets[number]), number)
    path.write_bytes(blob)
    return path


def _chunk(tag: int, content: bytes, number: int | None = None) -> bytes:
    body = struct.pack("<H", tag) + (b"" if number is None else struct.pack("<I", number)) + content
    return _length(len(body)) + body


def _length(count: int) -> bytes:
    return struct.pack("<BB", 1, count) if count < 256 else struct.pack("<BI", 4, count)


def _samples(stream: Sent, first: int, stop: int) -> bytes:
    step = 1 / stream.srate if stream.srate else 0.0
    body = bytearray(struct.pack("<BI", 4, stop - first))
    last = None
    for row in range(first, stop):
        stamp = float(stream.stamps[row])
        deduced = last is not None and step and abs(stamp - last - step) < 1e-9
        body += b"\x00" if deduced else struct.pack("<Bd", 8, stamp)
        last = stamp
        for value in np.atleast_1d(stream.values[row]).tolist():
            if stream.format == "string":
                text = value.encode()
                body += _length(len(text)) + text
            else:
                body += struct.pack("<" + _PACK[stream.format], value)
    return bytes(body)


def _footer(stream: Sent, offsets: list[tuple[float, float]]) -> bytes:
    first, last = (stream.stamps[0], stream.stamps[-1]) if len(stream.stamps) else (0.0, 0.0)
    told = "".join(f"<offset><time>{at!r}</time><value>{value!r}</value></offset>" for at, value in offsets)
    return (
        f'<?xml version="1.0"?>\n<info><first_timestamp>{first!r}</first_timestamp><last_timestamp>{last!r}'
        f"</last_timestamp><sample_count>{len(stream.stamps)}</sample_count><clock_offsets>{told}</clock_offsets></info>"
    ).encode()
