"""Band powers of every channel as a heat strip beside its trace, with their means in figures below."""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from gui import theme, words

WIDTH = 170
RANGE_DB = (-10.0, 30.0)
_BANDS = ("\N{GREEK SMALL LETTER DELTA}", "θ", "α", "β", "γ")  # noqa: RUF001
_RAMP = np.array([[27, 34, 46], [38, 70, 110], [55, 121, 165], [128, 183, 206], [232, 240, 244]], dtype=float)


class Bands(QWidget):
    """One row a channel, five columns; brighter is stronger; an empty cell has no value."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(WIDTH)
        self.setAccessibleName("Band power in decibels of microvolts squared")
        self.power: npt.NDArray[np.float64] | None = None
        self.fresh = True
        self.rows = 0

    def show_power(self, power: npt.NDArray[np.float64] | None, rows: int, *, fresh: bool) -> None:
        """Set band powers, shape (channels, 5) in dB; not `fresh` when they are of an older window."""
        same = power is self.power or (
            power is not None and self.power is not None and np.array_equal(power, self.power, equal_nan=True)
        )
        if same and fresh == self.fresh and rows == self.rows:
            return
        self.power, self.fresh, self.rows = power, fresh, rows
        self.setAccessibleDescription(self.spoken())
        self.update()

    def means(self) -> npt.NDArray[np.float64]:
        """Return the mean of each band over the channels that have one, NaN where none has."""
        if self.power is None or not len(self.power):
            return np.full(len(_BANDS), np.nan)
        has = np.isfinite(self.power)
        total = np.where(has, self.power, 0.0).sum(axis=0)
        return np.where(has.any(axis=0), total / np.maximum(has.sum(axis=0), 1), np.nan)

    def spoken(self) -> str:
        """Return the means in words, for screen readers."""
        names = ("delta", "theta", "alpha", "beta", "gamma")
        means = zip(names, self.means(), strict=True)
        known = [f"{name} {value:.0f} dB" for name, value in means if np.isfinite(value)]
        return "mean " + ", ".join(known) if known else "no band powers yet"

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw letters, cells and means."""
        painter = QPainter(self)
        painter.setOpacity(1.0 if self.fresh else 0.45)
        painter.setPen(theme.colour(theme.DIM))
        painter.setFont(theme.font(theme.BODY))
        for column, letter in enumerate(_BANDS):
            painter.drawText(self._cell(column, 0, theme.HEAD), Qt.AlignmentFlag.AlignCenter, letter)
        bottom = float(self.height() - theme.FOOT)
        if self.power is not None and len(self.power):
            height = (bottom - theme.HEAD) / len(self.power)
            painter.setFont(theme.font(theme.SMALL if height >= 16 else 10))
            for row, values in enumerate(self.power):
                for column, value in enumerate(values):
                    self._draw(painter, self._cell(column, theme.HEAD + row * height, height), float(value))
        painter.setFont(theme.font(theme.SMALL))
        for column, value in enumerate(self.means()):
            self._draw(painter, self._cell(column, bottom + 4, 18), float(value))
        painter.setPen(theme.colour(theme.DIM))
        mean = QRectF(0, bottom + 22, self.width(), theme.FOOT - 22)
        painter.drawText(mean, Qt.AlignmentFlag.AlignCenter, "mean, dB")
        painter.end()

    def _cell(self, column: int, top: float, height: float) -> QRectF:
        width = self.width() / len(_BANDS)
        inset = 1.0 if height >= 6 else 0.0
        return QRectF(column * width + 1, top + inset, width - 2, height - 2 * inset)

    @staticmethod
    def _draw(painter: QPainter, cell: QRectF, value: float) -> None:
        if not np.isfinite(value):
            painter.setPen(theme.colour(theme.LINE))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(cell.adjusted(0.5, 0.5, -0.5, -0.5))
            return
        fill = shade(value)
        painter.fillRect(cell, fill)
        if cell.height() >= 11:
            painter.setPen(theme.colour(theme.INK if fill.lightnessF() > 0.5 else theme.TEXT))
            painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, words.signed(value, 0).lstrip("+"))


def shade(decibels: float) -> QColor:
    """Return the colour of a power: one ramp of lightness, so that it reads without colour vision."""
    low, high = RANGE_DB
    place = float(np.clip((decibels - low) / (high - low), 0, 1)) * (len(_RAMP) - 1)
    red, green, blue = (int(np.interp(place, np.arange(len(_RAMP)), _RAMP[:, part])) for part in range(3))
    return QColor(red, green, blue)
