"""A row of nine figures to choose from."""

from functools import partial

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout

from emod_rt.calibration.scene import SCALES, Axis
from gui import manikin, theme
from gui.widgets import label, restyle

VALUES = range(1, 10)
_COLOURS = {"valence": theme.VALENCE, "arousal": theme.AROUSAL}
_NUMBER = 22.0  # height of the number below a figure
_WIDEST = 132  # of a figure


class Figure(QAbstractButton):
    """One figure with its number.

    Parameters
    ----------
    axis : str
        The scale that it belongs to.
    value : int
        1 to 9.
    """

    def __init__(self, axis: Axis, value: int) -> None:
        super().__init__()
        self.axis, self.value = axis, value
        self.setCheckable(True)
        # the row has the keys
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(56, 72)
        self.setMaximumWidth(_WIDEST)
        _, low, high = SCALES[axis]
        meaning = {1: f", {low}", 9: f", {high}"}.get(value, "")
        self.setAccessibleName(f"{value}{meaning}")
        self.setToolTip(f"{value}{meaning}")

    def nextCheckState(self) -> None:
        """Keep what is chosen: the scene says what that is."""

    def event(self, event: QEvent) -> bool:
        """Look alive under the mouse."""
        if event.type() in (QEvent.Type.Enter, QEvent.Type.Leave):
            self.update()
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the figure over its number."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        spare = max(0.0, whole.height() - whole.width() - _NUMBER)
        whole.adjust(0, spare / 2, 0, -spare / 2)
        chosen, colour = self.isChecked(), theme.colour(_COLOURS[self.axis])
        if chosen or self.underMouse():
            painter.setPen(QPen(colour if chosen else theme.colour(theme.FAINT), 2.5 if chosen else 1.5))
            painter.setBrush(theme.colour(_COLOURS[self.axis], 0.14) if chosen else theme.colour(theme.LINE))
            painter.drawRoundedRect(whole, 8, 8)
        box = whole.adjusted(4, 5, -4, -_NUMBER)
        manikin.draw(
            painter, box, self.axis, self.value, manikin.ink(_COLOURS[self.axis] if chosen else None)
        )
        painter.setFont(theme.font(theme.TITLE, bold=chosen))
        painter.setPen(colour if chosen else theme.colour(theme.DIM))
        foot = QRectF(whole.left(), whole.bottom() - _NUMBER, whole.width(), _NUMBER)
        painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, str(self.value))
        painter.end()


class Scale(QFrame):
    """A question and nine figures, of which one may be chosen.

    Signals
    -------
    chosen : int
        A figure was clicked, or reached by an arrow key; what is chosen then is shown by `show_value`.
    """

    chosen = Signal(int)

    def __init__(self, axis: Axis) -> None:
        super().__init__()
        self.axis: Axis = axis
        self.value: int | None = None
        self.setObjectName("scale")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        question, low, high = SCALES[axis]
        self.setAccessibleName(f"{question} 1 {low}, 9 {high}")
        self.question = label(question, "question")
        self.low, self.high = label(f"1  {low}", "anchor"), label(f"{high}  9", "anchor")
        self.figures = {value: Figure(axis, value) for value in VALUES}
        top = QHBoxLayout()
        top.addWidget(self.question)
        top.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addStretch(1)
        for value, figure in self.figures.items():
            figure.clicked.connect(partial(self._click, value))
            row.addWidget(figure, 20)
        row.addStretch(1)
        ends = QHBoxLayout()
        ends.addWidget(self.low)
        ends.addStretch(1)
        ends.addWidget(self.high)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.GAP, 8, theme.GAP, 8)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addLayout(row, 1)
        layout.addLayout(ends)
        self._light()

    def show_value(self, value: int | None) -> None:
        """Show which figure is chosen; None for none."""
        self.value = value
        for each, figure in self.figures.items():
            figure.setChecked(each == value)
        self.setAccessibleDescription("nothing chosen yet" if value is None else f"{value} of 9 chosen")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step to the neighbour, from the middle when nothing is chosen yet; leave other keys alone."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        elif self.value is None:
            self.chosen.emit(5)
        elif self.value + step in VALUES:
            self.chosen.emit(self.value + step)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that keys answer this question."""
        super().focusInEvent(event)
        self._light()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that they answer another."""
        super().focusOutEvent(event)
        self._light()

    def _light(self) -> None:
        restyle(self, lit="true" if self.hasFocus() else "false")

    def _click(self, value: int) -> None:
        self.setFocus()
        self.chosen.emit(value)
