"""The window of a calibration: one page a scene, and keys that do what the page says."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from emod_rt.calibration.scene import Action, Axis, Scene
from emod_rt.view import View
from gui.calibration import style
from gui.calibration.foot import Foot
from gui.calibration.pages import TextPage
from gui.calibration.rating import RatingPage
from gui.calibration.result import ResultPage
from gui.calibration.stage import Stage

if TYPE_CHECKING:
    from emod_rt.calibration.finish import Result

_ANSWERS = (Action("resume", "Keep going", "space"), Action("abort", "End here", "q"))
_ENTER = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
_PICK: dict[int, Axis] = {
    Qt.Key.Key_Up: "valence",
    Qt.Key.Key_V: "valence",
    Qt.Key.Key_Down: "arousal",
    Qt.Key.Key_A: "arousal",
}


class CalibrationWindow(QWidget):
    """Draws scenes; knows no protocol.

    Signals
    -------
    acted : str
        The person wishes to do this.
    rated : str, int
        An axis, and 1 to 9.
    closed
        The window goes.
    """

    acted = Signal(str)
    rated = Signal(str, int)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setStyleSheet(style.stylesheet())
        self.setAccessibleName("EMOD calibration")
        self.setWindowTitle("Calibration \N{EN DASH} EMOD")
        self.setMinimumSize(960, 620)
        self.resize(1280, 800)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.text, self.stage, self.rating, self.result = TextPage(), Stage(), RatingPage(), ResultPage()
        self.foot = Foot()
        self.pages = QStackedWidget()
        for page in (self.text, self.stage, self.rating, self.result):
            self.pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.foot)
        for buttons in (self.text.buttons, self.foot.buttons):
            buttons.pressed.connect(self._do)
        self.rating.rated.connect(self.rated)
        self.rating.confirmed.connect(lambda: self._do("next"))
        self.result.closing.connect(self.close)
        # later: it may fail while a scene is being drawn
        self.stage.failed.connect(self._fail, Qt.ConnectionType.QueuedConnection)
        self._scene: Scene | None = None
        self._view: View | None = None
        self._asking = self._leaving = False
        self._fault = ""

    # -- what is shown

    @property
    def asking(self) -> bool:
        """Whether it is asked if the calibration shall end."""
        return self._asking

    def show_scene(self, scene: Scene, view: View) -> None:
        """Draw a scene."""
        before, self._scene, self._view = self._scene, scene, view
        self._asking = self._asking and not scene.over
        self._draw(scene, view)
        if before is None or (before.kind, before.trial) != (scene.kind, scene.trial):
            self._turn(scene)

    def _draw(self, scene: Scene, view: View) -> None:
        page = self._page(scene)
        if page is not self.stage:
            self.stage.clear()
        if self._asking:
            self.text.ask(scene, _ANSWERS)
        elif page is self.text:
            self.text.show_scene(scene, view)
            self.stage.prepare(scene.stimulus)
        elif page is self.stage:
            self.stage.show_scene(scene)
        self.pages.setCurrentWidget(page)
        if page is self.rating:
            self.rating.show_scene(scene)
        self.foot.show_scene(scene, view, asking=self._asking, fault=self._fault)

    def _page(self, scene: Scene) -> QWidget:
        if self._asking:
            return self.text
        if scene.kind in ("rest", "stimulus"):
            return self.stage
        if scene.kind == "rating":
            return self.rating
        return self.result if scene.over else self.text

    def _turn(self, scene: Scene) -> None:
        """Begin another page."""
        if scene.kind != "rating":
            self.rating.leave()
            self.setFocus()
        if scene.kind in ("stimulus", "rest"):
            self._fault = ""
        if scene.over:
            self.result.show_scene(scene)

    def work(self) -> None:
        """Show that it is being fitted."""
        self.result.work()

    def show_outcome(self, outcome: "Result") -> None:
        """Show what it is worth."""
        self.result.show_outcome(outcome)

    def fail(self, sentence: str) -> None:
        """Show why nothing was fitted."""
        self.result.fail(sentence)

    def _fail(self, sentence: str) -> None:
        """Say that a stimulus cannot be shown, and take no trial without it."""
        self._fault = sentence
        if self._scene is not None and self._scene.kind == "stimulus":
            self.acted.emit("pause")

    # -- what is done

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what a key stands for here; one that is held down does it once."""
        scene = self._scene
        if scene is None or event.isAutoRepeat() or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
            return
        key, text = event.key(), event.text().lower()
        if key == Qt.Key.Key_Escape:
            self._escape(scene)
        elif key == Qt.Key.Key_F11:
            self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)
        elif scene.kind == "rating" and not self._asking and text and text in "123456789":
            self.rated.emit(self.rating.axis, int(text))
        elif scene.kind == "rating" and key in _PICK:
            self.rating.scales[_PICK[key]].setFocus()
        elif scene.over and text == "o":
            self.result.open_report()
        else:
            self._press("space" if key in _ENTER else text, scene)

    def _press(self, key: str, scene: Scene) -> None:
        for action in _ANSWERS if self._asking else scene.actions:
            if action.key == key:
                self._do(action.name)
                return

    def _escape(self, scene: Scene) -> None:
        if scene.over:
            self.close()
        else:
            self._do("resume" if self._asking else "abort")

    def _do(self, name: str) -> None:
        """Wish for an action; before the end of it all it is asked again."""
        if self._asking:
            self._asking = False
            if name == "abort":
                self.acted.emit("abort")
            else:
                self._again()
        elif name == "abort":
            self._ask()
        else:
            self.acted.emit(name)

    def _ask(self) -> None:
        self._asking = True
        if self._scene is not None and self._scene.kind in ("rest", "stimulus"):
            # what is not looked at must not count
            self.acted.emit("pause")
        self._again()
        self.setFocus()

    def _again(self) -> None:
        if self._scene is not None and self._view is not None:
            self._draw(self._scene, self._view)

    def leave(self) -> None:
        """Close without asking."""
        self._leaving = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask before a calibration that is under way ends."""
        over = self._scene is None or self._scene.over
        if not (over or self._asking or self._leaving):
            event.ignore()
            self._ask()
            return
        self.stage.clear()
        self.closed.emit()
        super().closeEvent(event)
