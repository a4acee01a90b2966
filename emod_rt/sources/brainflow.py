"""Any headset that BrainFlow supports, as a source."""

import itertools
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from emod_model.errors import SourceError, UsageError
from emod_rt.clock import Clock, SystemClock
from emod_rt.holes import HoleDetector
from emod_rt.sources.base import Chunk, StreamInfo
from emod_rt.sources.brainflow_board import (
    Board,
    describe_board,
    described_by,
    find_board,
    in_words,
    input_params,
    load,
)
from emod_rt.sources.packets import PacketClock, learn_counting

_POLL_S = 0.005
_LEARN_SAMPLES = 24
_BUFFER_S = 60
_GONE_S = 30.0


class BrainFlowSource:
    """A headset through BrainFlow.

    Lost samples are found by the packet counter (by the read times where a board has none), and times come
    from packet numbers against a slowly fitted line, since boards are read in bursts.

    Parameters
    ----------
    board : str
        BrainFlow's name in any case, with or without "_BOARD": "cyton", "SYNTHETIC_BOARD".
    params : mapping of str to str, optional
        Fields of BrainFlowInputParams: serial_port, mac_address, ip_address, ip_port, timeout, ...
    channels : sequence of str, optional
        One electrode an EEG channel of the board; or a selection of the names the board has.
    clock : Clock
        Measures arrival.

    Raises
    ------
    UsageError
        No such board or parameter.
    """

    def __init__(
        self,
        board: str,
        params: Mapping[str, str] | None = None,
        channels: Sequence[str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._board_id = find_board(board)
        self._params = input_params(params or {})
        self._described_id = described_by(self._board_id, self._params.master_board)
        self._wanted = channels
        self._clock = clock or SystemClock()
        self._shim: Any = None
        self._early: list[Chunk] = []
        self._never = threading.Event()

    def open(self, wait_s: float) -> StreamInfo:
        """Connect, start the board and wait for its first samples.

        Raises
        ------
        SourceError
            The board cannot be reached or sends nothing.
        UsageError
            The electrode names do not fit the board.
        """
        board = describe_board(self._described_id)
        rows, channels, notes = choose_rows(board, self._wanted)
        self._rows, self._board = np.array(rows), board
        try:
            self._start()
            notes += self._learn(max(wait_s, 2.0))
        except BaseException:
            self.close()
            raise
        simulated = board.name == "synthetic"
        return StreamInfo(f"brainflow:{board.name}", board.sfreq, channels, simulated, tuple(notes))

    def _start(self) -> None:
        module = load()
        try:
            self._shim = module.BoardShim(self._board_id, self._params)
            self._shim.prepare_session()
            self._shim.start_stream(round(_BUFFER_S * self._board.sfreq))
        except module.BrainFlowError as problem:
            raise in_words(self._board.name, problem) from problem
        # BrainFlow stamps with the time of day, LSL with the time since the machine started
        self._to_local = self._clock.now() - time.time()

    def _learn(self, wait_s: float) -> list[str]:
        """Wait for the first samples and see how the board counts them."""
        deadline = self._clock.now() + wait_s
        blocks: list[npt.NDArray[np.float64]] = []
        while sum(block.shape[1] for block in blocks) < _LEARN_SAMPLES:
            blocks.append(self._take())
            if self._clock.now() > deadline:
                raise SourceError(
                    f"brainflow:{self._board.name} is connected but sent no data within {wait_s:g} s; "
                    "check that it is switched on, its battery, and that it is in reach"
                )
            self._clock.wait(_POLL_S, self._never)
        self._heard = self._clock.now()
        first = np.concatenate(blocks, axis=1)
        counting = None
        if self._board.count_row is not None:
            counting = learn_counting(first[self._board.count_row], self._board.turn)
        self._packets = None if counting is None else PacketClock(self._board.sfreq, counting)
        self._holes = HoleDetector(self._board.sfreq)
        self._early = self._place(first)
        if counting is None:
            return ["the board does not count its samples; lost ones are found by the times they were read"]
        return []

    def read(self, timeout_s: float) -> list[Chunk] | None:
        """Return what the board has sent, waiting at most `timeout_s`; [] when nothing.

        Raises
        ------
        SourceError
            The board failed, or sent nothing for 30 s (BrainFlow does not report an unplugged dongle).
        """
        if self._early:
            early, self._early = self._early, []
            return early
        deadline = self._clock.now() + timeout_s
        while not (data := self._take()).shape[1]:
            now = self._clock.now()
            if now - self._heard > _GONE_S:
                raise SourceError(
                    f"brainflow:{self._board.name} has sent nothing for {_GONE_S:g} s; "
                    "check dongle and battery, then start again"
                )
            if now >= deadline:
                return []
            self._clock.wait(min(_POLL_S, deadline - now), self._never)
        return self._place(data)

    def _take(self) -> npt.NDArray[np.float64]:
        module = load()
        try:
            return np.asarray(self._shim.get_board_data())
        except module.BrainFlowError as problem:
            raise in_words(self._board.name, problem) from problem

    def _place(self, block: npt.NDArray[np.float64]) -> list[Chunk]:
        """Return chunks without holes."""
        arrival = self._heard = self._clock.now()
        if self._board.time_row is None:
            read_times = np.full(block.shape[1], arrival)
        else:
            read_times = block[self._board.time_row] + self._to_local
        data = np.ascontiguousarray(block[self._rows], dtype=np.float32)
        if self._packets is not None:
            kept, index, times = self._packets.push(block[self._board.count_row], read_times)
            data = data[:, kept]
        else:
            index, times = self._holes.push(read_times, arrival)
        edges = [0, *(np.flatnonzero(np.diff(index) != 1) + 1), index.size]
        return [
            Chunk(int(index[a]), np.ascontiguousarray(data[:, a:b]), times[a:b], arrival)
            for a, b in itertools.pairwise(edges)
            if b > a
        ]

    def close(self) -> None:
        """Stop the stream and release the board, whatever state it is in."""
        shim, self._shim = self._shim, None
        self._early = []
        if shim is None:
            return
        module = load()
        for step in (shim.stop_stream, shim.release_session):
            try:
                step()
            except module.BrainFlowError as problem:
                # a board that never started, or is gone, has nothing more to give back
                module.BoardShim.log_message(module.LogLevels.LEVEL_DEBUG.value, str(problem))


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
