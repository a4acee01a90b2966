"""The page on which a trial is rated: two questions, nine figures each."""

from functools import partial
from typing import get_args

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from emod_rt.calibration.scene import Axis, Scene
from gui import theme
from gui.calibration.buttons import Button
from gui.calibration.scale import Scale
from gui.widgets import label

_AXES: tuple[Axis, ...] = get_args(Axis)


class RatingPage(QWidget):
    """Shows what was said so far; both answers can change until they are confirmed.

    Signals
    -------
    rated : str, int
        An axis, and 1 to 9.
    confirmed
        Both ratings stand.
    """

    rated = Signal(str, int)
    confirmed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.headline = label("", "headline", "Title")
        self.words = label("", "text", "Text")
        self.words.setWordWrap(True)
        self.scales = {axis: Scale(axis) for axis in _AXES}
        self.confirm = Button("Confirm", "space", primary=True)
        self.confirm.clicked.connect(self.confirmed)
        self.hint = label(
            "keys 1 to 9 answer the question in the frame; V and A pick one to be answered anew", "small"
        )
        self._asked: tuple[int, int, Axis | None] | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * theme.GAP, theme.GAP, 2 * theme.GAP, 4)
        layout.setSpacing(theme.GAP)
        top = QHBoxLayout()
        top.setSpacing(2 * theme.GAP)
        top.addWidget(self.headline)
        top.addWidget(self.words, 1, Qt.AlignmentFlag.AlignVCenter)
        layout.addLayout(top)
        for axis, scale in self.scales.items():
            scale.chosen.connect(partial(self.rated.emit, axis))
            layout.addWidget(scale, 1)
        below = QHBoxLayout()
        below.addWidget(self.hint)
        below.addStretch(1)
        below.addWidget(self.confirm)
        layout.addLayout(below)

    @property
    def axis(self) -> Axis:
        """The question that digits answer."""
        return next((axis for axis, scale in self.scales.items() if scale.hasFocus()), _AXES[0])

    def show_scene(self, scene: Scene) -> None:
        """Write a scene; the keys go to the question that is asked next, when that changes."""
        self.headline.setText(scene.title)
        self.words.setText(scene.text)
        self.scales["valence"].show_value(scene.valence)
        self.scales["arousal"].show_value(scene.arousal)
        self.confirm.setEnabled(any(action.name == "next" for action in scene.actions))
        asked = scene.trial, scene.attempt, scene.axis
        if asked != self._asked:
            self._asked = asked
            if scene.axis is not None:
                self.scales[scene.axis].setFocus()

    def leave(self) -> None:
        """Forget which question was asked."""
        self._asked = None
