"""Whether anything grows with the hours: a day of signal through the real session, as fast as it goes.

    nice python benchmarks/long_run.py [--hours 24]

Everything is the live path's own: source thread, ring, conditioning, the shipped model, smoothing, the
recorder on a real file, markers typed and sent, the pictures that screens draw. Only waiting is skipped: the
clock is the machine's own, put forward to when the next samples are due, so latencies are real ones. The
headset loses samples, falls silent, is taken off for ten minutes, and has electrodes that come off or touch
a rail.

After each hour of signal: resident memory (after a collection), open files, threads, the latency of that
hour's windows, the processor time of each, and how busy the machine is. It fails, with exit code 1, when
after the first hour memory grows by more than 1 %, files or threads change, anything is lost on the way to
the disk, or the last hour's median latency exceeds 1.1 of the second hour's. Latency is judged only where no
other program competed for the processor in those two hours; its ratio is told in any case, and
`old_and_young.py` judges it on any machine.
"""

import argparse
import gc
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from emod_model.montage import CYTON
from emod_model.simulate import SimulatedPerson
from emod_rt.markers import Marker, MarkerStream
from emod_rt.session import Session
from emod_rt.sources.base import Chunk, Metadata, StreamInfo

SFREQ, HOP, CHUNK = 250.0, 125, 5
MINUTE = round(60 * SFREQ)
HOUR = 60 * MINUTE
RAIL_UV = 187_500.0
MARKER_S = 20
GROWTH, SLOWDOWN = 0.01, 1.1
PATIENCE_S = 60.0


class SkippingClock:
    """The machine's clock, put forward over every wait."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def now(self) -> float:
        """Return seconds, skipped ones counted."""
        return time.monotonic() + self._skipped

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Skip so many seconds."""
        self._skipped += max(seconds, 0.0)
        return stop.is_set()

    def forward(self, until: float) -> None:
        """Skip to a moment that is still to come."""
        self._skipped += max(until - self.now(), 0.0)


class Headset:
    """Eight electrodes with all that goes wrong in a day.

    What completes a window is used before more is handed over: a backlog would measure itself.
    """

    def __init__(self, hours: int, clock: SkippingClock) -> None:
        # ten minutes, over and over: what a person does in a day is not at issue
        self._signal = SimulatedPerson(7, CYTON, SFREQ).generate(10 * MINUTE).astype(np.float32) + 20_000
        self._clock = clock
        # a minute more, so that everything still runs when the last hour is looked at
        self._at, self._end = 0, hours * HOUR + MINUTE
        lost = [(at, 1 + at // MINUTE % 400, False) for at in range(2 * MINUTE + 77, self._end, 3 * MINUTE)]
        silent = [(at, round(5 * SFREQ), True) for at in range(5 * MINUTE, self._end, 20 * MINUTE)]
        off = [(at, 10 * MINUTE, True) for at in range(HOUR // 2 + 1, self._end, 6 * HOUR)]
        self._faults = deque(sorted(lost + silent + off))
        self._news = threading.Condition()
        self._estimated = -1
        self.stalled = threading.Event()
        self.sent = 0

    def open(self, wait_s: float) -> StreamInfo:  # noqa: ARG002 - the source's interface
        """Begin now."""
        self._began = self._clock.now()
        return StreamInfo("long run", SFREQ, tuple(CYTON), simulated=True)

    def close(self) -> None:
        """Nothing to release."""

    def estimated(self, index: int) -> None:
        """Take note that the window that ends with this sample is published."""
        with self._news:
            self._estimated = index
            self._news.notify()

    def read(self, timeout_s: float) -> list[Chunk] | None:  # noqa: ARG002 - the source's interface
        """Return the next samples once the window before them is done, and skip to when they are due."""
        if self._at % HOP == 0 and self._at:
            with self._news:
                if not self._news.wait_for(lambda: self._estimated >= self._at - 1, PATIENCE_S):
                    raise SystemExit(f"no estimate for the window that ends at sample {self._at - 1}")
        if self._faults and self._faults[0][0] <= self._at:
            _, lost, silent = self._faults.popleft()
            if silent:
                self.stalled.clear()
                self._clock.forward(self._clock.now() + 1.2)
                self.stalled.wait(PATIENCE_S)
            self._at += lost
        if self._at >= self._end:
            return None
        first, count = self._at, min(CHUNK, HOP - self._at % HOP)
        times = self._began + (first + 1 + np.arange(count)) / SFREQ
        self._clock.forward(times[-1])
        self._at += count
        self.sent += count
        return [Chunk(first, self._data(first, count), times, self._clock.now())]

    def _data(self, first: int, count: int) -> np.ndarray:
        at = first % self._signal.shape[1]
        data = self._signal[:, at : at + count].copy()
        minute, hour = first // MINUTE % 60, first // HOUR % 6
        if 10 <= minute < 15:
            data[2] = 20_000  # a lead that fell off
        if 20 <= minute < 22:
            data[5] = RAIL_UV
        if minute == 40:
            data[1:] = RAIL_UV  # the cap is adjusted
        if hour == 3:
            data[4] = 20_000
        return data


class Stimuli:
    """Another program that marks what it shows: a marker a second.

    Not over the network, where other programs of this machine would be heard as well.
    """

    dropped = 0

    def __init__(self, clock: SkippingClock) -> None:
        self._clock = clock
        self._stream = MarkerStream(Metadata("Stimuli", "Markers", "long-run"))
        self.sent = 0
        self._next = clock.now()

    def read(self) -> tuple[list[MarkerStream], list[Marker]]:
        """Return what was sent since the last time."""
        streams = [] if self.sent else [self._stream]
        due = max(int(self._clock.now() - self._next), 0)
        markers = [Marker(self._next + k, (f"stimulus/{k % 7}",), self._stream) for k in range(due)]
        self._next += due
        self.sent += due
        return streams, markers

    def close(self) -> None:
        """Nothing to let go of."""


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def state_of(hour: int, latencies_ms: np.ndarray, processor_s: float, began: float) -> dict[str, Any]:
    """Return one row of the table."""
    gc.collect()
    p50, p99 = np.percentile(latencies_ms, [50, 99]) if latencies_ms.size else (np.nan, np.nan)
    return {
        "hour": hour,
        "resident_mb": round(resident_mb(), 2),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "threads": threading.active_count(),
        "all_threads": len(list(Path("/proc/self/task").iterdir())),
        "numbers": int(latencies_ms.size),
        "p50_ms": round(float(p50), 3),
        "p99_ms": round(float(p99), 3),
        "processor_ms": round(1000 * processor_s / max(latencies_ms.size, 1), 2),
        "load": round(os.getloadavg()[2], 1),
        "minutes": round((time.monotonic() - began) / 60, 1),
    }


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-4096, os.SEEK_END)
        return file.read()


def live(hours: int, path: Path, console: Console) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Run the session to its end; return a row an hour, and what came of it all."""
    clock = SkippingClock()
    headset = Headset(hours, clock)
    stimuli = Stimuli(clock)
    session = Session(headset, record=path, markers=lambda: stimuli, clock=clock)
    # written to, so that its memory is taken before the first look
    latencies, count = np.zeros(10_000), 0
    spent = time.process_time()
    rows: list[dict[str, Any]] = []
    began = time.monotonic()
    reasons: dict[str, int] = {}
    typed = marked = shown = 0
    with session:
        for estimate in session:
            headset.estimated(estimate.index)
            if estimate.reason == "stalled":
                headset.stalled.set()
            view = session.view()
            shown = max(shown, len(view.estimates), len(view.markers))
            if estimate.valid:
                latencies[count] = estimate.latency_ms
                count += 1
            else:
                reasons[str(estimate.reason)] = reasons.get(str(estimate.reason), 0) + 1
            if estimate.index // round(MARKER_S * SFREQ) > marked:
                marked = estimate.index // round(MARKER_S * SFREQ)
                typed += 1
                session.mark(f"typed {typed}")
            if (estimate.index + 1) // HOUR > len(rows):
                rows.append(state_of(len(rows) + 1, latencies[:count], time.process_time() - spent, began))
                console.print(
                    ", ".join(f"{name} {value}" for name, value in rows[-1].items()), soft_wrap=True
                )
                count, spent = 0, time.process_time()
    summary = session.summary()["summary"]
    summary.pop("gaps")
    written = re.findall(rb"<sample_count>(\d+)<", _tail(path))
    return rows, {
        "samples": summary["samples"],
        "sent": headset.sent,
        "recorded": int(written[0]),
        "recording_mb": round(path.stat().st_size / 1e6, 1),
        "lost_on_the_radio": summary["lost"],
        "windows": summary["windows"],
        "valid": summary["valid"],
        "skipped": summary["skipped"],
        "without_a_number": reasons,
        "markers": {"typed": typed, "sent": stimuli.sent, "recorded": sum(int(n) for n in written[2:])},
        "most_in_a_view": shown,
        "sink_notes": session.sink_notes(),
    }


def faults(rows: list[dict[str, Any]], came: dict[str, Any]) -> list[str]:
    """Return what is not as it should be."""
    warm, after = rows[0], rows[1:]
    found = [
        f"{name} went from {warm[name]} to {row[name]} in hour {row['hour']}"
        for name in ("files", "threads", "all_threads")
        for row in after
        if row[name] != warm[name]
    ]
    if came["growth"] > GROWTH:
        found.append(f"memory grew by {100 * came['growth']:.2f} %")
    if came["latency_judged"] and came["latency_ratio"] > SLOWDOWN:
        found.append(f"latency became {came['latency_ratio']:.2f} of what it was")
    markers = came["markers"]
    if markers["typed"] + markers["sent"] != markers["recorded"]:
        found.append("markers were lost on the way")
    if not came["sent"] == came["samples"] == came["recorded"] or came["skipped"] or came["sink_notes"]:
        found.append("something was lost on the way")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=int, default=24, help="of signal; three or more")
    hours = parser.parse_args().hours
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder:
        rows, came = live(hours, Path(folder) / "day.xdf", console)
    table = Table(title=f"{hours:g} hours of 8 channels at {SFREQ:g} Hz")
    for heading in rows[0]:
        table.add_column(heading.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console.print(table)
    warm = rows[0]["resident_mb"]
    came["growth"] = round(max(row["resident_mb"] for row in rows) / warm - 1, 5)
    second = rows[min(1, len(rows) - 1)]
    came["latency_ratio"] = round(rows[-1]["p50_ms"] / second["p50_ms"], 3)
    came["processor_ratio"] = round(rows[-1]["processor_ms"] / second["processor_ms"], 3)
    came["latency_judged"] = max(second["load"], rows[-1]["load"]) <= (os.cpu_count() or 1)
    found = faults(rows, came)
    if not came["latency_judged"]:
        console.print("latency was not judged: other programs kept the machine busy", style="yellow")
    for each in found:
        console.print(f"FAIL: {each}", style="bold red")
    verdict = "FAIL" if found else "PASS"
    print(json.dumps({"benchmark": "long_run", "hours": hours, "verdict": verdict, **came, "rows": rows}))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
