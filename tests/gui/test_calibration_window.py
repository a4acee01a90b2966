"""A real window on a real protocol: what the person presses is what is marked."""

from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit

from emod_rt.calibration.scene import Stimulus
from emod_rt.calibration.schedule import Schedule
from gui.calibration import style
from gui.calibration.app import Lead
from gui.calibration.stage import fitted
from gui.calibration.window import CalibrationWindow
from tests.gui.sittings import Sat
from tests.gui.views import bad_channels

LEFT = Qt.MouseButton.LeftButton


class Led(Sat):
    """A sitting with its window."""

    def __init__(self, qtbot, **what) -> None:
        super().__init__(**what)
        self.window = CalibrationWindow()
        qtbot.addWidget(self.window)
        self.lead = Lead(self.sitting, None, self.window)
        self.window.show()
        self.look()

    def look(self) -> str:
        """Draw what is now; return its kind."""
        self.lead.refresh()
        QCoreApplication.processEvents()
        return self.sitting.step().kind

    def let(self, seconds: float, reason=None) -> str:
        self.waits(seconds, reason)
        return self.look()

    def press(self, *keys: Qt.Key) -> str:
        for key in keys:
            QTest.keyClick(self.window.focusWidget() or self.window, key)
        return self.look()

    def click(self, name: str) -> str:
        """Click the button of an action, wherever it stands."""
        rows = [self.window.text.buttons, self.window.foot.buttons]
        (button,) = [row.buttons[name] for row in rows if name in row.buttons and row.isVisible()]
        QTest.mouseClick(button, LEFT)
        return self.look()

    def to_rating(self) -> None:
        self.press(Qt.Key.Key_Space, Qt.Key.Key_S, Qt.Key.Key_Space)
        assert self.let(30) == "rating"


@pytest.fixture
def led(qtbot):
    return lambda **what: Led(qtbot, **what)


def test_a_whole_session_by_keys_and_ratings_arrive_as_given(led):
    person = led()
    assert person.press(Qt.Key.Key_Space) == "rest"
    assert person.let(60) == "ready"
    given = [(3, 7), (9, 1), (5, 5), (1, 9)]
    for trial, (valence, arousal) in enumerate(given, start=1):
        assert person.press(Qt.Key.Key_Return) == "stimulus"
        assert person.let(30) == "rating"
        person.press(Qt.Key(Qt.Key.Key_0 + valence))
        person.press(Qt.Key(Qt.Key.Key_0 + arousal))
        assert person.press(Qt.Key.Key_Space) == ("pause" if trial < 4 else "done")
        if trial < 4:
            assert person.let(6) == "ready"
    assert person.ratings() == [(n, *given[n - 1]) for n in range(1, 5)]
    assert person.session.events()[-1] == "end"
    assert not person.window.isVisible()


def test_a_whole_session_by_mouse(led):
    person = led()
    assert person.click("next") == "rest"
    assert person.click("skip_rest") == "ready"
    for trial in range(1, 5):
        assert person.click("next") == "stimulus"
        assert person.let(30) == "rating"
        scales = person.window.rating.scales
        QTest.mouseClick(scales["arousal"].figures[trial], LEFT)
        QTest.mouseClick(scales["valence"].figures[9 - trial], LEFT)
        assert person.window.rating.confirm.isEnabled()
        QTest.mouseClick(person.window.rating.confirm, LEFT)
        if trial < 4:
            assert person.click("next") == "ready"
    assert person.ratings() == [(n, 9 - n, n) for n in range(1, 5)]


def test_digits_answer_the_question_that_is_lit_and_both_can_change_until_confirmed(led):
    person = led()
    person.to_rating()
    page = person.window.rating
    assert (page.axis, page.scales["valence"].property("lit")) == ("valence", "true")
    assert not page.confirm.isEnabled()
    assert person.press(Qt.Key.Key_Space) == "rating"
    person.press(Qt.Key.Key_4)
    assert (page.axis, page.scales["valence"].value) == ("arousal", 4)
    person.press(Qt.Key.Key_6, Qt.Key.Key_Right, Qt.Key.Key_Right)
    assert (page.axis, page.scales["arousal"].value) == ("arousal", 8)
    person.press(Qt.Key.Key_Up, Qt.Key.Key_2)
    assert (page.axis, page.scales["valence"].value) == ("valence", 2)
    person.press(Qt.Key.Key_Tab, Qt.Key.Key_9)
    assert (page.axis, page.scales["arousal"].value) == ("arousal", 9)
    person.press(Qt.Key.Key_V, Qt.Key.Key_A, Qt.Key.Key_3)
    assert (page.axis, page.scales["arousal"].value) == ("arousal", 3)
    assert "rating" not in person.session.events()
    person.press(Qt.Key.Key_Space)
    assert person.ratings() == [(1, 2, 3)]


def test_arrows_begin_in_the_middle_and_end_at_the_ends(led):
    person = led()
    person.to_rating()
    scale = person.window.rating.scales["valence"]
    QTest.keyClick(scale, Qt.Key.Key_Left)
    assert scale.value == 5
    for _ in range(6):
        QTest.keyClick(scale, Qt.Key.Key_Left)
    assert scale.value == 1
    assert [figure.value for figure in scale.figures.values() if figure.isChecked()] == [1]


def test_esc_asks_before_anything_ends_and_what_was_under_way_begins_anew(led):
    person = led()
    person.to_rating()
    person.press(Qt.Key.Key_4, Qt.Key.Key_4, Qt.Key.Key_Space)
    person.let(6)
    assert person.press(Qt.Key.Key_Space) == "stimulus"
    assert person.press(Qt.Key.Key_Escape) == "pause"
    assert person.window.asking
    assert "1 of 4 trials are rated; they are kept" in person.window.text.words.text()
    assert "begins anew" in person.window.text.words.text()
    person.press(Qt.Key.Key_Escape)
    assert not person.window.asking
    assert person.press(Qt.Key.Key_Space) == "ready"
    person.press(Qt.Key.Key_Q)
    assert person.window.asking
    assert person.press(Qt.Key.Key_Q) == "aborted"
    assert person.session.events()[-1] == "abort"
    assert person.ratings() == [(1, 4, 4)]
    assert person.window.result.headline.text() == "Ended early"
    person.press(Qt.Key.Key_Escape)
    assert not person.window.isVisible()


def test_closing_the_window_asks_and_closing_it_again_ends_with_a_marker(led):
    person = led()
    person.press(Qt.Key.Key_Space)
    person.window.close()
    assert person.window.isVisible()
    assert person.window.asking
    person.window.close()
    assert not person.window.isVisible()
    assert person.session.marks[-1][1].event == "abort"
    assert person.session.marks[-1][1].reason == "the window was closed"


def test_a_key_that_is_held_down_acts_once(led):
    person = led()
    person.to_rating()
    person.press(Qt.Key.Key_7)
    held = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_7, Qt.KeyboardModifier.NoModifier, "7", True, 1)
    for _ in range(3):
        QCoreApplication.sendEvent(person.window.focusWidget(), held)
    scene = person.sitting.step()
    assert (scene.valence, scene.arousal) == (7, None)


def test_keys_with_ctrl_and_what_is_typed_elsewhere_do_nothing_here(led):
    person = led()
    person.press(Qt.Key.Key_Space)
    QTest.keyClick(person.window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert person.look() == "rest"
    line = QLineEdit(person.window)
    line.show()
    line.setFocus()
    QTest.keyClicks(line, "spq 19")
    QTest.keyClick(line, Qt.Key.Key_Backspace)
    assert line.text() == "spq 1"
    assert person.look() == "rest"
    assert not person.window.asking


def test_a_poor_trial_is_offered_again_and_repeated(led):
    person = led()
    person.press(Qt.Key.Key_Space, Qt.Key.Key_S, Qt.Key.Key_Space)
    person.let(30, "bad-signal")
    person.press(Qt.Key.Key_5, Qt.Key.Key_5)
    assert person.press(Qt.Key.Key_Space) == "review"
    assert "too few electrodes were good" in person.window.text.words.text()
    assert list(person.window.text.buttons.buttons) == ["repeat", "next"]
    assert person.press(Qt.Key.Key_R) == "ready"
    person.press(Qt.Key.Key_Space)
    assert person.let(30) == "rating"
    assert "repeat" in person.session.events()


def test_progress_time_left_and_signal_are_always_there_and_quiet_while_something_is_shown(led):
    person = led()
    foot = person.window.foot
    assert foot.left.text() == "about 4 min left"
    assert foot.signal.full == "8 of 8 channels used"
    person.press(Qt.Key.Key_Space, Qt.Key.Key_S)
    person.session.picture = bad_channels()
    person.press(Qt.Key.Key_Space)
    assert (foot.property("quiet"), foot.signal.property("loud")) == ("true", "false")
    seen = set()
    for _ in range(20):
        person.let(0.5)
        seen.add((foot.trial.text(), foot.signal.full))
    # the eye is not drawn to numbers that run
    assert {trial for trial, _ in seen} <= {"trial 1 of 4, 30 s", "trial 1 of 4, 25 s", "trial 1 of 4, 20 s"}
    assert {signal for _, signal in seen} == {"Left out: Fp1 too large; C4 flat."}
    assert foot.bar.value() > 0
    person.let(30)
    assert (foot.property("quiet"), foot.signal.property("loud")) == ("false", "true")


def test_the_introduction_says_what_happens_how_long_and_what_is_recorded(led):
    page = led().window.text
    assert "4 trials of 30 s" in page.words.text()
    assert "You may end at any moment" in page.words.text()
    assert page.small.text().endswith("/home/ada/recordings/ada.xdf")
    assert page.frieze.isVisible()


def test_a_prompt_is_read_large_then_recalled_with_eyes_on_a_cross(led):
    person = led()
    person.press(Qt.Key.Key_Space, Qt.Key.Key_S)
    assert person.window.text.prompt.text().startswith("Recall a day when something")
    assert person.window.text.prompt.font().pixelSize() == style.PROMPT
    person.press(Qt.Key.Key_Space)
    stage = person.window.stage
    picture = stage.grab().toImage()
    middle = picture.rect().center()
    assert picture.pixelColor(middle).name() == QColor(style.CROSS).name()
    assert picture.pixelColor(5, 5).name() == style.GROUND
    assert stage.cursor().shape() == Qt.CursorShape.BlankCursor


def images(folder: Path, *sizes: tuple[int, int]) -> list[Stimulus]:
    made = []
    for n, size in enumerate(sizes):
        image = QImage(*size, QImage.Format.Format_RGB32)
        image.fill(QColor("#804020"))
        path = folder / f"{n}.png"
        assert image.save(str(path))
        made.append(Stimulus(path.name, "image", path=path))
    return made


def test_a_picture_fills_the_window_keeps_its_shape_and_stands_on_neutral_ground(led, tmp_path):
    person = led(stimuli=images(tmp_path, (400, 800), (800, 400), (900, 900), (60, 30)))
    person.press(Qt.Key.Key_Space, Qt.Key.Key_S, Qt.Key.Key_Space)
    for size in (QSize(1280, 800), QSize(960, 620), QSize(1500, 700)):
        person.window.setWindowState(Qt.WindowState.WindowNoState)
        person.window.resize(size)
        QCoreApplication.processEvents()
        shown = person.window.stage.grab().toImage()
        row = [shown.pixelColor(x, shown.height() // 2).name() for x in range(shown.width())]
        assert row.count("#804020") == pytest.approx(shown.height() / 2, abs=2)
        assert shown.pixelColor(shown.width() // 2, 2).name() == "#804020"
        assert row[0] == row[-1] == style.GROUND


def test_a_small_picture_is_not_blown_up_beyond_twice_its_size():
    room = QRectF(0, 0, 1000, 600)
    assert fitted(QSize(60, 30), room) == QRectF(440, 270, 120, 60)
    assert fitted(QSize(4000, 1000), room) == QRectF(0, 175, 1000, 250)


def test_a_picture_that_broke_meanwhile_takes_no_trial_and_is_named(led, tmp_path):
    stimuli = images(tmp_path, *[(40, 40)] * 4)
    stimuli[0].path.write_bytes(b"no longer a picture")
    person = led(stimuli=stimuli)
    person.press(Qt.Key.Key_Space, Qt.Key.Key_S)
    person.look()
    assert "0.png cannot be shown" in person.window.foot.signal.full
    person.press(Qt.Key.Key_Space)
    assert person.look() == "pause"
    assert "0.png cannot be shown" in person.window.foot.signal.full
    assert person.session.events()[-2:] == ["trial-end", "pause-begin"]


@pytest.mark.parametrize("size", [(960, 620), (1280, 800)])
def test_every_page_has_room_for_its_words(led, size):
    person = led(plan=Schedule(trials=4, trial_s=30, rest_s=60, pause_s=6), source_simulated=True)

    def fits() -> None:
        person.window.setWindowState(Qt.WindowState.WindowNoState)
        person.window.resize(*size)
        person.look()
        assert person.window.size() == QSize(*size)
        for each in person.window.findChildren(QLabel):
            if each.isVisible() and each.text():
                needed = each.heightForWidth(each.width()) if each.wordWrap() else each.sizeHint().height()
                assert each.height() >= needed - 1, each.text()

    fits()
    for keys in (
        [Qt.Key.Key_Space],
        [Qt.Key.Key_S],
        [Qt.Key.Key_P],
        [Qt.Key.Key_Escape],
        [Qt.Key.Key_Escape],
    ):
        person.press(*keys)
        fits()
    person.press(Qt.Key.Key_Space, Qt.Key.Key_Space)
    person.session.picture = bad_channels()
    person.let(30, "bad-signal")
    fits()
    person.press(Qt.Key.Key_1, Qt.Key.Key_9)
    fits()
    person.press(Qt.Key.Key_Space)
    fits()


def test_what_is_seen_is_told_to_those_who_listen(led):
    person = led()
    person.to_rating()
    scale = person.window.rating.scales["valence"]
    assert scale.accessibleName() == "How pleasant was it? 1 very unpleasant, 9 very pleasant"
    assert scale.accessibleDescription() == "nothing chosen yet"
    assert scale.figures[1].accessibleName() == "1, very unpleasant"
    assert scale.figures[4].accessibleName() == "4"
    person.press(Qt.Key.Key_4)
    assert scale.accessibleDescription() == "4 of 9 chosen"
    assert person.window.rating.confirm.accessibleName() == "Confirm"


def test_the_screen_is_filled_from_the_first_cross_on_and_f11_gives_it_back(led):
    person = led()
    full = Qt.WindowState.WindowFullScreen
    assert not person.window.windowState() & full
    person.press(Qt.Key.Key_Space)
    assert person.window.windowState() & full
    person.press(Qt.Key.Key_F11)
    assert not person.window.windowState() & full
    person.press(Qt.Key.Key_S, Qt.Key.Key_Space)
    assert not person.window.windowState() & full
