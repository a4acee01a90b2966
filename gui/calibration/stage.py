"""What is looked at: the cross of a rest, and the stimulus of a trial, on a ground without a hue."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from emod_rt.calibration.scene import Scene, Stimulus
from gui import theme
from gui.calibration import says, style
from gui.calibration.media import Player

_ARM = 16.0  # of the cross, pixels
_LARGEST = QSize(3840, 2160)  # a picture is not kept larger than screens are


class Stage(QWidget):
    """Draws the cross, a prompt, a picture or a film, as large as there is room.

    Signals
    -------
    failed : str
        Why a stimulus cannot be shown.
    """

    failed = Signal(str)

    def __init__(self, player: Callable[[], Player] = Player) -> None:
        super().__init__()
        self.setAccessibleName("Stimulus")
        self.setCursor(Qt.CursorShape.BlankCursor)
        self._make_player = player
        self.player: Player | None = None
        self.picture = QImage()
        self.cross = True
        self.lines: tuple[str, ...] = ()
        self._ready: Stimulus | None = None
        self._shown: tuple[int, int] | None = None

    def prepare(self, stimulus: Stimulus | None) -> None:
        """Load what comes, so that nothing has to be waited for when it is shown."""
        if stimulus is self._ready:
            return
        self._ready = stimulus
        self.picture = QImage()
        if stimulus is None or stimulus.path is None:
            return
        if stimulus.kind == "image":
            self.picture = _read(stimulus, self.failed.emit)
            return
        if self.player is None:
            self.player = self._make_player()
            self.player.framed.connect(self._show_frame)
            self.player.failed.connect(self.failed)
        self.player.load(stimulus.path)

    def show_scene(self, scene: Scene) -> None:
        """Draw a rest or a stimulus."""
        stimulus = scene.stimulus
        self.cross = stimulus is None or stimulus.kind in ("text", "sound")
        shown = (scene.trial, scene.attempt)
        if stimulus is not None and shown != self._shown:
            self._shown = shown
            if self.picture.isNull():
                # what could not be shown says so again
                self._ready = None
            self.prepare(stimulus)
            if self.player is not None and stimulus.kind in ("sound", "film"):
                self.player.play()
        prompt = stimulus.text if stimulus is not None else scene.text
        count = says.countdown(scene) if stimulus is None else scene.text
        lines = tuple(line for line in (prompt, count) if line)
        if lines != self.lines:
            self.lines = lines
            self.setAccessibleDescription(" ".join(lines))
        self.update()

    def clear(self) -> None:
        """End what is shown or played."""
        if self._shown is None:
            return
        self._shown = None
        if self.player is not None:
            self.player.stop()
        self.prepare(None)

    def _show_frame(self, frame: QImage) -> None:
        self.picture = frame
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground and what is on it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(style.GROUND))
        if self.cross:
            self._draw_cross(painter)
            self._draw_lines(painter)
        elif not self.picture.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(fitted(self.picture.size(), QRectF(self.rect())), self.picture)
        painter.end()

    def _draw_cross(self, painter: QPainter) -> None:
        middle = QRectF(self.rect()).center()
        pen = QPen(theme.colour(style.CROSS), 3)
        painter.setPen(pen)
        painter.drawLine(middle - QPointF(_ARM, 0), middle + QPointF(_ARM, 0))
        painter.drawLine(middle - QPointF(0, _ARM), middle + QPointF(0, _ARM))

    def _draw_lines(self, painter: QPainter) -> None:
        wide = min(self.width() - 8 * theme.GAP, style.WIDTH)
        top = self.height() / 2 + 4 * _ARM
        painter.setPen(theme.colour(style.WHISPER))
        for line in self.lines:
            painter.setFont(theme.font(20))
            box = QRectF((self.width() - wide) / 2, top, wide, self.height() - top)
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
            taken = painter.boundingRect(box, int(flags), line)
            painter.drawText(box, int(flags), line)
            top = taken.bottom() + 2 * theme.GAP


def fitted(size: QSize, room: QRectF) -> QRectF:
    """Return the largest box in the proportions of `size` within `room`, at most twice its size."""
    scale = min(room.width() / size.width(), room.height() / size.height(), 2.0)
    box = QRectF(0, 0, size.width() * scale, size.height() * scale)
    box.moveCenter(room.center())
    return box


def _read(stimulus: Stimulus, failed: Callable[[str], None]) -> QImage:
    reader = QImageReader(str(stimulus.path))
    # a photograph lies about which side is up unless it is asked
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid() and (size.width() > _LARGEST.width() or size.height() > _LARGEST.height()):
        reader.setScaledSize(size.scaled(_LARGEST, Qt.AspectRatioMode.KeepAspectRatio))
    picture = reader.read()
    if picture.isNull():
        failed(f"{stimulus.name} cannot be shown ({reader.errorString()}); take it out of the folder")
    return picture
