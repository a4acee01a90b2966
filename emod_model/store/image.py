"""A file in memory that holds only what was written of it.

HDF5 writes here, and plain writes bring it to the disk: a disk that is full in the middle of HDF5's own
writing leaves the library in a state that later ends the program.
"""

import os
from typing import BinaryIO

_PAGE = 2**12


class Image:
    """What h5py asks of a file; bytes that were never written read as 0 and take no room."""

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}
        self._at = 0
        self._size = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, from the beginning or from the end."""
        self._at = offset + (self._size if whence == os.SEEK_END else 0)
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def write(self, data: memoryview) -> int:
        """Write at the place."""
        done = 0
        while done < len(data):
            number, first = divmod(self._at + done, _PAGE)
            count = min(_PAGE - first, len(data) - done)
            page = self._pages.setdefault(number, bytearray(_PAGE))
            page[first : first + count] = data[done : done + count]
            done += count
        self._at += done
        self._size = max(self._size, self._at)
        return done

    def read(self, size: int) -> bytes:
        """Read from the place, as `readinto`; h5py takes nothing for a file without it."""
        found = bytearray(size)
        self.readinto(memoryview(found))
        return bytes(found)

    def readinto(self, buffer: memoryview) -> int:
        """Read from the place."""
        done = 0
        while done < len(buffer):
            number, first = divmod(self._at + done, _PAGE)
            count = min(_PAGE - first, len(buffer) - done)
            page = self._pages.get(number, bytes(_PAGE))
            buffer[done : done + count] = page[first : first + count]
            done += count
        self._at += done
        return done

    def truncate(self, size: int) -> int:
        """Set the length."""
        self._size = size
        return size

    def flush(self) -> None:
        """Do nothing: there is nothing between."""

    def save(self, file: BinaryIO) -> None:
        """Write it to a new file.

        Raises
        ------
        OSError
            The disk does not take it.
        """
        file.truncate(self._size)
        for number in sorted(self._pages):
            file.seek(number * _PAGE)
            file.write(self._pages[number][: self._size - number * _PAGE])
