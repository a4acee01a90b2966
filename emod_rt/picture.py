"""Draws the picture of a session that screens look at."""

import threading
from collections import deque
from dataclasses import replace

import numpy as np

from emod_model.calibration.profile import Profile
from emod_model.checkpoint import Model
from emod_rt.calibration.verdict import low_axes
from emod_rt.estimate import Estimate
from emod_rt.markers import Marker
from emod_rt.pipeline import Pipeline
from emod_rt.sources.base import StreamInfo
from emod_rt.view import State, View

_KEPT_S = 120.0
_TRACE_S = 10.0
# a program that marks every frame must not make every picture slow
_MOST_MARKERS = 2000


class Picture:
    """Remembers what a screen shows of the last two minutes.

    Estimates and pictures come from one thread; markers may come from any.

    Parameters
    ----------
    source : str
        What the source is called until it is open, and after.
    model : Model
        The checkpoint.
    profile : Profile, optional
        Of the person whose own readings are shown.
    """

    def __init__(self, source: str, model: Model, profile: Profile | None = None) -> None:
        self._source = source
        self._model = model
        self._profile = profile
        self._estimates: deque[Estimate] = deque()
        self._markers: deque[Marker] = deque(maxlen=_MOST_MARKERS)
        self._lock = threading.Lock()

    def add(self, estimate: Estimate) -> None:
        """Take note of an estimate; what is older than two minutes leaves."""
        self._estimates.append(estimate)
        while self._estimates[0].t < estimate.t - _KEPT_S:
            self._estimates.popleft()

    def mark(self, marker: Marker) -> None:
        """Take note of a marker; safe from any thread."""
        with self._lock:
            self._markers.append(marker)

    def blank(self, state: State, message: str | None) -> View:
        """Return the picture of a session whose source is not open."""
        return View(
            state=state,
            message=message,
            source=self._source,
            source_simulated=False,
            sfreq=0.0,
            channels=(),
            model=self._model.name,
            model_simulated=self._model.simulated or (self._profile is not None and self._profile.simulated),
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
            trace_sfreq=self._model.spec.sfreq,
            trace_end=0,
            user="" if self._profile is None else self._profile.user,
            low_confidence=low_axes(self._profile),
            unvalidated=self._model.unvalidated if self._profile is None else (),
            zero_s=self._model.info.centring.first_s if self._model.info.centring else 0.0,
        )

    def running(
        self,
        state: State,
        message: str | None,
        pipeline: Pipeline,
        info: StreamInfo,
        *,
        recording: str | None,
        notices: tuple[str, ...],
    ) -> View:
        """Return the picture of a session that runs, or ran."""
        tally = pipeline.tally
        return replace(
            self.blank(state, message),
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
            estimates=tuple(self._estimates),
            quality=pipeline.quality,
            band_power_db=pipeline.band_power_db,
            traces=pipeline.windower.trace(round(_TRACE_S * self._model.spec.sfreq)),
            trace_end=pipeline.windower.trace_end,
            recording=recording,
            notices=notices,
            markers=self._recent_markers(),
            impedance_kohm=info.impedance_kohm,
        )

    def _recent_markers(self) -> tuple[Marker, ...]:
        since = self._estimates[-1].t - _KEPT_S if self._estimates else -np.inf
        with self._lock:
            return tuple(marker for marker in self._markers if marker.t >= since)
