"""The few plain widgets that the panels share, and the one door to untyped pyqtgraph."""

from typing import Any

# PySide6 comes first: pyqtgraph takes the binding that is already imported
from PySide6.QtCore import QSize, Qt
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
    """One line of text, cut where there is no room; the tool tip has all of it.

    Takes the room that is left; with `widest`, the room that its text needs, up to so many pixels.
    """

    def __init__(self, role: str, name: str, widest: int | None = None) -> None:
        super().__init__()
        self.setProperty("role", role)
        self.setAccessibleName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.widest = widest
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
        # a name that is too long is known by both its ends, a sentence by its beginning
        side = Qt.TextElideMode.ElideRight if self.widest is None else Qt.TextElideMode.ElideMiddle
        self.setText(self.fontMetrics().elidedText(self.full, side, self.width()))


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
