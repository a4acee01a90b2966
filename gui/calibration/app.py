"""Opens the window of a calibration on a sitting."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEventLoop, Qt, QTimer

from emod_model.errors import EmodError, UsageError
from emod_rt.calibration.scene import ActionName, Axis, Scene
from emod_rt.calibration.sitting import Sitting
from gui.calibration.window import CalibrationWindow
from gui.desktop import application, closing_signals, no_display

if TYPE_CHECKING:
    from emod_rt.calibration.finish import Result

POLL_MS = 50


def show_calibration(
    sitting: Sitting,
    conclude: "Callable[[], Result] | None" = None,
    stop: threading.Event | None = None,
) -> None:
    """Lead a person through a calibration until it is over and the window is closed.

    Parameters
    ----------
    sitting : Sitting
        Of a started session that records; this polls it, and sends it what the person does.
    conclude : callable, optional
        Ends the session and fits what was recorded, when every trial is done; called once, in a thread of its
        own, while the window says so, and then shows the verdict. Without it the window closes then.
    stop : threading.Event, optional
        Closes the window once it is set, as Ctrl-C and SIGTERM do.

    Raises
    ------
    UsageError
        There is no display.
    EmodError
        From `conclude`, after the window has said it too.
    """
    if no_display():
        raise UsageError("there is no display to calibrate on, run with --headless")
    application(offscreen=False)
    window = CalibrationWindow()
    window.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
    Lead(sitting, conclude, window, stop).run()


class Lead:
    """Takes scenes from the sitting in the Qt thread, and fits in another.

    Parameters
    ----------
    sitting, conclude, stop
        As for `show_calibration`.
    window : CalibrationWindow
        Not shown yet.
    """

    def __init__(
        self,
        sitting: Sitting,
        conclude: "Callable[[], Result] | None",
        window: CalibrationWindow,
        stop: threading.Event | None = None,
    ) -> None:
        self.sitting, self.window = sitting, window
        self._conclude = conclude
        self._stop = stop or threading.Event()
        self._outcome: Result | None = None
        self._error: Exception | None = None
        self._worker: threading.Thread | None = None
        self._filled = self._over = self._closed = False
        self._loop = QEventLoop()
        self._timer = QTimer()
        # a stimulus begins when it is shown
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.refresh)
        window.acted.connect(self.act)
        window.rated.connect(self.rate)
        window.closed.connect(self.finish)

    def run(self) -> None:
        """Show the window and return when it is closed, and what was begun is finished."""
        self._follow(self.sitting.step)
        self.window.show()
        self._timer.start()
        # a signal only leaves word: one that comes before the loop runs is found once it does
        with closing_signals(self._stop.set):
            self._loop.exec()
        self._timer.stop()
        self.window.deleteLater()
        if self._worker is not None:
            self._worker.join()
        if self._error is not None:
            raise self._error

    def refresh(self) -> None:
        """Let time pass; Python handles its signals between two of these."""
        if self._closed:
            self._loop.quit()
        elif self._stop.is_set():
            self.window.leave()
        elif not self._over:
            self._follow(self.sitting.step)
        elif self._worker is not None and not self._worker.is_alive():
            self._worker = None
            self._tell()

    def act(self, name: str) -> None:
        """Do what the person wishes."""
        self._follow(lambda: self.sitting.act(cast(ActionName, name)))

    def rate(self, axis: str, value: int) -> None:
        """Take a rating."""
        self._follow(lambda: self.sitting.rate(cast(Axis, axis), value))

    def finish(self) -> None:
        """Leave the event loop; a calibration that was under way ends."""
        self._closed = True
        # first: a session that is broken cannot even be ended in good order
        self._loop.quit()
        if not self._over and self._error is None:
            self.sitting.abort("ended by a signal" if self._stop.is_set() else "the window was closed")

    def _follow(self, step: Callable[[], Scene]) -> None:
        if self._over:
            return
        try:
            scene = step()
            self.window.show_scene(scene, self.sitting.view())
        except Exception as error:  # noqa: BLE001 - Qt would print it and go on; `run` raises it
            self._error = error
            self.window.leave()
            return
        self._fill(scene)
        if scene.over:
            self._end(scene)

    def _fill(self, scene: Scene) -> None:
        """Fill the screen from the first thing to be looked at to the last, unless the person changes it."""
        full = Qt.WindowState.WindowFullScreen
        if scene.over and self._filled:
            self.window.setWindowState(self.window.windowState() & ~full)
        elif scene.kind != "intro" and not scene.over and not self._filled:
            self._filled = True
            self.window.setWindowState(self.window.windowState() | full)

    def _end(self, scene: Scene) -> None:
        self._over = True
        if scene.kind != "done":
            return
        if self._conclude is None:
            self.window.leave()
            return
        self.window.work()
        self._worker = threading.Thread(target=self._work, args=(self._conclude,), name="calibration-fit")
        self._worker.start()

    def _work(self, conclude: "Callable[[], Result]") -> None:
        try:
            self._outcome = conclude()
        except Exception as error:  # noqa: BLE001 - `run` raises it in the thread that asked
            self._error = error

    def _tell(self) -> None:
        if self._outcome is not None:
            self.window.show_outcome(self._outcome)
        elif isinstance(self._error, EmodError):
            self.window.fail(str(self._error))
        else:
            self.window.leave()
