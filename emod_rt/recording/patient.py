"""The recording of a session: a disk that takes no more is said at once, tried again, and ends nothing."""

from typing import Any

from emod_model.errors import UsageError
from emod_rt.clock import Clock
from emod_rt.recording.recorder import Recorded, Recorder
from emod_rt.sources.base import Chunk

_AGAIN_S = 1.0


class PatientRecorder:
    """A sink that goes on without the disk, and with it again once it takes data.

    Parameters
    ----------
    recorder : Recorder
        What writes.
    clock : Clock
        For when to try again.

    Attributes
    ----------
    notices : list of str
        One sentence each on what went wrong; grows.
    failed : bool
        The disk takes nothing now.
    """

    name = "recording"

    def __init__(self, recorder: Recorder, clock: Clock) -> None:
        self.recorder = recorder
        self.notices = recorder.notices
        self._clock = clock
        self.failed = False
        self._failures = self._missing = 0
        self._again = 0.0

    def push(self, item: Recorded) -> None:
        """Write one item, or leave it out while the disk takes nothing."""
        now = self._clock.now()
        if not self.failed or now >= self._again:
            try:
                self.recorder.push(item)
            except UsageError as error:
                self._again = now + _AGAIN_S
                if not self.failed:
                    self.failed = True
                    self._failures += 1
                    # told apart, for each is news
                    again = f"failure {self._failures}: " if self._failures > 1 else ""
                    self.notices.append(
                        f"{again}{error}; the session goes on, and the recording once it can."
                    )
            else:
                if self.failed:
                    self.notices.append(
                        f"{self.recorder.path} takes data again; {self._missing:,} samples are missing in it."
                    )
                self.failed, self._missing = False, 0
                return
        if isinstance(item, Chunk):
            self._missing += item.data.shape[1]

    def close(self, summary: dict[str, Any]) -> None:  # noqa: ARG002 - the sink's interface
        """End the file."""
        try:
            self.recorder.close()
        except UsageError as error:
            self.notices.append(f"{error}.")
