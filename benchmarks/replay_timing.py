"""How well a replay keeps time: its streams against each other and against the clock.

    python benchmarks/replay_timing.py [--minutes 10] [--speed 1]

A recording as LabRecorder leaves it is written, read and replayed over real LSL by a process of its own:
eight channels at 250 Hz by an amplifier whose clock runs 100 ppm fast, and a marker twice a second by another
computer's clock. This process reads both streams as any LSL program does. Measured are the stamp of each
marker against that of the sample it was stamped beside when it was recorded, how much later against its
stamps the signal arrives in the last minute than in the first (drift), and how far apart a marker and its
sample arrive.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from emod_rt import liblsl  # noqa: E402
from tests.emod_rt import labrecorder  # noqa: E402 - the tests' files lie beside this folder

pylsl = liblsl.load()

SFREQ = 250.0
NAMES = ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2")
PPM = 100e-6
EVERY = 125


def record(folder: Path, minutes: float, name: str) -> tuple[Path, np.ndarray]:
    """Write the recording; return it and the samples that have a marker."""
    count = round(minutes * 60 * SFREQ)
    taken = 1000.0 + np.arange(count) / (SFREQ * (1 + PPM))
    values = np.random.default_rng(0).normal(0, 20, (count, 8)).astype(np.float32)
    marked = np.arange(EVERY // 2, count, EVERY)
    labels = "".join(f"<channel><label>{label}</label><unit>microvolts</unit></channel>" for label in NAMES)
    path = labrecorder.write(
        folder / "timed.xdf",
        [
            labrecorder.Sent(
                name, "EEG", "float32", SFREQ, taken - 5e5, values, 8,
                f"<desc><channels>{labels}</channels></desc>", offset=5e5,
            ),
            labrecorder.Sent(
                f"{name}-cues", "Markers", "int32", 0.0, taken[marked] + 9e4, marked, offset=-9e4
            ),
        ],
    )  # fmt: skip
    return path, marked


def connect(name: str) -> Any:
    inlet = pylsl.StreamInlet(pylsl.resolve_byprop("name", name, 1, 30.0)[0])
    inlet.open_stream(10.0)
    return inlet


def listen(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return row, stamp and arrival of every sample, and number, stamp and arrival of every marker."""
    marks, signal = connect(f"{name}-cues"), connect(name)
    samples: list[np.ndarray] = []
    markers: list[tuple[int, float, float]] = []
    counted, quiet = 0, time.monotonic()
    while time.monotonic() - quiet < 5.0:
        _, stamps = signal.pull_chunk(0.005, 4096, min_samples=1, as_numpy=True)
        now = pylsl.local_clock()
        if stamps.size:
            samples.append(
                np.array([np.arange(counted, counted + stamps.size), stamps, np.full(stamps.size, now)])
            )
            counted, quiet = counted + stamps.size, time.monotonic()
        value, stamp = marks.pull_sample(0.0)
        while value is not None:
            markers.append((int(value[0]), stamp, pylsl.local_clock()))
            value, stamp = marks.pull_sample(0.0)
    return (*np.concatenate(samples, axis=1), np.array(markers).T)


def measure(
    rows: np.ndarray, stamps: np.ndarray, arrival: np.ndarray, markers: np.ndarray, speed: float
) -> dict:
    """Return the figures, ms."""
    number, marker_stamps, marker_arrival = markers
    beside = number.astype(int)
    grid = stamps[0] + rows / SFREQ
    # the newest sample of each arrival is the one that has not waited for others
    newest = np.flatnonzero(np.diff(arrival, append=np.inf))
    due = stamps[0] + (stamps[newest] - stamps[0]) / speed
    late = arrival[newest] - due
    minute = late.size // max(round(rows.size / SFREQ / speed / 60), 2)
    return {
        "samples": int(rows.size),
        "markers": int(number.size),
        "marker_stamp_error_ms": float(np.abs(marker_stamps - stamps[beside]).max() * 1e3),
        "stamp_grid_error_ms": float(np.abs(stamps - grid).max() * 1e3),
        "drift_ms": float((np.median(late[-minute:]) - np.median(late[:minute])) * 1e3),
        "late_p50_ms": float(np.median(late) * 1e3),
        "late_p99_ms": float(np.quantile(late, 0.99) * 1e3),
        "marker_arrival_p50_ms": float(np.median(np.abs(marker_arrival - arrival[beside])) * 1e3),
        "marker_arrival_max_ms": float(np.abs(marker_arrival - arrival[beside]).max() * 1e3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--speed", type=float, default=1.0)
    arguments = parser.parse_args()
    name = f"timed-{time.time_ns():x}"
    with tempfile.TemporaryDirectory() as folder:
        path, marked = record(Path(folder), arguments.minutes * arguments.speed, name)
        program = Path(sys.executable).with_name("emod-rt")
        words = [str(program), "replay", str(path), "--speed", str(arguments.speed)]
        replay = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            rows, stamps, arrival, markers = listen(name)
        finally:
            replay.terminate()
            replay.wait()
    figures = measure(rows, stamps, arrival, markers, arguments.speed)
    figures["samples_lost"] = round(arguments.minutes * arguments.speed * 60 * SFREQ) - figures["samples"]
    figures["markers_lost"] = int(marked.size - figures["markers"])
    table = Table("replayed", f"{arguments.minutes:g} min at {arguments.speed:g}x")
    for key, value in figures.items():
        table.add_row(key, f"{value:,}" if isinstance(value, int) else f"{value:.3f}")
    Console().print(table)
    print(json.dumps({"minutes": arguments.minutes, "speed": arguments.speed, **figures}))


if __name__ == "__main__":
    main()
