"""The keys of a replay, in a real terminal."""

import contextlib
import fcntl
import os
import pty
import subprocess
import termios
import threading

import numpy as np
import pytest

from emod_rt import liblsl
from tests.emod_rt import programs
from tests.emod_rt.lsl_help import unique, until
from tests.emod_rt.recordings import NAMES, brainlike, write_xdf

LINE_MODE = 3  # where the attributes of a terminal keep it


@pytest.fixture
def terminal():
    """Both ends of a terminal; what is written to it is read away."""
    ours, theirs = pty.openpty()

    def drain():
        with contextlib.suppress(OSError):
            while os.read(ours, 4096):
                pass

    reader = threading.Thread(target=drain)
    reader.start()
    yield ours, theirs
    os.close(theirs)
    reader.join(5)
    os.close(ours)


@pytest.fixture
def played(tmp_path, terminal):
    """A replay of a minute in that terminal, and its reader: the first channel tells its own sample."""
    _, theirs = terminal
    data = brainlike(6, 60.0)
    data[0] = np.arange(data.shape[1]) / 100
    name = unique("keys")
    path = write_xdf(tmp_path / "a.xdf", 1e3 + np.arange(data.shape[1]) / 250, data, NAMES)
    before = termios.tcgetattr(theirs)
    program = subprocess.Popen(
        [str(programs.EMOD_RT), "replay", str(path), "--name", name],
        stdin=theirs, stdout=theirs, stderr=theirs, env=programs.environment(), start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    pylsl = liblsl.load()
    try:
        found = until(lambda: pylsl.resolve_byprop("name", name, 1, 0.5), 60.0)
        inlet = pylsl.StreamInlet(found[0], recover=False)
        inlet.open_stream(10.0)
        yield program, inlet
        assert program.wait(120) == 0
    finally:
        program.kill()
        program.wait()
    assert termios.tcgetattr(theirs) == before


def sample(inlet):
    """Number of the newest sample."""
    data, stamps = inlet.pull_chunk(0.2, 1024, min_samples=1, as_numpy=True)
    return round(float(data[-1, 0]) * 100) if len(stamps) else None


def test_arrows_seek_space_pauses_and_q_quits(terminal, played):
    ours, theirs = terminal
    _, inlet = played
    until(lambda: sample(inlet))
    assert not termios.tcgetattr(theirs)[LINE_MODE] & termios.ICANON
    os.write(ours, b"\x1b[C\x1b[C\x1b[C")
    reached = until(lambda: (at := sample(inlet)) and at > 7000 and at)
    os.write(ours, b"\x1bOD")
    until(lambda: (at := sample(inlet)) and at < reached - 1000)
    os.write(ours, b" ")
    until(lambda: sample(inlet) is None)
    os.write(ours, b" ")
    until(lambda: sample(inlet))
    os.write(ours, b"q")


def test_ctrl_c_ends_it_and_leaves_the_terminal_as_it_was(terminal, played):
    ours, _ = terminal
    _, inlet = played
    until(lambda: sample(inlet))
    os.write(ours, b"\x03")
