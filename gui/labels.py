"""Name and quality mark of every channel, beside its trace, and the scale bar below."""

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from emod_model.signal.quality import ChannelQuality
from gui import theme, words

WIDTH = 130
_ONE_LINE, _TWO_LINES = 13.0, 34.0  # row heights that hold a name, and a reason below it
_MARKS = {"good": theme.DIM, "poor": theme.ALERT, "bad": theme.FAILED}


class Labels(QWidget):
    """A filled dot is good, a half one poor, a hollow one left out; the reason stands beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(WIDTH)
        self.setAccessibleName("Channels and their signal quality")
        self.names: tuple[str, ...] = ()
        self.quality: tuple[ChannelQuality, ...] = ()
        self.row_uv = 100.0

    def show_channels(
        self, names: tuple[str, ...], quality: tuple[ChannelQuality, ...], row_uv: float
    ) -> None:
        """Set what to draw."""
        if (names, quality, row_uv) == (self.names, self.quality, self.row_uv):
            return
        self.names, self.quality, self.row_uv = names, quality, row_uv
        pairs = zip(names, quality, strict=False)
        self.setAccessibleDescription(
            ", ".join(f"{name} {words.grade(each)} {each.reason or ''}".strip() for name, each in pairs)
        )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows and the scale bar."""
        if not self.names:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        height = (self.height() - theme.HEAD - theme.FOOT) / len(self.names)
        # rows too thin for a line of text: names take turns in two or more columns
        columns = max(1, math.ceil(_ONE_LINE / height))
        for row, name in enumerate(self.names):
            middle = theme.HEAD + (row + 0.5) * height
            left = (row % columns) * WIDTH / columns
            verdict = self.quality[row] if row < len(self.quality) else None
            self._draw_row(painter, name, verdict, QPointF(left, middle), height if columns == 1 else 0.0)
        self._draw_scale(painter, height)
        painter.end()

    def _draw_row(
        self, painter: QPainter, name: str, verdict: ChannelQuality | None, at: QPointF, height: float
    ) -> None:
        size = theme.BODY if height >= 18 else theme.SMALL if height else 10
        reason = (verdict.reason or "") if verdict and height else ""
        below = bool(reason) and height >= _TWO_LINES
        y = at.y() - (7 if below else 0)
        self._draw_mark(painter, verdict, QPointF(at.x() + 6, y), 4.0 if height else 3.0)
        painter.setFont(theme.font(size))
        painter.setPen(theme.colour(theme.TEXT if verdict is None or verdict.good else theme.DIM))
        x = at.x() + 16
        box = QRectF(x, y - 10, WIDTH - x, 20)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)
        if reason:
            used = 0 if below else painter.fontMetrics().horizontalAdvance(name) + 8
            painter.setFont(theme.font(theme.SMALL if below else 10))
            painter.setPen(theme.colour(theme.DIM))
            room = WIDTH - x - used - 4
            text = painter.fontMetrics().elidedText(reason, Qt.TextElideMode.ElideRight, int(room))
            offset = 14 if below else 0
            painter.drawText(
                box.translated(used, offset), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text
            )

    @staticmethod
    def _draw_mark(painter: QPainter, verdict: ChannelQuality | None, centre: QPointF, radius: float) -> None:
        if verdict is None:
            painter.setPen(QPen(theme.colour(theme.FAINT), 1.5))
            painter.drawLine(centre - QPointF(radius - 1, 0), centre + QPointF(radius - 1, 0))
            return
        grade = words.grade(verdict)
        colour = theme.colour(_MARKS[grade])
        circle = QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius)
        painter.setPen(QPen(colour, 1.5))
        painter.setBrush(colour if grade == "good" else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(circle)
        if grade == "poor":
            painter.setBrush(colour)
            painter.drawPie(circle, 90 * 16, 180 * 16)

    def _draw_scale(self, painter: QPainter, height: float) -> None:
        microvolts = bar_uv(height / self.row_uv)
        length = microvolts * height / self.row_uv
        x, bottom = self.width() - 8.0, self.height() - 4.0
        painter.setPen(QPen(theme.colour(theme.TEXT), 2))
        painter.drawLine(QPointF(x, bottom), QPointF(x, bottom - length))
        painter.setFont(theme.font(theme.SMALL))
        painter.drawText(
            QRectF(0, bottom - length / 2 - 8, x - 8, 16),
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
            f"{microvolts:g} \N{MICRO SIGN}V",
        )


def bar_uv(pixels_per_uv: float) -> float:
    """Return the largest 1-2-5 number of microvolts whose bar fits below the rows."""
    room = (theme.FOOT - 8) / pixels_per_uv
    decade = 10.0 ** math.floor(math.log10(room))
    return next(step * decade for step in (5.0, 2.0, 1.0) if step * decade <= room)
