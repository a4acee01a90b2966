import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from emod_model.errors import UsageError
from emod_rt.markers import Marker, typed_stream
from emod_rt.view import View
from gui.app import render, show
from gui.dashboard import Dashboard
from gui.status import MARKER_CELL
from tests.gui.views import make_view, waiting


class Scripted:
    """A session whose thread lives until it is stopped; its views follow a script, then repeat the last."""

    def __init__(self, *views: View) -> None:
        self.views = list(views)
        self.asked_from: set[int] = set()
        self.polls = 0
        self.marks: list[tuple[str, float | None]] = []
        self.now = 100.0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.stopped.wait, name="scripted-session")
        self.thread.start()

    def view(self) -> View:
        self.asked_from.add(threading.get_ident())
        self.polls += 1
        return self.views.pop(0) if len(self.views) > 1 else self.views[0]

    def moment(self) -> float | None:
        return self.now

    def mark(self, text: str, t: float | None = None) -> Marker:
        if text == "refused":
            raise UsageError("the marker 'refused' has nothing to belong to")
        self.marks.append((text, t))
        return Marker(t or 0.0, (text,), typed_stream())

    def reset_baseline(self) -> Marker:
        if not self.views[0].user:
            raise UsageError("there is no baseline to reset")
        return self.mark("reset baseline")

    def stop(self) -> None:
        self.stopped.set()

    def join(self, timeout_s: float, /) -> bool:
        self.thread.join(timeout_s)
        return not self.thread.is_alive()


@pytest.fixture
def session():
    made: list[Scripted] = []

    def make(*views: View) -> Scripted:
        made.append(Scripted(*views))
        return made[-1]

    yield make
    for each in made:
        each.stop()
        each.join(5)


def windows() -> list[Dashboard]:
    return [
        each for each in QApplication.topLevelWidgets() if isinstance(each, Dashboard) and each.isVisible()
    ]


def when_polled(session: Scripted, times: int, act) -> QTimer:
    """Call `act` in the Qt thread once the dashboard has polled `times`."""
    timer = QTimer()
    timer.timeout.connect(lambda: (timer.stop(), act()) if session.polls >= times else None)
    timer.start(5)
    return timer


def test_closing_the_window_ends_the_session_and_its_threads(qapp, session):
    before = threading.active_count()
    running = session(make_view())
    timer = when_polled(running, 3, lambda: windows()[0].close())
    assert show(running) == 0
    assert running.stopped.is_set()
    assert not running.thread.is_alive()
    assert threading.active_count() == before
    assert windows() == []
    assert not timer.isActive()


def test_the_window_follows_the_session(qapp, session):
    views = [waiting(), make_view(elapsed_s=5.0), make_view(elapsed_s=6.0)]
    seen: list[str] = []
    running = session(*views)

    def look() -> None:
        seen.append(windows()[0].state_line.text("time"))
        windows()[0].close()

    timer = when_polled(running, 4, look)
    show(running)
    assert seen == ["0:06"]
    assert running.asked_from == {threading.get_ident()}
    assert not timer.isActive()


def test_it_closes_by_itself_when_the_session_has_ended_and_leaves_a_picture(qapp, session, tmp_path):
    shot = tmp_path / "end.png"
    ended = make_view(state="ended")
    assert show(session(make_view(), ended), screenshot=shot, close_when_ended=True) == 0
    picture = QImage(str(shot))
    assert (picture.width(), picture.height()) == (1280, 800)
    assert len({picture.pixel(x, 400) for x in range(1280)}) > 5


def test_a_marker_bears_the_time_of_its_key_and_a_refusal_is_said(qapp, session, qtbot):
    running = session(make_view())
    said: list[str] = []

    def mark() -> None:
        window = windows()[0]
        qtbot.keyClick(window, Qt.Key.Key_M)
        running.now = 107.0
        for text in ("eyes open", "refused"):
            window.ask_marker() if text == "refused" else None
            qtbot.keyClicks(window.entry.text, text)
            qtbot.keyClick(window.entry.text, Qt.Key.Key_Return)
        said.append(window.state_line.text(MARKER_CELL))
        qtbot.keyClick(window, Qt.Key.Key_4)
        window.close()

    timer = when_polled(running, 2, mark)
    show(running)
    assert running.marks == [("eyes open", 100.0), ("4", 107.0)]
    assert said == ["the marker 'refused' has nothing to belong to"]
    assert not timer.isActive()


def test_the_key_b_resets_the_baseline_and_says_when_there_is_none(qapp, session, qtbot):
    for user, said in (("ada", "\u2013"), ("", "there is no baseline to reset")):
        running, cell = session(make_view(user=user)), []

        def press(running=running, cell=cell) -> None:
            qtbot.keyClick(windows()[0], Qt.Key.Key_B)
            cell.append(windows()[0].state_line.text(MARKER_CELL))
            windows()[0].close()

        timer = when_polled(running, 2, press)
        show(running)
        assert running.marks == ([("reset baseline", None)] if user else [])
        assert cell == [said]
        assert not timer.isActive()


def test_closing_early_leaves_a_picture_too(qapp, session, tmp_path):
    shot = tmp_path / "early.png"
    running = session(make_view())
    timer = when_polled(running, 2, lambda: windows()[0].close())
    show(running, screenshot=shot)
    assert QImage(str(shot)).width() == 1280
    assert not timer.isActive()


def test_a_failed_session_gives_the_exit_code_of_a_lost_source(qapp, session):
    failed = make_view(state="failed", message="The stream is gone, start it again.")
    assert show(session(make_view(), failed), close_when_ended=True) == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_close_the_window_and_are_put_back(qapp, session, number):
    before = signal.getsignal(number)
    running = session(make_view())
    timer = when_polled(running, 2, lambda: os.kill(os.getpid(), number))
    assert show(running) == 0
    assert not running.thread.is_alive()
    assert signal.getsignal(number) is before
    assert not timer.isActive()


def test_a_picture_that_cannot_be_written_is_refused_before_the_window_opens(qapp, session, tmp_path):
    running = session(make_view())
    with pytest.raises(UsageError, match="no picture can be written"):
        show(running, screenshot=tmp_path / "nowhere" / "x.png")
    assert running.polls == 0
    assert not running.thread.is_alive()


def test_an_error_in_the_session_ends_the_dashboard_and_is_told(qapp, session):
    class Broken(Scripted):
        def view(self) -> View:
            if self.polls >= 2:
                raise UsageError("the session broke")
            return super().view()

    broken = Broken(make_view())
    with pytest.raises(UsageError, match="the session broke"):
        show(broken)
    assert not broken.thread.is_alive()
    assert windows() == []


@pytest.mark.parametrize("size", [(1024, 700), (1280, 800), (1920, 1080)])
def test_render_draws_one_view_at_the_asked_size(qapp, tmp_path, size):
    render(make_view(), tmp_path / "view.png", size)
    picture = QImage(str(tmp_path / "view.png"))
    assert (picture.width(), picture.height()) == size


def test_render_tells_states_apart(qapp, tmp_path):
    for state in ("running", "stalled"):
        render(make_view(state=state, message="No new samples."), tmp_path / f"{state}.png")
    header = (640, 20)
    running, stalled = (QImage(str(tmp_path / f"{state}.png")) for state in ("running", "stalled"))
    assert stalled.pixelColor(*header).lightness() > running.pixelColor(*header).lightness() + 80


def test_render_refuses_a_folder_that_is_not_there(qapp, tmp_path):
    with pytest.raises(UsageError, match="no picture can be written"):
        render(make_view(), tmp_path / "nowhere" / "x.png")


def bare_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program as on a machine without a display."""
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux runs without a display server")
def test_without_a_display_a_picture_is_drawn_and_a_window_refused(tmp_path):
    code = (
        "import sys; from pathlib import Path; from emod_model.errors import UsageError\n"
        "from gui.app import render, show; from tests.gui.test_app import Scripted\n"
        "from tests.gui.views import make_view\n"
        "try: show(Scripted(make_view()))\n"
        "except UsageError as error: print(error)\n"
        "render(make_view(), Path(sys.argv[1]))\n"
    )
    done = bare_python(code, str(tmp_path / "bare.png"))
    assert done.returncode == 0, done.stderr
    assert "no display" in done.stdout
    assert QImage(str(tmp_path / "bare.png")).width() == 1280


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux runs without a display server")
def test_without_a_display_a_picture_of_a_whole_session_needs_no_window(tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from gui.app import show; from tests.gui.test_app import Scripted\n"
        "from tests.gui.views import make_view\n"
        "session = Scripted(make_view(), make_view(state='ended'))\n"
        "sys.exit(show(session, screenshot=Path(sys.argv[1])))\n"
    )
    done = bare_python(code, str(tmp_path / "session.png"))
    assert done.returncode == 0, done.stderr
    assert QImage(str(tmp_path / "session.png")).width() == 1280


def test_the_entry_point_of_the_command_line_is_the_dashboard():
    from importlib.metadata import entry_points

    (found,) = [each for each in entry_points(group="emod_rt.screens") if each.name == "dashboard"]
    assert found.load() is show


def test_views_are_never_changed_by_being_shown(qapp, tmp_path):
    view = make_view()
    copy = replace(view, traces=view.traces.copy())
    render(view, tmp_path / "view.png")
    assert (view.traces == copy.traces).all()
