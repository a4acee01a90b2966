"""Recordings in the formats that other programs read."""

from emod_rt.export.write import Exported, export_recording

__all__ = ["Exported", "export_recording"]
