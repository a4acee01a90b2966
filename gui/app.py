"""Opens the dashboard on a running session, or draws one view into a file."""

import os
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QCoreApplication, QEventLoop, Qt, QTimer

from emod_model.errors import EmodError, UsageError
from emod_rt.markers import Marker
from emod_rt.view import View
from gui.dashboard import Dashboard
from gui.desktop import application, closing_signals, no_display

POLL_MS = 50
_JOIN_S = 10.0
_LOST = 4  # exit code: the source was not found or was lost


class SessionView(Protocol):
    """What the dashboard asks of a session, which runs in threads of its own."""

    def view(self) -> View:
        """Return a picture of the session; quick, and safe from any thread."""
        ...

    def moment(self) -> float | None:
        """Return this moment for a `mark` whose text comes later."""
        ...

    def mark(self, text: str, t: float | None = None) -> Marker:
        """Mark a moment, now by default; raises EmodError when it cannot be."""
        ...

    def reset_baseline(self) -> Marker:
        """Go back to the calibration's baseline; raises EmodError when there is none."""
        ...

    def stop(self) -> None:
        """Ask the session to end; returns at once."""
        ...

    def join(self, timeout_s: float, /) -> bool:
        """Wait until the session's threads have ended, at most `timeout_s`; return whether they have."""
        ...


def show(session: SessionView, *, screenshot: Path | None = None, close_when_ended: bool = False) -> int:
    """Show a session until its window is closed, then end the session and wait for its threads.

    Parameters
    ----------
    session : SessionView
        A started session; this only polls it.
    screenshot : pathlib.Path, optional
        PNG of the window, written when the session has ended, or before the window closes. With it the
        dashboard also works without a display, and then closes by itself.
    close_when_ended : bool
        Close the window when the session has ended or failed.

    Returns
    -------
    int
        Exit code: 0, or 4 when the session failed.

    Raises
    ------
    UsageError
        No display, or the screenshot cannot be written; the session is ended all the same.
    """
    try:
        if screenshot is not None:
            _check_writable(screenshot)
        hidden = no_display()
        if hidden and screenshot is None:
            raise UsageError("there is no display to show the dashboard on, run with --headless")
        application(offscreen=hidden)
        window = Dashboard()
        window.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        poll = _Poll(session, window, screenshot, close_when_ended or hidden)
        poll.run()
    finally:
        session.stop()
        session.join(_JOIN_S)
    return _LOST if poll.state == "failed" else 0


def render(view: View, path: Path, size: tuple[int, int] = (1280, 800)) -> None:
    """Draw one view into a PNG of `size` pixels, off-screen.

    Raises
    ------
    UsageError
        The file cannot be written.
    """
    _check_writable(path)
    application(offscreen=no_display())
    window = Dashboard()
    window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    window.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
    window.resize(*size)
    window.show()
    QCoreApplication.processEvents()  # sizes are settled before the rows are drawn
    window.show_view(view)
    QCoreApplication.processEvents()
    _save(window, path)
    window.close()
    window.deleteLater()


class _Poll:
    """Takes views from the session in the Qt thread, at the pace of the eye."""

    def __init__(
        self, session: SessionView, window: Dashboard, screenshot: Path | None, close_when_ended: bool
    ) -> None:
        self.session, self.window = session, window
        self.screenshot, self.close_when_ended = screenshot, close_when_ended
        self.state = "waiting"
        self._pictured = screenshot is None
        self._error: Exception | None = None
        self._loop = QEventLoop()
        self._timer = QTimer()
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.refresh)
        self.window.closed.connect(self.finish)
        self._moment: float | None = None
        self.window.marking.connect(self.take_moment)
        self.window.marked.connect(self.mark)
        self.window.reset.connect(self.reset_baseline)

    def run(self) -> None:
        """Show the window and return when it is closed."""
        self._follow(self.session.view())
        self.window.show()
        self._timer.start()
        with closing_signals(self.window.close):
            self._loop.exec()
        self.window.deleteLater()
        if self._error is not None:
            raise self._error

    def refresh(self) -> None:
        """Draw the newest view; Python handles its signals between two of these."""
        try:
            self._follow(self.session.view())
        except Exception as error:  # noqa: BLE001 - Qt would print it and go on; `run` raises it
            self._error = error
            self._pictured = True
            self.window.close()

    def _follow(self, view: View) -> None:
        self.state = view.state
        self.window.show_view(view)
        if view.state in ("ended", "failed"):
            self._picture()
            if self.close_when_ended:
                self.window.close()

    def take_moment(self) -> None:
        """Remember when the key of a marker was pressed."""
        self._moment = self.session.moment()

    def mark(self, text: str) -> None:
        """Mark that moment; what stands against it is said where the marker would be."""
        try:
            self.session.mark(text, self._moment)
        except EmodError as error:
            self.window.state_line.say(str(error))

    def reset_baseline(self) -> None:
        """Go back to the calibration's baseline; the marker of it confirms that."""
        try:
            self.session.reset_baseline()
        except EmodError as error:
            self.window.state_line.say(str(error))

    def finish(self) -> None:
        """Take the picture that is still owed, and leave the event loop."""
        self._timer.stop()
        self._picture()
        self._loop.quit()

    def _picture(self) -> None:
        if not self._pictured and self.screenshot is not None and self.window.isVisible():
            self._pictured = True
            _save(self.window, self.screenshot)


def _save(window: Dashboard, path: Path) -> None:
    QCoreApplication.sendPostedEvents()  # the newest words are laid out first
    if not window.grab().save(str(path), "PNG"):
        raise UsageError(f"the picture {path} could not be written, choose a folder that can be written to")


def _check_writable(path: Path) -> None:
    folder = path.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK) or path.is_dir():
        raise UsageError(f"no picture can be written to {path}, choose a folder that can be written to")
