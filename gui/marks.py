"""Markers as thin labelled lines over a plot whose time runs from left to right."""

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from emod_rt.view import View
from gui import theme

LABEL_HEIGHT = 15
_WIDEST = 110  # pixels of one label
_LONGEST = 200  # characters
_APART = 6  # pixels a line, on average; closer lines would hide the signal


def placed(view: View) -> list[tuple[float, str]]:
    """Return seconds (0 is the newest sample, the past is negative) and text of each marker, oldest first.

    What is marked after the newest sample stands at it.
    """
    if not view.markers or not view.estimates:
        return []
    times = np.maximum.accumulate([estimate.t for estimate in view.estimates])
    seconds = np.array([(estimate.index + 1) / view.sfreq - view.elapsed_s for estimate in view.estimates])
    at = np.array([marker.t for marker in view.markers])
    places = np.interp(at, times, seconds) + np.minimum(at - times[0], 0.0) + np.maximum(at - times[-1], 0.0)
    rows = np.argsort(places, kind="stable").tolist()
    return [(min(float(places[row]), 0.0), one_line(view.markers[row].text)) for row in rows]


def one_line(text: str) -> str:
    """Return the beginning of a text from the network as one line of characters that can be drawn."""
    return " ".join("".join(each if each.isprintable() else " " for each in text[:_LONGEST]).split())


def lane(
    marks: list[tuple[float, str]], width_of: Callable[[str], float], room: float
) -> list[tuple[float, str]]:
    """Return left edge and text of the labels that fit beside one another, the newest first.

    Parameters
    ----------
    marks : list of (float, str)
        Where each line is, in pixels from the left, and its text; oldest first.
    width_of : callable
        Pixels that a text takes.
    room : float
        Width of the lane, pixels.
    """
    fitting: list[tuple[float, str]] = []
    free = room
    for number, (x, text) in reversed(list(enumerate(marks))):
        width = width_of(text)
        left = x + 3
        if left + width > free and (not fitting or number == 0 or marks[number - 1][0] < x - 3 - width):
            # on the other side of its line, where it does not seem to be the one before it
            left = x - 3 - width
        if left >= 0 and left + width <= free:
            fitting.append((left, text))
            free = left - 4
    return fitting


class Marks(QWidget):
    """Lies over a plot, lets the mouse through.

    Parameters
    ----------
    parent : QWidget
        What it lies over.

    Attributes
    ----------
    drawn : list of (float, str)
        Where each line is, in pixels from the left, and its text; oldest first.
    plot : QRectF
        What the lines cross, in pixels of this widget.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Markers")
        self.drawn: list[tuple[float, str]] = []
        self.plot = QRectF()
        self._labels_top = 0.0

    def show_marks(self, marks: list[tuple[float, str]], plot: QRectF, labels_top: float) -> None:
        """Draw lines over `plot` and labels below `labels_top`.

        Parameters
        ----------
        marks : list of (float, str)
            Where each line is, from 0 (left edge of the plot) to 1, and its text; oldest first.
        plot : QRectF
            The plot, in pixels of this widget.
        labels_top : float
            Upper edge of the labels, pixels of this widget.
        """
        marks = [(plot.left() + at * plot.width(), text) for at, text in marks if 0 <= at <= 1]
        if (marks, plot, labels_top) == (self.drawn, self.plot, self._labels_top):
            return
        self.drawn, self.plot, self._labels_top = marks, plot, labels_top
        self.setAccessibleDescription(", ".join(text for _, text in marks[-8:]))
        self.update()

    @property
    def dense(self) -> bool:
        """Whether lines would hide the plot, and are short ones below it instead."""
        return len(self._columns()) * _APART > self.plot.width()

    def _columns(self) -> list[float]:
        return sorted({round(x) + 0.5 for x, _ in self.drawn})

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw lines and labels."""
        if not self.drawn:
            return
        painter = QPainter(self)
        painter.setPen(QPen(theme.colour(theme.MARKER, 0.75), 1))
        columns = self._columns()
        bottom = self.plot.bottom()
        top = bottom - 6 if self.dense else self.plot.top()
        painter.drawLines([QLineF(x, top, x, bottom) for x in columns])
        painter.setFont(theme.font(theme.SMALL))
        metrics = painter.fontMetrics()
        short = [
            (x, metrics.elidedText(text, Qt.TextElideMode.ElideRight, _WIDEST)) for x, text in self.drawn
        ]
        for left, text in lane(short, metrics.horizontalAdvance, self.width()):
            box = QRectF(left, self._labels_top, metrics.horizontalAdvance(text), LABEL_HEIGHT)
            painter.fillRect(box.adjusted(-2, 0, 2, 0), theme.colour(theme.PANEL, 0.85))
            painter.setPen(theme.colour(theme.MARKER))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        painter.end()
