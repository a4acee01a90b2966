"""Any headset that BrainFlow supports, as a source."""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from emod_model.errors import SourceError
from emod_rt.clock import Clock, SystemClock
from emod_rt.holes import HoleDetector
from emod_rt.sources.base import Chunk, StreamInfo, runs
from emod_rt.sources.brainflow_board import (
    describe_board,
    described_by,
    find_board,
    in_words,
    input_params,
    load,
    metadata_of,
    short_name,
)
from emod_rt.sources.brainflow_link import Link
from emod_rt.sources.brainflow_rows import Packets, Pairs, Whole, choose_rows, left_out
from emod_rt.sources.impedance import Streaming, in_one_sentence, measure, require_lead_off
from emod_rt.sources.packets import PacketClock, learn_counting
from emod_rt.sources.release import Releasable
from emod_rt.sources.wall import WallTime

_POLL_S = 0.005
_LEARN_SAMPLES = 24
_BUFFER_S = 60
_ENDED_S = 5.0

_Row = npt.NDArray[np.float64]


class BrainFlowSource(Releasable):
    """A headset through BrainFlow.

    Lost samples are found by the packet counter (by the read times where a board has none), and times come
    from packet numbers against a slowly fitted line, since boards are read in bursts. A board that goes
    quiet or is unplugged is connected to again, for as long as it takes; the index goes on behind a hole of
    the time that it was away.

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
    impedance : callable, optional
        Has `open` measure each electrode's impedance before the first sample, and gets a sentence on how far
        it is.

    `close` is final, and the one method that another thread may call: a waiting `open` then raises
    SourceError within a fraction of a second, a later `read` returns None.

    Raises
    ------
    UsageError
        No such board or parameter, or a board that cannot measure impedance.
    """

    def __init__(
        self,
        board: str,
        params: Mapping[str, str] | None = None,
        channels: Sequence[str] | None = None,
        clock: Clock | None = None,
        wall: Callable[[], float] = time.time,
        impedance: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self._board_id = find_board(board)
        self._params = input_params(params or {})
        self._described_id = described_by(self._board_id, self._params.master_board)
        self._impedance = impedance
        if impedance is not None:
            require_lead_off(short_name(load().BoardIds(self._board_id).name))
        self._wanted = channels
        self._clock = clock or SystemClock()
        self._wall = wall
        self._link: Link | None = None
        self._early: list[Chunk] = []
        self._told: Callable[[], tuple[str, ...]] = tuple

    def open(self, wait_s: float) -> StreamInfo:
        """Connect, start the board and wait for its first samples.

        Raises
        ------
        SourceError
            The board cannot be reached or sends nothing, or `close` called it off.
        UsageError
            The electrode names do not fit the board.
        """
        self._board = describe_board(self._described_id)
        rows, channels, notes = choose_rows(self._board, self._wanted)
        self._rows = np.array(rows)
        self._packets, self._whole = packets, whole = Packets(self._board), Whole(self._board)
        self._told = lambda: left_out(packets, whole)
        # older firmware packs them otherwise
        packed = self._board.pairs and self._params.other_info in ("", "fw:3")
        self._pairs = Pairs() if packed else None
        name = short_name(load().BoardIds(self._board_id).name)
        buffer = round(_BUFFER_S * self._board.sfreq)
        link = Link(self._board_id, self._params, name, buffer, self._clock, self._called_off)
        deadline = self._clock.now() + wait_s
        with self._in_use():
            self._link = link
            try:
                link.go_on()
                link.open(wait_s)
                kohm = self._measure_impedance(link, buffer, rows, channels)
                notes += [in_one_sentence(channels, kohm)] if kohm else []
                self._time = WallTime(self._clock, self._wall)
                notes += self._learn(link, max(deadline - self._clock.now(), 2.0))
            except BaseException:
                self._release()
                raise
        link.go_on()
        return StreamInfo(
            f"brainflow:{self._board.name}",
            self._board.sfreq,
            channels,
            simulated=self._board.name == "synthetic",
            notes=tuple(notes),
            metadata=metadata_of(self._board, self._params),
            lsl_clock=True,
            impedance_kohm=kohm,
        )

    def _measure_impedance(
        self, link: Link, buffer: int, rows: Sequence[int], channels: Sequence[str]
    ) -> tuple[float | None, ...]:
        if self._impedance is None:
            return ()
        streaming = Streaming(link.shim, self._board, buffer, self._clock, self._called_off)
        return measure(streaming, rows, channels, self._impedance)

    def _learn(self, link: Link, wait_s: float) -> list[str]:
        """Wait for the first samples and see how the board counts them."""
        deadline = self._clock.now() + wait_s
        blocks: list[_Row] = []
        read: list[_Row] = []
        while sum(times.size for times in read) < _LEARN_SAMPLES:
            link.go_on()
            block, times = self._take(link)
            blocks.append(block)
            read.append(times)
            if self._looked > deadline:
                raise SourceError(
                    f"brainflow:{self._board.name} is connected but sent no data within {wait_s:g} s; "
                    "check that it is switched on, its battery, and that it is in reach"
                )
            self._clock.wait(_POLL_S, self._called_off)
        first, stamps = np.concatenate(blocks, axis=1), np.concatenate(read)
        counting = None
        if self._board.count_row is not None:
            counting = learn_counting(first[self._board.count_row], self._board.turn)
        self._counts = None if counting is None else PacketClock(self._board.sfreq, counting)
        self._holes = HoleDetector(self._board.sfreq)
        self._left = first[:, :0], stamps[:0]
        self._early = self._place(first, stamps)
        if counting is None:
            return ["the board does not count its samples; lost ones are found by the times they were read"]
        return []

    def read(self, timeout_s: float) -> list[Chunk] | None:
        """Return what the board has sent, waiting at most `timeout_s`; [] when nothing, None once closed.

        Raises
        ------
        SourceError
            BrainFlow failed.
        """
        with self._in_use():
            return self._read(timeout_s)

    def notices(self) -> tuple[str, ...]:
        """Return one sentence on each kind of sample that came but was none, and counts as lost."""
        return self._told()

    def _read(self, timeout_s: float) -> list[Chunk] | None:
        link = self._link
        if link is None:
            return None
        if self._early:
            early, self._early = self._early, []
            return early
        deadline = self._clock.now() + timeout_s
        while True:
            block, times = self._take(link)
            if times.size and (chunks := self._place(block, times)):
                return chunks
            now = self._looked
            if self._called_off.is_set() or (not link.lasting and now - self._heard > _ENDED_S):
                return None
            if link.look(now - self._heard) and self._counts is not None:
                self._counts.doubt()
            if now >= deadline:
                return []
            self._clock.wait(min(_POLL_S, deadline - now), self._called_off)

    def _take(self, link: Link) -> tuple[_Row, _Row]:
        """Return the packets that have come, and when the host read each of them."""
        if link.returned():
            self._begin_anew()
        module = load()
        try:
            shim = link.shim
            block = np.zeros((0, 0)) if shim is None else np.asarray(shim.get_board_data())
        except module.BrainFlowError as problem:
            raise in_words(self._board.name, problem) from problem
        self._looked = self._time.look()
        if not block.size:
            return block, np.zeros(0)
        self._heard = self._looked
        times = np.full(block.shape[1], self._looked)
        if self._board.time_row is not None:
            times = self._time.local(block[self._board.time_row])
        if self._pairs is not None:
            block[self._board.count_row] = self._pairs.unfold(block[self._board.count_row])
        sound = self._packets.sound(block)
        return block[:, sound], times[sound]

    def _begin_anew(self) -> None:
        """Go on after the board has come back: what waited for its successor waits in vain."""
        self._heard = self._clock.now()
        self._packets.begin()
        self._whole.begin()
        self._left = self._left[0][:, :0], self._left[1][:0]
        if self._counts is not None:
            self._counts.doubt()

    def _place(self, block: _Row, read_times: _Row) -> list[Chunk]:
        """Return chunks without holes."""
        if self._counts is not None:
            block = np.concatenate((self._left[0], block), axis=1)
            read_times = np.concatenate((self._left[1], read_times))
            index, times = self._counts.push(block[self._board.count_row], read_times)
            self._left = block[:, index.size :], read_times[index.size :]
            block, index, times = self._whole.push(block[:, : index.size], index, times)
        else:
            index, times = self._holes.push(read_times, self._looked)
        data = np.ascontiguousarray(block[self._rows], dtype=np.float32)
        return [
            Chunk(int(index[run.start]), np.ascontiguousarray(data[:, run]), times[run], self._looked)
            for run in runs(index)
        ]

    def _release(self) -> None:
        link, self._link = self._link, None
        self._early = []
        if link is not None:
            link.release()
