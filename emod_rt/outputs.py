"""Everything a session writes to: JSON lines, LSL, the recording."""

from pathlib import Path
from typing import Any

from emod_model.calibration.profile import Profile
from emod_model.checkpoint import Model
from emod_rt.calibration.verdict import low_axes
from emod_rt.clock import Clock
from emod_rt.estimate import Estimate
from emod_rt.markers import Marker, MarkerStream
from emod_rt.recording.names import Place
from emod_rt.recording.patient import PatientRecorder
from emod_rt.recording.recorder import Recorded, Recorder
from emod_rt.sinks.base import Detached
from emod_rt.sinks.jsonl import JsonLines
from emod_rt.sources.base import Chunk, StreamInfo

# raw samples must outlive a slow disk: at a hundred chunks a second this is more than a minute
_RECORDING_QUEUE = 8192
_RECORDING_END_S = 60.0
_SLOW_DISK = "The disk is too slow for the recording, which now has holes; record to a faster one."


class Outputs:
    """The sinks of one session, each in a thread of its own.

    Parameters
    ----------
    jsonl : str or None
        File or "-".
    lsl_out : str or None
        Name of an LSL stream.
    record : Place or None
        New XDF file, or its folder.
    """

    def __init__(self, jsonl: str | None, lsl_out: str | None, record: Place | None) -> None:
        self._jsonl = jsonl
        self._lsl_out = lsl_out
        self._record = record
        self._sinks: list[Detached[Estimate]] = []
        self._recorder: PatientRecorder | None = None
        self._recording: Detached[Recorded] | None = None

    def open(
        self, info: StreamInfo, model: Model, hop_s: float, clock: Clock, profile: Profile | None = None
    ) -> None:
        """Open every sink; the JSON lines last, since they replace those of an earlier run.

        Raises
        ------
        EmodError
            One of them cannot be opened; those before it are closed, and the recording is removed.
        """
        recorder = None if self._record is None else Recorder(self._record, info, clock, model, profile)
        try:
            if self._lsl_out is not None:
                from emod_rt.sinks.lsl_out import AffectOutlet

                simulated = model.simulated or (profile is not None and profile.simulated)
                low = None if profile is None else low_axes(profile)
                unheld = model.unvalidated if profile is None else ()
                outlet = AffectOutlet(
                    self._lsl_out, info, model.name, simulated, hop_s, model.sha256, low, unheld
                )
                self._sinks.append(Detached(outlet))
            if self._jsonl is not None:
                self._sinks.append(Detached(JsonLines(self._jsonl)))
        except BaseException:
            for sink in self._sinks:
                sink.abandon()
            if recorder is not None:
                recorder.discard()
            raise
        if recorder is not None:
            self._recorder = PatientRecorder(recorder, clock)
            self._recording = Detached(self._recorder, _RECORDING_QUEUE)

    @property
    def recording(self) -> Path | None:
        """The file that is being recorded; None when nothing is."""
        if self._recorder is None or self._recorder.failed:
            return None
        return self._recorder.recorder.path

    def record(self, item: Chunk | Marker | MarkerStream) -> None:
        """Hand raw samples or a marker to the recording; returns at once."""
        if self._recording is not None:
            self._recording.push(item)

    def push(self, estimate: Estimate) -> None:
        """Hand an estimate to every sink; returns at once."""
        for sink in self._all():
            sink.push(estimate)

    def close(self, summary: dict[str, Any]) -> None:
        """Let every sink finish; the recording is given a minute, for nothing recorded is lost."""
        for sink in self._sinks:
            sink.close(summary)
        if self._recording is not None:
            self._recording.close(summary, _RECORDING_END_S)

    def notices(self) -> tuple[str, ...]:
        """Return one sentence on everything that has gone wrong so far; safe while the sinks work."""
        broken = [f"The {sink.broken}." for sink in self._all() if sink.broken]
        slow = [_SLOW_DISK] if self._recording is not None and self._recording.dropped else []
        return (*broken, *slow, *(self._recorder.notices if self._recorder else ()))

    def notes(self) -> list[str]:
        """Return the notices, and one sentence on each sink that was too slow."""
        slow = [sink for sink in self._all() if sink.dropped and not sink.broken]
        late = (f"The {sink.name} was too slow and missed {sink.dropped} items." for sink in slow)
        return [*self.notices(), *late]

    def _all(self) -> list[Detached[Any]]:
        return [*self._sinks, *([self._recording] if self._recording else [])]
