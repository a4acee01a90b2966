"""The window of a calibration from its opening to its end, with a fit behind it."""

import os
import signal
import sys
import threading
from dataclasses import replace
from importlib.metadata import entry_points

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from emod_model.calibration.profile import Profile
from emod_model.checkpoint import default_checkpoint, load_checkpoint
from emod_model.errors import InputFileError, UsageError
from emod_rt.calibration.finish import Result
from emod_rt.calibration.report import Report
from emod_rt.calibration.scene import Stimulus
from gui.calibration import media
from gui.calibration.app import show_calibration
from gui.calibration.window import CalibrationWindow
from tests.emod_rt.profiles import fitted
from tests.gui.sittings import Sat


@pytest.fixture(scope="module")
def result(tmp_path_factory) -> Result:
    """What a person's calibration gave, with a verdict of each kind."""
    folder = tmp_path_factory.mktemp("report")
    model = load_checkpoint(default_checkpoint())
    seen, calibration = fitted(model)
    profile = Profile.of(
        calibration,
        seen.ratings,
        seen.trials[0].channels,
        model,
        user="ada",
        created="2026-11-20T12:00:00Z",
        simulated=True,
    )
    good, bad = profile.verdicts
    verdicts = (
        replace(good, word="better", gain=0.4, gain_ci=(0.2, 0.6), p=0.01),
        replace(bad, word="worse", gain=-0.3, gain_ci=(-0.5, -0.1), p=0.8),
    )
    page = folder / "ada.html"
    return Result(
        profile.model_copy(update={"verdicts": verdicts}),
        calibration,
        Report(page, folder / "ada.json"),
        None,
    )


def whole(sat: Sat) -> None:
    """Sit through all of it at once."""
    sat.sitting.act("next")
    sat.sitting.act("skip_rest")
    for trial in range(4):
        sat.sitting.act("next")
        sat.waits(30)
        sat.sitting.rate("valence", 2 * trial + 1)
        sat.sitting.rate("arousal", 9 - 2 * trial)
        sat.sitting.act("next")
        if trial < 3:
            sat.waits(6)


def window() -> CalibrationWindow:
    (found,) = [
        each
        for each in QApplication.topLevelWidgets()
        if isinstance(each, CalibrationWindow) and each.isVisible()
    ]
    return found


def when(ready, act) -> QTimer:
    """Call `act` in the Qt thread as soon as `ready` is so."""
    timer = QTimer()
    timer.timeout.connect(lambda: (timer.stop(), act()) if ready() else None)
    timer.start(5)
    return timer


def test_when_all_is_done_it_is_fitted_in_the_window_and_the_verdict_is_said_as_it_is(
    qapp, result, monkeypatch
):
    sat = Sat()
    whole(sat)
    threads: list[str] = []
    seen: dict[str, str] = {}
    opened: list[str] = []
    monkeypatch.setattr(
        "gui.calibration.result.QDesktopServices.openUrl", lambda url: opened.append(url.toLocalFile())
    )

    def conclude() -> Result:
        threads.append(threading.current_thread().name)
        return result

    def look() -> None:
        page = window().result
        for part, axis in zip(page.verdicts, ("valence", "arousal"), strict=True):
            seen[axis] = f"{part.headline.text()} {part.meaning.text()}"
        seen["badge"], seen["place"] = page.badge.text(), page.place.text()
        page.open.click()
        window().close()

    timer = when(lambda: threads and window().result.open.isVisible(), look)
    show_calibration(sat.sitting, conclude)
    assert threads == ["calibration-fit"]
    assert seen["valence"].startswith("Valence: shown to be better than always saying this person's average.")
    assert "40 % smaller" in seen["valence"]
    assert seen["arousal"].startswith("Arousal: worse than always saying this person's average.")
    assert seen["badge"] == "LOW CONFIDENCE: arousal"
    assert opened == [str(result.report.page)]
    assert seen["place"].endswith("ada.html")
    assert not timer.isActive()


def test_what_stands_against_a_fit_is_said_in_the_window_and_raised(qapp):
    sat = Sat()
    whole(sat)
    said: list[str] = []

    def conclude() -> Result:
        raise InputFileError("the recording holds no rating; calibrate anew")

    def look() -> None:
        said.append(window().result.words.text())
        window().close()

    timer = when(lambda: window().result.headline.text() == "No profile was made", look)
    with pytest.raises(InputFileError, match="holds no rating"):
        show_calibration(sat.sitting, conclude)
    assert said == ["The recording holds no rating; calibrate anew."]
    assert not timer.isActive()


def test_a_window_that_is_closed_while_it_is_fitted_waits_for_the_fit(qapp, result):
    sat = Sat()
    whole(sat)
    go, ended = threading.Event(), []

    def conclude() -> Result:
        assert go.wait(10)
        ended.append(True)
        return result

    timer = when(
        lambda: window().result.busy.isVisible(),
        lambda: (window().close(), QTimer.singleShot(0, go.set), go.set()),
    )
    show_calibration(sat.sitting, conclude)
    assert ended == [True]
    assert not timer.isActive()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_without_a_question_and_what_was_rated_is_kept(qapp, number):
    sat = Sat()
    before = signal.getsignal(number)
    sat.sitting.act("next")
    timer = when(lambda: window().isVisible(), lambda: os.kill(os.getpid(), number))
    show_calibration(sat.sitting)
    assert sat.session.events()[-1] == "abort"
    assert signal.getsignal(number) is before
    assert not timer.isActive()


def test_an_end_that_was_asked_for_before_the_window_came_closes_it_at_once(qapp):
    sat = Sat()
    sat.sitting.act("next")
    stop = threading.Event()
    stop.set()
    show_calibration(sat.sitting, None, stop)
    assert sat.session.events()[-1] == "abort"
    assert not [each for each in QApplication.topLevelWidgets() if each.isVisible()]


def test_an_error_in_the_session_closes_the_window_and_is_told(qapp):
    sat = Sat()

    def broken() -> None:
        raise UsageError("the session broke")

    sat.sitting.act("next")
    timer = when(lambda: window().isVisible(), lambda: setattr(sat.session, "view", broken))
    with pytest.raises(UsageError, match="the session broke"):
        show_calibration(sat.sitting)
    assert not timer.isActive()


def test_a_source_that_ends_is_said_in_the_window(qapp):
    sat = Sat()
    sat.sitting.act("next")
    sat.session.picture = replace(sat.session.picture, state="failed", message="The stream is gone.")
    said: list[str] = []
    timer = when(
        lambda: window().result.isVisible(),
        lambda: (said.append(window().result.words.text()), window().close()),
    )
    show_calibration(sat.sitting)
    assert said[0].startswith("Broken off: The stream is gone.")
    assert not timer.isActive()


def test_without_a_display_it_says_so(qapp, monkeypatch):
    monkeypatch.setattr("gui.calibration.app.no_display", lambda: True)
    with pytest.raises(UsageError, match="no display to calibrate on"):
        show_calibration(Sat().sitting)


def test_pictures_and_prompts_need_nothing_beside_and_sounds_say_what_they_need(tmp_path, monkeypatch):
    picture = tmp_path / "a.png"
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    image.save(str(picture))
    # as where it is not installed
    monkeypatch.setitem(sys.modules, "PySide6.QtMultimedia", None)
    media.check([Stimulus("p", "text", "Recall."), Stimulus("a.png", "image", path=picture)])
    with pytest.raises(UsageError, match=r"b\.wav is a sound, .* pip install 'emod-rt\[stimuli\]'"):
        media.check([Stimulus("b.wav", "sound", path=tmp_path / "b.wav")])
    picture.write_bytes(b"text")
    with pytest.raises(InputFileError, match=r"a\.png is no image that can be shown"):
        media.check([Stimulus("a.png", "image", path=picture)])


def test_the_command_line_finds_the_window_and_the_check():
    found = {each.name: each for each in entry_points(group="emod_rt.screens")}
    assert found["calibration"].load() is show_calibration
    assert found["stimuli"].load() is media.check
