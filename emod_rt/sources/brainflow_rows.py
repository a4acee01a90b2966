"""Which of the rows that BrainFlow hands over are samples.

BrainFlow's drivers believe more than they should. The Cyton's takes any 33 bytes between 0xA0 and 0xC0..0xC6
for a packet, so where bytes were lost it joins one packet's beginning to the next one's. The Daisy's sends a
sample whenever its second half comes, with whatever first half it holds.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emod_model.errors import UsageError
from emod_rt.sources.brainflow_board import Board

_Row = npt.NDArray[np.float64]
_START = 0xA0
_FIRST_HALF = slice(8, 16)  # channels 9 to 16, which the driver keeps from the packet before


class Packets:
    """Finds rows of a board with OpenBCI's packets that no packet stands behind.

    Parameters
    ----------
    board : Board
        The board; one with other packets passes whole.

    Attributes
    ----------
    refused : int
        Columns that were none.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._usual = -1.0
        self._begun = False
        self.refused = 0

    def begin(self) -> None:
        """Expect a new connection, with a driver that holds nothing yet."""
        self._begun = False

    def sound(self, block: _Row) -> npt.NDArray[np.bool_]:
        """Tell which columns are packets.

        Parameters
        ----------
        block : numpy.ndarray, shape (rows, n)
            As BrainFlow gives it.

        Returns
        -------
        numpy.ndarray, shape (n,), bool
        """
        good = np.ones(block.shape[1], dtype=bool)
        row = self._board.end_row
        if row is None or not good.size:
            return good
        ends = block[row]
        if self._usual < 0:
            values, often = np.unique(ends, return_counts=True)
            self._usual = float(values[often.argmax()])
        # one packet of another kind is made of two; a stream that changes its kind does so for good
        good &= ends == self._usual
        if not good.any() and good.size > 1:
            self._usual = float(ends[-1])
            good[:] = ends == self._usual
        if self._board.halves and not self._begun:
            empty = ~block[list(self._board.eeg_rows[_FIRST_HALF])].any(axis=0)
            empty &= block[self._board.count_row or 0] == 0
            until = int(np.argmin(empty)) if not empty.all() else good.size
            good[:until] = False
            self._begun = until < good.size
        self.refused += int(good.size - good.sum())
        return good


class Pairs:
    """Numbers the samples of a board whose packets hold two, which are told under one number."""

    def __init__(self) -> None:
        self._number, self._second = -1.0, False

    def unfold(self, numbers: _Row) -> _Row:
        """Return a number for each sample, 0 to 199.

        Parameters
        ----------
        numbers : numpy.ndarray, shape (n,)
            Packet numbers of consecutive samples.
        """
        unfolded = np.empty_like(numbers)
        for at, number in enumerate(numbers.tolist()):
            self._second = number == self._number and not self._second
            self._number = number
            unfolded[at] = 2 * (number % 100) + self._second
        return unfolded


class Whole:
    """Keeps the samples that are whole, one back where only the next one tells.

    A driver that joins two packets to a sample sends it again with every further second half for which no
    first one came. So all is well with a sample that was sent as often as there are places up to the next:
    not one second half was lost between, and its own came first. Of others nobody can tell, and they are
    left out.

    Parameters
    ----------
    board : Board
        The board.

    Attributes
    ----------
    torn, spliced : int
        Samples left out since their halves need not belong together, or since bytes of them were lost.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._last = -1
        self.torn = self.spliced = 0
        self.begin()

    def begin(self) -> None:
        """Forget what was kept back: the connection was lost, and with it what comes next."""
        self._held: tuple[_Row, npt.NDArray[np.int64], _Row] | None = None

    def push(
        self, block: _Row, index: npt.NDArray[np.int64], times: _Row
    ) -> tuple[_Row, npt.NDArray[np.int64], _Row]:
        """Return what is whole among placed columns, each place once.

        Parameters
        ----------
        block : numpy.ndarray, shape (rows, n)
            As BrainFlow gives it.
        index, times : numpy.ndarray, shape (n,)
            From `PacketClock.push`.
        """
        new = index > self._last if not self._board.halves else index >= 0
        block, index, times = block[:, new], index[new], times[new]
        if self._held is not None:
            block = np.concatenate((self._held[0], block), axis=1)
            index, times = np.append(self._held[1], index), np.append(self._held[2], times)
            self._held = None
        if not index.size:
            return block, index, times
        firsts = np.flatnonzero(np.diff(index, prepend=-1) > 0)
        places, sent = index[firsts], np.diff(firsts, append=index.size)
        suspect = spliced(block[:, firsts], self._board)
        wait = self._board.halves or bool(suspect[-1])
        if wait:
            self._held = block[:, firsts[-1] :], index[firsts[-1] :], times[firsts[-1] :]
        torn, cut = np.zeros((2, firsts.size), dtype=bool)
        further = np.diff(places)
        if self._board.halves:
            torn[:-1] = sent[:-1] < further
        cut[:-1] = suspect[:-1] & (further != 1) & ~torn[:-1]
        self.torn += int(torn.sum())
        self.spliced += int(cut.sum())
        self._last = int(places[-1])
        chosen = firsts[~(torn | cut)][: -1 if wait else None]
        return block[:, chosen], index[chosen], times[chosen]


def left_out(packets: Packets, whole: Whole) -> tuple[str, ...]:
    """Return one sentence on each kind of column that was no sample, and so counts as lost."""
    told = (
        (whole.torn, "the packet with one of their two halves was lost, and the driver took another"),
        (packets.refused + whole.spliced, "bytes of their packets were lost on the way"),
    )
    return tuple(f"Some samples were left out as lost: {reason}." for number, reason in told if number)


def spliced(block: _Row, board: Board) -> npt.NDArray[np.bool_]:
    """Tell which columns hold the beginning of the packet after them: some of their own bytes were lost.

    Parameters
    ----------
    block : numpy.ndarray, shape (rows, n)
        As BrainFlow gives it.
    board : Board
        The board, its channels at their usual gain.

    Returns
    -------
    numpy.ndarray, shape (n,), bool
        True by chance in one of 2,000: believe it only where the next packet is missing.
    """
    if board.end_row is None or board.uv_per_count is None or board.count_row is None:
        return np.zeros(block.shape[1], dtype=bool)
    counts = np.rint(block[list(board.eeg_rows[:8])] / board.uv_per_count).astype(np.int64)
    parts = [counts >> shift & 0xFF for shift in (16, 8, 0)]
    octets = np.stack(parts, axis=1).reshape(24, -1)
    if not board.halves:
        # the six bytes behind the channels, and the last; with a Daisy they are means of two packets
        rest = block[board.end_row + np.array([1, 2, 3, 4, 5, 6, 0])]
        octets = np.concatenate((octets, rest.astype(np.int64)))
    following = (block[board.count_row] + (2 if board.halves else 1)) % 256
    found: npt.NDArray[np.bool_] = np.any((octets[:-1] == _START) & (octets[1:] == following), axis=0)
    return found


def choose_rows(
    board: Board, wanted: Sequence[str] | None
) -> tuple[tuple[int, ...], tuple[str, ...], list[str]]:
    """Return BrainFlow's rows, the electrodes they are, and notes.

    Raises
    ------
    UsageError
        The board has no electrode names and none are given, or those given do not fit.
    """
    from emod_model.montage import canonical_names, is_electrode

    names = board.electrodes
    asked = None if wanted is None else canonical_names(wanted)
    if names is not None:
        known = [at for at, name in enumerate(names) if is_electrode(name)]
        own = canonical_names(names[at] for at in known)
        if asked is None and len(own) >= 2:
            notes = [f"electrodes assumed at the board's usual places: {', '.join(own)}"]
            if len(known) < len(names):
                absent = ", ".join(name for name in names if not is_electrode(name))
                notes.append(f"left out, not scalp electrodes: {absent}")
            return tuple(board.eeg_rows[at] for at in known), own, notes
        if asked is not None and set(asked) <= set(own):
            row_of = dict(zip(own, (board.eeg_rows[at] for at in known), strict=True))
            return tuple(row_of[name] for name in asked), asked, []
    if asked is not None and len(asked) == len(board.eeg_rows):
        return board.eeg_rows, asked, []
    has = f" ({', '.join(names)})" if names else " without names"
    raise UsageError(
        f"brainflow:{board.name} has {len(board.eeg_rows)} EEG channels{has}; "
        "give one electrode for each with --channels, in their order"
        + (", or a selection of the board's names" if names else "")
    )
