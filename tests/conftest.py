"""Fixtures that every package's tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings, or a skip that says what is missing."""
    folder = Path(os.environ.get("EMOD_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real recordings at {folder}; set EMOD_SHARED_DATA to their folder")
    return folder
