"""Pickles that two corpora come as, read without running anything: numpy's arrays and plain containers alone.

Unpickling is code execution: a file names any function, and it is called. Here none of numpy's own is called
either; stand-ins keep what an array is made of, and the array is built from it afterwards.
"""

import pickle
import pickletools
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError

Array = npt.NDArray[Any]
Loaded = Array | dict[str, Any] | list[Any] | str | bytes | int | float | bool | None

_OPCODES = frozenset(
    """
    PROTO FRAME STOP MARK POP POP_MARK DUP NONE NEWTRUE NEWFALSE INT LONG LONG1 LONG4 BININT BININT1 BININT2
    FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINBYTES
    SHORT_BINBYTES BINBYTES8 BYTEARRAY8 EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST LIST APPEND APPENDS
    EMPTY_DICT DICT SETITEM SETITEMS GET BINGET LONG_BINGET PUT BINPUT LONG_BINPUT MEMOIZE GLOBAL STACK_GLOBAL
    REDUCE BUILD
    """.split()  # noqa: SIM905 - a list of sixty would take sixty lines
)
# an array takes about thirty, and a corpus' file holds two
_MOST_OPCODES = 10_000
_DEEPEST = 4
_KINDS = "fiub"
_NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray")


class _RefusedError(Exception):
    """What the pickle asks for that is no array."""


def load_arrays(path: Path) -> Loaded:
    """Read a pickle that holds numpy arrays, alone or in a dict or list, as Python 2 or 3 wrote it.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    numpy.ndarray or dict or list
        Keys of dicts are str.

    Raises
    ------
    InputFileError
        It names anything but numpy's arrays (the sentence says what), is damaged, cut short, or too large.
    """
    try:
        with path.open("rb") as file:
            _look_through(_Bounded(file, path.stat().st_size))
            file.seek(0)
            made = _Arrays(_Bounded(file, path.stat().st_size), encoding="bytes").load()
        built: Loaded = _built(made, 0, count())
        return built
    except _RefusedError as error:
        raise InputFileError(
            f"{path}: the pickle holds {error}, and arrays alone are read; "
            "take the file from the corpus' own site"
        ) from error
    except MemoryError as error:
        raise InputFileError(f"{path}: the pickle needs more memory than there is") from error
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read ({error.strerror}); check that it is there") from error
    except Exception as error:  # a broken pickle stumbles on whatever it says
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputFileError(f"{path}: a damaged or cut pickle ({said}); copy it again") from error


class _Bounded:
    """A file that never hands out more than it has, so that no announced length takes memory."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size

    def read(self, count: int = -1) -> bytes:
        left = self._size - self._file.tell()
        return self._file.read(left if count < 0 else min(count, left))

    def readline(self) -> bytes:
        return self._file.readline()

    def tell(self) -> int:
        return self._file.tell()


def _look_through(file: _Bounded) -> None:
    """Refuse what no pickled array has, before anything of it is carried out."""
    for number, (opcode, argument, _) in enumerate(pickletools.genops(cast(BinaryIO, file))):
        if opcode.name == "GLOBAL":
            _check(*str(argument).split(" ", 1))
        if opcode.name not in _OPCODES:
            raise _RefusedError(f"the instruction {opcode.name}, which no array needs")
        if number >= _MOST_OPCODES:
            raise _RefusedError(f"more than {_MOST_OPCODES} instructions")
        if "PUT" in opcode.name and int(argument or 0) > _MOST_OPCODES:
            raise _RefusedError(f"the place {argument} in its memory, far beyond its instructions")


def _check(module: str, name: str) -> None:
    if (module, name) not in _STAND_INS:
        raise _RefusedError(f"{module}.{name}")


class _Arrays(pickle.Unpickler):
    """Finds stand-ins, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        _check(module, name)
        return _STAND_INS[module, name]


class _Name:
    """A name of numpy's that a pickle may say; calling it keeps what was said."""

    __slots__ = ("make",)
    make: Callable[..., Any]

    def __init__(self, make: Callable[..., Any]) -> None:
        object.__setattr__(self, "make", make)

    def __setattr__(self, name: str, value: object) -> None:
        raise _RefusedError(f"a change of numpy's own {name}")

    def __setstate__(self, state: object) -> None:
        raise _RefusedError("a change of numpy's own functions")

    def __call__(self, *arguments: Any) -> Any:
        return self.make(*arguments)


class _Dtype:
    __slots__ = ("code", "order")

    def __init__(self, code: object = b"", *_: object) -> None:
        self.code = code.decode("latin-1") if isinstance(code, bytes) else str(code)
        self.order = "|"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1]
        self.order = order.decode("latin-1") if isinstance(order, bytes) else str(order)
        if any(part is not None for part in state[2:5]):
            raise _RefusedError("an array of records")

    def numpy(self) -> np.dtype[Any]:
        """Return the real one, which is of plain numbers."""
        if self.code[:1] == "O":
            raise _RefusedError("an array of Python objects (numpy dtype O)")
        if (
            self.code[:1] not in _KINDS
            or not self.code[1:].isdigit()
            or self.order not in ("|", "<", ">", "=")
        ):
            raise _RefusedError(f"an array of {self.order}{self.code}")
        return np.dtype(self.order + self.code)


class _Parts:
    """What an array is made of."""

    __slots__ = ("data", "dtype", "fortran", "shape")

    def __init__(self) -> None:
        self.dtype, self.fortran, self.data = _Dtype(b"f8"), False, b""
        self.shape: tuple[int, ...] = (0,)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran, data = state
        self.fill(data, dtype, shape, fortran=bool(fortran))

    def fill(self, data: Any, dtype: Any, shape: Any, *, fortran: bool) -> None:
        if isinstance(dtype, _Dtype):
            dtype.numpy()
        if not isinstance(dtype, _Dtype) or not isinstance(data, bytes | bytearray):
            raise _RefusedError(f"an array made of {type(data).__name__} and {type(dtype).__name__}")
        self.shape = tuple(int(size) for size in shape)
        self.dtype, self.fortran, self.data = dtype, fortran, bytes(data)

    def array(self) -> Array:
        """Return the array, read-only.

        Raises
        ------
        ValueError
            Shape and bytes do not fit each other.
        """
        flat = np.frombuffer(self.data, self.dtype.numpy())
        return flat.reshape(self.shape, order="F" if self.fortran else "C")


def _reconstruct(kind: object, *_: object) -> _Parts:
    if kind is not _STAND_INS["numpy", "ndarray"]:
        raise _RefusedError(f"an array of the class {kind!r}")
    return _Parts()


def _from_buffer(data: Any, dtype: Any, shape: Any, order: str) -> _Parts:
    parts = _Parts()
    parts.fill(data, dtype, shape, fortran=order == "F")
    return parts


def _scalar(dtype: Any, data: Any) -> _Parts:
    parts = _Parts()
    parts.fill(data, dtype, (), fortran=False)
    return parts


def _encode(text: object, coding: object = "latin1") -> bytes:
    if not isinstance(text, str) or coding not in ("latin1", b"latin1", "latin-1"):
        raise _RefusedError(f"_codecs.encode of {type(text).__name__} to {coding!r}")
    return text.encode("latin-1")


def _no_bytes(*arguments: object) -> bytes:
    if arguments:
        raise _RefusedError("a call of bytes")
    return b""


def _refuse_call(*_: object) -> None:
    raise _RefusedError("a call of numpy.ndarray")


_STAND_INS: dict[tuple[str, str], _Name] = {
    ("numpy", "ndarray"): _Name(_refuse_call),
    ("numpy", "dtype"): _Name(_Dtype),
    ("_codecs", "encode"): _Name(_encode),
    # how Python 3 says an empty array in the words of Python 2
    ("__builtin__", "bytes"): _Name(_no_bytes),
    **{(module, "_reconstruct"): _Name(_reconstruct) for module in _NUMPY},
    **{(module, "scalar"): _Name(_scalar) for module in _NUMPY},
    **{(module.replace("multiarray", "numeric"), "_frombuffer"): _Name(_from_buffer) for module in _NUMPY},
}


def _built(made: Any, depth: int, built: Iterator[int]) -> Any:
    """Return what was read with arrays in place of their parts."""
    if depth > _DEEPEST:
        raise _RefusedError(f"more than {_DEEPEST} containers within each other")
    # what is named again and again is unfolded every time
    if next(built) > _MOST_OPCODES:
        raise _RefusedError(f"more than {_MOST_OPCODES} things within its containers")
    if isinstance(made, _Parts):
        return made.array()
    if isinstance(made, dict):
        return {_key(key): _built(value, depth + 1, built) for key, value in made.items()}
    if isinstance(made, list | tuple):
        return [_built(value, depth + 1, built) for value in made]
    if made is None or isinstance(made, str | bytes | int | float):
        return made
    raise _RefusedError(f"a bare {type(made).__name__.strip('_').lower()}")


def _key(key: object) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)
