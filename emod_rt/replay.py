"""A recording as live LSL streams.

pylsl and not mne-lsl's player: the player sends evenly spaced samples and stamps them itself, so that neither
the recording's holes nor its own time grid would reach the reader.
"""

import itertools
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from emod_model.errors import UsageError
from emod_rt import liblsl
from emod_rt.clock import Clock, SystemClock
from emod_rt.readers import Recording

SLOWEST, FASTEST = 0.1, 20.0
_PUSH_S = 0.025
_LINGER_S = 1.0
_POLL_S = 0.02


@dataclass(frozen=True)
class Progress:
    """How far a replay is.

    Attributes
    ----------
    waiting : bool
        No reader yet, nothing sent.
    position_s : float
        Place in the recording, s from its first sample.
    turn : int
        0 in the first pass, 1 in the second, ...
    """

    waiting: bool
    position_s: float
    turn: int


class Replay:
    """Publish a recording as an LSL stream of type EEG, and its markers as a stream of type Markers.

    Time stamps lie on the recording's own grid: start + index / rate, at any speed, so that the reader sees
    the nominal rate. What the recording lost is not sent and the stamps jump. A loop goes on with the grid.

    Parameters
    ----------
    recording : Recording
        What to play.
    name : str
        Name of the stream; markers get "-markers" behind it.
    speed : float
        0.1 to 20 times the speed of life.
    loop : bool
        Begin again at the end, until stopped.
    start, stop : float or None
        Part of the recording, s from its first sample.
    clock : Clock
        Paces the samples.

    Raises
    ------
    UsageError
        A speed out of range, or a part that holds no samples.
    """

    def __init__(
        self,
        recording: Recording,
        name: str | None = None,
        speed: float = 1.0,
        loop: bool = False,
        start: float | None = None,
        stop: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        if not SLOWEST <= speed <= FASTEST:
            raise UsageError(f"--speed {speed:g} is out of range; choose {SLOWEST:g} to {FASTEST:g}")
        self._recording, self._speed, self._loop = recording, speed, loop
        self._clock = clock or SystemClock()
        self.name = name or recording.path.stem
        sfreq = recording.sfreq
        place = recording.index - recording.index[0]
        first = 0 if start is None else math.ceil(start * sfreq - 1e-6)
        last = int(place[-1]) + 1 if stop is None else math.ceil(stop * sfreq - 1e-6)
        rows = np.flatnonzero((place >= first) & (place < last))
        if rows.size == 0:
            raise UsageError(
                f"--start {start or 0:g} --stop {'end' if stop is None else f'{stop:g}'} holds no sample of "
                f"{recording.name}, which lasts {(int(place[-1]) + 1) / sfreq:g} s; choose a part of it"
            )
        self._place = place[rows]
        self._data = np.ascontiguousarray(recording.data[:, rows].T)
        self._origin = int(self._place[0])
        self._span = min(last, int(place[-1]) + 1) - self._origin
        self._markers = self._choose_markers()

    @property
    def duration_s(self) -> float:
        """Length of one pass at the speed of life, s."""
        return self._span / self._recording.sfreq

    def _choose_markers(self) -> list[tuple[float, str]]:
        """Return the markers of the part, s from its first sample."""
        recording = self._recording
        begin = recording.times[0] + self._origin / recording.sfreq
        inside = [(time - begin, text) for time, text in recording.markers]
        return [(time, text) for time, text in inside if 0 <= time < self.duration_s]

    def run(
        self,
        stop: threading.Event,
        wait_s: float = 30.0,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> bool:
        """Wait for a first reader, play, and let the readers have the rest.

        Parameters
        ----------
        stop : threading.Event
            Ends the replay.
        wait_s : float
            How long to wait for a first reader before playing to nobody, s.
        progress : callable
            Called some forty times a second.

        Returns
        -------
        bool
            Whether a reader was there at the start.
        """
        outlet, markers = self._open()
        deadline = self._clock.now() + wait_s
        while not outlet.have_consumers() and self._clock.now() < deadline and not stop.is_set():
            progress(Progress(True, self._origin / self._recording.sfreq, 0))
            self._clock.wait(_POLL_S, stop)
        met = outlet.have_consumers()
        self._play(outlet, markers, stop, progress)
        self._linger(outlet, stop)
        return bool(met)

    def _play(
        self, outlet: Any, markers: Any, stop: threading.Event, progress: Callable[[Progress], None]
    ) -> None:
        sfreq = self._recording.sfreq
        # the clock and the stamps begin together; stamps then follow the recording at any speed
        began, stamp = self._clock.now(), liblsl.load().local_clock()
        for turn in itertools.count() if self._loop else range(1):
            row = mark = 0
            while not stop.is_set():
                due = (self._clock.now() - began) * self._speed - turn * self.duration_s
                until = int(np.searchsorted(self._place, self._origin + due * sfreq, side="right"))
                offset = turn * self._span - self._origin
                if until > row:
                    times = stamp + (self._place[row:until] + offset) / sfreq
                    outlet.push_chunk(self._data[row:until], times.tolist())
                    row = until
                while mark < len(self._markers) and self._markers[mark][0] <= due:
                    time, text = self._markers[mark]
                    markers.push_sample([text], stamp + turn * self.duration_s + time)
                    mark += 1
                progress(Progress(False, self._origin / sfreq + min(max(due, 0.0), self.duration_s), turn))
                if row == self._place.size and due >= self.duration_s:
                    break
                self._clock.wait(_PUSH_S, stop)
            if stop.is_set():
                return

    def _linger(self, outlet: Any, stop: threading.Event) -> None:
        """Let what is on its way arrive: an outlet that closes takes its buffer with it."""
        deadline = self._clock.now() + _LINGER_S
        while outlet.have_consumers() and self._clock.now() < deadline and not stop.is_set():
            self._clock.wait(_POLL_S, stop)

    def _open(self) -> tuple[Any, Any]:
        """Create the outlets."""
        pylsl = liblsl.load()
        recording = self._recording
        source_id = f"emod-replay-{self.name}"
        info = pylsl.StreamInfo(
            self.name, "EEG", len(recording.channels), recording.sfreq, "float32", source_id
        )
        description = info.desc()
        channels = description.append_child("channels")
        for label in recording.channels:
            channel = channels.append_child("channel")
            channel.append_child_value("label", label)
            channel.append_child_value("unit", "microvolts")
            channel.append_child_value("type", "EEG")
        description.append_child("reference").append_child_value("label", "unknown")
        acquisition = description.append_child("acquisition")
        acquisition.append_child_value("manufacturer", "emod-rt replay")
        acquisition.append_child_value("file", recording.name)
        if recording.simulated:
            description.append_child_value("simulated", "true")
        if not self._markers:
            return pylsl.StreamOutlet(info), None
        marker_info = pylsl.StreamInfo(
            f"{self.name}-markers", "Markers", 1, pylsl.IRREGULAR_RATE, "string", f"{source_id}-markers"
        )
        markers = pylsl.StreamOutlet(marker_info)
        return pylsl.StreamOutlet(info), markers
