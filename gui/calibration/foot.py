"""The line below every page: signal, what else may be done, and how much is left."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout

from emod_rt.calibration.scene import Scene
from emod_rt.view import View
from gui import theme
from gui.calibration import says
from gui.calibration.buttons import Buttons
from gui.calibration.pages import on_page
from gui.widgets import ElidedLabel, label, restyle

_STEPS = 1000
SIMULATED = "SIMULATED PERSON"


class Foot(QFrame):
    """Quiet while something is to be looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("foot")
        self.setAccessibleName("Signal and progress")
        self.signal = ElidedLabel("plain", "Signal", lines=2)
        self.badge = label(SIMULATED, "badge", "Simulated person")
        self.badge.setToolTip("No person behind this signal")
        self.buttons = Buttons(primary=False)
        self.trial = label("", "plain", "Trial")
        self.left = label("", "plain", "Time left")
        # no word moves another
        self.left.setMinimumWidth(self.left.fontMetrics().horizontalAdvance("about 000 min left") + 6)
        self.left.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.bar = QProgressBar()
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(4)
        self.bar.setAccessibleName("Progress")
        row = QHBoxLayout()
        row.setContentsMargins(2 * theme.GAP, 0, 2 * theme.GAP, 6)
        row.setSpacing(theme.GAP)
        row.addWidget(self.badge, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.signal, 1)
        row.addWidget(self.buttons)
        row.addWidget(self.trial)
        row.addWidget(self.left)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.bar)
        layout.addLayout(row)
        self.setFixedHeight(56)

    def show_scene(self, scene: Scene, view: View, *, asking: bool, fault: str) -> None:
        """Write a scene; while something is asked nothing else is offered, and a fault is said at once."""
        quiet = scene.kind in ("rest", "stimulus")
        restyle(self, quiet="true" if quiet else "false")
        self.signal.set_full("" if scene.over else fault or says.signal(scene, view, counts=not quiet))
        loud = bool(fault or scene.warning) and not quiet
        restyle(self.signal, loud="true" if loud else "false")
        self.badge.setVisible(view.source_simulated and not quiet)
        here = {action.name for action in on_page(scene)}
        elsewhere = [action for action in scene.actions if action.name not in here and action.key != "space"]
        self.buttons.show_actions([] if asking else elsewhere)
        watched = scene.kind == "stimulus"
        self.trial.setText(
            f"trial {scene.trial} of {scene.trials}, {says.countdown(scene)}" if watched else ""
        )
        self.left.setText(says.left(scene))
        self.bar.setValue(round(_STEPS * scene.progress))
        self.bar.setVisible(not scene.over)
