"""Fixtures that every package's tests share."""

import os
import signal
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import settings

# the same examples on every machine, every day; no clock decides a test
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")

# a lab network of our own: other programs' streams, and readers of ours, would decide tests
_FOLDER = tempfile.TemporaryDirectory(prefix="emod-lab-")
os.environ["LSLAPICFG"] = str(Path(_FOLDER.name, "lsl_api.cfg"))
Path(os.environ["LSLAPICFG"]).write_text(f"[lab]\nSessionID = {uuid.uuid4().hex}\n[log]\nlevel = -3\n")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings, or a skip that says what is missing."""
    folder = Path(os.environ.get("EMOD_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real recordings at {folder}; set EMOD_SHARED_DATA to their folder")
    return folder


@pytest.fixture(autouse=True, scope="session")
def untimely_signals_are_told() -> Iterator[None]:
    """Let a SIGTERM that comes while no test waits for it fail that test, not end the run without a word."""
    own = os.getpid()

    def untimely(number: int, _: FrameType | None) -> None:
        if os.getpid() != own:
            # a child that was forked and is told to end
            os._exit(128 + number)
        raise AssertionError(f"{signal.Signals(number).name} came while nobody waited for it")

    before = signal.signal(signal.SIGTERM, untimely)
    yield
    signal.signal(signal.SIGTERM, before)
