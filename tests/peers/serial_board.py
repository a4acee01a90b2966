"""A board on a pseudo-terminal, byte for byte, with every fault of cable and radio on demand.

Slots are the beats of the board's own clock: slot n is taken at `time_of(n)`, whether it is sent, lost or
never made. Faults are given by slot, so a test can say exactly which samples must be missing.
"""

import errno
import math
import os
import pty
import tempfile
import threading
import time
import tty
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

Fault = Callable[[bytes], bytes]
_KERNEL_BUFFER = 65_536
_TICK_S = 0.004


def lost(first: int, count: int = 1) -> dict[int, Fault]:
    """Packets that never arrive."""
    return {slot: lambda packet: b"" for slot in range(first, first + count)}


def cut(slot: int, at: int, count: int = 1) -> dict[int, Fault]:
    """Bytes that are missing inside a packet."""
    return {slot: lambda packet: packet[:at] + packet[at + count :]}


def ended(slot: int, byte: int) -> dict[int, Fault]:
    """A packet whose end byte is another."""
    return {slot: lambda packet: packet[:-1] + bytes([byte])}


def twice(slot: int) -> dict[int, Fault]:
    """A packet that is delivered twice."""
    return {slot: lambda packet: packet + packet}


def stuck(slot: int, step: int = 1) -> dict[int, Fault]:
    """A packet that carries the number of the one before."""
    return {slot: lambda packet: packet[:1] + bytes([(packet[1] - step) % 256]) + packet[2:]}


class SerialBoard(ABC):
    """A board behind a dongle.

    Parameters
    ----------
    sfreq : float
        Packets a second by the board's own clock, Hz.
    faults : mapping of int to Fault
        What happens to the packet of a slot on its way.
    out_of_reach : sequence of range
        Slots during which the radio is dead: no packets, and no command gets through.
    every_s : float
        How often the dongle delivers, s; 0.05 gives bursts of 50 ms.

    Attributes
    ----------
    port : str
        What to give as `serial_port`: a link that `replug` points to the new terminal.
    at : dict of int to callable
        Called when the slot comes, as in ``board.at[500] = board.unplug``.
    slot : int
        The next slot.
    """

    def __init__(
        self,
        sfreq: float,
        faults: Mapping[int, Fault] | None = None,
        out_of_reach: Sequence[range] = (),
        every_s: float = _TICK_S,
    ) -> None:
        self.sfreq = sfreq
        self.at: dict[int, Callable[[], None]] = {}
        self.slot = 0
        self._faults = dict(faults or {})
        self._out_of_reach = out_of_reach
        self._every_s = every_s
        self._began = math.nan
        self._base = 0
        self._powered, self._streaming = True, False
        self._waiting = bytearray()
        self._master: int | None = None
        self._hosted = False
        self._folder = tempfile.TemporaryDirectory()
        self.port = str(Path(self._folder.name) / "ttyUSB0")
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self.replug()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self.unplug()
        self._folder.cleanup()

    # -- what a person does

    def unplug(self) -> None:
        """Pull the dongle: the port vanishes; the board itself does not notice."""
        with self._lock:
            if self._master is not None:
                os.close(self._master)
                Path(self.port).unlink()
            self._master, self._hosted = None, False
            self._waiting.clear()

    def replug(self) -> None:
        """Put the dongle back: a new terminal under the same name."""
        with self._lock:
            self._master, slave = pty.openpty()
            tty.setraw(slave)
            Path(self.port).symlink_to(os.ttyname(slave))
            # held by the host alone, so that its absence shows
            os.close(slave)
            os.set_blocking(self._master, False)

    def switch_off(self) -> None:
        """Switch the board off, with the dongle left in."""
        with self._lock:
            self._powered = self._streaming = False

    def switch_on(self) -> None:
        """Switch the board on; it waits for its commands."""
        with self._lock:
            self._powered = True

    # -- what a test asks

    def time_of(self, slot: float) -> float:
        """Return when a slot was taken, s, monotonic clock."""
        return self._began + (slot + 1) / self.sfreq

    # -- what a kind of board does

    @abstractmethod
    def packet(self, slot: int, count: int) -> bytes:
        """Return the packet of a slot that is the stream's `count`-th."""

    @abstractmethod
    def obey(self, commands: bytes) -> bytes:
        """Return the answer to commands."""

    def unheard(self, commands: bytes) -> bytes:
        """Return what the dongle itself says when the board cannot be reached."""
        return b""

    def begin(self) -> None:
        """Start the stream, with its count from 0."""
        if math.isnan(self._began):
            self._began = time.monotonic()
        self.slot = self._base = max(self.slot, self._due())
        self._streaming = True

    def end(self) -> None:
        """Stop the stream."""
        self._streaming = False

    @property
    def streaming(self) -> bool:
        """Whether the stream runs."""
        return self._streaming

    # -- the thread

    def _live(self) -> None:
        delivered = time.monotonic()
        while not self._stop.wait(_TICK_S if self._every_s >= _TICK_S else self._every_s):
            with self._lock:
                self._listen()
                self._make()
                if time.monotonic() >= delivered + self._every_s - 1e-3:
                    delivered = max(delivered + self._every_s, time.monotonic() - self._every_s)
                    self._deliver()

    def _due(self) -> int:
        if math.isnan(self._began):
            return 0
        return int((time.monotonic() - self._began) * self.sfreq)

    def _reached(self) -> bool:
        return self._powered and not any(self.slot in slots for slots in self._out_of_reach)

    def _listen(self) -> None:
        if self._master is None:
            return
        try:
            commands = os.read(self._master, 1024)
        except BlockingIOError:
            self._hosted = True
            return
        except OSError as problem:
            if problem.errno != errno.EIO:
                raise
            # no program has the port open
            self._hosted = False
            self._waiting.clear()
            return
        self._hosted = True
        answer = self.obey(commands) if self._reached() else self.unheard(commands)
        self._waiting += answer

    def _make(self) -> None:
        """Take the slots that are due."""
        due = self._due()
        while self.slot < due:
            slot = self.slot
            if slot in self.at:
                self.at.pop(slot)()
            if self._streaming and self._reached() and self._hosted:
                packet = self.packet(slot, slot - self._base)
                if slot in self._faults:
                    packet = self._faults[slot](packet)
                if len(self._waiting) < _KERNEL_BUFFER:
                    self._waiting += packet
            self.slot = slot + 1

    def _deliver(self) -> None:
        if self._master is None or not self._waiting:
            return
        try:
            written = os.write(self._master, self._waiting)
        except BlockingIOError:
            return
        del self._waiting[:written]
