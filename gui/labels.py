"""Name, quality mark and impedance of every channel, beside its trace, and the scale bar below."""

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from emod_model.signal.quality import ChannelQuality
from emod_rt.view import View
from gui import theme, words

WIDTH = 130
_ONE_LINE, _TWO_LINES = 13.0, 34.0  # row heights that hold a name, and a reason below it
_MARKS = {"good": theme.DIM, "poor": theme.ALERT, "bad": theme.FAILED}
_CONTACTS = {"good": theme.DIM, "fair": theme.TEXT, "poor": theme.ALERT}


class Labels(QWidget):
    """A filled dot is good, a half one poor, a hollow one left out; the reason stands beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(WIDTH)
        self.setAccessibleName("Channels and their signal quality")
        self._view: View | None = None
        self.row_uv = 100.0
        self._drawn: tuple[object, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Channels, from the top."""
        return self._view.channels if self._view else ()

    def show_view(self, view: View, row_uv: float) -> None:
        """Draw one picture of the session whose rows are `row_uv` microvolts high."""
        self._view, self.row_uv = view, row_uv
        drawn = (view.channels, view.quality, view.impedance_kohm, row_uv)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        pairs = zip(view.channels, view.quality, strict=False)
        spoken = [f"{name} {words.grade(each)} {each.reason or ''}".strip() for name, each in pairs]
        for row, value in enumerate(view.impedance_kohm[: len(spoken)]):
            spoken[row] += "" if value is None else f" {words.kohm(value)}"
        self.setAccessibleDescription(", ".join(spoken))
        self.update()

    def event(self, event: QEvent) -> bool:
        """Tell all about the channel under the mouse."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.told_at(event.pos().y()), self)
            return True
        return super().event(event)

    def told_at(self, y: float) -> str:
        """Return all about the channel at a height of the widget; nothing above and below the rows."""
        row = math.floor((y - theme.HEAD) / self._row_height()) if self.names else -1
        return words.channel(self._view, row) if self._view and 0 <= row < len(self.names) else ""

    def _row_height(self) -> float:
        return (self.height() - theme.HEAD - theme.FOOT) / len(self.names)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows and the scale bar."""
        if self._view is None or not self.names:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        height = self._row_height()
        # rows too thin for a line of text: names take turns in two or more columns
        columns = max(1, math.ceil(_ONE_LINE / height))
        for row in range(len(self.names)):
            middle = theme.HEAD + (row + 0.5) * height
            left = (row % columns) * WIDTH / columns
            self._draw_row(painter, self._view, row, QPointF(left, middle), height if columns == 1 else 0.0)
        self._draw_scale(painter, height)
        painter.end()

    def _draw_row(self, painter: QPainter, view: View, row: int, at: QPointF, height: float) -> None:
        verdict = view.quality[row] if row < len(view.quality) else None
        reason = (verdict.reason or "") if verdict and height else ""
        below = bool(reason) and height >= _TWO_LINES
        y = at.y() - (7 if below else 0)
        self._draw_mark(painter, verdict, QPointF(at.x() + 6, y), 4.0 if height else 3.0)
        painter.setFont(theme.font(theme.BODY if height >= 18 else theme.SMALL if height else 10))
        painter.setPen(theme.colour(theme.TEXT if verdict is None or verdict.good else theme.DIM))
        x = at.x() + 16
        box = QRectF(x, y - 10, WIDTH - x - 8, 20)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, view.channels[row])
        used = 0.0 if below else painter.fontMetrics().horizontalAdvance(view.channels[row]) + 8.0
        room = box.width() - (0.0 if below else used)
        value = view.impedance_kohm[row] if row < len(view.impedance_kohm) else None
        if value is not None and height:
            taken = self._draw_contact(painter, value, box)
            room -= 0.0 if below else taken + 8
        if reason:
            self._draw_reason(
                painter, reason, box.translated(used, 14 if below else 0), room, small=not below
            )

    @staticmethod
    def _draw_contact(painter: QPainter, value: float, box: QRectF) -> float:
        painter.setFont(theme.font(theme.SMALL))
        painter.setPen(theme.colour(_CONTACTS[words.contact(value)]))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, words.kohm(value))
        return float(painter.fontMetrics().horizontalAdvance(words.kohm(value)))

    @staticmethod
    def _draw_reason(painter: QPainter, reason: str, box: QRectF, room: float, *, small: bool) -> None:
        painter.setFont(theme.font(10 if small else theme.SMALL))
        painter.setPen(theme.colour(theme.DIM))
        text = painter.fontMetrics().elidedText(reason, Qt.TextElideMode.ElideRight, int(room))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

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
