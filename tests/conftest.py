"""Fixtures that every package's tests share."""

import os
import tempfile
import uuid
from pathlib import Path

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
