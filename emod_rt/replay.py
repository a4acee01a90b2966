"""A recording as live LSL streams.

pylsl and not mne-lsl's player: the player reads what MNE reads, with no XDF among it, sends evenly spaced
samples at the speed of life alone and stamps them itself, so that neither the recording's holes nor its words
and marker streams would reach the reader. A test compares the two over a file that both can play.
"""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from emod_model.errors import UsageError
from emod_rt import liblsl
from emod_rt.clock import Clock, SystemClock
from emod_rt.playhead import Playhead
from emod_rt.readers import Recording
from emod_rt.republish import announce, marker_streams

SLOWEST, FASTEST = 0.1, 20.0
_PUSH_S = 0.025
_LINGER_S = 1.0
_POLL_S = 0.02
_GRACE_S = 1.0


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
    paused : bool
        Standing still.
    """

    waiting: bool
    position_s: float
    turn: int
    paused: bool = False


class Replay:
    """Publish a recording as LSL streams: its signal, and each of its streams of markers.

    Time stamps of all of them lie on the recording's own grid, start + index / rate, at any speed: the
    reader sees the nominal rate and every marker on its sample. At 1x they are this machine's LSL clock; at
    any other speed they begin there and leave it. What the recording lost is not sent and the stamps jump.
    `Playhead` says what a loop, a seek and a pause do to them.

    Parameters
    ----------
    recording : Recording
        What to play.
    name : str
        Name of the signal's stream; by default its own in the file, or the file's.
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
        self._recording = recording
        self._clock = clock or SystemClock()
        self.streams = announce(recording, name)
        rows = self._choose_rows(start, stop)
        self._data = np.ascontiguousarray(recording.data[:, rows].T)
        spots = self._choose_markers(start is not None, stop is not None)
        self._playhead = Playhead(
            recording.index[rows] - recording.index[0] - self._origin,
            spots,
            self._span,
            recording.sfreq,
            speed,
            loop,
        )
        self._wishes: SimpleQueue[Callable[[float], None]] = SimpleQueue()

    def _choose_rows(self, start: float | None, stop: float | None) -> npt.NDArray[np.int64]:
        """Settle which part is played."""
        recording, sfreq = self._recording, self._recording.sfreq
        place = recording.index - recording.index[0]
        end = int(place[-1]) + 1
        first = 0 if start is None else math.ceil(start * sfreq - 1e-6)
        last = end if stop is None else math.ceil(stop * sfreq - 1e-6)
        rows = np.flatnonzero((place >= first) & (place < last))
        if rows.size == 0:
            raise UsageError(
                f"--start {start or 0:g} --stop {'end' if stop is None else f'{stop:g}'} holds no sample of "
                f"{recording.name}, which lasts {end / sfreq:g} s; choose a part of it"
            )
        self._origin = int(place[rows[0]])
        self._span = min(last, end) - self._origin
        return rows

    def _choose_markers(self, from_start: bool, to_stop: bool) -> npt.NDArray[np.float64]:
        """Settle which markers are sent, and return their places, samples from where the part begins."""
        recording = self._recording
        times = np.array([event.t for event in recording.events]) - recording.times[0]
        places: npt.NDArray[np.float64] = times * recording.sfreq - self._origin
        inside = np.ones(places.size, dtype=np.bool_)
        if from_start:
            inside &= places >= 0
        if to_stop:
            inside &= places < self._span
        self._markers = [recording.events[at] for at in np.flatnonzero(inside)]
        return places[inside]

    @property
    def name(self) -> str:
        """Name of the signal's stream."""
        return self.streams[0].metadata.name

    @property
    def duration_s(self) -> float:
        """Length of one pass at the speed of life, s."""
        return self._span / self._recording.sfreq

    def seek(self, position_s: float) -> None:
        """Go on from another place; safe to call from any thread.

        Parameters
        ----------
        position_s : float
            s from the recording's first sample; beyond the part that is played its nearest end.

        Raises
        ------
        UsageError
            No number.
        """
        if math.isnan(position_s):
            raise UsageError("a replay cannot seek nan s; give a place in the recording in seconds")
        # far beyond any recording, so that infinity becomes a number
        place = min(max(position_s, -1e9), 1e9) * self._recording.sfreq - self._origin
        self._wishes.put(lambda elapsed: self._playhead.seek(place, elapsed))

    def pause(self, paused: bool) -> None:
        """Stand still, or go on; safe to call from any thread."""
        self._wishes.put(lambda elapsed: self._playhead.pause(paused, elapsed))

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
            How long to wait for a first reader of the signal before playing to nobody, s. The readers of its
            markers are then given a second to come as well.
        progress : callable
            Called some forty times a second.

        Returns
        -------
        bool
            Whether a reader was there at the start.
        """
        outlets = [stream.outlet() for stream in self.streams]
        met = self._await(outlets[:1], wait_s, stop, progress)
        if met:
            self._await(outlets[1:], _GRACE_S, stop, progress)
        self._play(outlets[0], outlets[1:], stop, progress)
        self._linger(outlets, stop)
        return met

    def _await(
        self, outlets: list[Any], wait_s: float, stop: threading.Event, progress: Callable[[Progress], None]
    ) -> bool:
        """Wait until each has a reader; return whether it has."""
        deadline = self._clock.now() + wait_s
        while not (met := all(outlet.have_consumers() for outlet in outlets)):
            if self._clock.now() >= deadline or stop.is_set():
                break
            progress(Progress(True, self._origin / self._recording.sfreq, 0))
            self._clock.wait(_POLL_S, stop)
        return met

    def _play(
        self, signal: Any, marked: list[Any], stop: threading.Event, progress: Callable[[Progress], None]
    ) -> None:
        outlet_of = dict(zip(marker_streams(self._recording), marked, strict=True))
        playhead = self._playhead
        # the clock and the stamps begin together
        began, stamp = self._clock.now(), liblsl.load().local_clock()
        while not stop.is_set():
            elapsed = self._clock.now() - began
            self._grant(elapsed)
            for due in playhead.advance(elapsed):
                if due.times.size:
                    signal.push_chunk(self._data[due.rows], (stamp + due.times).tolist())
                for at, time in zip(due.marks, due.mark_times.tolist(), strict=True):
                    marker = self._markers[at]
                    outlet_of[marker.stream].push_sample(list(marker.values), stamp + time)
            position = (self._origin + playhead.position) / self._recording.sfreq
            progress(Progress(False, position, playhead.turn, playhead.paused))
            if playhead.ended:
                return
            self._clock.wait(_PUSH_S, stop)

    def _grant(self, elapsed: float) -> None:
        """Do what other threads asked for."""
        while True:
            try:
                wish = self._wishes.get_nowait()
            except Empty:
                return
            wish(elapsed)

    def _linger(self, outlets: list[Any], stop: threading.Event) -> None:
        """Let what is on its way arrive: an outlet that closes takes its buffer with it."""
        deadline = self._clock.now() + _LINGER_S
        while any(outlet.have_consumers() for outlet in outlets) and self._clock.now() < deadline:
            if stop.is_set():
                return
            self._clock.wait(_POLL_S, stop)
