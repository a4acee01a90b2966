"""Processor time of the live path beside MNE-LSL's, over the same LSL stream in the same run.

    python benchmarks/live_cost.py [--seconds 10]

Each reader is a process of its own that takes the stream's samples for a while and reports the
processor time that it spent on each second of signal. Two do the same task: receive, band-pass, notch,
and hand out the newest 3 s twice a second (MNE-LSL with `StreamLSL.filter`, `notch_filter` and
`get_data`; ours with holes, resampling, quality and reference besides). The third adds features and
the model.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
import uuid

import numpy as np
import pylsl
from rich.console import Console
from rich.table import Table

from emod_model.montage.names import PUBLISHED_NAMES

SFREQ = 250.0
PUSH = 10


def publish(name: str, channels: int, stop: threading.Event) -> None:
    info = pylsl.StreamInfo(name, "EEG", channels, SFREQ, "float32", name)
    described = info.desc().append_child("channels")
    for label in electrodes(channels):
        channel = described.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", "microvolts")
        channel.append_child_value("type", "eeg")
    outlet = pylsl.StreamOutlet(info, chunk_size=PUSH)
    rng = np.random.default_rng(0)
    block = (rng.standard_normal((5000, channels)) * 20).astype(np.float32)
    began, sent = time.monotonic(), 0
    while not stop.wait(0.01):
        due = int((time.monotonic() - began) * SFREQ) // PUSH * PUSH
        while sent < due:
            rows = np.arange(sent, sent + PUSH) % len(block)
            outlet.push_chunk(block[rows])
            sent += PUSH


def electrodes(count: int) -> list[str]:
    """Return `count` electrodes, each once."""
    return [name for name in PUBLISHED_NAMES if name not in {"T3", "T4", "T5", "T6", "A1", "A2"}][:count]


def read_ours(name: str, seconds: float, model: bool) -> float:
    from emod_model.checkpoint import default_checkpoint, load_checkpoint
    from emod_rt.clock import SystemClock
    from emod_rt.engine import Inference
    from emod_rt.pipeline import Pipeline
    from emod_rt.sources.lsl import LSLSource
    from emod_rt.torchscript import TorchScriptEngine

    engine = TorchScriptEngine(load_checkpoint(default_checkpoint()))
    engine.warm_up()
    if not model:
        engine.infer = lambda _eeg, names: Inference(np.zeros(2), np.ones(2), np.zeros((len(names), 5)))
    source = LSLSource(name)
    pipeline = Pipeline(engine, source.open(20.0), SystemClock())
    while pipeline.tally.valid == 0:
        list(pipeline.push(source.read(0.05) or []))
    spent, first, end = time.process_time(), pipeline.tally.samples, time.monotonic() + seconds
    while time.monotonic() < end:
        list(pipeline.push(source.read(0.05) or []))
    cost = (time.process_time() - spent) / ((pipeline.tally.samples - first) / SFREQ)
    source.close()
    return cost


def read_mne_lsl(name: str, seconds: float) -> float:
    from mne_lsl.stream import StreamLSL

    stream = StreamLSL(3.0, name=name).connect(acquisition_delay=0.05)
    stream.filter(1.0, 45.0, iir_params={"order": 2, "ftype": "butter", "output": "sos"})
    stream.notch_filter(50.0)
    stream.notch_filter(60.0)
    time.sleep(5.0)
    spent, end = time.process_time(), time.monotonic() + seconds
    while time.monotonic() < end:
        stream.get_data()
        time.sleep(0.5)
    cost = (time.process_time() - spent) / seconds
    stream.disconnect()
    return cost


def measure(what: str, channels: int, seconds: float) -> float:
    """Run one reader in a process of its own and return its cost."""
    name, stop = f"bench-{uuid.uuid4().hex[:8]}", threading.Event()
    sender = threading.Thread(target=publish, args=(name, channels, stop))
    sender.start()
    try:
        words = [sys.executable, __file__, "--reader", what, "--name", name, "--seconds", str(seconds)]
        output = subprocess.run(
            words, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
        )
    finally:
        stop.set()
        sender.join()
    return float(output.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--reader", choices=("ours", "ours-model", "mne-lsl"))
    parser.add_argument("--name", default="")
    arguments = parser.parse_args()
    if arguments.reader == "mne-lsl":
        print(read_mne_lsl(arguments.name, arguments.seconds))
        return
    if arguments.reader:
        print(read_ours(arguments.name, arguments.seconds, arguments.reader == "ours-model"))
        return
    rows = []
    for channels in (8, 32, 62):
        row = {w: 1000 * measure(w, channels, arguments.seconds) for w in ("ours", "mne-lsl", "ours-model")}
        rows.append({"channels": channels, **row, "ratio": row["ours"] / row["mne-lsl"]})
    table = Table(title="processor ms for each second of signal, 250 Hz, 3-s windows twice a second")
    for heading in ("channels", "ours", "MNE-LSL", "ours / MNE-LSL", "ours with model"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            str(row["channels"]),
            f"{row['ours']:.1f}",
            f"{row['mne-lsl']:.1f}",
            f"{row['ratio']:.2f}",
            f"{row['ours-model']:.1f}",
        )
    Console().print(table)
    print(json.dumps({"benchmark": "live_cost", "rows": rows}))


if __name__ == "__main__":
    main()
