"""Real LSL senders for tests, each under a name of its own."""

import contextlib
import subprocess
import sys
import time
import uuid
from pathlib import Path

import numpy as np

from emod_rt import liblsl

LABELS = ("Fp1", "Fp2", "C3", "C4")


def unique(stem):
    return f"{stem}-{uuid.uuid4().hex[:8]}"


def outlet(name, labels=LABELS, types=None, units="microvolts", sfreq=250.0, fmt="float32", **kw):
    """An outlet with described channels; `labels` as a number makes that many undescribed ones."""
    pylsl = liblsl.load()
    count = labels if isinstance(labels, int) else len(labels)
    source_id = kw.pop("source_id", name)
    info = pylsl.StreamInfo(name, kw.pop("type", "EEG"), count, sfreq, fmt, source_id)
    if not isinstance(labels, int):
        channels = info.desc().append_child("channels")
        for at, label in enumerate(labels):
            channel = channels.append_child("channel")
            channel.append_child_value("label", label)
            if units:
                channel.append_child_value("unit", units)
            channel.append_child_value("type", types[at] if types else "EEG")
    return pylsl.StreamOutlet(info)


def noise(n, channels=4, seed=0):
    return np.random.default_rng(seed).normal(0, 20, (n, channels)).astype(np.float32)


def until(condition, seconds=30.0):
    """Wait until `condition()` is true; its value, or an AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
    return value


SENDER = Path(__file__).parents[1] / "peers" / "lsl_sender.py"


@contextlib.contextmanager
def sender(name, *options):
    """A sender in a process of its own, already on the network; killed at the end."""
    program = subprocess.Popen(
        [sys.executable, str(SENDER), name, *options], stdout=subprocess.PIPE, text=True
    )
    try:
        program.began = float(program.stdout.readline())
        yield program
    finally:
        program.kill()
        program.wait()
        program.stdout.close()
