"""Writes a session to XDF: raw samples as acquired, markers and estimates beside them."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emod_model.errors import UsageError
from emod_rt.clock import Clock
from emod_rt.estimate import Estimate
from emod_rt.markers import Marker, MarkerStream
from emod_rt.recording.names import Place, place
from emod_rt.recording.streams import affect_stream, eeg_stream, marker_stream
from emod_rt.recording.xdf import XdfWriter
from emod_rt.sources.base import Chunk, StreamInfo

if TYPE_CHECKING:
    from emod_model.calibration.profile import Profile
    from emod_model.checkpoint import Model

Recorded = Chunk | Estimate | Marker | MarkerStream
"""What a recording takes."""

_BOUNDARY_S = 10.0
_OFFSET_S = 5.0
_LOOK_S = 1.0


class Recorder:
    """Writes a file that is whole whenever the program is killed.

    Each chunk goes to the operating system as one write, so what a killed program loses is what had
    not yet been read from the source. Times are those of the source, to which markers are brought
    before they come here, so every clock offset is 0. A file that is deleted while it is written goes on
    in another place, with all that was in it.

    Parameters
    ----------
    where : Path or Place
        The new file, readable by its owner only; or the folder for it.
    info : StreamInfo
        The source.
    clock : Clock
        For clock offsets and boundaries.
    model : Model, optional
        Where the estimates come from; without it no affect stream is written.
    profile : Profile, optional
        Of the person whose own reading they are.

    Attributes
    ----------
    notices : list of str
        One sentence each on what befell the file.

    Raises
    ------
    UsageError
        The file is there already, or cannot be made; from the methods: the disk takes no more.
    """

    def __init__(
        self,
        where: Path | Place,
        info: StreamInfo,
        clock: Clock,
        model: "Model | None" = None,
        profile: "Profile | None" = None,
    ) -> None:
        self._clock = clock
        self._affect: int | None = None
        self._markers: dict[MarkerStream, int] = {}
        self._moved = False
        self.notices: list[str] = []
        self._writer = _create(where if isinstance(where, Place) else place(where))
        try:
            self._eeg = self._writer.add_stream(eeg_stream(info))
            if model is not None:
                self._affect = self._writer.add_stream(affect_stream(model, info, profile))
        except OSError as error:
            self._writer.file.discard()
            raise _refused(self.path, error) from error
        self._next_boundary = self._next_offset = self._next_look = clock.now()

    @property
    def path(self) -> Path:
        """The file."""
        return self._writer.file.path

    @property
    def closed(self) -> bool:
        """Whether it has been ended."""
        return self._writer.file.closed

    def add_markers(self, stream: MarkerStream) -> None:
        """Write the header of a stream of markers, once, though no marker may ever come."""
        if stream not in self._markers:
            self._markers[stream] = self._writer.add_stream(marker_stream(stream))
            # readers that place streams by their clocks' offsets need one of each, however soon it ends
            self._writer.clock_offsets(self._clock.now(), 0.0)

    def push(self, item: Recorded) -> None:
        """Write one chunk of samples, one estimate, one marker or the header of a stream of markers."""
        now = self._clock.now()
        try:
            self._look_after(now)
            if now >= self._next_boundary:
                self._writer.boundary()
                self._next_boundary = now + _BOUNDARY_S
            if now >= self._next_offset:
                self._writer.clock_offsets(now, 0.0)
                self._next_offset = now + _OFFSET_S
            self._write(item)
        except OSError as error:
            raise UsageError(
                f"{self.path} takes no more data ({error.strerror or error}); "
                "free some space (what was written until then is whole)"
            ) from error

    def close(self) -> None:
        """Write the footers; safe to call twice."""
        if self.closed:
            return
        try:
            self._look_after(self._clock.now())
            self._writer.close()
        except OSError as error:
            raise UsageError(
                f"{self.path} could not be ended ({error.strerror or error}); what was written is whole, "
                "and emod-rt recover gives it the end it lacks"
            ) from error
        finally:
            self._writer.file.close()

    def discard(self) -> None:
        """Remove the file: the session never began."""
        self._writer.file.discard()

    def _write(self, item: Recorded) -> None:
        if isinstance(item, Chunk):
            self._writer.samples(self._eeg, item.times, item.data)
        elif isinstance(item, MarkerStream):
            self.add_markers(item)
        elif isinstance(item, Marker):
            self.add_markers(item.stream)
            self._writer.samples(self._markers[item.stream], np.array([item.t]), [[v] for v in item.values])
        elif self._affect is not None:
            row = (item.valence, item.arousal, item.valence_sd, item.arousal_sd)
            values = [np.nan if value is None else value for value in row]
            column = np.array([*values, float(item.valid)])[:, None]
            self._writer.samples(self._affect, np.array([item.t]), column)

    def _look_after(self, now: float) -> None:
        """See that the file is still where it was made."""
        file = self._writer.file
        if file.is_deleted():
            before = file.path
            file.rescue()
            self._moved = False
            self.notices.append(
                f"{before} was deleted while it was recorded; the recording goes on in {file.path}, "
                "with all that was in it."
            )
        elif now >= self._next_look and not self._moved:
            self._next_look = now + _LOOK_S
            self._moved = file.is_moved()
            if self._moved:
                self.notices.append(
                    f"{file.path} was moved or renamed while it was recorded; the recording goes on in it, "
                    "wherever it is now."
                )


def _create(where: Place) -> XdfWriter:
    """Make the first file that is free.

    Raises
    ------
    UsageError
        There is none, or it cannot be made.
    """
    path = where.path
    for path in where.files():
        try:
            return XdfWriter(path)
        except FileExistsError:
            # another program may have taken the name a moment ago
            continue
        except OSError as error:
            raise _refused(path, error) from error
    raise UsageError(f"{path} is there already and is not overwritten; choose another name")


def _refused(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path} cannot be written ({error.strerror}); choose another place")
