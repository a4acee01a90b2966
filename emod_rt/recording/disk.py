"""The file under a recording: appended to, its owner's alone, rescued when it is deleted meanwhile."""

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_BLOCK = 2**20


class RecordingFile:
    """A new file that only grows.

    Parameters
    ----------
    path : Path
        Must not exist; folders on the way to it are made, readable by their owner only.

    Attributes
    ----------
    path : Path
        Where it is now.

    Raises
    ------
    OSError
        From any method: the file exists, the disk is full, the folder is read-only.
    """

    def __init__(self, path: Path) -> None:
        make_folder(path.parent)
        self.path = path
        self._file = _create(path)

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._file.closed

    def append(self, data: bytes) -> None:
        """Write all of it or nothing: a torn chunk would hide all that follows it."""
        good = self._file.tell()
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) or 0 :]
        except OSError:
            self._file.truncate(good)
            self._file.seek(good)
            raise

    def is_deleted(self) -> bool:
        """Whether no name leads to it any more, so that it would be lost once closed."""
        # a few network drives count no names at all
        return os.fstat(self._file.fileno()).st_nlink == 0 and self.is_moved()

    def is_moved(self) -> bool:
        """Whether its name leads elsewhere, or nowhere."""
        with contextlib.suppress(OSError):
            return not os.path.samestat(self.path.stat(), os.fstat(self._file.fileno()))
        return True

    def rescue(self) -> None:
        """Copy what was written, as long as it is open, to a new file where there is a place; go on there.

        Raises
        ------
        OSError
            No place takes it.
        """
        problem: OSError = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        folders: tuple[Callable[[], Path], ...] = (lambda: self.path.parent, Path.cwd, Path.home)
        for folder in folders:
            try:
                self._move_to(folder())
                return
            except (OSError, RuntimeError) as error:  # RuntimeError: nobody's home
                problem = error if isinstance(error, OSError) else problem
        raise problem

    def _move_to(self, folder: Path) -> None:
        path = (folder / self.path.name).absolute()
        number = 1
        while path.exists():
            number += 1
            path = path.with_name(f"{self.path.stem}-{number}{self.path.suffix}")
        copy = _create(path)
        try:
            self._file.seek(0)
            while block := self._file.read(_BLOCK):
                left = memoryview(block)
                while left:
                    left = left[copy.write(left) or 0 :]
        except OSError:
            copy.close()
            path.unlink()
            raise
        self._file.close()
        self._file, self.path = copy, path

    def close(self) -> None:
        """Close it; safe to call twice."""
        self._file.close()

    def discard(self) -> None:
        """Close and remove it: it never began."""
        self._file.close()
        self.path.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each readable by its owner only."""
    if not folder.exists():
        make_folder(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(0o700)


def _create(path: Path) -> BinaryIO:
    """Open a file that does not exist yet; its owner's alone from the first byte on."""

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags, 0o600)

    return open(path, "x+b", buffering=0, opener=opener)
