"""An OpenBCI Cyton on a pseudo-terminal: what the dongle's serial port says, byte for byte.

Source: the Cyton data format page of OpenBCI's documentation. A packet is 33 bytes: 0xA0, counter,
eight 24-bit big-endian counts, three 16-bit accelerometer values, 0xC0.
"""

import os
import pty
import struct
import threading
import time
import tty
from types import TracebackType
from typing import Self

import numpy as np

SFREQ = 250
UV_PER_COUNT = 4.5 / 24 / (2**23 - 1) * 1e6
_BANNER = b"OpenBCI V3 8-16 channel\nADS1299 Device ID: 0x3E\nLIS3DH Device ID: 0x33\nFirmware: v3.1.2\n$$$"


class Cyton:
    """Streams EEG, microvolts, shape (8, samples), once told to with "b".

    Attributes
    ----------
    port : str
        What to give as `serial_port`.
    """

    def __init__(self, eeg: np.ndarray) -> None:
        self._counts = np.round(eeg / UV_PER_COUNT).astype(np.int64)
        self._master, self._slave = pty.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._stop = threading.Event()
        self._streaming = threading.Event()
        self._threads = [threading.Thread(target=self._answer), threading.Thread(target=self._stream)]

    def __enter__(self) -> Self:
        os.set_blocking(self._master, False)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        os.close(self._master)
        os.close(self._slave)

    def _answer(self) -> None:
        """Obey one-letter commands as the firmware does."""
        while not self._stop.wait(0.005):
            try:
                commands = os.read(self._master, 256)
            except BlockingIOError:
                continue
            for command in commands.decode("latin1"):
                if command == "v":
                    self._write(_BANNER)
                elif command == "b":
                    self._streaming.set()
                elif command == "s":
                    self._streaming.clear()
                elif command == "d":
                    self._write(b"updating channel settings to default$$$")

    def _stream(self) -> None:
        """Send packets at the true rate, by the clock."""
        sent, began = 0, 0.0
        while not self._stop.wait(0.004):
            if not self._streaming.is_set():
                sent, began = 0, time.monotonic()
                continue
            due = int((time.monotonic() - began) * SFREQ)
            self._write(b"".join(self._packet(number) for number in range(sent, due)))
            sent = max(sent, due)

    def _packet(self, number: int) -> bytes:
        counts = self._counts[:, number % self._counts.shape[1]]
        channels = b"".join(int(count).to_bytes(3, "big", signed=True) for count in counts)
        return bytes([0xA0, number % 256]) + channels + struct.pack(">hhh", 0, 0, 4096) + b"\xc0"

    def _write(self, data: bytes) -> None:
        while data and not self._stop.is_set():
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                self._stop.wait(0.002)
