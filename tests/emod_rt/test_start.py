"""The way out of the program."""

import os
import subprocess
import sys
from pathlib import Path

# an object that only the interpreter's own end would take down, as torch's are
PROGRAM = """
import atexit, sys

class Heavy:
    def __del__(self):
        print("taken down")

sys.heavy = Heavy()
atexit.register(print, "left in order")
sys.argv = ["emod-rt", *sys.argv[1:]]
from emod_rt.start import main
main()
"""


def left(*words, stdout=subprocess.PIPE):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        # as a shell's user has it
        env={key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"},
        text=True,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=280,
    )


def test_the_program_ends_in_order_and_at_once_with_its_code():
    done = left("--help")
    assert done.returncode == 0, done.stderr
    assert "Real-time valence and arousal" in done.stdout
    assert done.stdout.endswith("left in order\n")
    refused = left("recover", "absent.xdf")
    assert refused.returncode == 3, refused.stderr
    assert refused.stdout == "left in order\n"
    assert refused.stderr.count("\n") == 1


def test_output_that_cannot_be_written_is_still_said():
    with Path("/dev/full").open("w") as full:
        done = left("no-such-command", stdout=full)
    assert done.returncode == 120
    assert "No space left on device" in done.stderr
