"""Brings a protocol and a running session together: what a screen polls, and where it sends what is done."""

from collections import deque
from typing import Protocol as Interface

from emod_model.errors import EmodError
from emod_rt.calibration.events import Mark, text_of
from emod_rt.calibration.protocol import Protocol
from emod_rt.calibration.scene import ActionName, Axis, Scene
from emod_rt.clock import Clock
from emod_rt.markers import Marker
from emod_rt.view import View, left_out


class Markable(Interface):
    """What a sitting asks of a session."""

    def view(self) -> View:
        """Return the newest picture."""
        ...

    def moment(self) -> float | None:
        """Return this moment in the source's clock; None before the first sample."""
        ...

    def mark(self, text: str, t: float | None = None) -> Marker:
        """Mark a moment."""
        ...


class Sitting:
    """One person's calibration while it runs; used by one thread.

    Parameters
    ----------
    session : Session
        Started, and recording.
    protocol : Protocol
        Not begun.
    clock : Clock
        The session's.
    """

    def __init__(self, session: Markable, protocol: Protocol, clock: Clock) -> None:
        self.protocol = protocol
        self._session = session
        self._clock = clock
        self._seen = -1
        self._recording: str | None = None
        self._marks: deque[tuple[float, Mark]] = deque()

    @property
    def recording(self) -> str | None:
        """The file that is being recorded, or was; None when there never was one."""
        return self._recording

    def view(self) -> View:
        """Return the session's picture, for its badges and traces."""
        return self._session.view()

    def step(self) -> Scene:
        """Let time pass and return what is to be shown; to be called some ten times a second."""
        now, moment, view = self._clock.now(), self._session.moment(), self._session.view()
        self._recording = view.recording or self._recording
        if moment is not None:
            self._take(view, moment - now)
        self.protocol.tick(now)
        self.protocol.warn(_warning(view))
        if view.state in ("ended", "failed"):
            why = view.message or "the source has ended"
            self.protocol.abort(now, why.removesuffix("."))
        self._mark(None if moment is None else moment - now)
        return self.protocol.scene(now)

    def act(self, name: ActionName) -> Scene:
        """Do what the person wishes, if it can be done now."""
        self.protocol.act(name, self._clock.now())
        return self.step()

    def rate(self, axis: Axis, value: int) -> Scene:
        """Take a rating, 1 to 9.

        Raises
        ------
        UsageError
            The value is not on the scale.
        """
        self.protocol.rate(axis, value)
        return self.step()

    def abort(self, reason: str) -> Scene:
        """Break off, whatever is shown."""
        self.protocol.abort(self._clock.now(), reason)
        return self.step()

    def _take(self, view: View, ahead: float) -> None:
        """Hand over the windows that are new; the source's clock is `ahead` of ours."""
        for estimate in view.estimates:
            if estimate.index > self._seen:
                self._seen = estimate.index
                self.protocol.window(estimate, estimate.t - ahead)

    def _mark(self, ahead: float | None) -> None:
        self._marks.extend(self.protocol.drain())
        if ahead is None:
            return  # before the first sample; they are marked with their own times then
        while self._marks:
            t, mark = self._marks.popleft()
            try:
                self._session.mark(text_of(mark), t + ahead)
            except EmodError as error:
                # without its markers a recording is no calibration
                self._marks.clear()
                self.protocol.abort(t, str(error))
                self.protocol.drain()


def _warning(view: View) -> str | None:
    """Return what is wrong with signal or recording, in words."""
    sentences = [view.message] if view.state == "stalled" and view.message else []
    if view.state == "running" and (left := left_out(view)):
        sentences.append(f"Left out: {left}.")
    if view.recording is None and view.notices:
        sentences.append(view.notices[-1])
    return " ".join(sentences) or None
