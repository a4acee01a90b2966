"""Any headset that BrainFlow supports, as a source."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from emod_model.errors import SourceError, UsageError
from emod_rt.clock import Clock, SystemClock
from emod_rt.holes import HoleDetector
from emod_rt.sources.base import Chunk, StreamInfo, runs
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
from emod_rt.sources.release import Releasable
from emod_rt.sources.wall import WallTime

_POLL_S = 0.005
_LEARN_SAMPLES = 24
_BUFFER_S = 60
_GONE_S = 30.0
_READY_S = 0.05


class BrainFlowSource(Releasable):
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
    wall : callable
        The time of day, s, which BrainFlow stamps with; it may be set at any time.

    `close` is final, and the one method that another thread may call: a waiting `open` then raises
    SourceError within a fraction of a second, a later `read` returns None.

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
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._board_id = find_board(board)
        self._params = input_params(params or {})
        self._described_id = described_by(self._board_id, self._params.master_board)
        self._wanted = channels
        self._clock = clock or SystemClock()
        self._wall = wall
        self._shim: Any = None
        self._early: list[Chunk] = []

    def open(self, wait_s: float) -> StreamInfo:
        """Connect, start the board and wait for its first samples.

        Raises
        ------
        SourceError
            The board cannot be reached or sends nothing, or `close` called it off.
        UsageError
            The electrode names do not fit the board.
        """
        board = describe_board(self._described_id)
        rows, channels, notes = choose_rows(board, self._wanted)
        self._rows, self._board = np.array(rows), board
        with self._in_use():
            try:
                self._start()
                notes += self._learn(max(wait_s, 2.0))
            except BaseException:
                self._release()
                raise
        self._go_on()
        simulated = board.name == "synthetic"
        return StreamInfo(f"brainflow:{board.name}", board.sfreq, channels, simulated, tuple(notes))

    def _go_on(self) -> None:
        if self._called_off.is_set():
            raise SourceError(
                f"the wait for brainflow:{self._board.name} was called off; start again when it is ready"
            )

    def _start(self) -> None:
        module = load()
        self._go_on()
        shim = module.BoardShim(self._board_id, self._params)
        self._prepare(shim)
        self._shim = shim
        self._time = WallTime(self._clock, self._wall)
        try:
            shim.start_stream(round(_BUFFER_S * self._board.sfreq))
        except module.BrainFlowError as problem:
            raise in_words(self._board.name, problem) from problem

    def _prepare(self, shim: Any) -> None:
        """Connect to the board; a search over Bluetooth takes long, and BrainFlow cannot be interrupted."""
        module = load()
        faults: list[Any] = []
        ready = threading.Event()

        def prepare() -> None:
            try:
                shim.prepare_session()
            except module.BrainFlowError as problem:
                faults.append(problem)
            finally:
                ready.set()
            if self._called_off.is_set():
                # nobody waits any more
                release(shim)

        threading.Thread(target=prepare, name="emod-brainflow", daemon=True).start()
        while not ready.wait(_READY_S):
            self._go_on()
        if faults:
            raise in_words(self._board.name, faults[0]) from faults[0]

    def _learn(self, wait_s: float) -> list[str]:
        """Wait for the first samples and see how the board counts them."""
        deadline = self._clock.now() + wait_s
        blocks: list[npt.NDArray[np.float64]] = []
        read: list[npt.NDArray[np.float64]] = []
        while sum(times.size for times in read) < _LEARN_SAMPLES:
            self._go_on()
            block, times = self._take()
            blocks.append(block)
            read.append(times)
            if self._looked > deadline:
                raise SourceError(
                    f"brainflow:{self._board.name} is connected but sent no data within {wait_s:g} s; "
                    "check that it is switched on, its battery, and that it is in reach"
                )
            self._clock.wait(_POLL_S, self._called_off)
        first = np.concatenate(blocks, axis=1)
        counting = None
        if self._board.count_row is not None:
            counting = learn_counting(first[self._board.count_row], self._board.turn)
        self._packets = None if counting is None else PacketClock(self._board.sfreq, counting)
        self._holes = HoleDetector(self._board.sfreq)
        self._early = self._place(first, np.concatenate(read))
        if counting is None:
            return ["the board does not count its samples; lost ones are found by the times they were read"]
        return []

    def read(self, timeout_s: float) -> list[Chunk] | None:
        """Return what the board has sent, waiting at most `timeout_s`; [] when nothing, None once closed.

        Raises
        ------
        SourceError
            The board failed, or sent nothing for 30 s (BrainFlow does not report an unplugged dongle).
        """
        with self._in_use():
            return self._read(timeout_s)

    def _read(self, timeout_s: float) -> list[Chunk] | None:
        if self._shim is None:
            return None
        if self._early:
            early, self._early = self._early, []
            return early
        deadline = self._clock.now() + timeout_s
        while not (taken := self._take())[1].size:
            now = self._looked
            if self._called_off.is_set():
                return None
            if now - self._heard > _GONE_S:
                raise SourceError(
                    f"brainflow:{self._board.name} has sent nothing for {_GONE_S:g} s; "
                    "check dongle and battery, then start again"
                )
            if now >= deadline:
                return []
            self._clock.wait(min(_POLL_S, deadline - now), self._called_off)
        return self._place(*taken)

    def _take(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the samples that have come, and when the host read each of them."""
        module = load()
        try:
            block = np.asarray(self._shim.get_board_data())
        except module.BrainFlowError as problem:
            raise in_words(self._board.name, problem) from problem
        self._looked = self._time.look()
        if self._board.time_row is None:
            return block, np.full(block.shape[1], self._looked)
        return block, self._time.local(block[self._board.time_row])

    def _place(self, block: npt.NDArray[np.float64], read_times: npt.NDArray[np.float64]) -> list[Chunk]:
        """Return chunks without holes."""
        arrival = self._heard = self._looked
        data = np.ascontiguousarray(block[self._rows], dtype=np.float32)
        if self._packets is not None:
            kept, index, times = self._packets.push(block[self._board.count_row], read_times)
            data = data[:, kept]
        else:
            index, times = self._holes.push(read_times, arrival)
        return [
            Chunk(int(index[run.start]), np.ascontiguousarray(data[:, run]), times[run], arrival)
            for run in runs(index)
        ]

    def _release(self) -> None:
        shim, self._shim = self._shim, None
        self._early = []
        if shim is not None:
            release(shim)


def release(shim: Any) -> None:
    """Stop a board and let go of it, whatever state it is in."""
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
