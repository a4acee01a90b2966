"""How well a board's samples are timed, how fast a lost board is back, and what slips through where bytes go.

    python -m benchmarks.board_timing [--seconds 40] [--returns 5]

Boards on pseudo-terminals, byte for byte, through BrainFlow's own drivers; the dongle delivers every 50 ms.

- Timing: a Cyton whose crystal is 50 ppm fast. The board knows when it took each sample; the error is the
  difference to the time stamp, less its median, after 30 s. Jumps are looked for from the first sample on.
- Returns: the dongle is pulled and put back, and the board switched off and on; from the moment it is back
  to the arrival of the first sample. The board takes 0.65 s to reset, as its firmware does.
- Lost bytes: one to 32 bytes missing in every tenth packet, anywhere. Counted: samples handed on that are
  not what was sent, and samples lost beyond those of the packets hit and the ones after them, which the
  driver takes for their rest.
"""

import argparse
import json
import sys
import time
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from emod_rt.sources.base import Chunk
from emod_rt.sources.brainflow import BrainFlowSource
from tests.peers.cyton import CHANNEL_STEP, RESET_S, UV_PER_COUNT, Cyton, CytonDaisy
from tests.peers.serial_board import Fault, SerialBoard, cut

BURST_S, SETTLED_S = 0.05, 30.0
WITHIN_S, JUMP_S, BACK_S = 2e-3, 5e-3, 2.0


class Flow:
    """A source that is read as the program reads it."""

    def __init__(self, board: SerialBoard, kind: str) -> None:
        self._source = BrainFlowSource(kind, {"serial_port": board.port})
        began = time.monotonic()
        self._source.open(10.0)
        self.opened_s = time.monotonic() - began
        self._chunks: list[Chunk] = []

    def read(self, seconds: float) -> None:
        """Read for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._chunks += self._source.read(0.05) or []

    def silence_s(self) -> float:
        """Read until samples come again after a silence; return when they did."""
        heard = time.monotonic()
        while True:
            chunks = self._source.read(0.02) or []
            if chunks and time.monotonic() - heard > 0.5:
                return time.monotonic()
            if chunks:
                heard = time.monotonic()

    def end(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Close; return index, time stamps, and the sample's own index in each channel."""
        self._source.close()
        index = np.concatenate([c.first_index + np.arange(c.times.size) for c in self._chunks])
        times = np.concatenate([c.times for c in self._chunks])
        data = np.concatenate([c.data for c in self._chunks], axis=1)
        counts = np.round(data / np.float32(UV_PER_COUNT)).astype(int)
        return index, times, counts - CHANNEL_STEP * np.arange(len(counts))[:, None]


def timing(kind: type[Cyton], name: str, seconds: float) -> dict[str, Any]:
    """Return the errors of the time stamps, ms."""
    with kind(every_s=BURST_S, sfreq=250 * (1 + 50e-6)) as board:
        flow = Flow(board, name)
        flow.read(seconds)
        index, times, values = flow.end()
        last = 2 * values[0] + 1 if kind is CytonDaisy else values[0]
        late = times - np.array([board.time_of(slot) for slot in last])
    settled = late[times > times[0] + SETTLED_S]
    off = np.abs(settled - np.median(settled))
    return {
        "board": name,
        "samples": index.size,
        "lost": int(index[-1] + 1 - index.size),
        "error_max_ms": round(1e3 * float(off.max()), 3),
        "error_p50_ms": round(1e3 * float(np.median(off)), 3),
        "jump_ms": round(1e3 * float(np.abs(np.diff(late)).max()), 3),
        "step_min_ms": round(1e3 * float(np.diff(times).min()), 3),
        "delay_ms": round(1e3 * float(np.median(settled)), 3),
    }


def returns(what: str, away_s: float) -> tuple[float, float]:
    """Return how long the first connection took and how long after its return a board is heard, s."""
    with Cyton(every_s=BURST_S, reset_s=RESET_S) as board:
        flow = Flow(board, "cyton")
        flow.read(0.5)
        away, back = {
            "dongle pulled": (board.unplug, board.replug),
            "board switched off": (board.switch_off, board.switch_on),
        }[what]
        came: list[float] = []

        def come_back() -> None:
            back()
            came.append(time.monotonic())

        board.at[board.slot + 1] = away
        board.at[board.slot + 1 + round(away_s * 250)] = come_back
        heard = flow.silence_s()
        flow.read(0.2)
        flow.end()
    return flow.opened_s, heard - came[0]


def lost_bytes(kind: type[Cyton], name: str, seconds: float) -> dict[str, Any]:
    """Return what slips through where bytes are lost."""
    rng = np.random.default_rng(1)
    slots = np.arange(200, round((seconds - 1) * 250), 10)
    faults: dict[int, Fault] = {}
    for slot in slots.tolist():
        count = int(rng.integers(1, 33))
        faults |= cut(slot, int(rng.integers(0, 34 - count)), count)
    eeg = rng.normal(0, 30_000, (kind.channels, 50_000)) / 30 + 1e4 * rng.normal(size=(kind.channels, 1))
    with kind(eeg, faults=faults, every_s=BURST_S) as board:
        flow = Flow(board, name)
        flow.read(seconds)
        index, _, _ = flow.end()
        data = np.concatenate([c.data for c in flow._chunks], axis=1)
    sent = np.round(eeg[:, index] / UV_PER_COUNT)
    wrong = np.any(np.abs(np.round(data / UV_PER_COUNT) - sent) > 1, axis=0)
    per_sample = 2 if kind is CytonDaisy else 1
    hit = np.unique(np.concatenate((slots // per_sample, (slots + 1) // per_sample)))
    hit = hit[hit < index[-1]]
    gone = np.setdiff1d(np.arange(index[-1]), index)
    return {
        "board": name,
        "packets_cut": slots.size,
        "samples": index.size,
        "wrong_passed": int(wrong.sum()),
        "lost": gone.size,
        "lost_beyond": int(np.setdiff1d(gone, hit).size),
    }


def show(console: Console, title: str, rows: list[dict[str, Any]]) -> None:
    """Print a table."""
    table = Table(title=title)
    for heading in rows[0]:
        table.add_column(heading.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=40.0, help="of each stream; more than 30")
    parser.add_argument("--returns", type=int, default=5, help="how often each kind of return is tried")
    options = parser.parse_args()
    console = Console(width=120)
    timed = [timing(Cyton, "cyton", options.seconds), timing(CytonDaisy, "cyton_daisy", options.seconds)]
    back = []
    for what in ("dongle pulled", "board switched off"):
        both = np.array([returns(what, 1.0 + 0.73 * turn) for turn in range(options.returns)])
        back.append(
            {
                "what": what,
                "tries": options.returns,
                "first_connection_s": round(float(both[:, 0].max()), 2),
                "back_median_s": round(float(np.median(both[:, 1])), 2),
                "back_most_s": round(float(both[:, 1].max()), 2),
            }
        )
    cuts = [
        lost_bytes(Cyton, "cyton", options.seconds),
        lost_bytes(CytonDaisy, "cyton_daisy", options.seconds),
    ]
    show(console, "Time stamps against the board's own clock, bursts of 50 ms", timed)
    show(console, "Back after its return", back)
    show(console, "Bytes lost inside packets", cuts)
    good = all(row["error_max_ms"] < 1e3 * WITHIN_S and row["jump_ms"] < 1e3 * JUMP_S for row in timed)
    good &= all(row["step_min_ms"] > 0 and row["lost"] == 0 for row in timed)
    good &= all(row["back_most_s"] < BACK_S for row in back) and not any(row["wrong_passed"] for row in cuts)
    verdict = "PASS" if good else "FAIL"
    told = {"benchmark": "board_timing", "verdict": verdict, "timing": timed, "returns": back, "cuts": cuts}
    print(json.dumps(told))
    sys.exit(not good)


if __name__ == "__main__":
    main()
