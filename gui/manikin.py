"""Figures that show how one feels, 1 to 9: an own drawing, of shapes alone, sharp at every size."""

from dataclasses import dataclass
from math import cos, pi, sin

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from emod_rt.calibration.scene import Axis
from gui import theme

_SIDE = 100.0  # of the square that all numbers below are in
# from which energy on the eyes are open, and the mouth is
_AWAKE, _STIRRED = 0.2, 0.7


@dataclass(frozen=True)
class Ink:
    """The colours of a figure.

    Attributes
    ----------
    skin, coat : QColor
        Of the head and of the body.
    line : QColor
        Of the face.
    spark : QColor
        Of what flies around it.
    """

    skin: QColor
    coat: QColor
    line: QColor
    spark: QColor


def ink(colour: str | None = None) -> Ink:
    """Return the colours of a figure: pale, or in a colour when it is the chosen one."""
    line = theme.colour(theme.INK)
    if colour is None:
        return Ink(QColor("#C3CCD8"), QColor("#77859A"), line, QColor("#C3CCD8"))
    chosen = QColor(colour)
    return Ink(chosen.lighter(112), chosen.darker(130), line, chosen.lighter(112))


def draw(painter: QPainter, box: QRectF, axis: Axis, value: int, ink: Ink) -> None:
    """Draw a figure into the largest square in the middle of `box`.

    Parameters
    ----------
    painter : QPainter
        At work.
    box : QRectF
        Where.
    axis : str
        "valence" (from a frown to a smile) or "arousal" (from asleep to thrilled).
    value : int
        1 to 9.
    ink : Ink
        Its colours.
    """
    side = min(box.width(), box.height())
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(box.center() - QPointF(side, side) / 2)
    painter.scale(side / _SIDE, side / _SIDE)
    painter.setClipRect(QRectF(0, 0, _SIDE, _SIDE))
    step = (value - 1) / 8
    if axis == "valence":
        _Mood(painter, ink, 2 * step - 1).draw()
    else:
        _Energy(painter, ink, step).draw()
    painter.restore()


class _Pencil:
    """A few shapes in the colours of a figure."""

    def __init__(self, painter: QPainter, ink: Ink) -> None:
        self.painter, self.ink = painter, ink

    def fill(self, path: QPainterPath, colour: QColor) -> None:
        self.painter.fillPath(path, colour)

    def blob(self, x: float, y: float, rx: float, ry: float, colour: QColor) -> None:
        path = QPainterPath()
        path.addEllipse(QPointF(x, y), rx, ry)
        self.fill(path, colour)

    def stroke(self, path: QPainterPath, width: float, colour: QColor | None = None) -> None:
        pen = QPen(colour or self.ink.line, width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        self.painter.strokePath(path, pen)

    def bow(
        self, start: QPointF, over: QPointF, end: QPointF, width: float, colour: QColor | None = None
    ) -> None:
        """Draw a line that bends towards a point."""
        path = QPainterPath(start)
        path.quadTo(over, end)
        self.stroke(path, width, colour)


class _Mood(_Pencil):
    """Head and shoulders; mouth, brows, eyes and posture go with `mood`, -1 to 1."""

    def __init__(self, painter: QPainter, ink: Ink, mood: float) -> None:
        super().__init__(painter, ink)
        self.mood = mood
        self.low, self.high = max(0.0, -mood), max(0.0, mood)
        self.y = 45 + 4 * self.low - 2 * self.high  # of the head's middle

    def draw(self) -> None:
        self._body()
        self.blob(50, self.y, 34, 33, self.ink.skin)
        for side in (-1, 1):
            self._eye(side)
            self._brow(side)
        self._mouth()
        if self.mood <= -1:
            self._tear()

    def _body(self) -> None:
        top = 78 + 3 * self.low - 2 * self.high
        wide = 38 - 5 * self.low + 3 * self.high
        body = QPainterPath(QPointF(50 - wide, 100))
        body.cubicTo(QPointF(50 - wide, top - 3), QPointF(50 - 20, top - 6), QPointF(50, top - 6))
        body.cubicTo(QPointF(50 + 20, top - 6), QPointF(50 + wide, top - 3), QPointF(50 + wide, 100))
        self.fill(body, self.ink.coat)

    def _eye(self, side: int) -> None:
        x, y = 50 + 13 * side, self.y - 5 + 2 * self.low
        if self.mood > 0.7:
            # eyes that laugh along
            lift = 7 + 2 * self.high
            self.bow(QPointF(x - 5.5, y + 2), QPointF(x, y + 2 - lift), QPointF(x + 5.5, y + 2), 3.6)
            return
        self.blob(x, y, 3.8, 4.6 - 1.2 * self.low, self.ink.line)

    def _brow(self, side: int) -> None:
        # inner ends go up with sorrow, the whole brow with joy
        inner = QPointF(50 + 7.5 * side, self.y - 14 - 6 * self.low - 2.5 * self.high)
        outer = QPointF(50 + 20 * side, self.y - 14 + 3 * self.low - 2.5 * self.high)
        over = QPointF(50 + 14 * side, self.y - 16 - 5 * self.high)
        self.bow(inner, over, outer, 3.0)

    def _mouth(self) -> None:
        y, wide = self.y + 15 - 1.5 * self.high, 12 + 4 * abs(self.mood)
        left, right = QPointF(50 - wide, y - 5 * self.mood), QPointF(50 + wide, y - 5 * self.mood)
        deep = QPointF(50, y + 14 * self.mood)
        if self.mood < 0.7:
            self.bow(left, deep, right, 4.2)
            return
        opened = QPainterPath(left)
        opened.quadTo(QPointF(50, y - 2), right)
        opened.quadTo(QPointF(50 + wide * 0.75, y + 24 * self.mood - 8), QPointF(50, y + 16 * self.mood - 3))
        opened.quadTo(QPointF(50 - wide * 0.75, y + 24 * self.mood - 8), left)
        self.fill(opened, self.ink.line)
        self.stroke(opened, 3.0)

    def _tear(self) -> None:
        x, y = 50 + 17.0, self.y + 6
        tear = QPainterPath(QPointF(x, y - 4))
        tear.cubicTo(QPointF(x + 6, y + 5), QPointF(x + 4, y + 9), QPointF(x, y + 9))
        tear.cubicTo(QPointF(x - 4, y + 9), QPointF(x - 6, y + 5), QPointF(x, y - 4))
        self.fill(tear, QColor("#FFFFFF"))
        self.stroke(tear, 1.6)


class _Energy(_Pencil):
    """The whole figure; eyes, arms and sparks go with `energy`, 0 to 1, the mouth tells no mood."""

    def __init__(self, painter: QPainter, ink: Ink, energy: float) -> None:
        super().__init__(painter, ink)
        self.energy = energy
        self.y = 52 - 7 * energy  # of the head's middle

    def draw(self) -> None:
        self._sparks()
        self._arms()
        self._body()
        self.blob(50, self.y, 24, 23, self.ink.skin)
        for side in (-1, 1):
            self._eye(side)
        self._mouth()

    def _body(self) -> None:
        top, wide = self.y + 18, 25 - 3 * self.energy
        body = QPainterPath(QPointF(50 - wide, 100))
        body.cubicTo(QPointF(50 - wide, top + 4), QPointF(50 - 14, top), QPointF(50, top))
        body.cubicTo(QPointF(50 + 14, top), QPointF(50 + wide, top + 4), QPointF(50 + wide, 100))
        self.fill(body, self.ink.coat)

    def _arms(self) -> None:
        # hanging, then held out, then thrown up
        lift = self.energy**1.5
        upper, lower = pi * (0.40 - 0.55 * lift), pi * (0.46 - 0.90 * lift)
        for side in (-1, 1):
            shoulder = QPointF(50 + 17 * side, self.y + 29)
            elbow = shoulder + QPointF(side * cos(upper), sin(upper)) * 13.0
            hand = elbow + QPointF(side * cos(lower), sin(lower)) * 13.0
            arm = QPainterPath(shoulder)
            arm.lineTo(elbow)
            arm.lineTo(hand)
            self.stroke(arm, 8.5, self.ink.coat)
            self.blob(hand.x(), hand.y(), 5.2, 5.2, self.ink.skin)

    def _eye(self, side: int) -> None:
        x, y, energy = 50 + 9 * side, self.y - 1, self.energy
        if energy < _AWAKE:
            drop = 4.5 - 5 * energy
            self.bow(QPointF(x - 5, y), QPointF(x, y + drop), QPointF(x + 5, y), 2.8)
            return
        if energy <= 0.5:
            tall = 12.0 * energy - 1.2
            self.blob(x, y, 4.3, tall, self.ink.line)
            if energy < 0.5:
                self.bow(QPointF(x - 5, y - 3.6), QPointF(x, y - 7.2), QPointF(x + 5, y - 3.6), 1.4)
            return
        wide = 3.6 + 3.2 * energy
        self.blob(x, y, wide, 1.12 * wide, self.ink.line)
        self.blob(x, y, wide - 1.4, 1.12 * wide - 1.4, QColor("#FFFFFF"))
        self.blob(x, y, 2.9, 2.9, self.ink.line)

    def _mouth(self) -> None:
        y = self.y + 11.5
        if self.energy > _STIRRED:
            self.blob(50, y, 1.6 + 2.6 * self.energy, 1.0 + 3.6 * self.energy, self.ink.line)
        else:
            self.bow(QPointF(45.5, y), QPointF(50, y + 1.6), QPointF(54.5, y), 2.6)

    def _sparks(self) -> None:
        if self.energy <= 0.5:
            return
        rays = 3 + round(8 * self.energy)
        for ray in range(rays):
            angle = pi * (1.06 + 0.88 * ray / (rays - 1))
            length = 22 * (self.energy - 0.38) * (0.6 if ray % 2 else 1.0)
            way = QPointF(cos(angle), sin(angle))
            path = QPainterPath(QPointF(50, self.y) + way * 28.0)
            path.lineTo(QPointF(50, self.y) + way * (28.0 + length))
            self.stroke(path, 1.4 + 1.6 * self.energy, self.ink.spark)
