"""Sounds and films, through the part of Qt that is not always installed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QImage, QImageReader

from emod_model.errors import InputFileError, UsageError
from emod_rt.calibration.scene import Stimulus
from gui.desktop import application, no_display

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QVideoFrame


def check(stimuli: Sequence[Stimulus]) -> None:
    """See that everything can be shown here, before anybody sits down for it.

    Raises
    ------
    UsageError
        Sounds or films, and what plays them is not installed.
    InputFileError
        A picture that cannot be read.
    """
    for stimulus in stimuli:
        if stimulus.kind in ("sound", "film") and (fault := player_fault()) is not None:
            raise UsageError(f"{stimulus.name} is a {stimulus.kind}, and {fault}, or use images alone")
        if stimulus.kind == "sound" and not _loudspeaker():
            raise UsageError(
                f"{stimulus.name} is a sound, and no loudspeaker was found; connect one, or use images alone"
            )
        if stimulus.kind == "image" and not QImageReader(str(stimulus.path)).canRead():
            raise InputFileError(
                f"{stimulus.path} is no image that can be shown; save it as PNG or JPEG, or take it out"
            )


def player_fault() -> str | None:
    """Return why neither sounds nor films can be played here, and what to do; None when they can."""
    try:
        import PySide6.QtMultimedia  # noqa: F401
    except ModuleNotFoundError:
        return "what plays it is not installed; pip install 'emod-rt[stimuli]'"
    except ImportError as error:
        # Qt for Python is there, and a library of the system below it is not
        return f"what plays it cannot be loaded ({error}); install that library of the system"
    return None


def _loudspeaker() -> bool:
    from PySide6.QtMultimedia import QMediaDevices

    # without an application it knows of none
    application(offscreen=no_display())
    return not QMediaDevices.defaultAudioOutput().isNull()


class Player(QObject):
    """Plays one sound or film at a time.

    Signals
    -------
    framed : QImage
        A picture of the film.
    failed : str
        Why it cannot be played.
    """

    framed = Signal(QImage)
    failed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        from PySide6.QtMultimedia import QAudioOutput, QMediaPlayer, QVideoSink

        self._player = QMediaPlayer(self)
        self._sound = QAudioOutput(self)
        self._sink = QVideoSink(self)
        self._player.setAudioOutput(self._sound)
        self._player.setVideoSink(self._sink)
        self._sink.videoFrameChanged.connect(self._frame)
        self._player.errorOccurred.connect(self._fail)

    @property
    def position_s(self) -> float:
        """How much has been played, s."""
        return self._player.position() / 1000

    def load(self, path: Path) -> None:
        """Open a file, so that it begins at once when it is played."""
        self._player.setSource(QUrl.fromLocalFile(str(path)))

    def play(self) -> None:
        """Play it from its beginning, once."""
        self._player.setPosition(0)
        self._player.play()

    def stop(self) -> None:
        """End it."""
        self._player.stop()
        self._player.setSource(QUrl())

    def _frame(self, frame: "QVideoFrame") -> None:
        if frame.isValid():
            self.framed.emit(frame.toImage())

    def _fail(self, _code: object, sentence: str) -> None:
        name = self._player.source().fileName()
        self.failed.emit(f"{name} cannot be played ({sentence.rstrip('. ')}); take it out of the folder")
