"""Runs the real program, as a user's shell does."""

import os
import subprocess
import sys
from pathlib import Path

EMOD_RT = Path(sys.executable).with_name("emod-rt")
TIMEOUT_S = 240


def environment() -> dict[str, str]:
    """A shell without a display."""
    screen = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    bare = {key: value for key, value in os.environ.items() if key not in screen}
    return bare | {"NO_COLOR": "1", "COLUMNS": "120"}


def start(*words: str, cwd: Path | None = None) -> subprocess.Popen[str]:
    """Start `emod-rt` with these arguments."""
    return subprocess.Popen(
        [str(EMOD_RT), *words],
        cwd=cwd,
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `emod-rt` to its end."""
    program = start(*words, cwd=cwd)
    try:
        out, err = program.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        program.kill()
        out, err = program.communicate()
        raise AssertionError(f"emod-rt {' '.join(words)} did not end; it said: {err}") from None
    return subprocess.CompletedProcess(words, program.returncode, out, err)
