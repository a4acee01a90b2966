"""What may be done now, as buttons."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from emod_rt.calibration.scene import Action
from gui import theme

_KEYS = {"space": "Space", "esc": "Esc"}


class Button(QPushButton):
    """An action with its key; a key that is held down does not press it again and again."""

    def __init__(self, text: str, key: str, *, primary: bool = False) -> None:
        shown = _KEYS.get(key, key.upper())
        super().__init__(f"{text}  ({shown})")
        self.setAccessibleName(text)
        self.setProperty("primary", "true" if primary else "false")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter press it as Space does, once."""
        if event.isAutoRepeat():
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
            return
        super().keyPressEvent(event)


class Buttons(QWidget):
    """A row of buttons that changes with the scene.

    Signals
    -------
    pressed : str
        Name of the action.
    """

    pressed = Signal(str)

    def __init__(self, *, primary: bool) -> None:
        super().__init__()
        self._primary = primary
        self._shown: tuple[Action, ...] = ()
        self.buttons: dict[str, Button] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.GAP)

    def show_actions(self, actions: Sequence[Action]) -> None:
        """Offer these, the usual first."""
        if tuple(actions) == self._shown:
            return
        self._shown = tuple(actions)
        for button in self.buttons.values():
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = {}
        for action in actions:
            first = self._primary and not self.buttons
            button = Button(action.label, action.key, primary=first)
            button.clicked.connect(partial(self.pressed.emit, action.name))
            self.buttons[action.name] = button
            self._row.addWidget(button)
        self.setVisible(bool(self.buttons))

    def first(self) -> Button | None:
        """Return the usual one."""
        return next(iter(self.buttons.values()), None)
