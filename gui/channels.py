"""The panel of channels: labels, traces and band powers in aligned rows."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from emod_rt.view import View
from gui import theme, words
from gui.bands import WIDTH as BANDS_WIDTH
from gui.bands import Bands
from gui.labels import Labels
from gui.traces import Traces
from gui.widgets import ElidedLabel, card, label


class Channels(QWidget):
    """One row a channel: quality, trace, band powers."""

    def __init__(self) -> None:
        super().__init__()
        frame, inside = card("Channels")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self.summary = ElidedLabel("caption", "Signal quality")
        self.band_title = label("", "caption", "Band power")
        self.band_title.setFixedWidth(BANDS_WIDTH)
        self.band_title.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        top = QHBoxLayout()
        top.setSpacing(theme.GAP)
        top.addWidget(label("Channels", "title"))
        top.addWidget(self.summary, 1)
        top.addWidget(self.band_title)
        inside.addLayout(top)
        self.labels, self.traces, self.bands = Labels(), Traces(), Bands()
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.labels)
        row.addWidget(self.traces, 1)
        row.addSpacing(theme.GAP)
        row.addWidget(self.bands)
        inside.addLayout(row, 1)
        inside.addStretch(0)

    def show_view(self, view: View) -> None:
        """Draw one picture of the session."""
        for part in (self.labels, self.traces, self.bands, self.band_title):
            part.setVisible(bool(view.channels))
        self.summary.set_full(words.quality_line(view))
        self.traces.show_view(view)
        self.labels.show_view(view, self.traces.row_uv)
        fresh = words.reading(view) is not None
        self.band_title.setText(
            "band power, dB" if fresh or view.band_power_db is None else "last band power, dB"
        )
        self.bands.show_power(view.band_power_db, len(view.channels), fresh=fresh)
