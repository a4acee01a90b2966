"""Scrolling traces of all channels, and the time axis below them."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

import pyqtgraph as pg  # isort: skip

from emod_rt.view import View
from gui import theme
from gui.marks import Marks, placed
from gui.widgets import bare_plot

SPAN_S = 8.0
STEPS_UV = (5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0)
_COLOURS = ("#C3CEDD", "#8FA3BE", theme.FAINT)  # neighbours differ; left-out channels recede
_LIMITS = (2.0, 0.45)  # rows: a blink may reach into the next one, a channel left out may not
_SMOOTH_BELOW = 24  # channels: above, thin rows gain nothing from antialiasing and cost twice the time

Floats = npt.NDArray[np.float32]


class Traces(QWidget):
    """All channels of the last seconds, one row each on one scale.

    Attributes
    ----------
    row_uv : float
        Microvolts that one row is high.
    """

    def __init__(self) -> None:
        super().__init__()
        self.row_uv = 100.0
        self.plot = bare_plot("Traces of all channels")
        self.axis = _TimeAxis()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.axis)
        self._fitted = (0, 0)
        self._drawn: tuple[object, ...] = ()
        self._grid = pg.PlotCurveItem(pen=pg.mkPen(theme.LINE), connect="pairs")
        self.curves: list[Any] = [
            pg.PlotCurveItem(pen=pg.mkPen(name, width=1), connect="finite") for name in _COLOURS
        ]
        for item in (self._grid, *self.curves):
            self.plot.addItem(item)
        self.marks = Marks(self)

    def show_view(self, view: View) -> None:
        """Draw one picture of the session."""
        asked = (view.trace_end, view.state, view.channels, view.quality, view.markers, self.plot.size())
        if asked == self._drawn:
            return
        self._drawn = asked
        data = view.traces[:, -max(round(SPAN_S * view.trace_sfreq), 1) :]
        self._fit_rows(len(data))
        bad = np.array([not verdict.good for verdict in view.quality] or [False] * len(data), dtype=bool)
        self.row_uv = scale(data[~bad], self.row_uv, rows=len(data))
        group = np.where(bad | (view.state != "running"), 2, np.arange(len(data)) % 2)
        first = view.trace_end - data.shape[1]
        position = np.arange(first, view.trace_end, dtype=np.int64)
        factor = data.shape[1] // max(2 * self.plot.width(), 1)
        if factor > 1:
            data, position = peaks(data, first, factor)
        seconds = (position + 1 - view.trace_end) / (view.trace_sfreq or 1.0)
        centre = -0.5 - np.arange(len(data), dtype=np.float32)[:, None]
        limit = np.where(bad, _LIMITS[1], _LIMITS[0]).astype(np.float32)[:, None]
        drawn = np.clip(data / self.row_uv, -limit, limit) + centre
        for number, curve in enumerate(self.curves):
            curve.setData(*_strung(seconds, drawn[group == number]))
        self.axis.show_end("now" if view.state == "running" else "last")
        self.marks.setGeometry(self.rect())
        plot = QRectF(self.plot.geometry()).adjusted(0, theme.HEAD, 0, 0)
        marks = [(1 + seconds / SPAN_S, text) for seconds, text in placed(view)]
        # below the seconds, where no trace runs
        self.marks.show_marks(marks, plot, plot.bottom() + 20)

    def _fit_rows(self, rows: int) -> None:
        height = self.plot.height()
        if (rows, height) == self._fitted:
            return
        self._fitted = (rows, height)
        # the strip above the rows belongs to the plot, so that a blink in the first row is not cut
        above = rows * theme.HEAD / max(height - theme.HEAD, 1)
        self.plot.setRange(QRectF(-SPAN_S, -rows, SPAN_S, max(rows + above, 1)), padding=0)
        times = np.repeat(np.arange(-SPAN_S, 0.5, 2.0), 2)
        self._grid.setData(times, np.tile([0.0, -float(rows)], len(times) // 2))
        for curve in self.curves:
            curve.opts["antialias"] = rows < _SMOOTH_BELOW


def scale(data: Floats, current: float, rows: int) -> float:
    """Return microvolts a row, from fixed steps: the current one as long as it serves.

    The middle channel counts, so that blinks in front do not flatten the rest. Thin rows may run into their
    neighbours, or 64 channels would look flat.
    """
    seen = np.abs(data[:, np.isfinite(data).all(axis=0)][:, ::3])
    if seen.size == 0:
        return current
    typical = float(np.median(np.percentile(seen, 98, axis=1)))
    wanted = 2.0 * typical / min(max(rows / 12, 1.0), 1.8)
    if 0.3 * current <= wanted <= 1.1 * current:
        return current
    return next((step for step in STEPS_UV if step >= wanted), STEPS_UV[-1])


def peaks(data: Floats, first: int, factor: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return minimum and maximum of every `factor` samples, and their absolute positions.

    Bins lie on a fixed grid of absolute positions, so that peaks do not flicker while scrolling. A bin that
    touches a hole is a hole.
    """
    skip = -first % factor
    bins = (data.shape[1] - skip) // factor
    whole = data[:, skip : skip + bins * factor].reshape(len(data), bins, factor)
    ends = np.stack([whole.min(axis=2), whole.max(axis=2)], axis=2).reshape(len(data), 2 * bins)
    starts = first + skip + np.arange(bins, dtype=np.int64) * factor
    return ends, np.stack([starts, starts + factor // 2], axis=1).reshape(-1)


def _strung(seconds: npt.NDArray[np.float64], rows: Floats) -> tuple[Floats, Floats]:
    """Return x and y of one curve that holds all rows, with a break after each."""
    y = np.full((len(rows), len(seconds) + 1), np.nan, dtype=np.float32)
    y[:, :-1] = rows
    x = np.tile(np.append(seconds, 0.0).astype(np.float32), len(rows))
    return x, y.reshape(-1)


class _TimeAxis(QWidget):
    """Seconds below the traces."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(theme.FOOT)
        self._end = "now"

    def show_end(self, text: str) -> None:
        """Set the word at the newest sample."""
        if text != self._end:
            self._end = text
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Write the seconds."""
        painter = QPainter(self)
        painter.setFont(theme.font(theme.SMALL))
        painter.setPen(theme.colour(theme.DIM))
        width = self.width()
        for seconds in range(0, int(SPAN_S) + 1, 2):
            text = f"\N{MINUS SIGN}{seconds} s" if seconds else self._end
            x = width * (1 - seconds / SPAN_S)
            box = QRectF(min(max(x - 40, 0), width - 80), 4, 80, 16)
            side = Qt.AlignmentFlag.AlignHCenter
            if seconds == 0:
                side = Qt.AlignmentFlag.AlignRight
            elif seconds == SPAN_S:
                side = Qt.AlignmentFlag.AlignLeft
            painter.drawText(box, side, text)
        painter.end()
