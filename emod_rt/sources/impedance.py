"""Electrode impedance of a Cyton, by the current that its own lead-off commands inject.

One electrode at a time: 6 nA at 31.25 Hz flow through it, and the voltage they make is measured. OpenBCI's
own software takes the spread of the whole signal for that voltage, so that EEG and mains add kilo-ohms to a
good electrode; here only what keeps the step of the current is counted.

Source: OpenBCI's Cyton board SDK page (commands z and d), the ADS1299 data sheet (31.25 Hz is the clock over
2**16), and OpenBCI_GUI for the current, taken as a sine of 6 nA, and the 2.2 kilo-ohm on the board.
"""

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from emod_model.errors import SourceError, UsageError
from emod_rt.clock import Clock
from emod_rt.sources.brainflow_board import Board, in_words, load

BOARDS = ("cyton", "cyton_daisy")
"""Boards that can measure."""

LEAD_OFF_A = 6e-9
SERIES_OHM = 2200.0
CYCLES_A_PACKET = 31.25 / 250.0
"""Both boards number 250 packets a second, a Daisy's samples every second one."""
FULL_SCALE_UV = 187_500.0
"""At the gain of 24 that the boards start with."""

_INPUTS = "12345678QWERTYUI"
_SETTLE_S, _MEASURE_S, _SILENT_S = 0.3, 1.0, 3.0
_POLL_S = 0.02
_DRAIN_S = 0.2
_TRIES = 3
_RESTORED = "default"


@dataclass(frozen=True)
class Streaming:
    """A board that streams.

    Attributes
    ----------
    shim : BoardShim
        BrainFlow's session.
    board : Board
        What it is.
    buffer : int
        Samples that BrainFlow keeps.
    clock : Clock
        Time.
    called_off : threading.Event
        Set when the board is no longer wanted.
    """

    shim: Any
    board: Board
    buffer: int
    clock: Clock
    called_off: threading.Event


def measure(
    streaming: Streaming, rows: Sequence[int], channels: Sequence[str], tell: Callable[[str], None]
) -> tuple[float | None, ...]:
    """Measure each electrode for about a second, then put the board back to its defaults.

    Parameters
    ----------
    streaming : Streaming
        The board; afterwards it streams anew, and nothing of the measurement is left in it.
    rows : sequence of int
        BrainFlow's rows of the electrodes.
    channels : sequence of str
        Their names, for `tell`.
    tell : callable
        Gets one sentence before each electrode.

    Returns
    -------
    tuple of (float or None)
        Kilo-ohm; None for an electrode that hangs in the air or sends nothing.

    Raises
    ------
    SourceError
        The board went silent or does not confirm its defaults, or the wait was called off.
    """
    fault = load().BrainFlowError
    try:
        found = _measure_each(streaming, rows, channels, tell)
        _restore(streaming)
        streaming.shim.start_stream(streaming.buffer)
    except fault as problem:
        raise in_words(streaming.board.name, problem) from problem
    return tuple(found)


def _measure_each(
    streaming: Streaming, rows: Sequence[int], channels: Sequence[str], tell: Callable[[str], None]
) -> list[float | None]:
    """Measure one electrode after the other; whatever breaks that off, the current is switched off."""
    found = []
    try:
        for number, (row, name) in enumerate(zip(rows, channels, strict=True), start=1):
            tell(f"Measuring the impedance of {name}, {number} of {len(rows)}.")
            found.append(_measure_one(streaming, row))
    except BaseException:
        with contextlib.suppress(load().BrainFlowError, SourceError):
            _restore(streaming)
        raise
    return found


def require_lead_off(board: str) -> None:
    """Return if a board has lead-off commands.

    Raises
    ------
    UsageError
        It has none.
    """
    if board not in BOARDS:
        raise UsageError(
            f"brainflow:{board} cannot measure impedance; leave --impedance out, "
            f"or use {' or '.join(f'brainflow:{name}' for name in BOARDS)}"
        )


def impedance_kohm(
    signal: npt.NDArray[np.float64], counts: npt.NDArray[np.float64], passed: float
) -> float | None:
    """Return the impedance behind a signal that the lead-off current made.

    Parameters
    ----------
    signal : numpy.ndarray, shape (samples,)
        Raw microvolts.
    counts : numpy.ndarray, shape (samples,)
        Packet number of each; the current turns once in 8 packets, so a lost one shifts nothing.
    passed : float
        Share of the current's amplitude that the board's averaging lets through.

    Returns
    -------
    float or None
        Kilo-ohm, 0 at least; None where the signal is flat or at the converter's end.
    """
    if np.abs(signal).max() >= 0.999 * FULL_SCALE_UV or np.ptp(signal) == 0:
        return None
    phase = 2 * np.pi * CYCLES_A_PACKET * counts
    along = np.linspace(-1, 1, signal.size)
    # tapered, so that drift and EEG far from the current's frequency do not leak into it
    taper = np.hanning(signal.size + 2)[1:-1, None]
    design = np.stack([np.cos(phase), np.sin(phase), np.ones_like(along), along, along**2], axis=1)
    weights = np.linalg.lstsq(design * taper, signal * taper[:, 0])[0]
    volts = 1e-6 * float(np.hypot(*weights[:2])) / passed
    return max(volts / LEAD_OFF_A - SERIES_OHM, 0.0) / 1000


def in_one_sentence(channels: Sequence[str], kohm: Sequence[float | None]) -> str:
    """Return "impedance in kilo-ohm: Fp1 5.1, Fp2 open"."""
    told = (
        f"{name} {'open' if value is None else f'{value:.3g}' if value < 1000 else f'{value:.0f}'}"
        for name, value in zip(channels, kohm, strict=True)
    )
    return f"impedance in kilo-ohm: {', '.join(told)}"


def _measure_one(streaming: Streaming, row: int) -> float | None:
    """Switch the current on, let it settle, take a second of it, switch it off."""
    board = streaming.board
    place = _INPUTS[board.eeg_rows.index(row)]
    streaming.shim.config_board(f"z{place}01Z")
    _take(streaming, round(_SETTLE_S * board.sfreq))
    block = _take(streaming, round(_MEASURE_S * board.sfreq))
    streaming.shim.config_board(f"z{place}00Z")
    assert board.count_row is not None
    # each of a Daisy's values is the mean of two conversions
    passed = float(np.cos(np.pi * CYCLES_A_PACKET)) if board.name == "cyton_daisy" else 1.0
    return impedance_kohm(block[row], block[board.count_row], passed)


def _take(streaming: Streaming, samples: int) -> npt.NDArray[np.float64]:
    """Wait for so many new samples."""
    board, clock = streaming.board, streaming.clock
    streaming.shim.get_board_data()
    blocks: list[npt.NDArray[np.float64]] = []
    taken, deadline = 0, clock.now() + samples / board.sfreq + _SILENT_S
    while taken < samples:
        clock.wait(_POLL_S, streaming.called_off)
        if streaming.called_off.is_set():
            raise SourceError(
                f"the wait for brainflow:{board.name} was called off; start again when it is ready"
            )
        blocks.append(np.asarray(streaming.shim.get_board_data()))
        taken += blocks[-1].shape[1]
        if clock.now() > deadline:
            raise SourceError(
                f"brainflow:{board.name} went silent while its impedance was measured; "
                "check its battery and its distance, then start again"
            )
    return np.concatenate(blocks, axis=1)[:, :samples]


def _restore(streaming: Streaming) -> None:
    """Stop the stream and set every channel to its default, until the board says that it did."""
    shim = streaming.shim
    shim.stop_stream()
    for _ in range(_TRIES):
        # what was still on its way when the stream stopped would stand before the answer
        streaming.clock.wait(_DRAIN_S, threading.Event())
        with contextlib.suppress(UnicodeDecodeError):
            if _RESTORED in shim.config_board("d"):
                return
    raise SourceError(
        "the board does not confirm that its lead-off current is off; switch it off and on, then start again"
    )
