"""What a recording loses when the program is killed at any instant, under load.

    python benchmarks/kill_soak.py [--kills 200] [--at-once 10] [--seed 1]

A process of its own sends a real LSL stream whose every value is its own sample index, and text markers that
name the sample they belong to. Real `emod-rt record` programs, and `emod-rt run --record` for every fifth,
record both; each gets SIGKILL at a random instant of its first five seconds, while another process writes
to the same disk without a pause. Every file is then opened in pyxdf as it is, and after `emod-rt recover`;
its values must be the sender's, in order and without a gap, and its last sample is held against the last
that the sender had sent at the instant of the kill.
"""

import argparse
import json
import logging
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pylsl
import pyxdf
from rich.console import Console
from rich.table import Table
from typer.testing import CliRunner

from emod_rt.cli import app

RATE, LABELS = 250.0, ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2")
MARK_EVERY = 25  # samples
LONGEST_S = 5.0
READY_S = 180.0
LOAD_BYTES = 2**25
PROGRAM = str(Path(sys.executable).with_name("emod-rt"))


def send(name: str, shared: Path) -> None:
    """Send samples and markers until killed; the number of samples sent so far stands in `shared`."""
    info = pylsl.StreamInfo(name, "EEG", len(LABELS), RATE, "float32", name)
    channels = info.desc().append_child("channels")
    for label in LABELS:
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", "microvolts")
    signal_out = pylsl.StreamOutlet(info)
    marks = pylsl.StreamOutlet(pylsl.StreamInfo(f"{name}-marks", "Markers", 1, 0, "string", f"{name}-marks"))
    began, sent = pylsl.local_clock(), 0
    with shared.open("r+b") as file, mmap.mmap(file.fileno(), 8) as count:
        while True:
            due = int((pylsl.local_clock() - began) * RATE)
            for index in range(sent, due):
                stamp = began + index / RATE
                signal_out.push_sample([float(index)] * len(LABELS), stamp)
                if index % MARK_EVERY == 0:
                    marks.push_sample([str(index)], stamp)
                count[:] = struct.pack("<q", index + 1)
            sent = due
            time.sleep(0.004)


def load_disk(folder: Path) -> None:
    """Write to the disk, and wait for it, until killed."""
    block = os.urandom(LOAD_BYTES)
    while True:
        with (folder / "load.tmp").open("wb") as file:
            file.write(block)
            os.fsync(file.fileno())


@dataclass
class Victim:
    """One recorder, its file, and what the sender had sent when it was killed."""

    program: subprocess.Popen[bytes]
    path: Path
    kill_at: float = 0.0
    sent: int = 0


def begin(name: str, folder: Path, number: int) -> Victim:
    path = folder / f"{number:04d}.xdf"
    words = ["record", "--out"] if number % 5 else ["run", "--headless", "--record"]
    with path.with_suffix(".said").open("wb") as said:
        program = subprocess.Popen(
            [PROGRAM, *words, str(path), "--source", f"lsl:{name}"], stdout=said, stderr=said
        )
    return Victim(program, path)


def kill_all(victims: list[Victim], shared: Path, dice: random.Random) -> None:
    """Kill each at its own instant after its first samples are on the disk."""
    deadline = time.monotonic() + READY_S
    waiting = {victim.path: victim for victim in victims}
    while waiting:
        now = time.monotonic()
        for path, victim in list(waiting.items()):
            if victim.program.poll() is not None or now > deadline:
                raise SystemExit(f"{path.name} did not record: {path.with_suffix('.said').read_text()}")
            if not victim.kill_at and path.exists() and path.stat().st_size > 10_000:
                victim.kill_at = now + dice.uniform(0.0, LONGEST_S)
            if victim.kill_at and now >= victim.kill_at:
                (victim.sent,) = struct.unpack("<q", shared.read_bytes())
                victim.program.send_signal(signal.SIGKILL)
                victim.program.wait()
                del waiting[path]
        time.sleep(0.001)


def opened(path: Path) -> list[dict[str, Any]] | None:
    """Return the streams as pyxdf reads them; None where it does not, or says that something is wrong."""
    said: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("pyxdf")
    log.addHandler(handler)
    try:
        streams, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    except Exception as error:  # noqa: BLE001 - whatever it stumbles on counts as not opened
        said.append(str(error))
        streams = []
    finally:
        log.removeHandler(handler)
    return None if said else streams


def judge(victim: Victim, name: str) -> dict[str, Any]:
    """Look at the file of a recorder that was killed."""
    as_it_is = opened(victim.path) is not None
    told = CliRunner().invoke(app, ["recover", str(victim.path), "--json"])
    if told.exit_code:
        return {"opens": as_it_is, "recovered": False}
    recovered = json.loads(told.stdout)
    streams = opened(Path(recovered["path"] or victim.path))
    if streams is None:
        return {"opens": as_it_is, "recovered": False}
    (eeg,) = [stream for stream in streams if stream["info"]["type"] == ["EEG"]]
    marks = [stream for stream in streams if stream["info"]["name"] == [f"{name}-marks"]]
    values, stamps = eeg["time_series"], eeg["time_stamps"]
    first, last = int(values[0, 0]), int(values[-1, 0])
    named = np.array([int(text) for stream in marks for (text,) in stream["time_series"]], int)
    times = np.concatenate([stream["time_stamps"] for stream in marks]) if marks else np.zeros(0)
    inside = named >= first
    off = np.abs(times[inside] - np.interp(named[inside], values[:, 0], stamps)) * RATE
    return {
        "opens": as_it_is,
        "recovered": True,
        "exact": bool((values == np.arange(first, last + 1)[:, None]).all() and (np.diff(stamps) > 0).all()),
        "marks_exact": bool((np.diff(named) == MARK_EVERY).all()),
        "marks": len(named),
        "mark_off_samples": float(off[named[inside] <= last].max(initial=0.0)),
        "lack_s": (victim.sent - 1 - last) / RATE,
        "mark_lack_s": (victim.sent - 1 - named[-1]) / RATE if len(named) else float("nan"),
        "bytes_dropped": recovered["bytes_dropped"],
        "seconds": (last - first + 1) / RATE,
    }


def soak(kills: int, at_once: int, seed: int, folder: Path) -> list[dict[str, Any]]:
    """Kill so many recorders; return what became of each."""
    name, dice, shared = f"soak-{uuid.uuid4().hex[:8]}", random.Random(seed), folder / "sent"
    shared.write_bytes(bytes(8))
    beside = [sys.executable, __file__, "--folder", str(folder)]
    helpers = [subprocess.Popen([*beside, "--role", role, "--name", name]) for role in ("send", "load")]
    found: list[dict[str, Any]] = []
    try:
        while len(found) < kills:
            numbers = range(len(found) + 1, min(len(found) + at_once, kills) + 1)
            victims = [begin(name, folder, number) for number in numbers]
            try:
                kill_all(victims, shared, dice)
            finally:
                for victim in victims:
                    victim.program.kill()
            found += [judge(victim, name) for victim in victims]
    finally:
        for helper in helpers:
            helper.kill()
            helper.wait()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--role", choices=("send", "load"))
    parser.add_argument("--name", default="")
    arguments = parser.parse_args()
    if arguments.role == "send":
        send(arguments.name, arguments.folder / "sent")
    if arguments.role == "load":
        load_disk(arguments.folder)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        found = soak(arguments.kills, arguments.at_once, arguments.seed, Path(folder))
    whole = [one for one in found if one["recovered"]]
    lacks = [one["lack_s"] for one in whole]
    mark_lacks = [one["mark_lack_s"] for one in whole if one["marks"]]
    result = {
        "kills": len(found),
        "opens_as_it_is": sum(one["opens"] for one in found),
        "opens_after_recover": len(whole),
        "values_exact": sum(one["exact"] for one in whole),
        "markers_exact": sum(one["marks_exact"] for one in whole),
        "with_markers": len(mark_lacks),
        "mark_off_samples_max": max(one["mark_off_samples"] for one in whole),
        "lack_s_p50": float(np.median(lacks)),
        "lack_s_max": max(lacks),
        "mark_lack_s_max": max(mark_lacks, default=float("nan")),
        "bytes_dropped_max": max(one["bytes_dropped"] for one in whole),
        "recorded_s_p50": float(np.median([one["seconds"] for one in whole])),
    }
    table = Table(title="Recorders killed at random instants, under load", show_header=False)
    for key, value in result.items():
        table.add_row(key, f"{value:.3f}" if isinstance(value, float) else str(value))
    Console().print(table)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
