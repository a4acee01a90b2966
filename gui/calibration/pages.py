"""Pages of words: introduction, what comes, pauses, a poor trial, and the question whether to end."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from emod_rt.calibration.scene import Action, Scene
from emod_rt.view import View
from gui import manikin, theme
from gui.calibration import says, style
from gui.calibration.buttons import Buttons
from gui.widgets import label


class TextPage(QWidget):
    """A headline, words, the prompt that comes, and the usual actions."""

    def __init__(self) -> None:
        super().__init__()
        self.buttons = Buttons(primary=True)
        self.frieze = Frieze()
        self.headline = label("", "headline", "Title")
        self.words = label("", "text", "Text")
        self.prompt = label("", "prompt", "What to think of")
        self.small = label("", "small", "What is recorded")
        self.count = label("", "count", "Seconds left")
        layout = column(self)
        layout.addStretch(3)
        for part in (self.frieze, self.headline, self.words, self.prompt, self.small, self.count):
            layout.addWidget(part)
        layout.addSpacing(theme.GAP)
        layout.addWidget(self.buttons, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addStretch(4)
        for each in (self.words, self.prompt, self.small):
            each.setWordWrap(True)

    def show_scene(self, scene: Scene, view: View) -> None:
        """Write a scene."""
        stimulus = scene.stimulus if scene.kind == "ready" else None
        self._write(
            scene.title,
            scene.text,
            prompt="" if stimulus is None else stimulus.text,
            small=says.recording(view) if scene.kind == "intro" else "",
            count=says.countdown(scene),
        )
        self.frieze.setVisible(scene.kind == "intro")
        self.buttons.show_actions(on_page(scene))

    def ask(self, scene: Scene, answers: Sequence[Action]) -> None:
        """Ask whether to end."""
        self._write("End the calibration here?", says.ending(scene))
        self.frieze.hide()
        self.buttons.show_actions(answers)

    def _write(self, title: str, text: str, *, prompt: str = "", small: str = "", count: str = "") -> None:
        for part, words in (
            (self.headline, title),
            (self.words, text),
            (self.prompt, prompt),
            (self.small, small),
            (self.count, count),
        ):
            if part.text() != words:
                part.setText(words)
            part.setVisible(bool(words))


class Frieze(QWidget):
    """Some of the figures that will be chosen from, to make their acquaintance."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Figures that show how one feels")

    def sizeHint(self) -> QSize:
        """Take one row."""
        return QSize(style.WIDTH, 84)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw them."""
        painter = QPainter(self)
        side = float(self.height())
        for place, (axis, value) in enumerate(
            (("valence", 2), ("valence", 5), ("valence", 9), ("arousal", 1), ("arousal", 5), ("arousal", 9))
        ):
            box = QRectF(place * (side + 16), 0, side, side)
            manikin.draw(painter, box, "valence" if axis == "valence" else "arousal", value, manikin.ink())
        painter.end()


def column(page: QWidget) -> QVBoxLayout:
    """Return a layout in the middle of a page, as wide as is read with ease."""
    row = QHBoxLayout(page)
    row.setContentsMargins(4 * theme.GAP, theme.GAP, 4 * theme.GAP, theme.GAP)
    middle = QWidget()
    middle.setMaximumWidth(style.WIDTH)
    middle.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
    row.addStretch(1)
    row.addWidget(middle, 1000)
    row.addStretch(1)
    layout = QVBoxLayout(middle)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(theme.GAP + 4)
    return layout


def on_page(scene: Scene) -> list[Action]:
    """Return the actions that a page offers itself; the others stand in the foot."""
    if scene.kind == "review":
        return [action for action in scene.actions if action.name in ("repeat", "next")]
    return [action for action in scene.actions if action.key == "space"]
