"""An OpenBCI Cyton, with or without its Daisy: what the dongle's serial port says, byte for byte.

Source: the Cyton data format and SDK pages of OpenBCI's documentation, and the behaviour of its firmware
3.1.2. A packet is 33 bytes: 0xA0, counter, eight 24-bit big-endian counts, three 16-bit accelerometer values
(new ones at 25 Hz, zeros in between), 0xC0. The counter starts at 0 with every "b". With a Daisy even packets
carry channels 9 to 16 and odd ones 1 to 8.
"""

import math
import struct
import time
from collections.abc import Mapping, Sequence

import numpy as np

from tests.peers.serial_board import Fault, SerialBoard

SFREQ = 250
UV_PER_COUNT = 4.5 / 24 / (2**23 - 1) * 1e6
RESET_S = 0.65  # what "v" takes by the firmware's own delays
CHANNEL_STEP = 2**18  # counts between channels of a signal that counts its own samples
LEAD_OFF_A, LEAD_OFF_HZ, SERIES_OHM = 6e-9, 31.25, 2200.0
_GAINS = (1, 2, 4, 6, 8, 12, 24)
_LETTERS = "12345678QWERTYUI"
_OFF, _ON = "12345678qwertyui", "!@#$%^&*QWERTYUI"
_RATES = (16000, 8000, 4000, 2000, 1000, 500, 250)
_MODES = ("default", "debug", "analog", "digital", "marker")
_LENGTHS = {"x": 9, "z": 5, "~": 2, "/": 2}
_LONGEST_S = 1.0  # between the letters of one command
_UNHEARD = b"Failure: Communications timeout - Device failed to poll Host$$$"


class Cyton(SerialBoard):
    """A board that streams once told to with "b".

    Parameters
    ----------
    eeg : numpy.ndarray, shape (8, samples), optional
        Microvolts, from the first sample on and over again. None: every count is its own sample's index,
        plus 2**18 a channel.
    impedance_ohm : sequence of float, optional
        Of each electrode. "z" lets a current of 6 nA (sine of that amplitude, 31.25 Hz) flow through it and
        the board's own 2.2 kilo-ohm.
    reset_s : float
        What "v" takes, s; `RESET_S` on the real board.
    faults, out_of_reach, every_s, sfreq
        As for `SerialBoard`.
    """

    channels = 8

    def __init__(
        self,
        eeg: np.ndarray | None = None,
        impedance_ohm: Sequence[float] | None = None,
        reset_s: float = 0.0,
        faults: Mapping[int, Fault] | None = None,
        out_of_reach: Sequence[range] = (),
        every_s: float = 0.004,
        sfreq: float = SFREQ,
    ) -> None:
        super().__init__(sfreq, faults, out_of_reach, every_s)
        self._eeg = eeg
        self._ohm = np.zeros(self.channels) if impedance_ohm is None else np.array(impedance_ohm, float)
        self._reset_s = reset_s
        self._command = ""
        self._since = 0.0
        self._rate = 6
        self._mode = 0
        self._default()

    def _default(self) -> None:
        self._gain = np.full(self.channels, 24.0)
        self._on = np.ones(self.channels, bool)
        self._lead_off = np.zeros(self.channels, bool)

    @property
    def lead_off(self) -> list[int]:
        """Inputs, counted from 1, through which the lead-off current flows."""
        return (np.flatnonzero(self._lead_off) + 1).tolist()

    # -- commands

    def unheard(self, commands: bytes) -> bytes:
        """The dongle answers for a board that it cannot reach."""
        return _UNHEARD

    def obey(self, commands: bytes) -> bytes:
        """Answer as the firmware does; some commands are several letters long."""
        answer = ""
        for letter in commands.decode("latin1"):
            if self._command and time.monotonic() - self._since > _LONGEST_S:
                self._command = ""
                answer += (
                    "Timeout processing multi byte message - please send all commands at once as of v2$$$"
                )
            if not self._command:
                self._since = time.monotonic()
            self._command += letter
            if len(self._command) >= _LENGTHS.get(self._command[0], 1):
                command, self._command = self._command, ""
                answer += self._obey_one(command)
        return answer.encode("latin1")

    def _obey_one(self, command: str) -> str:
        letter = command[0]
        if letter == "b":
            self._rate = 6
            self.begin()
        elif letter == "s":
            self.end()
        elif letter == "v":
            return self._reset()
        elif letter == "d":
            self._default()
            return self._unless_streaming("updating channel settings to default$$$")
        elif letter == "D":
            return "060110$$$"
        elif letter == "C":
            return f"{self.channels}$$$"
        elif letter == "V":
            return "v3.1.2$$$"
        elif letter == "x":
            return self._set_channel(command)
        elif letter == "z":
            return self._set_lead_off(command)
        elif letter == "~":
            return self._set_rate(command[1])
        elif letter == "/":
            return self._set_mode(command[1])
        elif letter in _OFF[: self.channels] or letter in _ON[: self.channels]:
            at = (_ON + _OFF).index(letter) % 16
            self._on[at] = letter in _ON
        return ""

    def _unless_streaming(self, answer: str) -> str:
        return "" if self.streaming else answer

    def _reset(self) -> str:
        self.end()
        self._default()
        time.sleep(self._reset_s)
        daisy = "On Daisy ADS1299 Device ID: 0x3E\n" if self.channels == 16 else ""
        return (
            "OpenBCI V3 8-16 channel\nOn Board ADS1299 Device ID: 0x3E\n"
            + daisy
            + "LIS3DH Device ID: 0x33\nFirmware: v3.1.2\n$$$"
        )

    def _set_channel(self, command: str) -> str:
        at = _LETTERS.find(command[1])
        if command[8] != "X":
            return self._unless_streaming("Failure: Err: 9th char not X$$$")
        if 0 <= at < self.channels:
            self._on[at] = command[2] == "0"
            self._gain[at] = _GAINS[int(command[3])]
        return self._unless_streaming(f"Success: Channel set for {at + 1}$$$")

    def _set_lead_off(self, command: str) -> str:
        at = _LETTERS.find(command[1])
        if command[4] != "Z":
            return self._unless_streaming("Failure: Err: 5th char not Z$$$")
        if 0 <= at < self.channels:
            self._lead_off[at] = "1" in command[2:4]
        return self._unless_streaming(f"Success: Lead off set for {at + 1}$$$")

    def _set_rate(self, digit: str) -> str:
        if digit != "~":
            if not digit.isdigit():
                return self._unless_streaming("Failure: invalid sample value$$$")
            if int(digit) >= len(_RATES):
                return self._unless_streaming("Failure: sample value out of bounds$$$")
            self._rate = int(digit)
        return self._unless_streaming(f"Success: Sample rate is {_RATES[self._rate]}Hz$$$")

    def _set_mode(self, digit: str) -> str:
        if digit != "/":
            if not digit.isdigit():
                return "Failure: invalid board mode value.$$$"
            if int(digit) >= len(_MODES):
                return "Failure: board mode value out of bounds.$$$"
            self._mode = int(digit)
        return f"Success: {_MODES[self._mode]}$$$"

    # -- signal

    def packet(self, slot: int, count: int) -> bytes:
        """Return the 33 bytes of a slot."""
        return self._frame(count, self._counts(slot, slice(0, 8), LEAD_OFF_HZ / SFREQ))

    def _counts(self, sample: int, which: slice, cycles: float, passed: float = 1.0) -> np.ndarray:
        """Return what the converter reads; `cycles` of the lead-off current go into a sample."""
        if self._eeg is None:
            counts = sample + CHANNEL_STEP * np.arange(which.start, which.stop, dtype=float)
        else:
            counts = self._eeg[which, sample % self._eeg.shape[1]] / UV_PER_COUNT
        volts = LEAD_OFF_A * (self._ohm[which] + SERIES_OHM) * self._lead_off[which] * passed
        counts = counts + 1e6 * volts / UV_PER_COUNT * math.sin(2 * math.pi * cycles * sample)
        counts = np.round(counts * self._gain[which] / 24) * self._on[which]
        return np.clip(counts, -(2**23), 2**23 - 1).astype(np.int64)

    def _frame(self, count: int, counts: np.ndarray) -> bytes:
        eeg = b"".join(int(value).to_bytes(3, "big", signed=True) for value in counts)
        turn = 2 * math.pi * count / 1000
        tilt = (round(4000 * math.sin(turn)) | 1, round(4000 * math.cos(turn)), 8000)
        acceleration = struct.pack(">hhh", *(tilt if count % 10 == 0 else (0, 0, 0)))
        return bytes([0xA0, count % 256]) + eeg + acceleration + b"\xc0"


class CytonDaisy(Cyton):
    """A Cyton with its Daisy: two packets a sample, 125 samples a second, 16 channels.

    Slots are packets: sample n is slots 2n (channels 9 to 16) and 2n + 1 (channels 1 to 8).
    """

    channels = 16

    def packet(self, slot: int, count: int) -> bytes:
        """Return the 33 bytes of a slot: one half of a sample."""
        which = slice(0, 8) if count % 2 else slice(8, 16)
        # each value is the mean of two conversions, which weakens the lead-off signal by so much
        passed = math.cos(math.pi * LEAD_OFF_HZ / SFREQ)
        return self._frame(count, self._counts(slot // 2, which, 2 * LEAD_OFF_HZ / SFREQ, passed))

    def begin(self) -> None:
        """Start the stream, with its count from 0."""
        super().begin()
        # a sample's two halves share their number after a restart as well
        self.slot = self._base = self.slot + self.slot % 2
