"""The header (state, source, model, badges) and the state line of counters."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from emod_rt.view import View
from gui import theme, words
from gui.widgets import ElidedLabel, label, restyle

_STATES = {
    "waiting": "\N{WHITE CIRCLE} Waiting",
    "running": "\N{BLACK CIRCLE} Running",
    "stalled": "\N{BLACK UP-POINTING TRIANGLE} Stalled",
    "ended": "\N{BLACK SQUARE} Ended",
    "failed": "\N{MULTIPLICATION X} Failed",
}
_LOUD = ("waiting", "stalled", "failed")
MODEL_BADGE, SOURCE_BADGE = "SIMULATED WEIGHTS", "SIMULATED PERSON"


class Header(QFrame):
    """State, source and model; the whole bar changes colour when the session needs attention."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("header")
        self.setAccessibleName("State of the session")
        self.setFixedHeight(46)
        self.state = label("", "plain", "State")
        self.state.setObjectName("state")
        self.state.setMinimumWidth(92)
        self.source = ElidedLabel("plain", "Source", widest=340)
        self.source_badge = label(SOURCE_BADGE, "badge", "Simulated person")
        self.source_badge.setToolTip("No person behind this signal")
        self.message = ElidedLabel("plain", "Message")
        self.model_caption = label("model", "caption")
        self.model = ElidedLabel("plain", "Model", widest=220)
        self.model_badge = label(MODEL_BADGE, "badge", "Simulated weights")
        self.model_badge.setToolTip("Weights trained on simulated signals: not a measurement of a person")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.GAP, 0, theme.GAP, 0)
        layout.setSpacing(theme.GAP)
        middle = Qt.AlignmentFlag.AlignVCenter
        layout.addWidget(self.state)
        layout.addSpacing(theme.GAP)
        for widget in (label("source", "caption"), self.source, self.source_badge):
            layout.addWidget(widget, 0, middle)
        layout.addSpacing(theme.GAP)
        layout.addWidget(self.message, 1)
        for widget in (self.model_caption, self.model, self.model_badge):
            layout.addWidget(widget, 0, middle)

    def show_view(self, view: View) -> None:
        """Write one picture of the session."""
        self.state.setText(_STATES[view.state])
        self.source.set_full(view.source)
        self.source_badge.setVisible(view.source_simulated)
        self.message.set_full(words.message(view))
        self.model.set_full(view.model)
        self.model_caption.setVisible(bool(view.model))
        self.model_badge.setVisible(view.model_simulated)
        restyle(self, state=view.state, loud="true" if view.state in _LOUD else "false")


class StateLine(QFrame):
    """The counters of the session."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setAccessibleName("Counters of the session")
        self.setFixedHeight(52)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.GAP, 5, theme.GAP, 5)
        layout.setSpacing(theme.GAP)
        self.cells = {
            name: _Cell(name)
            for name in (
                "time",
                "rate",
                "channels",
                "samples lost",
                "windows read",
                "windows skipped",
                "latency p50 / p99",
            )
        }
        for cell in self.cells.values():
            layout.addWidget(cell, 1)

    def text(self, name: str) -> str:
        """Return what one cell shows."""
        return self.cells[name].value.text()

    def show_view(self, view: View) -> None:
        """Write one picture of the session."""
        dash = "\N{EN DASH}"
        self.cells["time"].set(words.duration(view.elapsed_s))
        self.cells["rate"].set(f"{view.sfreq:g} Hz" if view.sfreq else dash)
        self.cells["channels"].set(str(len(view.channels)) if view.channels else dash)
        self.cells["samples lost"].set(f"{view.lost:,}", alert=view.lost > 0)
        self.cells["windows read"].set(f"{view.valid:,} of {view.windows:,}")
        self.cells["windows skipped"].set(f"{view.skipped:,}", alert=view.skipped > 0)
        latency = dash if view.latency_ms is None else "{:.0f} / {:.0f} ms".format(*view.latency_ms)
        self.cells["latency p50 / p99"].set(latency)


class _Cell(QWidget):
    """A caption over a value."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.value = label("", "value", name)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(label(name, "caption"))
        layout.addWidget(self.value)

    def set(self, text: str, *, alert: bool = False) -> None:
        """Write the value, marked when it tells of a loss."""
        self.value.setText(text)
        restyle(self.value, alert="true" if alert else "false")
