"""The inside of a MATLAB variable: matrices of numbers, texts, cells and structs, as a stream of bytes.

Nothing is believed that does not fit: a length beyond what is left ends in a sentence, not in memory.
"""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from struct import unpack
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError

_MATRIX = 14
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
_CELL, _STRUCT, _CHAR = 1, 2, 4
_COMPLEX = 0x800
_DEEPEST = 8
_PIECE = 1 << 20


class Damaged(Exception):  # noqa: N818 - never leaves these two modules
    """What is wrong inside a file, without its name."""


@contextmanager
def sentences(path: Path, name: str = "") -> Iterator[None]:
    """Turn whatever goes wrong within into one sentence that names the file and the variable."""
    where = f"{path}: {name}{' ' if name else ''}"
    try:
        yield
    except Damaged as error:
        raise InputFileError(f"{where}{error}; copy it again") from error
    except MemoryError as error:
        raise InputFileError(f"{where}needs more memory than there is") from error
    except zlib.error as error:
        raise InputFileError(f"{where}is damaged where it is packed ({error}); copy it again") from error
    except (OSError, KeyError, RuntimeError) as error:
        said = (getattr(error, "strerror", None) or str(error) or "its parts do not fit").splitlines()[0]
        raise InputFileError(f"{where}cannot be read ({said}); copy it again") from error


class Stream:
    """Bytes of a variable in order, unpacked on the way, without the whole of it in memory.

    Parameters
    ----------
    file : binary file
        Placed where the variable begins.
    size : int
        Bytes in the file.
    packed : bool
        They are zlib's.
    """

    def __init__(self, file: BinaryIO, size: int, *, packed: bool) -> None:
        self._file, self._left = file, size
        self._zlib = zlib.decompressobj() if packed else None
        self.at = 0

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes.

        Raises
        ------
        Damaged
            Fewer are left.
        """
        pieces, missing = [], count
        while missing > 0:
            piece = self._next(missing)
            if not piece:
                raise Damaged(f"is cut short: {missing} bytes are missing")
            pieces.append(piece)
            missing -= len(piece)
        self.at += count
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def skip(self, count: int) -> None:
        """Pass over the next `count` bytes."""
        while count > 0:
            count -= len(self.take(min(count, _PIECE)))

    def _next(self, most: int) -> bytes:
        if self._zlib is None:
            piece = self._file.read(min(most, self._left))
            self._left -= len(piece)
            return piece
        while not self._zlib.eof:
            fresh = self._zlib.unconsumed_tail
            if not fresh:
                fresh = self._file.read(min(_PIECE, self._left))
                self._left -= len(fresh)
            piece = self._zlib.decompress(fresh, most)
            if piece or not fresh:
                return piece
        return b""


class Matrices:
    """The values in a stream.

    Parameters
    ----------
    stream : Stream
        Placed behind the tag of a matrix.
    order : str
        "<" or ">", as the file's header says.
    counting : bool
        Give the number of cells, structs or numbers, not themselves.
    """

    def __init__(self, stream: Stream, order: str, *, counting: bool = False) -> None:
        self._stream, self._order, self._counting = stream, order, counting

    def name(self) -> str:
        """Return the name of the variable at the beginning of the stream, "" for MATLAB's own objects."""
        try:
            self._element(64)
            self._element(1024)
            name = self._element(1024)[1].decode("latin-1")
            return name if name.isprintable() else ""
        except Damaged:
            return ""

    def matrix(self, size: int, within: Sequence[str | int] = (), depth: int = 0) -> Any:
        """Return the value of a matrix of `size` bytes, or the part that `within` leads to.

        Raises
        ------
        Damaged
            It does not fit into itself, is of a kind that no corpus has, or has no such part.
        """
        if size == 0:
            return np.zeros((0, 0))
        if depth > _DEEPEST:
            raise Damaged(f"has more than {_DEEPEST} cells within each other")
        end = self._stream.at + size
        flags = self._numbers(end)
        shape = tuple(int(n) for n in self._numbers(end))
        self._element(end)
        if not flags.size or len(shape) < 2 or min(shape) < 0:
            raise Damaged(f"has a part of shape {shape}")
        kind, count = int(flags[0]) & 0xFF, int(np.prod(shape, dtype=object))
        if self._counting and not within:
            return count
        if kind == _CELL:
            value = self._cells(count, end, within, depth)
        elif kind == _STRUCT:
            value = self._structs(count, end, within, depth)
        elif within:
            raise Damaged(f"has numbers where {within[0]!r} is looked for")
        elif kind == _CHAR:
            value = self._text(end) if count else ""
        elif kind in _CLASSES and not int(flags[0]) & _COMPLEX:
            value = self._array(kind, shape, count, end)
        else:
            raise Damaged(
                f"has a part of MATLAB's class {kind}, which is neither numbers, text, cell nor struct"
            )
        if not within:
            self._stream.skip(end - self._stream.at)
        return value

    def _cells(self, count: int, end: int, within: Sequence[str | int], depth: int) -> Any:
        if not within:
            return [self._inner(end, (), depth) for _ in range(self._fits(count, end))]
        place = within[0]
        if not isinstance(place, int) or not 0 <= place < count:
            raise Damaged(f"has {count} cells where {place!r} is looked for")
        self._pass_over(place, end)
        return self._inner(end, within[1:], depth)

    def _structs(self, count: int, end: int, within: Sequence[str | int], depth: int) -> Any:
        widths = self._numbers(end)
        width = int(widths[0]) if widths.size else 0
        _, blob = self._element(end)
        if width < 1:
            raise Damaged("has a struct without fields")
        fields = [
            blob[at : at + width].split(b"\0")[0].decode("latin-1") for at in range(0, len(blob), width)
        ]
        if not within:
            self._fits(count * len(fields), end)
            return [{field: self._inner(end, (), depth) for field in fields} for _ in range(count)]
        place, *rest = within
        if isinstance(place, int) and 0 <= place < count:
            self._pass_over(place * len(fields), end)
            if not rest:
                return [{field: self._inner(end, (), depth) for field in fields}]
            place, *rest = rest
        if place not in fields:
            raise Damaged(f"has a struct of {', '.join(fields)} where {place!r} is looked for")
        self._pass_over(fields.index(str(place)), end)
        return self._inner(end, rest, depth)

    def _array(self, kind: int, shape: tuple[int, ...], count: int, end: int) -> npt.NDArray[Any]:
        values = self._numbers(end)
        if values.size != count:
            raise Damaged(f"has {values.size} numbers for the shape {shape}")
        return values.astype(np.dtype(_CLASSES[kind]), copy=False).reshape(shape, order="F")

    def _inner(self, end: int, within: Sequence[str | int], depth: int) -> Any:
        """Return a matrix inside a cell or a struct."""
        kind, size = self._tag(end)
        if kind != _MATRIX:
            raise Damaged(f"has an element of kind {kind} where a cell belongs")
        return self.matrix(size, within, depth + 1)

    def _pass_over(self, count: int, end: int) -> None:
        for _ in range(self._fits(count, end)):
            self._stream.skip(self._tag(end)[1])

    def _fits(self, count: int, end: int) -> int:
        """Return `count` if so many tags fit into what is left."""
        if count * 8 > end - self._stream.at:
            raise Damaged(f"has {count} cells in {end - self._stream.at} bytes")
        return count

    def _tag(self, end: int) -> tuple[int, int]:
        kind, size = unpack(f"{self._order}II", self._stream.take(8))
        if self._stream.at + size > end:
            raise Damaged(f"is cut short: {size} bytes are announced, {end - self._stream.at} are there")
        return kind, size

    def _element(self, end: int) -> tuple[int, bytes]:
        """Return kind and bytes of the next element."""
        start = self._stream.take(8)
        kind, size = unpack(f"{self._order}II", start)
        if kind >> 16:
            # up to four bytes lie within the tag itself
            return kind & 0xFFFF, start[4 : 4 + min(kind >> 16, 4)]
        if self._stream.at + size > end:
            raise Damaged(f"is cut short: {size} bytes are announced, {end - self._stream.at} are there")
        data = self._stream.take(size)
        self._stream.skip(min(-size % 8, end - self._stream.at))
        return kind, data

    def _numbers(self, end: int) -> npt.NDArray[Any]:
        kind, data = self._element(end)
        if kind not in _NUMBERS:
            raise Damaged(f"has an element of kind {kind} where numbers belong")
        dtype = np.dtype(self._order + _NUMBERS[kind])
        return np.frombuffer(data, dtype, count=len(data) // dtype.itemsize)

    def _text(self, end: int) -> str:
        kind, data = self._element(end)
        if kind not in _TEXTS:
            raise Damaged(f"has an element of kind {kind} where a text belongs")
        wide = ("-le" if self._order == "<" else "-be") if kind in (4, 17, 18) else ""
        return data.decode(_TEXTS[kind] + wide, errors="replace").rstrip("\0")
