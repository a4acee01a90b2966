"""MATLAB files, versions 5 to 7 and 7.3: a variable, or a part of one, at a time.

A reader of our own, because scipy's takes a whole corpus into memory where it is one variable, and ends the
program over some damaged files. After MathWorks' "MAT-File Format".
"""

from dataclasses import dataclass
from pathlib import Path
from struct import unpack
from typing import Any

import numpy as np
import numpy.typing as npt

from emod_model.corpora.matrices import Damaged, Matrices, Stream, sentences
from emod_model.errors import InputFileError

_HEADER, _MATRIX, _COMPRESSED = 128, 14, 15
# zlib cannot pack more tightly
_MOST_PACKED = 1032


@dataclass(frozen=True)
class _Place:
    start: int
    size: int
    packed: bool


class MatFile:
    """A MATLAB file opened for its variables.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Raises
    ------
    InputFileError
        Absent, cut short, damaged, or of another format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, _Place] = {}
        self._order = "<"
        with sentences(path):
            with path.open("rb") as file:
                head = file.read(_HEADER)
            self._hdf = head.startswith((b"MATLAB 7.3", b"\x89HDF"))
            if self._hdf:
                self._names = self._hdf_names()
                return
            if len(head) < _HEADER or not head.startswith(b"MATLAB 5.0"):
                raise Damaged(f"is no MATLAB file of version 5 to 7.3, it begins with {head[:10]!r}")
            self._order = ">" if head[126:128] == b"MI" else "<"
            self._index()
            self._names = tuple(self._places)

    def names(self) -> tuple[str, ...]:
        """Return the variables in the order of the file."""
        return self._names

    def read(self, name: str, *within: str | int) -> Any:
        """Return a variable or a part of it: an array, a str, a list (cells), or a list of dicts (structs).

        Parameters
        ----------
        name : str
            The variable.
        *within : str or int
            The way to the part: a field of a struct, or the place of a cell in MATLAB's order, from 0.

        Raises
        ------
        InputFileError
            No such variable or part, or it is damaged.
        """
        return self._value(name, within, counting=False)

    def count(self, name: str, *within: str | int) -> int:
        """Return how many cells, structs or numbers `read` would give, without reading them.

        Raises
        ------
        InputFileError
            As `read`.
        """
        return int(self._value(name, within, counting=True))

    def _value(self, name: str, within: tuple[str | int, ...], *, counting: bool) -> Any:
        if name not in self._names:
            there = ", ".join(self._names[:6]) or "none"
            raise InputFileError(
                f"{self.path}: has no variable {name!r}, of its variables {there}; "
                "take the file as the corpus gives it"
            )
        with sentences(self.path, name):
            if self._hdf:
                value = self._hdf_read(name)
                return value.size if counting else value
            place = self._places[name]
            with self.path.open("rb") as file:
                file.seek(place.start)
                stream = Stream(file, place.size, packed=place.packed)
                size = place.size
                if place.packed:
                    _, size = unpack(f"{self._order}II", stream.take(8))
                if size > place.size * _MOST_PACKED:
                    raise Damaged(f"claims {size} bytes, more than {place.size} packed ones can hold")
                return Matrices(stream, self._order, counting=counting).matrix(size, within)

    def _index(self) -> None:
        """Note where each variable lies; one that ends before its own length says is cut short."""
        whole = self.path.stat().st_size
        with self.path.open("rb") as file:
            at = _HEADER
            while at < whole:
                file.seek(at)
                tag = file.read(8)
                if len(tag) < 8:
                    raise Damaged(f"is cut short at byte {whole}, in the middle of a variable")
                kind, size = unpack(f"{self._order}II", tag)
                if kind not in (_MATRIX, _COMPRESSED):
                    raise Damaged(f"is damaged at byte {at}, where a variable should begin")
                at += 8
                if at + size > whole:
                    raise Damaged(
                        f"is cut short: of {size} bytes of the variable at byte {at}, {whole - at} are there"
                    )
                stream = Stream(file, size, packed=kind == _COMPRESSED)
                if kind == _COMPRESSED:
                    stream.take(8)
                name = Matrices(stream, self._order).name()
                self._places[name] = _Place(at, size, kind == _COMPRESSED)
                at += size

    def _hdf_names(self) -> tuple[str, ...]:
        import h5py

        with h5py.File(self.path, "r") as file:
            return tuple(name for name in file if not name.startswith("#"))

    def _hdf_read(self, name: str) -> npt.NDArray[Any]:
        import h5py

        with h5py.File(self.path, "r") as file:
            found = file[name]
            if not isinstance(found, h5py.Dataset) or found.dtype.kind not in "fiu":
                raise Damaged("is no matrix of numbers; save it from MATLAB with -v7, which keeps cells")
            if found.external or found.is_virtual or found.nbytes > self.path.stat().st_size * _MOST_PACKED:
                raise Damaged(f"claims {found.nbytes} bytes that are not in the file")
            # MATLAB counts axes the other way about
            return np.asarray(found[()]).T
