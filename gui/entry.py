"""The line in which a marker is written."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit

from gui import theme
from gui.widgets import label

_LONGEST = 200  # characters


class MarkerEntry(QFrame):
    """Asks for the text of a marker whose moment is settled already.

    Signals
    -------
    written : str
        The text.
    ended
        Written or left.
    """

    written = Signal(str)
    ended = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("entry")
        self.setAccessibleName("Marker")
        self.moment = label("", "moment", "Time of the marker")
        self.text = QLineEdit()
        self.text.setAccessibleName("Text of the marker")
        self.text.setPlaceholderText("what happened")
        self.text.setMaxLength(_LONGEST)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.GAP, 5, theme.GAP, 5)
        layout.setSpacing(theme.GAP)
        layout.addWidget(self.moment)
        layout.addWidget(self.text, 1)
        layout.addWidget(label("Enter marks the moment of the key M, Esc leaves", "caption"))

    def begin(self, moment: str) -> None:
        """Ask anew; `moment` is when, in words."""
        self.moment.setText(f"marker at {moment}")
        self.text.clear()
        self.text.setFocus()

    def finish(self) -> None:
        """Hand the text on, if there is one."""
        text = self.text.text().strip()
        if text:
            self.written.emit(text)
        self.ended.emit()
