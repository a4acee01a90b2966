"""What the streams of an XDF file say of themselves, word for word; pyxdf drops order and attributes."""

import contextlib
from collections.abc import Set as AbstractSet
from pathlib import Path
from xml.etree import ElementTree as ET

from emod_rt.recording.xdf import MAGIC, STREAM_HEADER
from emod_rt.sources.base import Metadata

_LARGEST = 2**24


def read_metadata(path: Path, numbers: AbstractSet[int]) -> dict[int, Metadata]:
    """Read the stream headers of a file that pyxdf has read.

    Parameters
    ----------
    path : pathlib.Path
        The file, not compressed.
    numbers : set of int
        Streams wanted.

    Returns
    -------
    dict of int to Metadata
        By number; streams whose header lies behind damage are missing.
    """
    found: dict[int, Metadata] = {}
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(len(MAGIC))
        while numbers - found.keys() and (width := file.read(1)) in (b"\x01", b"\x04", b"\x08"):
            length = int.from_bytes(file.read(width[0]), "little")
            after = file.tell() + length
            if after > size:
                break
            tag = int.from_bytes(file.read(2), "little")
            if tag == STREAM_HEADER and 6 < length < _LARGEST:
                number = int.from_bytes(file.read(4), "little")
                with contextlib.suppress(ET.ParseError, ValueError, RecursionError):
                    found[number] = _metadata(file.read(length - 6))
            file.seek(after)
    return found


def _metadata(header: bytes) -> Metadata:
    root = ET.fromstring(header.decode("utf-8", "replace"))
    desc = root.find("desc")
    text = ""
    if desc is not None and (len(desc) or (desc.text or "").strip()):
        desc.tail = None
        text = ET.tostring(desc, encoding="unicode")
    name, kind, source_id = (root.findtext(key) or "" for key in ("name", "type", "source_id"))
    return Metadata(name, kind, source_id, text)
