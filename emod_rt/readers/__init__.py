"""Readers of recordings in the formats users have."""

from emod_rt.readers.read import read_recording
from emod_rt.readers.recording import Recording

__all__ = ["Recording", "read_recording"]
