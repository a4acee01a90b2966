"""Sounds and films, where what plays them is installed: pip install 'emod-rt[stimuli]'."""

import struct
import wave
from pathlib import Path

import pytest
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QColor, QImage

from emod_model.errors import UsageError
from emod_rt.calibration.scene import Stimulus
from gui.calibration import style
from gui.calibration.app import Lead
from gui.calibration.media import Player, check, player_fault
from gui.calibration.window import CalibrationWindow
from tests.gui.sittings import Sat

pytestmark = [
    pytest.mark.skipif((why := player_fault()) is not None, reason=str(why)),
    # machines without loudspeakers or a graphics card
    pytest.mark.qt_log_ignore("PulseAudio", "No audio device", "No RHI", "Could not open media", extend=True),
]


def film(path: Path, frames: int = 20, size: tuple[int, int] = (64, 48)) -> Path:
    """Write Motion JPEG: frames of one colour, 25 a second."""
    image = QImage(*size, QImage.Format.Format_RGB32)
    image.fill(QColor("#804020"))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "JPG")
    jpeg = bytes(buffer.data().data())

    def chunk(name: bytes, data: bytes) -> bytes:
        return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    width, height = size
    main = struct.pack("<14I", 40_000, 0, 0, 0x10, frames, 0, 1, len(jpeg), width, height, 0, 0, 0, 0)
    stream = b"vidsMJPG" + struct.pack("<10I4h", 0, 0, 0, 1, 25, 0, frames, len(jpeg), 0, 0, 0, 0, *size)
    shape = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, 24, b"MJPG", 3 * width * height, 0, 0, 0, 0)
    lists = chunk(b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", shape))
    header = chunk(b"LIST", b"hdrl" + chunk(b"avih", main) + lists)
    movie = chunk(b"LIST", b"movi" + chunk(b"00dc", jpeg) * frames)
    path.write_bytes(chunk(b"RIFF", b"AVI " + header + movie))
    return path


def sound(path: Path) -> Path:
    """Write a fifth of a second of silence."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(3200))
    return path


def test_a_film_is_shown_frame_by_frame_and_stops_when_told(qtbot, tmp_path):
    player = Player()
    frames: list[QImage] = []
    player.framed.connect(frames.append)
    player.load(film(tmp_path / "a.avi"))
    player.play()
    qtbot.waitUntil(lambda: len(frames) > 3, timeout=5000)
    assert (frames[-1].width(), frames[-1].height()) == (64, 48)
    assert abs(frames[-1].pixelColor(30, 20).red() - 0x80) < 12
    player.stop()


def test_a_sound_is_played_to_its_end(qtbot, tmp_path):
    player = Player()
    faults: list[str] = []
    player.failed.connect(faults.append)
    player.load(sound(tmp_path / "a.wav"))
    player.play()
    qtbot.waitUntil(lambda: player.position_s > 0.1, timeout=5000)
    assert faults == []


def test_what_cannot_be_played_is_named_in_one_sentence(qtbot, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film")
    player = Player()
    with qtbot.waitSignal(player.failed, timeout=5000) as told:
        player.load(broken)
    assert told.args[0].startswith("broken.mp4 cannot be played (")
    assert told.args[0].endswith("; take it out of the folder")


def test_a_film_is_looked_at_in_the_window_from_start_to_end(qtbot, tmp_path):
    path = film(tmp_path / "a.avi", frames=100)
    sat = Sat(stimuli=[Stimulus("a.avi", "film", path=path)] * 4)
    window = CalibrationWindow()
    qtbot.addWidget(window)
    lead = Lead(sat.sitting, None, window)
    window.show()
    for name in ("next", "skip_rest", "next"):
        lead.act(name)
    qtbot.waitUntil(lambda: not window.stage.picture.isNull(), timeout=5000)
    shown = window.stage.grab().toImage()
    assert abs(shown.pixelColor(shown.rect().center()).red() - 0x80) < 12
    assert shown.pixelColor(2, 2).name() == style.GROUND
    sat.waits(30)
    lead.refresh()
    assert window.stage.picture.isNull()


def test_a_sound_without_a_loudspeaker_is_refused_before_anybody_sits_down(qapp, tmp_path):
    stimuli = [Stimulus("a.wav", "sound", path=sound(tmp_path / "a.wav"))]
    from PySide6.QtMultimedia import QMediaDevices

    if QMediaDevices.defaultAudioOutput().isNull():
        with pytest.raises(UsageError, match=r"a\.wav is a sound, and no loudspeaker was found"):
            check(stimuli)
    else:
        check(stimuli)
