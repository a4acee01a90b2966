import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QPoint, Qt

from emod_model.signal.quality import ChannelQuality
from emod_rt.markers import Marker, MarkerStream
from emod_rt.sources.base import Metadata
from gui import theme
from gui.history import history
from gui.status import MARKER_CELL
from tests.gui.views import GOOD, bad_channels, invalid, make_view, marked, waiting, with_hole


def points(item) -> int:
    return len(item.getData()[0])


def test_the_state_line_tells_the_counters(window):
    window.show_view(make_view(lost=1234, skipped=2))
    line = window.state_line
    assert line.text("time") == "1:30"
    assert line.text("rate") == "250 Hz"
    assert line.text("channels") == "8"
    assert line.text("samples lost") == "1,234"
    assert line.text("windows read") == "172 of 180"
    assert line.text("skipped") == "2"
    assert line.text("latency p50 / p99") == "21 / 39 ms"
    assert window.windowTitle() == "lsl:Cyton – EMOD"  # noqa: RUF001


def test_a_long_name_is_cut_and_does_not_widen_the_window(window):
    window.resize(1024, 700)
    window.show_view(make_view(source="file:" + "long/" * 60 + "session.xdf", model="m" * 300))
    QCoreApplication.processEvents()
    assert window.width() == 1024
    assert window.header.source.text().startswith("file:")
    assert window.header.source.text().endswith("session.xdf")
    assert len(window.header.source.text()) < 80
    assert window.header.model_badge.geometry().right() < window.header.width()


def test_losses_are_marked_and_their_absence_is_not(window):
    window.show_view(make_view(lost=3))
    assert window.state_line.cells["samples lost"].value.property("alert") == "true"
    assert window.state_line.cells["skipped"].value.property("alert") == "false"


def test_what_is_not_known_yet_is_a_dash(window):
    window.show_view(waiting())
    line = window.state_line
    assert {line.text(name) for name in ("rate", "channels", "latency p50 / p99")} == {"\u2013"}


def test_a_reading_of_low_confidence_bears_a_badge_beside_it(window):
    window.show_view(make_view(user="ada", low_confidence=("valence", "arousal")))
    badge = window.plane.worth
    assert badge.isVisible()
    assert badge.text() == "LOW CONFIDENCE: valence and arousal"
    assert badge.geometry().top() >= window.plane.plot.geometry().bottom()
    assert "LOW CONFIDENCE" in window.plane.accessibleDescription()
    ground = window.grab().toImage().pixelColor(badge.mapTo(window, QPoint(12, badge.height() // 2)))
    assert ground.name().upper() == theme.ALERT
    window.plane.show_view(make_view(user="ada"), history(make_view()))
    assert not badge.isVisible()


def test_an_axis_that_was_never_held_against_people_is_marked_at_the_reading(window):
    window.show_view(make_view(model_simulated=False, unvalidated=("valence",)))
    badge = window.plane.worth
    assert badge.isVisible()
    assert badge.text() == "VALENCE: NOT VALIDATED ON PEOPLE"
    assert "NOT VALIDATED" in window.plane.accessibleDescription()


def test_a_reading_that_is_relative_to_the_first_minute_says_so(window):
    window.show_view(make_view(zero_s=60.0))
    assert window.plane.caption.text().splitlines()[-1] == "zero: first 60 s"
    window.plane.show_view(make_view(), history(make_view()))
    assert "zero" not in window.plane.caption.text()


@pytest.mark.parametrize("model", [True, False])
@pytest.mark.parametrize("source", [True, False])
def test_badges_tell_what_is_simulated(window, model, source):
    window.show_view(make_view(model_simulated=model, source_simulated=source))
    assert window.header.model_badge.isVisible() == model
    assert window.header.source_badge.isVisible() == source
    assert "SIMULATED" in window.header.model_badge.text()
    assert "SIMULATED" in window.header.source_badge.text()


@pytest.mark.parametrize(
    ("state", "word"),
    [("waiting", "Waiting"), ("stalled", "Stalled"), ("failed", "Failed"), ("running", "Running")],
)
def test_the_header_is_loud_exactly_when_the_session_needs_attention(window, state, word):
    window.show_view(make_view(state=state, message="What happened."))
    assert word in window.header.state.text()
    assert (window.header.property("loud") == "true") == (state != "running")
    assert window.header.message.full == ("" if state == "running" else "What happened")


def test_a_reading_is_a_point_with_an_ellipse_of_one_sd(window):
    view = make_view()
    newest = view.estimates[-1]
    window.show_view(view)
    x, y = window.plane.point.getData()
    assert (x[0], y[0]) == (newest.valence, newest.arousal)
    box = window.plane.ellipse.rect()
    assert box.width() == pytest.approx(2 * newest.valence_sd)
    assert box.height() == pytest.approx(2 * newest.arousal_sd)
    assert box.center().x() == pytest.approx(newest.valence)
    assert not window.plane.notice.isVisible()


@pytest.mark.parametrize("reason", ["settling", "gap", "bad-signal", "stalled"])
def test_an_invalid_estimate_hides_the_point_and_says_why(window, reason):
    window.show_view(make_view())
    live = [curve.opts["pen"].color().name() for curve in window.plane.trail]
    window.show_view(invalid(bad_channels(), reason))
    assert points(window.plane.point) == 0
    assert not window.plane.ellipse.isVisible()
    assert window.plane.notice.isVisible()
    assert window.plane.notice.text()
    assert "unknown" in window.plane.valence.spoken
    grey = [curve.opts["pen"].color().name() for curve in window.plane.trail]
    assert not set(live) & set(grey)


def test_a_stalled_session_shows_its_valid_estimate_as_past(window):
    window.show_view(make_view(state="stalled", message="No new samples."))
    assert points(window.plane.point) == 0
    assert "+" not in window.plane.valence.value.text()
    grey = window.course.valence.pens[False].color()
    assert window.course.valence.line.opts["pen"].color() == grey
    assert points(window.channels.traces.curves[0]) == 0  # all rows in the colour of the past
    assert points(window.channels.traces.curves[2]) > 0
    assert not window.channels.bands.fresh


def test_an_ended_session_shows_its_last_reading_as_such(window):
    view = make_view(state="ended")
    window.show_view(view)
    assert points(window.plane.point) == 1
    assert window.plane.caption.text() == "last reading"
    assert window.plane.ellipse.pen().style() == Qt.PenStyle.DashLine


def test_lines_are_not_joined_across_a_gap(window):
    window.show_view(invalid(make_view(), "gap", -40, -30))
    line = window.course.valence.line
    _, y = line.getData()
    assert np.isnan(y).sum() >= 10
    assert line.opts["connect"] == "finite"
    outlines = [
        polygon for polygon in window.course.valence.band.path().toSubpathPolygons() if polygon.size() > 2
    ]
    assert len(outlines) == 2


def test_a_single_reading_between_two_gaps_is_still_seen(window):
    view = invalid(invalid(make_view(), "gap", -20, -10), "gap", -9, -3)
    window.show_view(view)
    _, y = window.course.arousal.lone.getData()
    assert y.tolist() == [view.estimates[-10].arousal]


def test_traces_have_a_gap_where_samples_are_missing(window):
    window.show_view(make_view())
    _, whole = window.channels.traces.curves[0].getData()
    window.show_view(with_hole(make_view(), start=700, count=90))
    x, y = window.channels.traces.curves[0].getData()
    assert np.isnan(y).sum() - np.isnan(whole).sum() == 4 * 90  # four of the eight rows are of this colour
    assert x.min() >= -8.0
    assert x.max() == 0.0


@pytest.mark.parametrize("channels", [1, 4, 8, 16, 32, 64])
def test_any_number_of_channels_fills_the_same_height(window, channels):
    window.show_view(make_view(channels))
    low, high = window.channels.traces.plot.getViewBox().viewRange()[1]
    assert low == pytest.approx(-channels)
    pixels_a_row = window.channels.traces.plot.height() / (high - low)
    labels = window.channels.labels
    assert pixels_a_row == pytest.approx((labels.height() - 22 - 38) / channels, rel=0.01)
    assert labels.names == make_view(channels).channels


def test_channels_left_out_are_drawn_apart_and_named(window):
    window.show_view(bad_channels())
    samples = 1001  # 8 s at 125 Hz, and the break between rows
    assert [points(curve) // samples for curve in window.channels.traces.curves] == [3, 3, 2]
    assert window.channels.summary.full == "6 of 8 channels used, left out: Fp1 too large; C4 flat"
    assert "P8 poor muscle" in window.channels.labels.accessibleDescription()


def test_a_wild_channel_stays_within_its_row(window):
    window.show_view(bad_channels())
    _, y = window.channels.traces.curves[2].getData()
    assert np.nanmax(y) <= 0.0
    assert window.channels.traces.row_uv <= 200  # and does not set the scale of the others


def test_band_powers_are_told_and_marked_old_when_they_are(window):
    view = bad_channels()
    window.show_view(view)
    np.testing.assert_allclose(window.channels.bands.means(), np.nanmean(view.band_power_db, axis=0))
    assert window.channels.band_title.text() == "band power, dB"
    window.show_view(invalid(view, "gap"))
    assert window.channels.band_title.text() == "last band power, dB"


def test_the_band_powers_of_no_channel_are_not_made_up(window):
    window.show_view(make_view(band_power_db=np.full((8, 5), np.nan)))
    assert np.isnan(window.channels.bands.means()).all()
    assert window.channels.bands.spoken() == "no band powers yet"


def test_the_window_follows_a_source_that_appears_and_changes(window):
    for view in (waiting(), make_view(8), bad_channels(64), waiting(), make_view(4)):
        window.show_view(view)
        QCoreApplication.processEvents()
    assert window.channels.labels.names == make_view(4).channels


@pytest.mark.parametrize("size", [(1024, 700), (1280, 800), (1920, 1080)])
def test_the_layout_does_not_move_when_words_come_and_go(window, size):
    window.resize(*size)
    window.show_view(make_view())
    QCoreApplication.processEvents()
    before = [part.geometry() for part in (window.plane, window.course, window.channels, window.state_line)]
    window.show_view(invalid(make_view(quality=(ChannelQuality(False, 0, "too large"),) * 8), "bad-signal"))
    QCoreApplication.processEvents()
    assert before == [
        part.geometry() for part in (window.plane, window.course, window.channels, window.state_line)
    ]
    assert (window.width(), window.height()) == size
    assert window.plane.rect().contains(window.plane.notice.geometry())


def test_keys_close_the_window_and_fill_the_screen(qtbot, window):
    QCoreApplication.processEvents()
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert window.isFullScreen()
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert not window.isFullScreen()
    with qtbot.waitSignal(window.closed, timeout=2000):
        qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isVisible()


def test_ctrl_q_closes_the_window(qtbot, window):
    with qtbot.waitSignal(window.closed, timeout=2000):
        qtbot.keyClick(window, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)


def test_screen_readers_find_names_on_the_parts(window):
    window.show_view(make_view())
    parts = (
        window,
        window.header,
        window.state_line,
        window.plane.plot,
        window.course.canvas,
        window.channels.labels,
        window.channels.traces.plot,
        window.channels.bands,
        window.header.state,
        window.header.model,
    )
    assert all(part.accessibleName() for part in parts)
    assert "Valence" in window.plane.accessibleDescription()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from Python 3.12 on")
def test_refreshing_does_not_use_up_the_interpreter(window):
    """PySide6 6.12 on Python 3.11 drops a reference to None with every call, which ends the program."""
    view = make_view()
    window.show_view(view)
    before = sys.getrefcount(None)
    for step in range(20):
        window.show_view(replace(view, trace_end=view.trace_end + step, elapsed_s=view.elapsed_s + step / 4))
    assert sys.getrefcount(None) > before - 100


def test_quality_can_come_before_or_after_the_channels_it_speaks_of(window):
    window.show_view(make_view(8, quality=(GOOD,) * 8, band_power_db=None))
    window.show_view(make_view(8, quality=()))
    assert window.channels.summary.full == "signal quality after the first window"


def test_impedances_stand_beside_the_channels_and_all_about_one_in_its_tool_tip(window):
    view = replace(bad_channels(), impedance_kohm=(96.0, None, *(5.0,) * 6))
    window.show_view(view)
    labels = window.channels.labels
    assert labels.accessibleDescription().startswith("Fp1 bad too large 96 kΩ, Fp2 good, C3 good 5.0 kΩ")
    rows = labels.height() - 22 - 38
    assert "left out: too large" in labels.told_at(22 + rows / 16)
    assert labels.told_at(22 + rows - 1).startswith("O2\nused")
    assert labels.told_at(5) == labels.told_at(labels.height() - 30) == ""


@pytest.mark.parametrize("size", [(960, 620), (1280, 800)])
def test_a_recording_is_told_calmly_and_its_absence_too(window, size):
    window.resize(*size)
    cell = window.state_line.cells["recording"]
    window.show_view(make_view())
    assert (window.state_line.text("recording"), cell.dot.isVisible()) == ("off", False)
    window.show_view(make_view(recording="/data/sub-01_ses-02_task-rest_eeg.xdf"))
    QCoreApplication.processEvents()
    assert cell.dot.isVisible()
    assert cell.value.full == "sub-01_ses-02_task-rest_eeg.xdf"
    assert cell.value.toolTip() == "/data/sub-01_ses-02_task-rest_eeg.xdf"
    assert cell.value.text().endswith("eeg.xdf")
    assert window.header.property("loud") == "false"
    assert window.width() == size[0]


def test_a_recording_that_stopped_is_not_taken_for_one_that_never_was(window):
    window.show_view(make_view(recording="/data/s.xdf"))
    window.show_view(make_view(recording=None))
    assert window.state_line.text("recording") == "stopped"
    assert window.state_line.cells["recording"].value.property("alert") == "true"


def test_a_recording_that_has_ended_keeps_its_name_without_the_dot(window):
    window.show_view(make_view(state="ended", recording="/data/s.xdf"))
    assert window.state_line.text("recording") == "s.xdf"
    assert not window.state_line.cells["recording"].dot.isVisible()


def test_a_notice_is_loud_until_it_is_seen_and_then_the_next_one_is(qtbot, window):
    notices = ("The disk is full.", "The LSL stream Affect is broken.")
    window.show_view(make_view())
    before = [part.geometry() for part in (window.plane, window.channels, window.header)]
    view = make_view(notices=notices)
    for sentence in notices:
        window.show_view(view)
        QCoreApplication.processEvents()
        assert window.header.property("loud") == "true"
        assert window.header.notice.text() == sentence
        assert not window.header.source.isVisible()
        assert window.header.model_badge.isVisible()
        assert before == [part.geometry() for part in (window.plane, window.channels, window.header)]
        qtbot.keyClick(window, Qt.Key.Key_Return)
    window.show_view(view)
    assert window.header.property("loud") == "false"
    assert not window.header.notice.isVisible()
    assert window.header.source.isVisible()
    assert window.state_line.cells["recording"].value.toolTip() == "\n".join(notices)


def test_a_notice_can_be_taken_as_seen_with_the_mouse_and_leaves_a_stall_loud(qtbot, window):
    window.show_view(make_view(state="stalled", message="No new samples.", notices=("The disk is full.",)))
    QCoreApplication.processEvents()
    assert "Stalled" in window.header.state.text()
    qtbot.mouseClick(window.header.seen_button, Qt.MouseButton.LeftButton)
    assert window.header.property("state") == "stalled"
    assert window.header.message.full == "No new samples"


def test_a_long_notice_takes_two_lines_and_its_tool_tip_has_all_of_it(window):
    window.resize(960, 620)
    sentence = "The recording /data/" + "long/" * 30 + "s.xdf takes no more data (No space left on device)."
    window.show_view(make_view(notices=(sentence,)))
    QCoreApplication.processEvents()
    notice = window.header.notice
    assert notice.text().endswith("\u2026")
    assert len(notice.text()) > 60
    assert notice.heightForWidth(notice.width()) <= window.header.height()
    assert notice.toolTip() == sentence


def test_a_key_settles_the_moment_before_the_text_is_written(qtbot, window):
    told = []
    window.marking.connect(lambda: told.append("moment"))
    window.marked.connect(told.append)
    window.show_view(make_view(elapsed_s=83.0))
    qtbot.keyClick(window, Qt.Key.Key_M)
    assert told == ["moment"]
    assert window.writing
    assert window.entry.moment.text() == "marker at 1:23"
    window.show_view(make_view(elapsed_s=90.0))
    assert window.entry.moment.text() == "marker at 1:23"
    qtbot.keyClicks(window.entry.text, "my eyes 12 ")
    qtbot.keyClick(window.entry.text, Qt.Key.Key_Return)
    assert told == ["moment", "my eyes 12"]
    assert not window.writing


def test_esc_and_an_empty_line_leave_the_marker_and_not_the_window(qtbot, window):
    written = []
    window.marked.connect(written.append)
    for text, key in (("half a tho", Qt.Key.Key_Escape), ("  ", Qt.Key.Key_Return)):
        window.ask_marker()
        qtbot.keyClicks(window.entry.text, text)
        qtbot.keyClick(window.entry.text, key)
        assert not window.writing
    assert written == []
    assert window.isVisible()


def test_digits_mark_at_once(qtbot, window):
    told = []
    window.marking.connect(lambda: told.append("moment"))
    window.marked.connect(told.append)
    for digit in "19":
        qtbot.keyClicks(window, digit)
    assert told == ["moment", "1", "moment", "9"]
    assert not window.writing


def test_a_notice_is_not_taken_as_seen_while_a_marker_is_written(qtbot, window):
    window.show_view(make_view(notices=("The disk is full.",)))
    window.ask_marker()
    qtbot.keyClicks(window.entry.text, "on")
    qtbot.keyClick(window.entry.text, Qt.Key.Key_Return)
    assert window.header.notice.full == "The disk is full."


def test_the_newest_marker_is_confirmed_and_a_refusal_said_until_the_next(window):
    line = window.state_line
    view = marked(make_view(), (80.0, "eyes\nopen"))
    window.show_view(view)
    assert line.text(MARKER_CELL) == "eyes open"
    line.say("the marker '2' has nothing to belong to")
    window.show_view(replace(view, elapsed_s=91.0))
    assert line.text(MARKER_CELL) == "the marker '2' has nothing to belong to"
    assert line.cells[MARKER_CELL].value.property("alert") == "true"
    window.show_view(marked(view, (80.0, "eyes\nopen"), (90.0, "3")))
    assert line.text(MARKER_CELL) == "3"
    assert line.cells[MARKER_CELL].value.property("alert") == "false"


def test_what_was_typed_is_confirmed_among_the_markers_of_other_programs(window):
    frames = MarkerStream(Metadata("PsychoPy", "Markers"))
    view = marked(make_view(), (80.0, "eyes open"))
    busy = tuple(Marker(80.0 + k, (f"frame {k}",), frames) for k in range(10))
    window.show_view(replace(view, markers=busy))
    assert window.state_line.text(MARKER_CELL) == "frame 9"
    window.show_view(replace(view, markers=(*view.markers, *busy)))
    assert window.state_line.text(MARKER_CELL) == "eyes open"


def test_markers_stand_over_course_and_traces_where_they_belong(window):
    view = marked(make_view(), (20.0, "too old"), (60.2, "rest"), (86.2, "on"))
    window.show_view(view)
    QCoreApplication.processEvents()
    for part, span, texts in ((window.course, 60.0, ["rest", "on"]), (window.channels.traces, 8.0, ["on"])):
        drawn = part.marks.drawn
        assert [text for _, text in drawn] == texts
        plot = part.marks.plot
        for x, text in drawn:
            ago = 30.0 if text == "rest" else 4.0
            assert x == pytest.approx(plot.right() - ago / span * plot.width())
    curve = window.channels.traces.plot
    assert window.channels.traces.marks.plot.right() == pytest.approx(curve.width(), abs=1)


def test_a_new_marker_is_drawn_without_waiting_for_an_estimate(window):
    view = make_view()
    window.show_view(view)
    window.show_view(marked(view, (90.1, "now")))
    assert [text for _, text in window.course.marks.drawn] == ["now"]
    assert [text for _, text in window.channels.traces.marks.drawn] == ["now"]


def test_thousands_of_markers_hide_nothing_and_cost_no_second(window):
    view = marked(make_view(), *((30 + k * 0.03, f"frame {k}") for k in range(2000)))
    began = time.perf_counter()
    window.show_view(view)
    window.grab()
    assert time.perf_counter() - began < 1.0
    assert window.course.marks.dense
