"""What a recording of a wide, fast stream loses in minutes, how its memory grows, and what it costs.

    python benchmarks/wide_recording.py [--channels 256 --rate 2048 --minutes 10]

A process of its own sends a real LSL stream whose every value is its own sample index (modulo 2^24, so that
single precision holds it); `emod-rt record` records it. Every sample and every time stamp is then read from
the file. Memory and processor time of the recorder are looked at every second; the first minute (a
third of a short run) counts as warm-up.
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pylsl
from rich.console import Console
from rich.table import Table

from emod_model.montage.names import table
from emod_rt.recording.xdf import SAMPLES

PUSH_S = 0.025
# the ring of 30 s fills, and so does what is allocated behind it
WARM_UP_S = 60.0
MODULO = 2**24


def send(name: str, channels: int, rate: float, seconds: float) -> None:
    """Send the stream to the first reader, then `seconds` of it and two more."""
    info = pylsl.StreamInfo(name, "EEG", channels, rate, "float32", name)
    described = info.desc().append_child("channels")
    for label in list(table())[:channels]:
        channel = described.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", "microvolts")
        channel.append_child_value("type", "EEG")
    outlet = pylsl.StreamOutlet(info)
    outlet.wait_for_consumers(60)
    size = round(PUSH_S * rate)
    began, sent, latest = pylsl.local_clock(), 0, 0.0
    while sent < (seconds + 2) * rate:
        time.sleep(max(0.0, began + (sent + size) / rate - pylsl.local_clock()))
        index = np.arange(sent, sent + size)
        latest = max(latest, pylsl.local_clock() - (began + (sent + size) / rate))
        outlet.push_chunk(
            np.repeat((index % MODULO).astype(np.float32)[:, None], channels, axis=1),
            (began + index / rate).tolist(),
        )
        sent += size
    print(json.dumps({"sent": sent, "latest_ms": 1000 * latest}))


def chunks(path: Path, channels: int) -> Iterator[npt.NDArray[np.void]]:
    """Yield the EEG samples of our own XDF file, chunk by chunk, in little memory."""
    record = np.dtype([("stamped", "u1"), ("time", "<f8"), ("values", "<f4", (channels,))])
    with path.open("rb") as file:
        file.seek(4)
        while head := file.read(7):
            _, length, tag = struct.unpack("<BIH", head)
            content = file.read(length - 2)
            if tag == SAMPLES and struct.unpack_from("<I", content)[0] == 1:
                yield np.frombuffer(content[9:], record)


def check(path: Path, channels: int, rate: float) -> dict[str, float]:
    """Count what is in the file, and what is not as it was sent."""
    samples = wrong = jumps = 0
    worst_step, last_time = 0.0, None
    for block in chunks(path, channels):
        expected = (np.arange(samples, samples + len(block)) % MODULO).astype(np.float32)
        wrong += int((block["values"] != expected[:, None]).any(axis=1).sum())
        times = block["time"] if last_time is None else np.concatenate([[last_time], block["time"]])
        steps = np.diff(times) * rate
        jumps += int((np.abs(steps - 1) > 0.5).sum())
        worst_step = max(worst_step, float(np.abs(steps - 1).max(initial=0)))
        last_time = float(block["time"][-1])
        samples += len(block)
    return {"samples": samples, "wrong": wrong, "time_jumps": jumps, "worst_step_samples": worst_step}


def watch(recorder: subprocess.Popen[str], seconds: float) -> tuple[list[tuple[float, float]], float]:
    """Return (s, MiB) each second while it records, and its processors in use over that time."""
    status, stat = Path(f"/proc/{recorder.pid}/status"), Path(f"/proc/{recorder.pid}/stat")
    tick, began = os.sysconf("SC_CLK_TCK"), time.monotonic()
    grown: list[tuple[float, float]] = []
    spent = [0.0]
    while recorder.poll() is None and time.monotonic() < began + seconds + 120:
        try:
            resident = next(
                line for line in status.read_text().splitlines() if line.startswith("VmRSS")
            ).split()[1]
            fields = stat.read_text().rpartition(")")[2].split()
        except (OSError, StopIteration):
            break
        grown.append((time.monotonic() - began, int(resident) / 1024))
        spent.append((int(fields[11]) + int(fields[12])) / tick)
        time.sleep(1.0)
    middle = len(spent) // 2
    return grown, (spent[-1] - spent[middle]) / max(grown[-1][0] - grown[middle - 1][0], 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, default=256)
    parser.add_argument("--rate", type=float, default=2048.0)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--folder", type=Path, help="Where the recording goes, and is deleted again.")
    parser.add_argument("--sender", default="")
    arguments = parser.parse_args()
    channels, rate, seconds = arguments.channels, arguments.rate, arguments.minutes * 60
    if arguments.sender:
        send(arguments.sender, channels, rate, seconds)
        return
    name = f"wide-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder) / "wide.xdf"
        words = [sys.executable, __file__, "--sender", name, *sys.argv[1:]]
        sender = subprocess.Popen(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        program = [str(Path(sys.executable).with_name("emod-rt")), "record", "--source", f"lsl:{name}"]
        recorder = subprocess.Popen(
            [*program, "--out", str(path), "--duration", str(seconds)], text=True, stderr=subprocess.PIPE
        )
        try:
            grown, processors = watch(recorder, seconds)
            _, said = recorder.communicate(timeout=30)
            if recorder.returncode != 0:
                raise SystemExit(f"the recorder failed: {said}")
            sent = json.loads(sender.communicate(timeout=30)[0].splitlines()[-1])
        finally:
            recorder.kill()
            sender.kill()
        found = check(path, channels, rate)
        size = path.stat().st_size
    warm = [mib for at, mib in grown if at > min(WARM_UP_S, seconds / 3)]
    times = np.array([at for at, _ in grown[-len(warm) :]])
    slope = float(np.polyfit(times, warm, 1)[0] * 60)
    result = {
        "channels": channels, "rate": rate, "expected": round(seconds * rate), **found, **sent,
        "mib_per_s": size / seconds / 2**20, "rss_mib_warm": warm[0], "rss_mib_end": warm[-1],
        "rss_mib_max": max(warm), "rss_mib_per_min": slope, "processors": processors,
    }  # fmt: skip
    table = Table(title=f"{channels} channels at {rate:g} Hz for {seconds:g} s", show_header=False)
    for key, value in result.items():
        table.add_row(key, f"{value:,.3f}" if isinstance(value, float) else f"{value:,}")
    Console().print(table)
    print(said.strip())
    print(json.dumps(result))


if __name__ == "__main__":
    main()
