from dataclasses import replace

import pytest

from emod_model.signal.quality import ChannelQuality
from emod_rt.view import left_out
from gui import words
from tests.gui.views import bad_channels, invalid, make_view, waiting


def test_a_valid_newest_estimate_is_the_reading_and_needs_no_excuse():
    view = make_view()
    assert words.reading(view) is view.estimates[-1]
    assert words.why_no_reading(view) is None


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("settling", "Settling, next reading in a moment"),
        ("gap", "Samples were lost, next reading after a whole window without a gap"),
        ("bad-signal", "Signal too poor to read: Fp1 too large; C4 flat"),
        ("stalled", "No new samples"),
    ],
)
def test_each_reason_is_a_plain_sentence_and_hides_the_reading(reason, sentence):
    view = invalid(bad_channels(), reason)
    assert words.reading(view) is None
    assert words.why_no_reading(view) == sentence


def test_before_the_first_reading_settling_promises_the_first():
    view = make_view(estimates=())
    assert words.why_no_reading(view) == "Settling, first reading in a moment"
    started = make_view(estimates=make_view().estimates[:3])
    assert words.why_no_reading(started) == "Settling, first reading in a moment"


@pytest.mark.parametrize("state", ["waiting", "stalled", "failed", "ended"])
def test_a_valid_estimate_is_no_reading_once_the_session_does_not_run(state):
    assert words.reading(make_view(state=state)) is None


def test_only_an_ended_session_tells_its_last_reading():
    view = invalid(make_view(state="ended"), "gap", -2, None)
    assert words.last_reading(view) is view.estimates[-3]
    assert words.last_reading(make_view()) is None
    assert words.last_reading(make_view(state="stalled")) is None


def test_the_session_speaks_for_itself_when_it_waits_or_fails():
    assert words.why_no_reading(waiting()) == "Waiting for lsl:Cyton"
    failed = make_view(state="failed", message="The stream is gone, start again.")
    assert words.why_no_reading(failed) == words.message(failed) == "The stream is gone, start again"
    assert words.message(make_view(message="not for now")) == ""


def test_bad_channels_are_named_by_their_reasons_in_part_and_counted():
    quality = (ChannelQuality(False, 0.0, "flat"),) * 6 + (ChannelQuality(False, 0.0, None),) * 2
    view = make_view(quality=quality)
    assert left_out(view) == "Fp1, Fp2, C3, C4 and 2 more flat; O1, O2 bad"
    assert words.quality_line(view).startswith("0 of 8 channels used, left out: Fp1, Fp2, C3")


def test_five_names_are_said_and_all_channels_are_not_counted_up():
    five = (ChannelQuality(False, 0.0, "railed"),) * 5 + make_view().quality[5:]
    assert left_out(make_view(quality=five)) == "Fp1, Fp2, C3, C4, P7 railed"
    assert left_out(make_view(quality=five[:1] * 8)) == "all 8 channels railed"
    assert left_out(make_view()) == ""


def test_the_quality_line_says_when_nothing_is_known():
    assert words.quality_line(make_view(quality=())) == "signal quality after the first window"
    assert words.quality_line(waiting()) == "no signal yet"


def test_a_usable_channel_with_a_reason_is_poor():
    grades = [words.grade(verdict) for verdict in bad_channels().quality]
    assert grades == ["bad", "good", "good", "bad", "good", "poor", "good", "good"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.316, "+0.32"), (-0.1, "\u22120.10"), (-0.001, "0.00"), (0.0, "0.00")]
)
def test_numbers_carry_a_sign_but_zero_does_not(value, text):
    assert words.signed(value) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (83.9, "1:23"), (3725, "1:02:05"), (-1, "0:00")])
def test_durations_read_as_a_clock(seconds, text):
    assert words.duration(seconds) == text


def test_a_stall_is_told_with_its_length_when_the_session_knows_it():
    view = make_view(state="stalled", message="No new samples from lsl:Cyton for 3 s.")
    assert words.why_no_reading(view) == "No new samples from lsl:Cyton for 3 s"


def test_a_stalled_view_never_counts_as_a_reading_even_when_the_newest_estimate_is_valid():
    view = replace(make_view(), state="stalled")
    assert view.estimates[-1].valid
    assert words.why_no_reading(view) == "No new samples"


@pytest.mark.parametrize(
    ("value", "text", "contact"),
    [(4.23, "4.2 kΩ", "good"), (9.96, "10 kΩ", "good"), (38.0, "38 kΩ", "fair"), (2300.0, "2300 kΩ", "poor")],
)
def test_impedances_are_short_and_judged_by_the_usual_limits(value, text, contact):
    assert (words.kohm(value), words.contact(value)) == (text, contact)


def test_all_that_is_known_of_a_channel_is_told_with_the_limits():
    view = replace(bad_channels(), impedance_kohm=(96.0, None, *(5.0,) * 6))
    told = words.channel(view, 0).splitlines()
    assert told[:2] == ["Fp1", "left out: too large"]
    assert told[2] == "impedance 96 kΩ, poor; measured before the first sample"
    assert "up to 10 kΩ is good, above 50 kΩ poor" in told[3]
    assert words.channel(view, 1).splitlines() == ["Fp2", "used"]
    assert words.channel(view, 5).splitlines()[1] == "used, but poor: muscle"
