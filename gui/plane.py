"""The valence-arousal plane: where the person is now, how sure that is, and the way there."""

from typing import Any

import numpy as np
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPen, QResizeEvent
from PySide6.QtWidgets import QGraphicsEllipseItem, QHBoxLayout, QLabel, QVBoxLayout, QWidget

import pyqtgraph as pg  # isort: skip

from emod_rt.calibration.verdict import badge
from emod_rt.estimate import Estimate
from emod_rt.view import View, unvalidated
from gui import theme, words
from gui.history import History
from gui.widgets import bare_plot, card, label

TRAIL_S = 30.0
_AGES = 10  # steps of the fading trail
_EDGE = 1.17  # the plane ends at 1; the rest is room for the axis names


class Plane(QWidget):
    """Shows the newest reading with its 1-sd ellipse, or a sentence saying why there is none."""

    def __init__(self) -> None:
        super().__init__()
        frame, inside = card("Valence-arousal plane")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self.valence = _Readout("Valence", theme.VALENCE)
        self.arousal = _Readout("Arousal", theme.AROUSAL)
        top = QHBoxLayout()
        top.addWidget(self.valence)
        top.addWidget(self.arousal)
        top.addStretch(1)
        self.caption = label("", "caption", "What the plane shows")
        self.caption.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        top.addWidget(self.caption)
        inside.addLayout(top)
        self.plot = bare_plot("Valence-arousal plane")
        # over the plot and outside the layout: words come and go, the plane stays where it is
        self.notice = label("", "notice", "Why there is no reading", parent=frame)
        self.notice.setWordWrap(True)
        self.notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.notice.hide()
        inside.addWidget(self.plot, 1)
        # beside the reading, where it matters
        self.worth = label("", "worth", "Confidence")
        self.worth.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.worth.setToolTip(
            "Not shown to be better than always saying this person's average: take it for a guess.\n"
            "emod-rt profile show says what to do."
        )
        self.worth.hide()
        inside.addWidget(self.worth)
        self._draw_frame()
        self._draw_items()

    def _draw_frame(self) -> None:
        self.plot.setAntialiasing(True)
        self.plot.setAspectLocked(True)
        self.plot.setRange(QRectF(-_EDGE, -_EDGE, 2 * _EDGE, 2 * _EDGE), padding=0)
        line = pg.mkPen(theme.LINE, width=1)
        square = np.array([-1.0, 1.0, 1.0, -1.0, -1.0]), np.array([-1.0, -1.0, 1.0, 1.0, -1.0])
        self.plot.addItem(pg.PlotCurveItem(*square, pen=line))
        cross = pg.mkPen(theme.FAINT, width=1)
        self.plot.addItem(pg.PlotCurveItem(np.array([-1.0, 1.0]), np.zeros(2), pen=cross))
        self.plot.addItem(pg.PlotCurveItem(np.zeros(2), np.array([-1.0, 1.0]), pen=cross))
        for text, x, y, anchor in (
            ("tense", -0.97, 0.98, (0, 0)),
            ("excited", 0.97, 0.98, (1, 0)),
            ("sad", -0.97, -0.98, (0, 1)),
            ("calm", 0.97, -0.98, (1, 1)),
        ):
            self._write(text, x, y, anchor, theme.QUIET, theme.BODY)
        self._write("valence", 0, -1.0, (0.5, 0), theme.VALENCE, theme.SMALL)
        self._write("arousal", -1.0, 0, (0.5, 1), theme.AROUSAL, theme.SMALL, angle=90)
        for value in (-1, 1):
            text = words.signed(value, 0)
            self._write(text, value, -1.0, (0.5, 0), theme.DIM, theme.SMALL)
            self._write(text, -1.0, value, (1.0, 0.5), theme.DIM, theme.SMALL)

    def _write(
        self,
        text: str,
        x: float,
        y: float,
        anchor: tuple[float, float],
        colour: str,
        size: int,
        angle: float = 0,
    ) -> None:
        item = pg.TextItem(text, color=colour, anchor=anchor, angle=angle)
        item.setFont(theme.font(size))
        item.setPos(x, y)
        self.plot.addItem(item)

    def _draw_items(self) -> None:
        self.ink = {True: _Ink(live=True), False: _Ink(live=False)}
        self.trail: list[Any] = [pg.PlotCurveItem(connect="finite", antialias=True) for _ in range(_AGES)]
        self.dots = pg.ScatterPlotItem(size=4, pen=None)
        self.ellipse = QGraphicsEllipseItem()
        self.point = pg.ScatterPlotItem(size=13)
        for item in (*self.trail, self.dots, self.ellipse, self.point):
            self.plot.addItem(item)

    def show_view(self, view: View, history: History) -> None:
        """Draw one picture of the session."""
        now, past = words.reading(view), words.last_reading(view)
        self._show_trail(history, live=now is not None)
        self._show_point(now or past, live=now is not None)
        self.valence.show_estimate(now or past, "valence", live=now is not None)
        self.arousal.show_estimate(now or past, "arousal", live=now is not None)
        sentence = words.why_no_reading(view)
        self.notice.setText(sentence or "")
        self._place_notice()
        self.notice.setVisible(sentence is not None)
        zero = f"\nzero: first {view.zero_s:.0f} s" if view.zero_s else ""
        self.caption.setText(
            "last reading" if past else f"ellipse \N{PLUS-MINUS SIGN}1 sd\ntrail {TRAIL_S:.0f} s{zero}"
        )
        worth = badge(view.low_confidence) or unvalidated(view.unvalidated)
        self.worth.setText(worth)
        self.worth.setVisible(bool(worth))
        spoken = ", ".join(part for part in (self.valence.spoken, self.arousal.spoken, worth) if part)
        self.setAccessibleDescription(sentence or spoken)

    def _show_trail(self, history: History, *, live: bool) -> None:
        ink = self.ink[live]
        recent = history.since(TRAIL_S)
        age = np.clip(-recent.seconds / TRAIL_S * _AGES, 0, _AGES - 1).astype(int)
        for step, curve in enumerate(self.trail):
            rows = np.flatnonzero(age == step)
            # one point into the next younger step, so that the steps join
            rows = np.append(rows, rows[-1] + 1) if rows.size and rows[-1] + 1 < age.size else rows
            curve.setPen(ink.lines[step])
            curve.setData(recent.valence[rows], recent.arousal[rows])
        shown = np.isfinite(recent.valence)
        brushes = [ink.fills[step] for step in age[shown]]
        self.dots.setData(x=recent.valence[shown], y=recent.arousal[shown], brush=brushes)

    def _show_point(self, estimate: Estimate | None, *, live: bool) -> None:
        if estimate is None:
            self.point.setData(x=[], y=[])
            self.ellipse.hide()
            return
        ink = self.ink[live]
        v, a, sv, sa = _numbers(estimate)
        self.ellipse.setRect(v - sv, a - sa, 2 * sv, 2 * sa)
        self.ellipse.setPen(ink.edge)
        self.ellipse.setBrush(ink.inside)
        self.ellipse.show()
        self.point.setData(x=[v], y=[a], brush=ink.point, pen=ink.rim)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the sentence within the plane."""
        super().resizeEvent(event)
        self._place_notice()

    def _place_notice(self) -> None:
        text = self.notice.fontMetrics().horizontalAdvance(self.notice.text())
        width = min(text + 36, 340, int(0.8 * self.plot.width()))
        box = QRect(0, 0, width, max(self.notice.heightForWidth(width), 0))
        box.moveCenter(self.plot.geometry().center())
        self.notice.setGeometry(box)
        self.notice.raise_()


class _Ink:
    """Pens and brushes of now and of the past, made once: pyqtgraph keeps a picture of each."""

    def __init__(self, *, live: bool) -> None:
        trail = theme.NOW if live else theme.FAINT
        opacities = np.linspace(0.85 if live else 0.6, 0.1, _AGES)
        self.lines = [pg.mkPen(theme.colour(trail, opacity), width=2) for opacity in opacities]
        self.fills = [pg.mkBrush(theme.colour(trail, opacity)) for opacity in opacities]
        self.edge = QPen(theme.colour(theme.NOW if live else theme.DIM, 0.9), 1.5)
        self.edge.setCosmetic(True)
        self.edge.setStyle(Qt.PenStyle.SolidLine if live else Qt.PenStyle.DashLine)
        self.inside = theme.colour(theme.NOW, 0.14 if live else 0.0)
        self.point = pg.mkBrush(theme.NOW if live else theme.PANEL)
        self.rim = pg.mkPen(theme.BACKGROUND if live else theme.DIM, width=2)


class _Readout(QWidget):
    """One number with its standard deviation."""

    def __init__(self, name: str, colour: str) -> None:
        super().__init__()
        self.name = name
        self.spoken = ""
        self.setMinimumWidth(132)
        caption = label(name, "caption")
        caption.setStyleSheet(f"color: {colour};")
        self.value = QLabel()
        self.value.setAccessibleName(name)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(caption)
        layout.addWidget(self.value)

    def show_estimate(self, estimate: Estimate | None, field: str, *, live: bool) -> None:
        """Show one field of an estimate, or a dash."""
        if estimate is None:
            value, sd = "\N{EN DASH}", ""
            self.spoken = f"{self.name} unknown"
        else:
            value = words.signed(getattr(estimate, field))
            sd = f"\N{PLUS-MINUS SIGN} {getattr(estimate, field + '_sd'):.2f}"
            self.spoken = f"{self.name} {value} {sd}"
        large = (
            f"font-size: {theme.READOUT}px; font-weight: 600; color: {theme.TEXT if live else theme.FAINT}"
        )
        small = f"font-size: {theme.SMALL}px; color: {theme.DIM}"
        self.value.setText(f'<span style="{large}">{value}</span> <span style="{small}">{sd}</span>')
        self.value.setAccessibleDescription(self.spoken)


def _numbers(estimate: Estimate) -> tuple[float, float, float, float]:
    """Return valence, arousal and their standard deviations of a valid estimate."""
    v, a, sv, sa = estimate.valence, estimate.arousal, estimate.valence_sd, estimate.arousal_sd
    if v is None or a is None or sv is None or sa is None:
        raise ValueError(f"a valid estimate carries four numbers, got {estimate}")
    return v, a, sv, sa
