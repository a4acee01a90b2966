"""The last minute of valence and arousal, each with its band of one standard deviation."""

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainterPath, QPolygonF
from PySide6.QtWidgets import QFrame, QGraphicsPathItem, QSizePolicy, QVBoxLayout, QWidget

import pyqtgraph as pg  # isort: skip

from emod_rt.view import View
from gui import theme
from gui.history import Floats, History
from gui.marks import LABEL_HEIGHT, Marks, placed
from gui.widgets import card, freeze

SPAN_S = 60.0
_EDGE, _BEFORE_S, _AHEAD_S = 1.25, 0.5, 2.5  # room for the outermost tick labels


class Course(QWidget):
    """Two strips over one time axis; a gap in the signal is a gap in the line."""

    def __init__(self) -> None:
        super().__init__()
        frame, inside = card("Time course of valence and arousal")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setBackground(None)
        self.canvas.setAntialiasing(True)
        self.canvas.setFrameShape(QFrame.Shape.NoFrame)
        self.canvas.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.canvas.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.canvas.setAccessibleName("Valence and arousal over the last minute")
        self.canvas.ci.setContentsMargins(0, 0, 0, 0)
        self.canvas.ci.setSpacing(2)
        inside.addWidget(self.canvas)
        self.valence = _Strip(self.canvas.addPlot(row=0, col=0), "valence", theme.VALENCE)
        self.arousal = _Strip(self.canvas.addPlot(row=1, col=0), "arousal", theme.AROUSAL)
        self.axis = self.arousal.item.getAxis("bottom")
        self.arousal.item.showAxis("bottom")
        _plain(self.axis)
        self.axis.setHeight(20)
        self._end = ""
        self.marks = Marks(self.canvas)

    def show_view(self, view: View, history: History) -> None:
        """Draw one picture of the session."""
        recent = history.since(SPAN_S)
        live = view.state == "running"
        self.valence.draw(recent, recent.valence, recent.valence_sd, live=live)
        self.arousal.draw(recent, recent.arousal, recent.arousal_sd, live=live)
        end = "now" if live else "last"
        if end != self._end:
            self._end = end
            self.axis.setTicks([[(-s, f"\N{MINUS SIGN}{s} s") for s in (60, 45, 30, 15)] + [(0, end)]])
        self._show_marks(view)

    def _show_marks(self, view: View) -> None:
        self.marks.setGeometry(self.canvas.rect())
        upper, lower = (strip.item.getViewBox().sceneBoundingRect() for strip in (self.valence, self.arousal))
        a_second = upper.width() / (SPAN_S + _BEFORE_S + _AHEAD_S)
        plot = QRectF(
            upper.left() + _BEFORE_S * a_second, upper.top(), SPAN_S * a_second, lower.bottom() - upper.top()
        )
        marks = [(1 + seconds / SPAN_S, text) for seconds, text in placed(view)]
        self.marks.show_marks(marks, plot, plot.bottom() - LABEL_HEIGHT)


class _Strip:
    """One quantity from -1 to 1 over the last minute."""

    def __init__(self, item: Any, name: str, colour: str) -> None:
        self.item = item
        colours = {True: colour, False: theme.FAINT}
        self.pens = {live: pg.mkPen(name, width=2) for live, name in colours.items()}
        self.brushes = {live: pg.mkBrush(name) for live, name in colours.items()}
        self.fills = {live: theme.colour(name, 0.26) for live, name in colours.items()}
        freeze(item)
        item.setXRange(-SPAN_S - _BEFORE_S, _AHEAD_S, padding=0)
        item.setYRange(-_EDGE, _EDGE, padding=0)
        item.showAxis("left")
        axis = item.getAxis("left")
        _plain(axis)
        axis.setWidth(30)
        axis.setTicks([[(-1, "\N{MINUS SIGN}1"), (0, "0"), (1, "+1")]])
        for level in (-1.0, 0.0, 1.0):
            ends = np.array([-SPAN_S, 0.0]), np.array([level, level])
            item.addItem(pg.PlotCurveItem(*ends, pen=pg.mkPen(theme.FAINT if level == 0 else theme.LINE)))
        self.band = QGraphicsPathItem()
        self.band.setPen(Qt.PenStyle.NoPen)
        self.line = pg.PlotCurveItem(connect="finite", antialias=True)
        self.lone = pg.ScatterPlotItem(size=4, pen=None)
        for each in (self.band, self.line, self.lone):
            item.addItem(each)
        text = pg.TextItem(
            f"{name} \N{PLUS-MINUS SIGN}1 sd",
            color=colour,
            anchor=(0, 0),
            fill=theme.colour(theme.PANEL, 0.7),
        )
        text.setFont(theme.font(theme.BODY))
        text.setPos(-SPAN_S, _EDGE)
        item.addItem(text)

    def draw(self, history: History, mean: Floats, sd: Floats, *, live: bool) -> None:
        """Draw mean and band, in grey when nothing new comes."""
        self.line.setPen(self.pens[live])
        self.line.setData(history.seconds, mean)
        self.band.setBrush(self.fills[live])
        path = QPainterPath()
        lone: list[int] = []
        for rows in unbroken(mean):
            if rows.size == 1:
                lone.append(int(rows[0]))
            x = history.seconds[rows]
            if rows.size == 1:  # a single reading between two gaps still has a width to see
                x, rows = np.array([x[0] - history.hop_s / 4, x[0] + history.hop_s / 4]), rows.repeat(2)
            low, high = np.clip(mean[rows] - sd[rows], -1, 1), np.clip(mean[rows] + sd[rows], -1, 1)
            outline = zip(np.append(x, x[::-1]), np.append(high, low[::-1]), strict=True)
            path.addPolygon(QPolygonF([QPointF(float(px), float(py)) for px, py in outline]))
        self.band.setPath(path)
        self.lone.setData(x=history.seconds[lone], y=mean[lone], brush=self.brushes[live])


def unbroken(values: Floats) -> list[np.ndarray[Any, np.dtype[np.intp]]]:
    """Return the row numbers of each run without a break."""
    rows = np.flatnonzero(np.isfinite(values))
    return [run for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1) if run.size]


def _plain(axis: Any) -> None:
    axis.setPen(None)
    axis.setTextPen(theme.DIM)
    axis.setStyle(
        tickFont=theme.font(theme.SMALL),
        tickLength=0,
        tickAlpha=0,
        tickTextOffset=5,
        hideOverlappingLabels=False,
    )
