"""Markers typed in a real terminal, into the real program."""

import contextlib
import itertools
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import pyxdf

from emod_rt.cli.typed import Line
from tests.emod_rt.programs import EMOD_RT, environment

_PATIENCE_S = 120


@pytest.fixture
def line() -> tuple[Line, Iterator[float]]:
    return Line(), map(float, itertools.count())


def feed(line, keys: str) -> list[tuple[str, float | None]]:
    typed, clock = line
    return typed.feed(keys, lambda: next(clock))


def test_a_line_bears_the_time_of_its_first_key(line):
    assert feed(line, "eyes") == []
    assert feed(line, " open\r") == [("eyes open", 0.0)]
    assert feed(line, "2\n3\n") == [("2", 1.0), ("3", 2.0)]


def test_what_is_erased_takes_its_time_with_it(line):
    assert feed(line, "ab\x7f\x7f") == []
    assert feed(line, "c\r") == [("c", 1.0)]
    assert feed(line, "wrong\x15right\r") == [("right", 3.0)]
    assert feed(line, "wrong\x1b") == []
    assert feed(line, "x\r") == [("x", 5.0)]


def test_an_empty_line_marks_nothing_and_arrows_are_no_text(line):
    assert feed(line, "\r\n  \r") == []
    assert feed(line, "a\x1b[D\x1b[1;5Cb\x1bOA\tc\x00\r") == [("abc", 1.0)]


class Terminal:
    """A terminal of its own, with a program in it."""

    def __init__(self, *words: str, cwd: Path) -> None:
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.said = ""
        # a session of its own whose terminal this is, as a shell's window has
        begin = (
            "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
            "os.execv(sys.argv[1], sys.argv[1:])"
        )
        self.program = subprocess.Popen(
            [sys.executable, "-c", begin, *words],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            cwd=cwd,
            env=environment() | {"TERM": "xterm"},
        )

    def read(self, wait_s: float = 0.1) -> None:
        if select.select([self.master], [], [], wait_s)[0]:
            with contextlib.suppress(OSError):
                self.said += os.read(self.master, 65536).decode(errors="replace")

    def until(self, text: str) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while text not in self.said:
            assert time.monotonic() < deadline, f"{text!r} never came; it said {self.said[-2000:]}"
            assert self.program.poll() is None, f"it ended: {self.said[-2000:]}"
            self.read()

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def end(self) -> int:
        deadline = time.monotonic() + _PATIENCE_S
        while self.program.poll() is None:
            assert time.monotonic() < deadline, f"it does not end; it said {self.said[-2000:]}"
            self.read()
        # a terminal hands on a few kilobytes at a time
        while select.select([self.master], [], [], 0)[0]:
            self.read(0)
        return self.program.returncode

    def close(self) -> None:
        if self.program.poll() is None:
            self.program.kill()
            self.program.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal(tmp_path) -> Iterator[object]:
    opened: list[Terminal] = []

    def start(*words: str) -> Terminal:
        opened.append(Terminal(*words, cwd=tmp_path))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def typed_markers(path: Path) -> list[tuple[float, str]]:
    streams, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    (found,) = [each for each in streams if each["info"]["name"] == ["emod-rt-markers"]]
    return [(float(t), row[0]) for t, row in zip(found["time_stamps"], found["time_series"], strict=True)]


def end_by_key(shown: Terminal) -> None:
    shown.type("half a word\x03")


def end_by_signal(shown: Terminal) -> None:
    shown.program.send_signal(signal.SIGTERM)


@pytest.mark.parametrize(
    ("words", "end"),
    [
        (("run", "--source", "sim:3", "--headless", "--record", "s.xdf"), end_by_key),
        (("record", "--source", "sim:3", "--out", "s.xdf"), end_by_signal),
    ],
)
def test_a_typed_line_is_marked_at_its_first_key_and_the_terminal_is_given_back(
    terminal, tmp_path, words, end
):
    shown = terminal(str(EMOD_RT), *words)
    shown.until("marker: type and press Enter")
    before = time.monotonic()
    shown.type("e")
    shown.until("marker: e")
    after = time.monotonic()
    shown.type("yes\x7fs öpen\r")
    shown.until("s: eyes öpen")
    end(shown)
    assert shown.end() == 0, shown.said
    assert termios.tcgetattr(shown.slave) == shown.before
    assert "Traceback" not in shown.said
    ((t, text),) = typed_markers(tmp_path / "s.xdf")
    assert text == "eyes öpen"
    assert before <= t <= after


def test_a_run_that_ends_by_itself_leaves_the_terminal_and_what_was_half_typed_behind(terminal, tmp_path):
    shown = terminal(str(EMOD_RT), "record", "--source", "sim:3", "--out", "s.xdf", "--duration", "1")
    shown.until("marker: type and press Enter")
    shown.type("rm -r")
    assert shown.end() == 0, shown.said
    assert termios.tcgetattr(shown.slave) == shown.before
    assert not select.select([shown.slave], [], [], 0)[0], "nothing is left for the shell"


def test_a_job_in_the_background_is_never_stopped_for_reading(terminal, tmp_path):
    command = f"{EMOD_RT} record --source sim:3 --out s.xdf --duration 1 & wait $!; echo code $?"
    shown = terminal("/bin/bash", "-mc", command)
    shown.type("not for it\r" * 3)
    assert shown.end() == 0, shown.said
    assert "code 0" in shown.said, shown.said
    assert "marker:" not in shown.said
    assert (tmp_path / "s.xdf").stat().st_size > 8_000


def test_without_a_keyboard_nothing_is_read(tmp_path):
    record = f"{EMOD_RT} record --source sim:3 --duration 1"
    command = (
        f"{record} --out closed.xdf <&- & first=$!; {record} --out null.xdf </dev/null & second=$!; "
        f"echo hello | {record} --out pipe.xdf || exit; wait $first && wait $second"
    )
    done = subprocess.run(
        ["/bin/bash", "-c", command],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["closed.xdf", "null.xdf", "pipe.xdf"]
    assert "marker" not in done.stderr
    assert "Traceback" not in done.stderr
