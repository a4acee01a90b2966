"""The few plain widgets that the panels share, and the one door to untyped pyqtgraph."""

from typing import Any

# PySide6 comes first: pyqtgraph takes the binding that is already imported
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget

import pyqtgraph as pg  # isort: skip

from gui import theme


def label(text: str, role: str, name: str | None = None, parent: QWidget | None = None) -> QLabel:
    """Return a text in one of the roles of the style sheet, with a name for screen readers."""
    made = QLabel(text, parent)
    made.setProperty("role", role)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if name:
        made.setAccessibleName(name)
    return made


def card(name: str) -> tuple[QFrame, QVBoxLayout]:
    """Return a framed panel and the layout inside it."""
    frame = QFrame()
    frame.setObjectName("card")
    frame.setAccessibleName(name)
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(theme.GAP, theme.GAP - 2, theme.GAP, theme.GAP)
    layout.setSpacing(6)
    return frame, layout


class ElidedLabel(QLabel):
    """A text cut where there is no room; the tool tip has all of it.

    Takes the room that is left; with `widest`, the room that its text needs, up to so many pixels.

    Parameters
    ----------
    role, name : str
        In the style sheet, and for screen readers.
    widest : int, optional
        Pixels.
    lines : int
        That the text may take.
    side : Qt.TextElideMode
        Where it is cut: a name that is too long is known by both its ends, a sentence by its beginning.
    """

    def __init__(
        self,
        role: str,
        name: str,
        widest: int | None = None,
        lines: int = 1,
        side: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        super().__init__()
        self.setProperty("role", role)
        self.setAccessibleName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(lines > 1)
        self.widest = widest
        self.lines = lines
        self.side = side if widest is None else Qt.TextElideMode.ElideMiddle
        if widest is None:
            self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.full = ""

    def set_full(self, text: str) -> None:
        """Show `text`, as much of it as fits."""
        if text != self.full:
            self.full = text
            self.setToolTip(text)
            self.setAccessibleDescription(text)
            self.updateGeometry()
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the text to the new width."""
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Take any width, and the height of one line."""
        return QSize(0, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        """Ask for the width of the whole text, up to the widest."""
        needed = self.fontMetrics().horizontalAdvance(self.full) + 2
        return QSize(min(needed, self.widest or needed), super().sizeHint().height())

    def _fit(self) -> None:
        if self.lines == 1:
            self.setText(self.fontMetrics().elidedText(self.full, self.side, self.width()))
            return
        kept = len(self.full)
        while kept and not self._fits(text := _cut(self.full, kept)):
            kept -= 1
        self.setText(text if kept else "")

    def _fits(self, text: str) -> bool:
        metrics = self.fontMetrics()
        box = metrics.boundingRect(QRect(0, 0, self.width(), 10_000), Qt.TextFlag.TextWordWrap, text)
        # the height of each line is rounded up
        return box.width() <= self.width() and box.height() <= self.lines * (metrics.lineSpacing() + 1)


def _cut(text: str, kept: int) -> str:
    return text if kept >= len(text) else text[:kept].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def restyle(widget: QWidget, **properties: str) -> None:
    """Set style-sheet properties and have the widget and its children painted by them, if any changed."""
    changed = [name for name, value in properties.items() if widget.property(name) != value]
    for name in changed:
        widget.setProperty(name, properties[name])
    if changed:
        for each in (widget, *widget.findChildren(QWidget)):
            each.style().unpolish(each)
            each.style().polish(each)


def bare_plot(name: str) -> Any:
    """Return a pyqtgraph PlotWidget without axes, mouse, menu or automatic range."""
    plot = pg.PlotWidget(background=None)
    plot.setAccessibleName(name)
    plot.setFrameShape(QFrame.Shape.NoFrame)
    plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    plot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    freeze(plot.getPlotItem())
    return plot


def freeze(item: Any) -> None:
    """Take axes, mouse, menu, buttons, padding and automatic range from a PlotItem."""
    item.hideAxis("left")
    item.hideAxis("bottom")
    item.setMouseEnabled(x=False, y=False)
    item.setMenuEnabled(False)
    item.hideButtons()
    item.disableAutoRange()
    item.setContentsMargins(0, 0, 0, 0)
    item.layout.setContentsMargins(0, 0, 0, 0)
    item.getViewBox().setDefaultPadding(0)
