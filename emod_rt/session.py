"""A live session: source thread, pipeline thread, sinks, and a picture of it all for screens."""

import contextlib
import math
import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from emod_model.checkpoint import Model, default_checkpoint, load_checkpoint
from emod_model.errors import EmodError, UsageError
from emod_rt.acquisition import Acquisition
from emod_rt.checks import channel_list, not_negative, positive
from emod_rt.clock import Clock, SystemClock
from emod_rt.estimate import Estimate
from emod_rt.limit import Limited
from emod_rt.outputs import Outputs
from emod_rt.pipeline import Pipeline
from emod_rt.sources.base import Chunk, Source, StreamInfo
from emod_rt.sources.uri import open_source
from emod_rt.torchscript import TorchScriptEngine
from emod_rt.view import State, View
from emod_rt.watchdog import Watchdog

_LATE_S = 1.0
_TAKE_S = 0.05
_VIEW_S = 120.0
_TRACE_S = 10.0


class Session:
    """Turn a source into estimates.

    Use it as a context manager and iterate; or `start` it and look at `view()` from any thread.

    Parameters
    ----------
    source : str or Source
        "lsl:NAME", "brainflow:BOARD?...", "file:PATH", "sim:SEED", or an object of your own.
    model : str, Path, Model or None
        Checkpoint; the shipped one by default.
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
    record : str or Path, optional
        New XDF file for the raw signal and the estimates.
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
        channels: str | Sequence[str] | None = None,
        hop_s: float | None = None,
        duration_s: float | None = None,
        wait_s: float = 30.0,
        jsonl: str | None = None,
        lsl_out: str | None = None,
        record: str | Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        positive("hop_s", hop_s)
        positive("duration_s", duration_s)
        not_negative("wait_s", wait_s)
        self._clock = clock or SystemClock()
        self.model = model if isinstance(model, Model) else load_checkpoint(model or default_checkpoint())
        self._name = source if isinstance(source, str) else type(source).__name__
        names = channel_list(channels) if isinstance(channels, str) else channels
        opened = open_source(source, names, clock=self._clock) if isinstance(source, str) else source
        if duration_s is not None:
            opened = Limited(opened, duration_s, self._clock)
        self._acquisition = Acquisition(opened, self._clock)
        self._hop_s = hop_s
        self._wait_s = wait_s
        self._outputs = Outputs(jsonl, lsl_out, None if record is None else Path(record))
        self._watchdog = Watchdog()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._queue: queue.Queue[Estimate | None] = queue.Queue(2048)
        self._recent: deque[Estimate] = deque()
        self._stalled = False
        self._pipeline: Pipeline | None = None
        self._view = self._blank("waiting", f"Waiting for {self._name}.")
        self.info: StreamInfo | None = None
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
            engine = TorchScriptEngine(self.model)
            engine.warm_up()
            info = self._acquisition.open(self._wait_s)
            pipeline = Pipeline(engine, info, self._clock, self._hop_s, late_s=_LATE_S)
            self._outputs.open(info, self.model, pipeline.hop_s, self._clock)
        except EmodError as error:
            self._acquisition.stop()
            self.error = error
            self._view = self._blank("failed", str(error))
            raise
        except BaseException:
            self._acquisition.stop()
            raise
        self.info, self._pipeline = info, pipeline
        self._acquisition.tap = self._outputs.push_samples
        self._thread = threading.Thread(target=self._run, args=(pipeline, info), name="emod-pipeline")
        self._thread.start()
        self._acquisition.start()
        return self

    def stop(self) -> None:
        """Ask the session to end; safe from any thread and in a signal handler."""
        self._stop.set()
        if self._thread is None:
            self._acquisition.cancel()

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
        """Return one sentence on each sink that lost something."""
        return self._outputs.notes()

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
                    self._view = self._picture(pipeline, info, state)
        except EmodError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - whatever breaks, the device is released and it is said
            self.error = EmodError(
                f"the pipeline failed unexpectedly ({type(error).__name__}: {error}); please report it"
            )
            self.error.__cause__ = error
        finally:
            self._acquisition.stop()
            self.error = self.error or self._acquisition.error
            self._outputs.close(pipeline.tally.summary())
            self._view = self._picture(pipeline, info, "failed" if self.error else "ended")
            self._offer(None)

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

    def _deliver(self, estimate: Estimate) -> None:
        self._outputs.push(estimate)
        self._recent.append(estimate)
        while self._recent and self._recent[0].t < estimate.t - _VIEW_S:
            self._recent.popleft()
        self._offer(estimate)

    def _offer(self, estimate: Estimate | None) -> None:
        while True:
            try:
                self._queue.put_nowait(estimate)
                return
            except queue.Full:
                with contextlib.suppress(queue.Empty):
                    self._queue.get_nowait()

    # -- the picture

    def _blank(self, state: State, message: str | None) -> View:
        return View(
            state=state,
            message=message,
            source=self._name,
            source_simulated=False,
            sfreq=0.0,
            channels=(),
            model=self.model.name,
            model_simulated=self.model.simulated,
            elapsed_s=0.0,
            samples=0,
            lost=0,
            windows=0,
            valid=0,
            skipped=0,
            latency_ms=None,
            estimates=(),
            quality=(),
            band_power_db=None,
            traces=np.empty((0, 0), np.float32),
            trace_sfreq=self.model.spec.sfreq,
            trace_end=0,
        )

    def _picture(self, pipeline: Pipeline, info: StreamInfo, state: State) -> View:
        message = None
        if state == "stalled":
            quiet_s = self._clock.now() - self._acquisition.last_arrival
            message = f"No new samples from {self._name} for {quiet_s:.0f} s."
        elif state == "failed":
            message = str(self.error)
        tally = pipeline.tally
        return replace(
            self._blank(state, message),
            source_simulated=info.simulated,
            sfreq=info.sfreq,
            channels=info.channels,
            elapsed_s=tally.end / info.sfreq,
            samples=tally.samples,
            lost=tally.lost,
            windows=tally.windows,
            valid=tally.valid,
            skipped=tally.skipped,
            latency_ms=tally.latency_ms(600),
            estimates=tuple(self._recent),
            quality=pipeline.quality,
            band_power_db=pipeline.band_power_db,
            traces=pipeline.windower.trace(round(_TRACE_S * self.model.spec.sfreq)),
            trace_end=pipeline.windower.trace_end,
        )
