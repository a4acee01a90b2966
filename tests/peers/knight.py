"""A NeuroPawn Knight on its serial port, byte for byte, with its channels switched on.

Source: the packet layout in BrainFlow's driver. A packet is 21 bytes: 0xA0, counter, eight 16-bit big-endian
counts, two bytes of lead-off state, 0xC0. It streams whenever it has power and takes no command to begin.
"""

from collections.abc import Mapping, Sequence

from tests.peers.serial_board import Fault, SerialBoard

SFREQ = 125
UV_PER_COUNT = 4 / 12 / (2**15 - 1) * 1e6
CHANNEL_STEP = 2**11  # counts between channels


class Knight(SerialBoard):
    """A board whose every count is its own sample's index, plus 2**11 a channel."""

    def __init__(
        self,
        faults: Mapping[int, Fault] | None = None,
        out_of_reach: Sequence[range] = (),
        every_s: float = 0.004,
    ) -> None:
        super().__init__(SFREQ, faults, out_of_reach, every_s)
        self.begin()

    def obey(self, commands: bytes) -> bytes:
        """Say nothing: the board answers no command that is used here."""
        return b""

    def packet(self, slot: int, count: int) -> bytes:
        """Return the 21 bytes of a slot."""
        counts = (slot + CHANNEL_STEP * channel for channel in range(8))
        eeg = b"".join(value.to_bytes(2, "big", signed=True) for value in counts)
        return bytes([0xA0, count % 256]) + eeg + b"\x00\x00\xc0"
