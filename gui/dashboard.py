"""The window: header, plane, time course, channels, state line."""

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from emod_rt.view import View
from gui import theme, words
from gui.channels import Channels
from gui.course import Course
from gui.entry import MarkerEntry
from gui.history import history
from gui.plane import Plane
from gui.status import Header, StateLine

_LEAST_WIDTH = 378  # of the left column: two readouts and the key beside them


class Dashboard(QWidget):
    """Draws views; knows no session.

    Signals
    -------
    closed
        The user or a signal closed the window.
    marking
        A key has settled the moment of a marker.
    marked : str
        Its text.
    reset
        The person's baseline is to be the calibration's again.
    """

    closed = Signal()
    marking = Signal()
    marked = Signal(str)
    reset = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setStyleSheet(theme.stylesheet())
        self.setAccessibleName("EMOD dashboard")
        self.setMinimumSize(960, 620)
        self.resize(1280, 800)
        self.setWindowTitle("EMOD")
        self.header, self.state_line = Header(), StateLine()
        self.plane, self.course, self.channels = Plane(), Course(), Channels()
        for part in (self.plane, self.course, self.channels):
            # sizes follow the window alone, or the layout would move with every word
            part.setMinimumSize(_LEAST_WIDTH, 1)
            part.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        body = QGridLayout()
        body.setSpacing(theme.GAP)
        body.addWidget(self.plane, 0, 0)
        body.addWidget(self.course, 1, 0)
        body.addWidget(self.channels, 0, 1, 2, 1)
        body.setColumnStretch(0, 35)
        body.setColumnStretch(1, 65)
        body.setRowStretch(0, 66)
        body.setRowStretch(1, 34)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.GAP, theme.GAP, theme.GAP, theme.GAP)
        layout.setSpacing(theme.GAP)
        layout.addWidget(self.header)
        layout.addLayout(body, 1)
        self.entry = MarkerEntry()
        self.entry.written.connect(self.marked)
        self.entry.ended.connect(self.leave_entry)
        # one in the place of the other, so that nothing else moves
        self._foot = QStackedWidget()
        self._foot.setFixedHeight(theme.LINE_HEIGHT)
        self._foot.addWidget(self.state_line)
        self._foot.addWidget(self.entry)
        layout.addWidget(self._foot)
        self._drawn: tuple[object, ...] = ()
        self._elapsed_s = 0.0
        for keys, action in (
            ("Esc", self.leave),
            ("Ctrl+Q", self.close),
            ("F11", self.toggle_full_screen),
            ("M", self.ask_marker),
            ("B", self.reset.emit),
            ("Return", self.confirm),
            ("Enter", self.confirm),
            *((str(digit), partial(self.mark_digit, digit)) for digit in range(1, 10)),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setAutoRepeat(False)
            shortcut.activated.connect(action)

    def show_view(self, view: View) -> None:
        """Draw one picture of the session."""
        self._elapsed_s = view.elapsed_s
        self.setWindowTitle(f"{view.source} \N{EN DASH} EMOD")
        self.header.show_view(view)
        self.state_line.show_view(view)
        self.channels.show_view(view)
        # the estimates change a few times a second; redrawing them with every trace would be for nothing
        newest = view.estimates[-1] if view.estimates else None
        drawn = (view.state, view.message, newest, len(view.estimates), view.quality, view.markers)
        if drawn != self._drawn:
            self._drawn = drawn
            past = history(view)
            self.plane.show_view(view, past)
            self.course.show_view(view, past)

    @property
    def writing(self) -> bool:
        """Whether the text of a marker is asked for."""
        return self._foot.currentWidget() is self.entry

    def ask_marker(self) -> None:
        """Settle the moment, then ask for the text."""
        self.marking.emit()
        self._foot.setCurrentWidget(self.entry)
        self.entry.begin(words.duration(self._elapsed_s))

    def mark_digit(self, digit: int) -> None:
        """Mark a digit at once."""
        self.marking.emit()
        self.marked.emit(str(digit))

    def confirm(self) -> None:
        """Write the marker, or take the notice as seen."""
        if self.writing:
            self.entry.finish()
        else:
            self.header.see()

    def leave(self) -> None:
        """Leave the marker, or the window."""
        if self.writing:
            self.leave_entry()
        else:
            self.close()

    def leave_entry(self) -> None:
        """Show the counters again."""
        self._foot.setCurrentWidget(self.state_line)
        self.setFocus()

    def toggle_full_screen(self) -> None:
        """Fill the screen, or go back to a window."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Tell that the window goes."""
        self.closed.emit()
        super().closeEvent(event)
