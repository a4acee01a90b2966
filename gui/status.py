"""The header (state, source, model, badges, what went wrong) and the state line of counters."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from emod_rt.markers import TYPED, Marker
from emod_rt.view import View
from gui import theme, words
from gui.marks import one_line
from gui.widgets import ElidedLabel, label, restyle

_STATES = {
    "waiting": "\N{WHITE CIRCLE} Waiting",
    "running": "\N{BLACK CIRCLE} Running",
    "stalled": "\N{BLACK UP-POINTING TRIANGLE} Stalled",
    "ended": "\N{BLACK SQUARE} Ended",
    "failed": "\N{MULTIPLICATION X} Failed",
}
MARKER_CELL = "marker: key M, or 1 to 9"
# of the width, each of the others 10; values and captions differ in length, and none may move another
_SHARES = {
    "time": 8,
    "rate": 8,
    "channels": 7,
    "windows read": 13,
    "skipped": 7,
    "latency p50 / p99": 13,
    "recording": 24,
    MARKER_CELL: 19,
}
_LOUD = ("waiting", "stalled", "failed")
MODEL_BADGE, SOURCE_BADGE = "SIMULATED WEIGHTS", "SIMULATED PERSON"


class Header(QFrame):
    """State, source and model; the whole bar changes colour when the session needs attention.

    A notice takes the place of the names until it is seen, then the next one does.
    """

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
        self.notice = ElidedLabel("sentence", "What went wrong", lines=2)
        self.seen_button = QPushButton("Seen (Enter)")
        self.seen_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.seen_button.clicked.connect(self.see)
        self._seen: set[str] = set()
        self._view: View | None = None
        self.model_badge = label(MODEL_BADGE, "badge", "Simulated weights")
        self.model_badge.setToolTip(
            "Weights, or this profile, from simulated signals: not a measurement of a person"
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.GAP, 0, theme.GAP, 0)
        layout.setSpacing(theme.GAP)
        middle = Qt.AlignmentFlag.AlignVCenter
        layout.addWidget(self.state)
        layout.addSpacing(theme.GAP)
        self.source_caption = label("source", "caption")
        for widget in (self.source_caption, self.source, self.source_badge):
            layout.addWidget(widget, 0, middle)
        layout.addSpacing(theme.GAP)
        layout.addWidget(self.message, 1)
        layout.addWidget(self.notice, 1)
        layout.addWidget(self.seen_button, 0, middle)
        for widget in (self.model_caption, self.model, self.model_badge):
            layout.addWidget(widget, 0, middle)

    def show_view(self, view: View) -> None:
        """Write one picture of the session."""
        self._view = view
        unseen = [sentence for sentence in view.notices if sentence not in self._seen]
        calm = not unseen
        self.state.setText(_STATES[view.state])
        self.source.set_full(view.source)
        self.source_badge.setVisible(calm and view.source_simulated)
        self.message.set_full(words.message(view))
        self.notice.set_full(unseen[0] if unseen else "")
        self.model.set_full(view.model)
        for name in (self.source_caption, self.source, self.message, self.model):
            name.setVisible(calm)
        self.model_caption.setVisible(calm and bool(view.model))
        for part in (self.notice, self.seen_button):
            part.setVisible(not calm)
        self.model_badge.setVisible(view.model_simulated)
        loud = not calm or view.state in _LOUD
        restyle(self, state=view.state if calm else "notice", loud="true" if loud else "false")

    def see(self) -> None:
        """Take the notice that is shown as seen."""
        if self._view is not None and self.notice.full:
            self._seen.add(self.notice.full)
            self.show_view(self._view)


class StateLine(QFrame):
    """The counters of the session, its recording, and the newest marker."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setAccessibleName("Counters of the session")
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
                "skipped",
                "latency p50 / p99",
                "recording",
                MARKER_CELL,
            )
        }
        for name, cell in self.cells.items():
            layout.addWidget(cell, _SHARES.get(name, 10))
        self._recorded = self._fault = ""
        self._newest: Marker | None = None

    def text(self, name: str) -> str:
        """Return what one cell shows."""
        return self.cells[name].value.full

    def show_view(self, view: View) -> None:
        """Write one picture of the session."""
        dash = "\N{EN DASH}"
        self.cells["time"].set(words.duration(view.elapsed_s))
        self.cells["rate"].set(f"{view.sfreq:g} Hz" if view.sfreq else dash)
        self.cells["channels"].set(str(len(view.channels)) if view.channels else dash)
        self.cells["samples lost"].set(f"{view.lost:,}", alert=view.lost > 0)
        self.cells["windows read"].set(f"{view.valid:,} of {view.windows:,}")
        self.cells["skipped"].set(f"{view.skipped:,}", alert=view.skipped > 0)
        latency = dash if view.latency_ms is None else "{:.0f} / {:.0f} ms".format(*view.latency_ms)
        self.cells["latency p50 / p99"].set(latency)
        self._show_recording(view)
        # what was typed here is confirmed, however busily other programs mark
        typed = (marker for marker in reversed(view.markers) if marker.stream.metadata.name == TYPED)
        newest = next(typed, view.markers[-1] if view.markers else None)
        if newest is not self._newest:
            self._newest, self._fault = newest, ""
        text = self._fault or (dash if newest is None else one_line(newest.text))
        self.cells[MARKER_CELL].set(text, alert=bool(self._fault))

    def say(self, fault: str) -> None:
        """Say, until the next marker, why one could not be set."""
        self._fault = fault
        self.cells[MARKER_CELL].set(fault, alert=True)

    def _show_recording(self, view: View) -> None:
        """Say whether it is recorded; a recording that has stopped is told from one that never was."""
        live = view.recording is not None and view.state not in ("ended", "failed")
        self._recorded = view.recording or self._recorded
        stopped = view.recording is None and bool(self._recorded)
        text = "stopped" if stopped else Path(self._recorded).name if self._recorded else "off"
        cell = self.cells["recording"]
        cell.set(text, alert=stopped, quiet=not self._recorded, dot=live)
        cell.value.setToolTip("\n".join([self._recorded, *view.notices]).strip())


class _Cell(QWidget):
    """A caption over a value."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.value = ElidedLabel("value", name, side=Qt.TextElideMode.ElideMiddle)
        self.dot = label("\N{BLACK CIRCLE}", "dot", "Recording now")
        self.dot.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(label(name, "caption"))
        line = QHBoxLayout()
        line.setSpacing(5)
        line.addWidget(self.dot)
        line.addWidget(self.value, 1)
        layout.addLayout(line)

    def set(self, text: str, *, alert: bool = False, quiet: bool = False, dot: bool = False) -> None:
        """Write the value: marked when something is lost, quiet when nothing is there."""
        self.value.set_full(text)
        self.dot.setVisible(dot)
        restyle(self.value, alert="true" if alert else "false", quiet="true" if quiet else "false")
