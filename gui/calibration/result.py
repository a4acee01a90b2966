"""The last page: what the calibration is worth, as it came out, and where the report is."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from emod_rt.calibration import verdict
from emod_rt.calibration.scene import Scene
from gui import theme
from gui.calibration.buttons import Button
from gui.widgets import card, label

if TYPE_CHECKING:
    from emod_model.calibration.judge import AxisVerdict
    from emod_rt.calibration.finish import Result

_COLOURS = (theme.VALENCE, theme.AROUSAL)
_WIDEST = 1080
SIMULATED = "SIMULATED: WEIGHTS OR SIGNAL COME FROM NO PERSON"


class ResultPage(QWidget):
    """Shows the verdict whatever it is.

    Signals
    -------
    closing
        The person has seen it.
    """

    closing = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.headline = label("", "headline", "Title")
        self.words = label("", "text", "Text")
        self.busy = QProgressBar()
        self.busy.setRange(0, 0)
        self.busy.setFixedHeight(4)
        self.busy.setTextVisible(False)
        self.busy.setAccessibleName("Fitting")
        self.verdicts = tuple(
            _Verdict(name, colour) for name, colour in zip(verdict.AXES, _COLOURS, strict=True)
        )
        self.badge = label("", "badge", "Low confidence")
        self.simulated = label(SIMULATED, "badge", "Simulated")
        self.advice = label("", "small", "What to do")
        self.place = label("", "small", "Report")
        self.place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.open = Button("Open the report", "o", primary=True)
        self.close_button = Button("Close", "esc")
        self.open.clicked.connect(self.open_report)
        self.close_button.clicked.connect(self.closing)
        self._report: Path | None = None
        self._lay_out()
        self._say("", "")

    def _lay_out(self) -> None:
        outer = QHBoxLayout(self)
        outer.setContentsMargins(4 * theme.GAP, theme.GAP, 4 * theme.GAP, theme.GAP)
        inside = QWidget()
        inside.setMaximumWidth(_WIDEST)
        outer.addStretch(1)
        outer.addWidget(inside, 1000)
        outer.addStretch(1)
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GAP + 2)
        layout.addStretch(3)
        for part in (self.headline, self.words, self.busy):
            layout.addWidget(part)
        cards = QHBoxLayout()
        cards.setSpacing(theme.GAP)
        for each in self.verdicts:
            cards.addWidget(each, 1)
        layout.addLayout(cards)
        badges = QHBoxLayout()
        badges.addWidget(self.badge)
        badges.addWidget(self.simulated)
        badges.addStretch(1)
        layout.addLayout(badges)
        layout.addWidget(self.advice)
        layout.addWidget(self.place)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.GAP)
        buttons.addWidget(self.open)
        buttons.addWidget(self.close_button)
        buttons.addStretch(1)
        layout.addLayout(buttons)
        layout.addStretch(4)
        for text in (self.words, self.advice, self.place):
            text.setWordWrap(True)

    def show_scene(self, scene: Scene) -> None:
        """Say that the session is over."""
        self._say(scene.title, scene.text)

    def work(self) -> None:
        """Say that it is being fitted."""
        self.busy.show()
        self.close_button.hide()

    def fail(self, sentence: str) -> None:
        """Say why nothing was fitted."""
        self._say("No profile was made", f"{sentence[:1].upper()}{sentence[1:]}.")

    def show_outcome(self, outcome: "Result") -> None:
        """Show what it is worth."""
        profile, low = outcome.profile, verdict.low_axes(outcome.profile)
        self._say(f"Calibration of {profile.user}", "")
        for part, judged in zip(self.verdicts, profile.verdicts, strict=True):
            part.show_verdict(judged)
            part.show()
        self.badge.setText(verdict.badge(low))
        self.badge.setVisible(bool(low))
        self.simulated.setVisible(profile.simulated)
        self.advice.setText(verdict.advice(profile))
        self.advice.setVisible(bool(low))
        self._report = outcome.report.page
        self.place.setText(f"Report: {outcome.report.page}")
        self.place.show()
        self.open.show()

    def open_report(self) -> None:
        """Open the report in the browser."""
        if self._report is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._report)))

    def _say(self, title: str, text: str) -> None:
        self.headline.setText(title)
        self.words.setText(text)
        self.words.setVisible(bool(text))
        for part in (
            self.busy,
            *self.verdicts,
            self.badge,
            self.simulated,
            self.advice,
            self.place,
            self.open,
        ):
            part.hide()
        self.close_button.show()


class _Verdict(QWidget):
    """One axis."""

    def __init__(self, name: str, colour: str) -> None:
        super().__init__()
        frame, inside = card(f"Verdict on {name}")
        frame.setStyleSheet(f"QFrame#card {{ border-left: 4px solid {colour}; }}")
        self._name = name
        self.headline = label("", "verdict", f"Verdict on {name}")
        self.meaning = label("", "small", f"What it means for {name}")
        for text in (self.headline, self.meaning):
            text.setWordWrap(True)
            inside.addWidget(text)
        inside.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def show_verdict(self, judged: "AxisVerdict") -> None:
        """Write it in words."""
        self.headline.setText(f"{verdict.headline(self._name, judged)}.")
        self.meaning.setText(verdict.meaning(judged))
