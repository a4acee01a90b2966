"""Markers, typed and received: each on the right sample, none missed, and no harm to the signal."""

import dataclasses
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import pyxdf

from emod_model.errors import SourceError, UsageError
from emod_rt.markers import Marker, MarkerStream
from emod_rt.marking import Marking, Timeline
from emod_rt.recording.take import Take
from emod_rt.session import Session
from emod_rt.sources.base import Metadata, StreamInfo
from tests.emod_rt.doubles import (
    CHANNELS,
    ManualClock,
    ScriptedMarkers,
    ScriptedSource,
    chunks_of,
    eeg,
)
from tests.emod_rt.lsl_help import outlet, unique, until
from tests.emod_rt.programs import start

CUES = MarkerStream(Metadata("Cues", "Markers", "cues-1"))
CODES = MarkerStream(Metadata("Codes", "Markers", "codes-1"), "int32")
LSL_CLOCK = StreamInfo("x", 250.0, CHANNELS, lsl_clock=True)
OTHER_CLOCK = StreamInfo("x", 250.0, CHANNELS)


def load(path):
    streams, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    return {stream["info"]["name"][0]: stream for stream in streams}


def eeg_of(streams):
    (found,) = [stream for stream in streams.values() if stream["info"]["type"] == ["EEG"]]
    return found


def arrived(index, arrival):
    """A chunk of 25 samples that ends with sample `index`, at 250 Hz from 0 s."""
    return dataclasses.replace(chunks_of(eeg(25), 25, first=index - 24)[0], arrival=arrival)


def test_a_source_in_the_lsl_clock_needs_no_translation():
    timeline = Timeline()
    assert timeline.at(5.0) is None
    timeline.begin(LSL_CLOCK)
    assert timeline.at(5.0) == 5.0


def test_in_another_clock_a_moment_lies_among_the_samples_that_come_in_just_then():
    timeline = Timeline()
    timeline.begin(OTHER_CLOCK)
    assert timeline.at(1000.0) is None
    for chunk in range(100):
        late = 0.0 if chunk == 60 else 0.02 * (chunk % 3)
        timeline.arrived(arrived(25 * chunk + 24, 1000.0 + (25 * chunk + 24) / 250 + late))
    assert timeline.at(1000.0 + 2000 / 250) == pytest.approx(2000 / 250), "a late delivery moves nothing"


def test_a_clock_that_drifts_is_followed():
    timeline = Timeline()
    timeline.begin(OTHER_CLOCK)
    for chunk in range(9_000):
        source_s = (25 * chunk + 24) / 250
        timeline.arrived(arrived(25 * chunk + 24, 1000.0 + source_s * (1 + 200e-6)))
    assert timeline.at(1000.0 + source_s * (1 + 200e-6)) == pytest.approx(source_s, abs=0.002)


@pytest.fixture
def delivered():
    return []


def marking(delivered, network=None, info=LSL_CLOCK):
    found = Marking(ManualClock(), delivered.append, network)
    found.start()
    found.begin(info)
    return found


def test_what_the_network_sends_before_the_source_is_open_waits_for_it(delivered):
    network = ScriptedMarkers([CUES, CODES], [Marker(99.5, ("early",), CUES)])
    early = Marking(ManualClock(), delivered.append, network)
    early.start()
    until(lambda: not network.markers)
    assert delivered == []
    early.begin(OTHER_CLOCK)
    until(lambda: len(delivered) == 2)
    assert delivered == [CUES, CODES], "streams are told though their markers have no place yet"
    early.timeline.arrived(arrived(24, 100.0))
    until(lambda: len(delivered) == 3)
    early.stop()
    assert delivered[2].t == pytest.approx(24 / 250 - 0.5)
    assert delivered[2].values == ("early",)
    assert network.closed == 1


def test_what_arrives_at_the_very_end_is_delivered(delivered):
    network = ScriptedMarkers()
    found = marking(delivered, network)
    network.close = lambda: network.markers.append(Marker(101.0, (7,), CODES))
    found.stop()
    assert delivered == [Marker(101.0, (7,), CODES)]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (SourceError("liblsl cannot be loaded; install it"), "liblsl cannot be loaded; install it."),
        (RuntimeError("socket"), "(RuntimeError: socket)."),
    ],
)
def test_a_network_that_fails_is_one_sentence_and_typing_goes_on(delivered, fault, said):
    def broken():
        raise fault

    found = marking(delivered, broken)
    until(found.notices)
    found.mark("typed")
    found.stop()
    assert found.notices()[0].startswith("No ")
    assert found.notices()[0].endswith(said)
    assert [marker.values for marker in delivered] == [("typed",)]


@pytest.mark.parametrize(
    ("text", "t", "said"),
    [("", None, "without a text"), ("  \n", None, "without a text"), ("a", float("nan"), "no time")],
)
def test_a_marker_that_says_nothing_is_refused(delivered, text, t, said):
    with pytest.raises(UsageError, match=said):
        marking(delivered).mark(text, t)
    assert delivered == []


def test_a_marker_has_its_place_only_while_samples_come(delivered):
    found = Marking(ManualClock(), delivered.append)
    with pytest.raises(UsageError, match="'a' has nothing to belong to"):
        found.mark("a")
    found.begin(OTHER_CLOCK)
    with pytest.raises(UsageError, match="'a' came before the first sample"):
        found.mark("a")
    found.timeline.arrived(arrived(24, 100.0))
    assert found.mark("a").t == pytest.approx(24 / 250)
    found.stop()
    with pytest.raises(UsageError, match="nothing to belong to"):
        found.mark("a")


def test_marks_from_any_thread_are_in_the_recording_and_on_the_screen(tmp_path, untrained):
    clock = ManualClock()
    steps = [[dataclasses.replace(c, arrival=100 + c.times[-1])] for c in chunks_of(eeg(2000), 50)]

    def marked(step, text):
        def deliver():
            until(lambda: session.info)
            clock.time = step[0].arrival
            thread = threading.Thread(target=session.mark, args=(text,))
            thread.start()
            thread.join()
            return step

        return deliver

    script = [marked(step, f"mark {n}") if n in (5, 11) else step for n, step in enumerate(steps)]
    session = Session(
        ScriptedSource(script), untrained, clock=clock, record=tmp_path / "s.xdf",
        markers=ScriptedMarkers([CODES, CUES], [Marker(100.5, (7,), CODES)]),
    )  # fmt: skip
    with session:
        list(session)
    streams = load(tmp_path / "s.xdf")
    assert streams["emod-rt-markers"]["time_series"] == [["mark 5"], ["mark 11"]]
    np.testing.assert_allclose(streams["emod-rt-markers"]["time_stamps"], [299 / 250, 599 / 250])
    np.testing.assert_array_equal(streams["Codes"]["time_series"], [[7]])
    np.testing.assert_allclose(streams["Codes"]["time_stamps"], [0.5])
    assert len(streams["Cues"]["time_stamps"]) == 0
    np.testing.assert_array_equal(streams["scripted"]["time_series"], eeg(2000).T)
    shown = [(marker.text, round(marker.t, 3)) for marker in session.view().markers]
    assert sorted(shown) == [("7", 0.5), ("mark 11", 2.396), ("mark 5", 1.196)]


def test_a_take_keeps_marks_and_listens_before_its_source_is_open(tmp_path):
    network = ScriptedMarkers([CUES], [Marker(100.0, ("early",), CUES)])

    class Late(ScriptedSource):
        def open(self, wait_s):
            until(lambda: not network.markers)
            return dataclasses.replace(super().open(wait_s), lsl_clock=True)

    def marked():
        take.mark("now")
        return []

    source = Late([*([part] for part in chunks_of(eeg(1000), 100)), marked])
    take = Take(source, tmp_path / "t.xdf", ManualClock(), markers=network)
    take.open(0.0)
    list(take.run())
    streams = load(tmp_path / "t.xdf")
    assert streams["Cues"]["time_series"] == [["early"]]
    assert streams["emod-rt-markers"]["time_series"] == [["now"]]
    np.testing.assert_allclose(streams["emod-rt-markers"]["time_stamps"], [100.0])
    assert len(streams["scripted"]["time_stamps"]) == 1000
    assert take.notices() == ()


SENDERS = """
import sys, time, numpy as np, pylsl
from tests.emod_rt.lsl_help import outlet
eeg = outlet(sys.argv[1])
cues = pylsl.StreamOutlet(pylsl.StreamInfo(sys.argv[2], "Markers", 1, 0, "string", sys.argv[2]))
codes = pylsl.StreamOutlet(pylsl.StreamInfo(sys.argv[3], "Markers", 2, 0, "int32", sys.argv[3]))
while not (cues.have_consumers() and codes.have_consumers() and eeg.have_consumers()):
    time.sleep(0.01)
began, sent = pylsl.local_clock(), 0
while sent < 1500:
    due = min(1500, int((pylsl.local_clock() - began) * 250))
    for index in range(sent, due):
        eeg.push_sample([float(index)] * 4, began + index / 250)
        if index % 97 == 5:
            cues.push_sample([f"sample {index}"], began + index / 250)
        if index % 211 == 7:
            codes.push_sample([index, -index], began + index / 250)
    sent = due
    time.sleep(0.01)
time.sleep(2.0)
"""


def test_markers_of_other_programs_land_on_their_sample(tmp_path):
    name, cues, codes = unique("eeg"), unique("cues"), unique("codes")
    program = start("record", "--source", f"lsl:{name}", "--out", str(tmp_path / "s.xdf"), "--duration", "6")
    senders = subprocess.Popen([sys.executable, "-c", SENDERS, name, cues, codes])
    try:
        _, err = program.communicate(timeout=120)
    finally:
        program.kill()
        senders.kill()
        senders.wait()
    assert program.returncode == 0, err
    streams = load(tmp_path / "s.xdf")
    signal = eeg_of(streams)
    np.testing.assert_array_equal(signal["time_series"][:, 0], np.arange(1500))

    def samples_off(marker_stream, samples):
        """How far each marker lies from its sample, in samples."""
        return np.abs(np.interp(marker_stream["time_stamps"], signal["time_stamps"], range(1500)) - samples)

    assert streams[cues]["time_series"] == [[f"sample {n}"] for n in range(5, 1500, 97)]
    assert samples_off(streams[cues], range(5, 1500, 97)).max() < 1
    np.testing.assert_array_equal(streams[codes]["time_series"], [[n, -n] for n in range(7, 1500, 211)])
    assert samples_off(streams[codes], range(7, 1500, 211)).max() < 1


def quiet(clock):
    def step():
        clock.time += 0.1
        return []

    return step


def scripted(clock, n=1000):
    def at(chunk):
        return lambda: [dataclasses.replace(chunk, arrival=clock.now())]

    return ScriptedSource([*map(at, chunks_of(eeg(n), 50)), *[quiet(clock)] * 100_000])


def test_without_reconnecting_a_quiet_source_ends_a_session_whole(tmp_path, untrained):
    clock = ManualClock()
    session = Session(
        scripted(clock), untrained, clock=clock, record=tmp_path / "s.xdf", markers=ScriptedMarkers(),
        reconnect=False,
    )  # fmt: skip
    with session, pytest.raises(SourceError, match=r"has sent nothing for .* leave out --no-reconnect"):
        list(session)
    assert session.view().state == "failed"
    assert session.summary()["summary"]["samples"] == 1000
    streams = load(tmp_path / "s.xdf")
    assert streams["scripted"]["footer"]["info"]["sample_count"] == ["1000"]


def test_without_reconnecting_a_quiet_source_ends_a_take_whole(tmp_path):
    clock = ManualClock()
    take = Take(scripted(clock), tmp_path / "t.xdf", clock, reconnect=False, markers=ScriptedMarkers())
    take.open(0.0)
    with pytest.raises(SourceError, match=r"scripted has sent nothing for [\d.]+ s"):
        list(take.run())
    assert load(tmp_path / "t.xdf")["scripted"]["footer"]["info"]["sample_count"] == ["1000"]


def test_the_program_without_reconnecting_ends_with_exit_code_4_and_one_sentence(tmp_path):
    name = unique("mute")
    sender = outlet(name)
    program = start("record", "--source", f"lsl:{name}", "--out", str(tmp_path / "s.xdf"), "--no-reconnect")
    until(sender.have_consumers, 120)
    for index in range(500):
        sender.push_sample([float(index)] * 4)
        time.sleep(0.002)
    _, err = program.communicate(timeout=120)
    assert program.returncode == 4, err
    (sentence,) = [line for line in err.splitlines() if line.startswith("emod-rt: ")]
    assert f"lsl:{name} has sent nothing for" in sentence
    np.testing.assert_array_equal(eeg_of(load(tmp_path / "s.xdf"))["time_series"][:, 0], np.arange(500))


def test_markers_that_nobody_could_take_are_said():
    network = ScriptedMarkers([CUES], [Marker(1.0, ("early",), CUES)])
    marking = Marking(ManualClock(), lambda item: None, network)
    marking.start()
    until(lambda: not network.markers)
    assert marking.notices() == ()
    network.dropped = 3
    until(marking.notices)
    marking.stop()
    assert marking.notices() == ("More markers came from the network than could be taken; some are lost.",)


def test_more_markers_than_can_wait_for_the_first_sample_are_said():
    many = [Marker(float(at), ("x",), CUES) for at in range(10_050)]
    taken = []
    marking = Marking(ManualClock(), taken.append, ScriptedMarkers([CUES], many))
    marking.start()
    until(marking.notices)
    marking.begin(LSL_CLOCK)
    until(lambda: len(taken) == 10_001)
    marking.stop()
    assert [marker.t for marker in taken[1:4]] == [0.0, 1.0, 2.0]
