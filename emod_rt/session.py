"""A live session: source thread, pipeline thread, sinks, and a picture of it all for screens."""

import contextlib
import math
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from emod_model.calibration.profile import Profile
from emod_model.checkpoint import Model, default_checkpoint, load_checkpoint
from emod_model.errors import EmodError, UsageError
from emod_rt.acquisition import Acquisition
from emod_rt.calibration.person import RESET, Person, load_profile
from emod_rt.checks import channel_list, not_negative, positive
from emod_rt.clock import Clock, SystemClock
from emod_rt.estimate import Estimate
from emod_rt.limit import Limited
from emod_rt.markers import Marker, MarkerSource, MarkerStream
from emod_rt.marking import Marking, from_network
from emod_rt.outputs import Outputs
from emod_rt.picture import Picture
from emod_rt.pipeline import Pipeline
from emod_rt.recording.names import Place, place
from emod_rt.sources.base import Chunk, Source, StreamInfo
from emod_rt.sources.uri import open_source
from emod_rt.torchscript import TorchScriptEngine
from emod_rt.view import State, View
from emod_rt.watchdog import Watchdog

_LATE_S = 1.0
_TAKE_S = 0.05


class Session:
    """Turn a source into estimates.

    Use it as a context manager and iterate; or `start` it and look at `view()` from any thread.

    Parameters
    ----------
    source : str or Source
        "lsl:NAME", "brainflow:BOARD?...", "file:PATH", "sim:SEED", or an object of your own.
    model : str, Path, Model or None
        Checkpoint; the shipped one by default.
    user : str or Profile, optional
        Whose profile reads the signal: a name of those calibrated here, or a profile of your own.
    channels : str or sequence of str, optional
        Electrode names ("Fp1,Fp2" or a list), for a source that does not tell its own, or a selection.
    hop_s : float, optional
        Seconds between estimates.
    duration_s : float, optional
        Seconds of signal after which the session ends.
    wait_s : float
        How long to wait for the source.
    jsonl : str, optional
        File, or "-", that gets the JSON lines.
    lsl_out : str, optional
        Name of an LSL stream of type Affect.
    record : str, Path or Place, optional
        New XDF file for the raw signal, markers and estimates; or a folder, for a name by BIDS
        (`emod_rt.recording.names.place` gives it other labels).
    markers : callable, optional
        Makes the source of the markers that are recorded beside those of `mark`; by default every marker
        stream on the lab network. Without `record` and `user` nothing listens.
    reconnect : bool
        Wait for a source that has gone quiet; False ends the session with its error.
    impedance : bool
        Measure each electrode's impedance before the first sample, where the board can (`info` has it).
    clock : Clock, optional
        Time; the machine's own by default.

    Raises
    ------
    EmodError
        From `start`: the source is not there, cannot be EEG, or does not fit the model.
    """

    def __init__(
        self,
        source: str | Source,
        model: str | Path | Model | None = None,
        *,
        user: str | Profile | None = None,
        channels: str | Sequence[str] | None = None,
        hop_s: float | None = None,
        duration_s: float | None = None,
        wait_s: float = 30.0,
        jsonl: str | None = None,
        lsl_out: str | None = None,
        record: str | Path | Place | None = None,
        markers: Callable[[], MarkerSource] | None = None,
        reconnect: bool = True,
        impedance: bool = False,
        clock: Clock | None = None,
    ) -> None:
        positive("hop_s", hop_s)
        positive("duration_s", duration_s)
        not_negative("wait_s", wait_s)
        self._clock = clock or SystemClock()
        self.model = model if isinstance(model, Model) else load_checkpoint(model or default_checkpoint())
        self.model.require_affect()
        self._name = source if isinstance(source, str) else type(source).__name__
        names = channel_list(channels) if isinstance(channels, str) else channels
        # before the source is touched, as far as it can be told by then
        self._profile = load_profile(user, self.model, names) if isinstance(user, str) else user
        if isinstance(source, str):
            told = self._tell if impedance else None
            opened = open_source(source, names, clock=self._clock, impedance=told)
        elif impedance:
            raise UsageError("impedance is measured for a source given by its name; leave impedance out")
        else:
            opened = source
        if duration_s is not None:
            opened = Limited(opened, duration_s, self._clock)
        self._acquisition = Acquisition(opened, self._clock)
        where = place(record) if isinstance(record, str | Path) else record
        self._hop_s = hop_s
        self._wait_s = wait_s
        self._outputs = Outputs(jsonl, lsl_out, where)
        # a person's ratings may come from the network too
        deaf = where is None and self._profile is None
        connect = None if deaf else markers or from_network
        self._marking = Marking(self._clock, self._deliver_marker, connect)
        self._reconnect = reconnect
        self._watchdog = Watchdog()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._queue: queue.Queue[Estimate | None] = queue.Queue(2048)
        self._stalled = False
        self.begun = False
        self._pipeline: Pipeline | None = None
        self._picture = Picture(self._name, self.model, self._profile)
        self._view = self._picture.blank("waiting", f"Waiting for {self._name}.")
        self.info: StreamInfo | None = None
        self.person: Person | None = None
        self.error: EmodError | None = None

    # -- life

    def start(self) -> Self:
        """Connect and begin; returns once the source is open.

        Raises
        ------
        EmodError
            The source is not there, cannot be EEG, or does not fit the model; or an output cannot be opened.
        """
        if self._view.state != "waiting" or self._thread is not None:
            raise UsageError("a session is started once; make a new one to run again")
        try:
            # compiled before the source is open, so that no sample waits for it
            engine = TorchScriptEngine(self.model, views=self._profile is not None)
            engine.warm_up()
            self._marking.start()
            info = self._acquisition.open(self._wait_s)
            if self._profile is not None:
                self.person = Person(self._profile, self.model, info.channels)
            pipeline = Pipeline(engine, info, self._clock, self._hop_s, late_s=_LATE_S, person=self.person)
            # a signal from now on ends what has begun, and leaves no file behind that lacks its end
            self.begun = True
            self._outputs.open(info, self.model, pipeline.hop_s, self._clock, self._profile)
        except EmodError as error:
            self._release()
            self.error = error
            self._view = self._picture.blank("failed", str(error))
            raise
        except BaseException:
            self._release()
            raise
        self.info, self._pipeline = info, pipeline
        self._acquisition.tap = self._arrived
        self._marking.begin(info)
        self._thread = threading.Thread(target=self._run, args=(pipeline, info), name="emod-pipeline")
        self._thread.start()
        self._acquisition.start()
        return self

    def _tell(self, sentence: str) -> None:
        """Say what the wait is for."""
        self._view = self._picture.blank("waiting", sentence)

    def stop(self) -> None:
        """Ask the session to end; safe from any thread and in a signal handler."""
        self._stop.set()
        if self._thread is None:
            self._acquisition.cancel()

    def moment(self) -> float | None:
        """Return this moment for a `mark` whose text comes later, s; None before the first sample."""
        return self._marking.moment()

    def mark(self, text: str, t: float | None = None) -> Marker:
        """Mark a moment: in the recording, and on every screen; safe from any thread.

        Parameters
        ----------
        text : str
            What happened.
        t : float, optional
            When, s in the clock of the source's samples; now by default.

        Raises
        ------
        UsageError
            No text, no time, or the session does not run.
        """
        return self._marking.mark(text, t)

    def reset_baseline(self) -> Marker:
        """Go back to the calibration's baseline, from the next window on, and mark it; from any thread.

        Raises
        ------
        UsageError
            Nobody's profile is used, or the session does not run.
        """
        if self._profile is None:
            raise UsageError(
                "there is no baseline to reset, as nobody's profile is used; run with --user NAME"
            )
        return self.mark(RESET)

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until every thread has ended; return whether they have."""
        if self._thread is not None:
            self._thread.join(timeout_s)
            return not self._thread.is_alive()
        return True

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.join()

    def __iter__(self) -> Iterator[Estimate]:
        """Yield estimates as they come; a reader that is slow misses the oldest.

        Raises
        ------
        SourceError
            At the end, when the source was lost for good.
        """
        if self._thread is None:
            raise UsageError("the session has not begun; use it in a with block, or call start first")
        while (estimate := self._queue.get()) is not None:
            yield estimate
        # the end stays the end, however often it is asked for
        self._offer(None)
        if self.error is not None:
            raise self.error

    # -- looking at it

    def view(self) -> View:
        """Return the newest picture."""
        return self._view

    def summary(self) -> dict[str, Any]:
        """Return the object of the last JSON line."""
        if self._pipeline is None:
            raise RuntimeError("the session has not started")
        return self._pipeline.tally.summary()

    def sink_notes(self) -> list[str]:
        """Return one sentence on everything that went wrong beside the estimates."""
        return [*self._own_notices(), *self._outputs.notes()]

    def _own_notices(self) -> tuple[str, ...]:
        person = () if self.person is None else self.person.notices()
        return *self._acquisition.notices(), *self._marking.notices(), *person

    # -- the source thread, the one for markers, and whoever marks

    def _arrived(self, chunk: Chunk) -> None:
        self._marking.timeline.arrived(chunk)
        self._outputs.record(chunk)

    def _deliver_marker(self, item: Marker | MarkerStream) -> None:
        self._outputs.record(item)
        if isinstance(item, Marker):
            self._picture.mark(item)
            if self.person is not None:
                self.person.hear(item)

    # -- the pipeline thread

    def _run(self, pipeline: Pipeline, info: StreamInfo) -> None:
        drawn = -math.inf
        try:
            while True:
                if self._stop.is_set():
                    # what was read, and recorded, is still worked on
                    self._acquisition.stop()
                chunks = self._acquisition.take(_TAKE_S)
                if chunks is None:
                    break
                for estimate in pipeline.push(chunks):
                    self._deliver(estimate)
                self._watch(pipeline, chunks)
                state: State = "stalled" if self._stalled else "running"
                if (now := self._clock.now()) >= drawn + _TAKE_S or state != self._view.state:
                    drawn = now
                    self._view = self._draw(pipeline, info, state)
        except EmodError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - whatever breaks, the device is released and it is said
            self.error = EmodError(
                f"the pipeline failed unexpectedly ({type(error).__name__}: {error}); please report it"
            )
            self.error.__cause__ = error
        finally:
            self._release()
            if self.person is not None:
                # markers may arrive behind the last window
                self.person.heed()
            self.error = self.error or self._acquisition.error
            self._outputs.close(pipeline.tally.summary())
            self._view = self._draw(pipeline, info, "failed" if self.error else "ended")
            self._offer(None)

    def _release(self) -> None:
        """Let go of the source and of the network."""
        try:
            self._acquisition.stop()
        finally:
            self._marking.stop()

    def _watch(self, pipeline: Pipeline, chunks: list[Chunk]) -> None:
        """Say once that the source has gone quiet, and when it is back."""
        for chunk in chunks:
            self._watchdog.arrived(chunk.arrival)
        now = self._clock.now()
        if chunks:
            self._stalled = False
        elif self._watchdog.quiet(now) and not self._stalled:
            self._stalled = True
            self._deliver(pipeline.stalled(now, self._acquisition.last_arrival))
            if not self._reconnect:
                raise self._watchdog.gone(self._name, now)

    def _deliver(self, estimate: Estimate) -> None:
        self._outputs.push(estimate)
        self._picture.add(estimate)
        self._offer(estimate)

    def _offer(self, estimate: Estimate | None) -> None:
        while True:
            try:
                self._queue.put_nowait(estimate)
                return
            except queue.Full:
                with contextlib.suppress(queue.Empty):
                    self._queue.get_nowait()

    def _draw(self, pipeline: Pipeline, info: StreamInfo, state: State) -> View:
        message = None
        if state == "stalled":
            quiet_s = self._clock.now() - self._acquisition.last_arrival
            message = f"No new samples from {self._name} for {quiet_s:.0f} s."
        elif state == "failed":
            message = str(self.error)
        recording = self._outputs.recording
        return self._picture.running(
            state,
            message,
            pipeline,
            info,
            recording=None if recording is None else str(recording),
            notices=(*self._own_notices(), *self._outputs.notices()),
        )
