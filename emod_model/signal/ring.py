"""A ring buffer that speaks in absolute sample indices (rules 1 and 2 of the house)."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt


class RingBuffer:
    """The newest `capacity` samples of a stream, each known by its absolute index.

    Every sample is stored twice, `capacity` columns apart, so that any stretch that is still in the
    buffer is one contiguous view and reading costs nothing. Lost samples are holes: NaN in the data,
    and known by place and size. Not locked: whoever shares it between threads locks around it.

    Parameters
    ----------
    n_channels : int
        Rows.
    capacity : int
        Samples kept.
    dtype : numpy dtype, default float32
        A floating type, for holes are NaN.

    Raises
    ------
    ValueError
        A size below 1.
    """

    def __init__(self, n_channels: int, capacity: int, dtype: npt.DTypeLike = np.float32) -> None:
        if n_channels < 1 or capacity < 1:
            raise ValueError(
                f"a ring needs at least one channel and one sample, not {n_channels} x {capacity}"
            )
        self.capacity = capacity
        self._data: npt.NDArray[Any] = np.full((n_channels, 2 * capacity), np.nan, dtype=dtype)
        self._first: int | None = None
        self._end = 0
        self._holes: deque[tuple[int, int]] = deque()

    @property
    def end(self) -> int:
        """Index after the newest sample."""
        return self._end

    @property
    def start(self) -> int:
        """Index of the oldest sample still here."""
        first = self._end if self._first is None else self._first
        return max(first, self._end - self.capacity)

    def write(self, first_index: int, data: npt.NDArray[np.floating]) -> None:
        """Append samples; a jump past `end` leaves a hole.

        Parameters
        ----------
        first_index : int
            Absolute index of the first column.
        data : numpy.ndarray, shape (channels, samples)
            The samples.

        Raises
        ------
        ValueError
            The samples begin before `end` or have another number of rows.
        """
        if data.ndim != 2 or data.shape[0] != self._data.shape[0]:
            raise ValueError(f"the ring has {self._data.shape[0]} channels, the data has shape {data.shape}")
        if self._first is None:
            self._first = self._end = first_index
        if first_index < self._end:
            raise ValueError(f"sample {first_index} was written already, the ring ends at {self._end}")
        if first_index > self._end:
            self._holes.append((self._end, first_index - self._end))
            for columns in self._columns(max(self._end, first_index - self.capacity), first_index):
                self._put(columns, np.nan)
        end = first_index + data.shape[1]
        kept = max(first_index, end - self.capacity)
        taken = 0
        for columns in self._columns(kept, end):
            width = columns.stop - columns.start
            block = data[:, kept - first_index + taken : kept - first_index + taken + width]
            self._put(columns, block)
            taken += width
        self._end = end
        while self._holes and sum(self._holes[0]) <= self.start:
            self._holes.popleft()

    def view(self, first: int, count: int) -> npt.NDArray[Any]:
        """Return `count` samples from `first` as one contiguous view; valid until overwritten.

        Raises
        ------
        IndexError
            Some of them are not in the buffer, any more or yet.
        """
        if count < 0 or first < self.start or first + count > self._end:
            raise IndexError(
                f"samples {first} to {first + count} are not in the ring, "
                f"which holds {self.start} to {self._end}"
            )
        column = first % self.capacity
        return self._data[:, column : column + count]

    def holes(self, first: int, end: int) -> list[tuple[int, int]]:
        """Return the holes, as (first index, samples), clipped to the stretch from `first` to `end`."""
        clipped = ((max(at, first), min(at + count, end)) for at, count in self._holes)
        return [(low, high - low) for low, high in clipped if high > low]

    def _put(self, columns: slice, values: npt.NDArray[np.floating] | float) -> None:
        self._data[:, columns] = values
        self._data[:, columns.start + self.capacity : columns.stop + self.capacity] = values

    def _columns(self, first: int, end: int) -> Iterator[slice]:
        """Yield the one or two column ranges, in the first copy, that hold `first` to `end`."""
        while first < end:
            column = first % self.capacity
            width = min(end - first, self.capacity - column)
            yield slice(column, column + width)
            first += width
