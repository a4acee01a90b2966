"""Faults of senders and readers on LSL, many times each, on the real program.

    python benchmarks/lsl_faults.py [--restarts 20] [--jumps 20] [--stops 5] [--away 20]

Prints a table and, as its last line, a JSON object.

- restarts: a sender process is killed (SIGKILL) and started again after a pause of 1 to 4 s; measured from
  the new sender's first sample to its first sample read. With a source_id and without.
- stops: the sender is stopped (SIGSTOP) for 3 s and goes on; nothing may be lost or doubled.
- jumps: the sender's stamps jump by +-1 s, +1 h, -1 h, -10 s, +200,000 s; measured is the error of the times
  against the true clock, and what was called lost.
- away: `emod-rt run` itself is stopped for 20 s; what it skips, and that nothing is missing in its recording.
- quiet: the sender is killed under `emod-rt run`; how long until it says so.
- jitter: stamps made late at random, in and out of the hole detector.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

_FOLDER = tempfile.TemporaryDirectory(prefix="emod-lsl-")
os.environ["LSLAPICFG"] = str(Path(_FOLDER.name, "lsl_api.cfg"))
Path(os.environ["LSLAPICFG"]).write_text(f"[lab]\nSessionID = {uuid.uuid4().hex}\n[log]\nlevel = -3\n")

import numpy as np  # noqa: E402
import pyxdf  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from emod_rt import liblsl  # noqa: E402
from emod_rt.holes import HoleDetector  # noqa: E402
from emod_rt.sources.lsl import LSLSource  # noqa: E402

SENDER = Path(__file__).parents[1] / "tests" / "peers" / "lsl_sender.py"
EMOD_RT = Path(sys.executable).with_name("emod-rt")
RATE = 250.0
JUMPS = (1.0, -1.0, 3600.0, -3600.0, -10.0, 200_000.0)


class Sender:
    """A sender in a process of its own."""

    def __init__(self, name: str, source_id: str = "") -> None:
        words = [sys.executable, str(SENDER), name, "--source-id", source_id]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.began = float(self.process.stdout.readline())

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Reader:
    """Reads a source and remembers index, the sender's own count and time of each sample."""

    def __init__(self, source: LSLSource) -> None:
        self.source = source
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.longest = 0.0

    def read(self) -> bool:
        """Read once; whether anything came."""
        began = time.monotonic()
        chunks = self.source.read(0.05) or []
        self.longest = max(self.longest, time.monotonic() - began)
        for chunk in chunks:
            index = chunk.first_index + np.arange(chunk.times.size)
            self.parts.append((index, chunk.data[0].copy(), chunk.times))
        return bool(chunks)

    def read_for(self, seconds: float) -> None:
        """Read for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read()

    def all(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return index, count and time of every sample."""
        index, count, times = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        return index, count, times


def restarts(times: int, source_id: bool) -> dict[str, float]:
    name = uuid.uuid4().hex
    own = name if source_id else ""
    sender, source = Sender(name, own), LSLSource(name)
    source.open(10)
    reader, back, missed, error, hole_error, tail = Reader(source), [], [], [], [], []
    rng = np.random.default_rng(0)
    reader.read_for(0.5)
    for _ in range(times):
        sender.kill()
        reader.read_for(1.0 + 3.0 * rng.random())
        before = len(reader.parts)
        sender = Sender(name, own)
        while not reader.read():
            pass
        back.append(liblsl.load().local_clock() - sender.began)
        reader.read_for(0.3)
        index, count, stamps = (np.concatenate(part) for part in zip(*reader.parts[before:], strict=True))
        missed.append(float(count[0]))
        error.append(float(np.abs(stamps - sender.began - count / RATE).max()))
        last_index, _, last_time = (part[-1] for part in reader.parts[before - 1])
        hole_error.append(float(abs(index[0] - last_index - (stamps[0] - last_time) * RATE)))
        tail.append(float(np.count_nonzero(np.diff(count) != 1)))
    sender.kill()
    source.close()
    index, _, stamps = reader.all()
    assert np.all(np.diff(index) > 0)
    assert np.all(np.diff(stamps) > 0)
    return {
        "tried": times,
        "back_s_median": float(np.median(back)),
        "back_s_worst": float(np.max(back)),
        "first_samples_missed_worst": float(np.max(missed)),
        "time_error_ms_worst": 1000 * float(np.max(error)),
        "hole_error_samples_worst": float(np.max(hole_error)),
        "doubled_or_lost_after_return": float(np.sum(tail)),
        "longest_read_s": reader.longest,
    }


def stops(times: int) -> dict[str, float]:
    name = uuid.uuid4().hex
    sender, source = Sender(name, name), LSLSource(name)
    source.open(10)
    reader = Reader(source)
    for _ in range(times):
        reader.read_for(0.5)
        sender.process.send_signal(signal.SIGSTOP)
        reader.read_for(3.0)
        sender.process.send_signal(signal.SIGCONT)
    reader.read_for(1.0)
    sender.process.send_signal(signal.SIGSTOP)
    reader.read_for(1.5)
    began = time.monotonic()
    source.close()
    closing = time.monotonic() - began
    sender.kill()
    index, count, _ = reader.all()
    wrong = np.count_nonzero(np.diff(index) != 1) + np.count_nonzero(np.diff(count) != 1)
    return {
        "tried": times,
        "lost_or_doubled": float(wrong),
        "longest_read_s": reader.longest,
        "close_s": closing,
    }


def jumps(times: int) -> dict[str, float]:
    pylsl, name = liblsl.load(), uuid.uuid4().hex
    info = pylsl.StreamInfo(name, "EEG", 2, RATE, "float32", name)
    channels = info.desc().append_child("channels")
    for label in ("C3", "C4"):
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", "microvolts")
    outlet, source = pylsl.StreamOutlet(info), LSLSource(name)
    sent, begin, shift = 0, pylsl.local_clock(), 0.0

    def send() -> None:
        nonlocal sent
        due = int((pylsl.local_clock() - begin) * RATE)
        if due > sent:
            stamps = [begin + n / RATE + shift for n in range(sent, due)]
            outlet.push_chunk([[float(n)] * 2 for n in range(sent, due)], stamps)
            sent = due

    over = threading.Event()

    def keep_sending() -> None:
        while not over.is_set():
            send()
            time.sleep(0.02)

    thread = threading.Thread(target=keep_sending)
    thread.start()
    source.open(10)
    reader = Reader(source)
    reader.read_for(1.5)
    for turn in range(times):
        shift += JUMPS[turn % len(JUMPS)]
        reader.read_for(1.5)
    over.set()
    thread.join()
    reader.read_for(0.3)
    source.close()
    index, count, stamps = reader.all()
    assert np.all(np.diff(stamps) > 0)
    true = begin + count / RATE
    return {
        "tried": times,
        "samples_missing": float(np.count_nonzero(np.diff(count) != 1)),
        "seams": float(np.count_nonzero(np.diff(index) != 1)),
        "called_lost_per_jump": float((index[-1] - index[0] - (index.size - 1)) / times),
        "time_error_ms_per_jump": 1000 * float(np.abs(stamps - true).max()) / times,
        "backward_steps": float(np.count_nonzero(np.diff(stamps) <= 0)),
    }


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def away(seconds: float) -> dict[str, object]:
    name, folder = uuid.uuid4().hex, Path(_FOLDER.name)
    sender = Sender(name, name)
    said, tape = folder / f"{name}.jsonl", folder / f"{name}.xdf"
    length = 8 + seconds
    words = ["run", "--source", f"lsl:{name}", "--headless", "--duration", f"{length:g}"]
    program = subprocess.Popen(
        [str(EMOD_RT), *words, "--jsonl", str(said), "--record", str(tape)],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    while len(lines(said)) < 4:
        time.sleep(0.1)
    program.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    program.send_signal(signal.SIGCONT)
    resumed = time.time()
    told = len(lines(said))
    while len(lines(said)) == told:
        time.sleep(0.005)
    first = time.time() - resumed
    program.wait()
    sender.kill()
    summary = lines(said)[-1]["summary"]
    assert isinstance(summary, dict)
    stream = next(
        s for s in pyxdf.load_xdf(tape, dejitter_timestamps=False)[0] if s["info"]["type"][0] == "EEG"
    )
    counts = stream["time_series"][:, 0]
    return {
        "away_s": seconds,
        "exit_code": program.returncode,
        "windows_skipped": summary["skipped"],
        "samples_lost": summary["lost"],
        "missing_in_recording": int(np.count_nonzero(np.diff(counts) != 1)),
        "first_line_after_s": first,
    }


def quiet(times: int) -> dict[str, object]:
    name, said = uuid.uuid4().hex, Path(_FOLDER.name, "quiet.jsonl")
    sender = Sender(name, name)
    program = subprocess.Popen(
        [str(EMOD_RT), "run", "--source", f"lsl:{name}", "--headless", "--jsonl", str(said)],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    told, back = [], []
    while len(lines(said)) < 4:
        time.sleep(0.1)
    for turn in range(times):
        sender.kill()
        killed = time.monotonic()
        while lines(said)[-1]["reason"] != "stalled":
            time.sleep(0.005)
        told.append(time.monotonic() - killed)
        time.sleep(1.0 + turn % 3)
        length = len(lines(said))
        sender = Sender(name, name)
        while len(lines(said)) == length:
            time.sleep(0.005)
        back.append(liblsl.load().local_clock() - sender.began)
        time.sleep(2.0)
    program.send_signal(signal.SIGINT)
    program.wait()
    sender.kill()
    reasons = [line["reason"] for line in lines(said)[:-1]]
    return {
        "tried": times,
        "exit_code": program.returncode,
        "said_after_s_worst": max(told),
        "first_window_after_s_worst": max(back),
        "windows_gap": reasons.count("gap"),
        "windows_settling": reasons.count("settling"),
    }


def jitter(sizes: tuple[float, ...] = (1.0, 5.0, 15.0)) -> list[dict[str, float]]:
    rows = []
    for late_ms in sizes:
        rng = np.random.default_rng(0)
        true = np.arange(30_000) / RATE
        stamps = true + np.repeat(1e-3 * late_ms * rng.random(3000), 10)
        detector = HoleDetector(RATE)
        times = np.concatenate([detector.push(part)[1] for part in np.split(stamps, 3000)])
        late = slice(5000, None)
        rows.append(
            {
                "late_ms": late_ms,
                "in_ms": 1000 * float(np.diff(stamps[late]).std()),
                "out_ms": 1000 * float(np.diff(times[late]).std()),
                "out_worst_step_ms": 1000 * float(np.abs(np.diff(times[late]) - 1 / RATE).max()),
                "out_error_ms": 1000 * float(np.ptp(times[late] - true[late])),
                "lost": float(detector.lost),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--restarts", type=int, default=20)
    parser.add_argument("--jumps", type=int, default=20)
    parser.add_argument("--stops", type=int, default=5)
    parser.add_argument("--away", type=float, default=20.0)
    options = parser.parse_args()
    figures: dict[str, object] = {
        "restarts_with_source_id": restarts(options.restarts, True),
        "restarts_without_source_id": restarts(options.restarts, False),
        "stops": stops(options.stops),
        "jumps": jumps(options.jumps),
        "away": away(options.away),
        "quiet": quiet(max(1, options.restarts // 4)),
    }
    figures |= {f"jitter_{row['late_ms']:g}_ms": row for row in jitter()}
    table = Table("fault", "figure", "value", box=None)
    for fault, values in figures.items():
        assert isinstance(values, dict)
        for at, (key, value) in enumerate(values.items()):
            table.add_row(
                "" if at else fault, key, f"{value:.4g}" if isinstance(value, float) else str(value)
            )
    Console().print(table)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
