"""An OpenBCI Ganglion behind a BLED112 dongle: Bluegiga's BGAPI on a serial port, byte for byte.

Source: Bluegiga's Bluetooth Smart API reference 1.3, OpenBCI's Ganglion data format (firmware 3, 18 bits) and
BrainFlow's driver. A packet is 20 bytes: its number (0 to 99), two samples of four 18-bit values, and one
byte of acceleration in three of ten packets.
"""

import struct
from collections.abc import Mapping, Sequence

from tests.peers.serial_board import Fault, SerialBoard

SFREQ = 200
UV_PER_COUNT = 1.2 / (2**23 - 1) / 1.5 / 51 * 1e6 * 64  # of the 18 bits that are sent of 24
CHANNEL_STEP = 2**14  # counts between channels
ADDRESS = "c1:02:03:04:05:06"
_SENDER = bytes.fromhex(ADDRESS.replace(":", ""))[::-1]
_NAME = b"Ganglion 1.3-a1b2\x00\x00"
_RECEIVE, _CLIENT, _SEND = 0x19, 0x1A, 0x1C
_CHARACTERISTIC = "2d30c08{}-f39f-4ce6-923f-3484ea480596"
_CONNECTION, _CLIENT_CLASS, _GAP = 3, 4, 6


def _message(kind: int, group: int, command: int, payload: bytes) -> bytes:
    return bytes([kind, len(payload), group, command]) + payload


def _event(group: int, command: int, payload: bytes) -> bytes:
    return _message(0x80, group, command, payload)


def _uuid(digit: int) -> bytes:
    return bytes.fromhex(_CHARACTERISTIC.format(digit).replace("-", ""))[::-1]


class Ganglion(SerialBoard):
    """A board whose every value is its own sample's index, plus 2**14 a channel; a slot is two samples."""

    def __init__(
        self,
        faults: Mapping[int, Fault] | None = None,
        out_of_reach: Sequence[range] = (),
        every_s: float = 0.004,
    ) -> None:
        super().__init__(SFREQ / 2, faults, out_of_reach, every_s)
        self._heard = b""

    def obey(self, commands: bytes) -> bytes:
        """Answer BGAPI commands with a response and the events that follow."""
        self._heard += commands
        answer = b""
        while len(self._heard) >= 4 and len(self._heard) >= 4 + self._heard[1]:
            size = 4 + self._heard[1]
            message, self._heard = self._heard[:size], self._heard[size:]
            answer += self._obey_one(message[2], message[3], message[4:])
        return answer

    def _obey_one(self, group: int, command: int, payload: bytes) -> bytes:
        if group == _GAP and command == 3:
            status = struct.pack("<BB6sBHHHB", 0, 1, _SENDER, 1, 76, 100, 0, 0xFF)
            return _message(0, group, command, b"\x00\x00\x00") + _event(_CONNECTION, 0, status)
        if group == _GAP:
            answer = _message(0, group, command, b"\x00\x00")
            scanned = bytes([20, 9]) + _NAME
            scan = struct.pack("<bB6sBBB", -50, 4, _SENDER, 1, 0xFF, len(scanned)) + scanned
            return answer + (_event(_GAP, 0, scan) if command == 2 else b"")
        if group == _CLIENT_CLASS:
            return _message(0, group, command, b"\x00\x00\x00") + self._attribute(command, payload)
        # a reset of the dongle is not answered
        return b""

    def _attribute(self, command: int, payload: bytes) -> bytes:
        done = _event(_CLIENT_CLASS, 1, struct.pack("<BHH", 0, 0, 0))
        if command == 1:
            group = struct.pack("<BHHB", 0, 0x17, 0x20, 2) + b"\x84\xfe"
            return _event(_CLIENT_CLASS, 2, group) + done
        if command == 3:
            found = ((_RECEIVE, _uuid(2)), (_CLIENT, b"\x02\x29"), (_SEND, _uuid(3)))
            events = (struct.pack("<BHB", 0, handle, len(uuid)) + uuid for handle, uuid in found)
            return b"".join(_event(_CLIENT_CLASS, 4, event) for event in events) + done
        if command == 5:
            (handle,) = struct.unpack("<H", payload[1:3])
            if handle == _SEND and payload[4:] == b"b":
                self.begin()
            elif handle == _SEND and payload[4:] == b"s":
                self.end()
            return done
        return b""

    def packet(self, slot: int, count: int) -> bytes:
        """Return the notification that carries a slot's two samples."""
        bits = 0
        for sample in (2 * slot, 2 * slot + 1):
            for channel in range(4):
                bits = bits << 18 | (sample + CHANNEL_STEP * channel)
        tilt = 16 + count % 7 if count % 10 < 3 else 0
        value = bytes([count % 100]) + bits.to_bytes(18, "big") + bytes([tilt])
        return _event(_CLIENT_CLASS, 5, struct.pack("<BHBB", 0, _RECEIVE, 1, len(value)) + value)
