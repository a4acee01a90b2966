"""Senders that die, fall silent, come back as they were, or as something else."""

import signal
import threading
import time

import numpy as np
import pytest

from emod_model.errors import SourceError
from emod_rt import liblsl
from emod_rt.clock import SystemClock
from emod_rt.sources import lsl_link
from emod_rt.sources.lsl import LSLSource
from emod_rt.sources.lsl_feed import Feed, Samples
from emod_rt.sources.lsl_layout import read_layout
from emod_rt.sources.lsl_link import Link
from emod_rt.sources.lsl_query import find_stream
from emod_rt.sources.lsl_return import Seeker
from tests.emod_rt.doubles import ManualClock
from tests.emod_rt.lsl_help import LABELS, outlet, sender, unique, until

CLOCK = SystemClock()


class Taken:
    """All that a source gave; the first channel is the sender's own count."""

    def __init__(self, source):
        self._source = source
        self.index, self.number, self.times = (np.empty(0),) * 3
        self.longest = 0.0

    def read(self):
        began = time.monotonic()
        chunks = self._source.read(0.05)
        self.longest = max(self.longest, time.monotonic() - began)
        for chunk in chunks:
            self.index = np.append(self.index, chunk.first_index + np.arange(chunk.times.size))
            self.number = np.append(self.number, chunk.data[0])
            self.times = np.append(self.times, chunk.times)
        return chunks

    def read_for(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read()


@pytest.mark.parametrize("named", [True, False])
def test_a_sender_that_is_killed_and_started_again_is_back_within_two_seconds(named):
    name = unique("killed")
    options = ("--source-id", name) if named else ()
    source = LSLSource(name)
    taken = Taken(source)
    with sender(name, *options) as first:
        source.open(30)
        taken.read_for(0.2)
        first.send_signal(signal.SIGKILL)
        first.wait()
        taken.read_for(1.0)
    before = taken.index.size
    with sender(name, *options) as second:
        until(taken.read, 60)
        back_s = liblsl.load().local_clock() - second.began
        taken.read_for(0.2)
    source.close()
    assert back_s < 2.0
    assert taken.longest < 0.5
    # the hole is as long as the time between the samples on either side of it
    assert np.all(np.diff(taken.times) > 0)
    hole = taken.index[before] - taken.index[before - 1]
    assert hole == pytest.approx((taken.times[before] - taken.times[before - 1]) * 250, abs=1.5)
    # and each later sample is where the new sender put it, by its own clock
    number, times = taken.number[before:], taken.times[before:]
    np.testing.assert_array_equal(np.diff(number), 1)
    np.testing.assert_array_equal(np.diff(taken.index[before:]), 1)
    np.testing.assert_allclose(times, second.began + number / 250, rtol=0, atol=2e-3)


def test_a_sender_that_stands_still_for_seconds_blocks_nothing_and_loses_nothing():
    name = unique("still")
    source = LSLSource(name)
    taken = Taken(source)
    with sender(name, "--source-id", name) as still:
        source.open(30)
        taken.read_for(0.3)
        still.send_signal(signal.SIGSTOP)
        taken.read_for(0.2)
        assert until(lambda: not taken.read())
        # longer than it takes to be looked for
        taken.read_for(1.5)
        still.send_signal(signal.SIGCONT)
        until(taken.read)
        taken.read_for(0.2)
        still.send_signal(signal.SIGSTOP)
        taken.read_for(1.2)
        began = time.monotonic()
        source.close()
        assert time.monotonic() - began < 0.2
        assert source.read(0.0) is None
        # neither does what is left behind wait for it
        until(lambda: not [t for t in threading.enumerate() if t.name.startswith("emod-lsl")], 30)
    assert taken.longest < 0.5
    np.testing.assert_array_equal(np.diff(taken.index), 1)
    np.testing.assert_array_equal(np.diff(taken.number), 1)


@pytest.fixture
def lost():
    """What a seeker knows of a sender that is gone."""
    name = unique("seek")

    def begin(source_id="", channels=None, query=None):
        out = outlet(name, source_id=source_id)
        info = find_stream(name, 30, threading.Event())
        layout = read_layout(out.get_info().as_xml(), len(LABELS), channels)
        del out
        seekers.append(Seeker(query or name, info, layout, channels, CLOCK, 0.0, 0.0))
        return seekers[-1]

    seekers = []
    begin.name = name
    yield begin
    for seeker in seekers:
        seeker.stop()


def test_a_sender_without_a_source_id_is_known_by_its_name_type_and_channels(lost):
    seeker = lost()
    out = outlet(lost.name, source_id="")
    feed = until(seeker.found)
    assert isinstance(feed, Feed)
    assert feed.info.uid() == out.get_info().uid()


@pytest.mark.parametrize(
    ("offset", "goes_on"), [(0.0, True), (-500.0, False), (500.0, False), (-200_000.0, False)]
)
def test_a_clock_that_goes_on_is_not_waited_for_and_any_other_is_measured_first(offset, goes_on):
    name = unique("clock")
    out = outlet(name, source_id="headset-1")
    info = find_stream(name, 30, threading.Event())
    layout = read_layout(out.get_info().as_xml(), len(LABELS), None)
    del out
    heard = liblsl.load().local_clock()
    back = outlet(name, source_id="headset-1")
    # what was added to the old sender's stamps; a machine that was started again has another clock
    seeker = Seeker(name, info, layout, None, CLOCK, offset, heard)
    feed = until(seeker.found)
    assert np.isnan(feed.offset) == goes_on
    assert goes_on or feed.offset == pytest.approx(0.0, abs=0.01)
    seeker.stop()
    del back


def test_a_source_id_that_pylsl_makes_up_anew_for_each_process_is_none(lost):
    seeker = lost(source_id="-1893264972369871234")
    out = outlet(lost.name, source_id="5263278641239871110")
    until(seeker.found)
    del out


def test_another_device_of_the_same_name_is_not_taken(lost):
    seeker = lost(source_id="headset-1")
    out = outlet(lost.name, source_id="headset-2")
    time.sleep(0.7)
    assert seeker.found() is None
    del out


def test_a_query_by_uid_finds_the_same_sender_under_its_new_one(lost):
    seeker = lost(source_id="headset-1", query="uid=8b1c4a52-0000-0000-0000-000000000000")
    out = outlet(lost.name, source_id="headset-1")
    until(seeker.found)
    del out


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"sfreq": 128.0}, "is back at 128 Hz instead of 250 Hz; start again"),
        ({"labels": ("Fp1", "Fp2", "C3")}, "is back with 3 channels instead of 4"),
        ({"fmt": "int16"}, "is back with another sample format"),
        (
            {"labels": ("Fp1", "Fp2", "C3", "O2")},
            r"other channels \(Fp1, Fp2, C3, O2; .*before \(Fp1, Fp2, C3, C4",
        ),
        ({"units": "volts"}, r"other channels \(.*volts\) than before \(.*microvolts"),
        ({"labels": ("Fp1", "Fp1", "C3", "C4")}, "other channels: the stream names one electrode twice"),
    ],
)
def test_what_comes_back_as_something_else_is_refused_with_the_difference(lost, how, words):
    seeker = lost(source_id="headset-1")
    out = outlet(lost.name, **{"source_id": "headset-1", **how})
    with pytest.raises(SourceError, match=words) as failure:
        until(seeker.found)
    assert failure.value.exit_code == 4
    assert "\n" not in str(failure.value)
    del out


def seek(name, out):
    """Begin to look for an outlet that is still there."""
    info = find_stream(f"uid={out.get_info().uid()}", 30, threading.Event())
    layout = read_layout(out.get_info().as_xml(), len(LABELS), None)
    return Seeker(name, info, layout, None, CLOCK, 0.0, 0.0)


def test_two_that_could_be_it_are_listed():
    name = unique("two")
    mine = outlet(name, source_id="headset-1")
    info = find_stream(name, 30, threading.Event())
    layout = read_layout(mine.get_info().as_xml(), len(LABELS), None)
    del mine
    twins = [outlet(name, source_id="headset-1") for _ in range(2)]
    seeker = Seeker(name, info, layout, None, CLOCK, 0.0, 0.0)
    with pytest.raises(SourceError, match=r"has gone, and 2 streams could be it: .*end all but one"):
        until(seeker.found)
    seeker.stop()
    del twins


def test_while_the_lost_outlet_still_answers_no_other_takes_its_place():
    name = unique("alive")
    mine, other = (outlet(name, source_id="headset-1") for _ in range(2))
    seeker = seek(name, mine)
    assert until(seeker.found).info.uid() == mine.get_info().uid()
    seeker.stop()
    del other


def test_a_search_that_is_called_off_ends_soon():
    name = unique("off")
    out = outlet(name)
    seeker = seek(name, out)
    seeker.stop()
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith("emod-lsl")], 30)
    assert seeker.found() is None
    del out


class SpokenFeed:
    """A connection whose samples and measurements a test decides."""

    def __init__(self, offset):
        self.offset, self.stamps = offset, []
        self.info, self.recovered, self.closed = None, False, False

    def drain(self, timeout_s, enough):
        stamps, self.stamps = self.stamps, []
        return Samples(np.zeros((len(stamps), 4)), np.array(stamps)) if stamps else None

    def close(self):
        self.closed = True


class SpokenSeeker:
    feed = None

    def __init__(self, *known):
        self.known = known

    def found(self):
        return self.feed

    def release(self):
        self.feed = None

    def stop(self):
        self.release()


@pytest.mark.parametrize(("measured", "second"), [(None, 190.0), (90.002, 190.0), (-500.0, -400.0)])
def test_a_clock_that_was_taken_to_go_on_is_given_up_when_its_measurement_says_otherwise(
    monkeypatch, measured, second
):
    monkeypatch.setattr(lsl_link, "Seeker", SpokenSeeker)
    old, new, clock, stop = SpokenFeed(90.0), SpokenFeed(float("nan")), ManualClock(), threading.Event()
    link = Link(old, "query", None, None, clock)
    old.stamps = [10.0]
    assert link.take(0.0, 1, stop).stamps == [100.0]
    clock.time += 1.0
    assert link.take(0.0, 1, stop) is None
    monkeypatch.setattr(SpokenSeeker, "feed", new)
    assert link.take(0.0, 1, stop) is None
    new.stamps = [99.0]
    assert link.take(0.0, 1, stop).stamps == [189.0]
    assert old.closed
    if measured is not None:
        new.offset = measured
    new.stamps = [100.0]
    assert link.take(0.0, 1, stop).stamps == [second]
    link.close()
    assert new.closed


def test_of_two_connections_the_first_that_speaks_stays():
    old, new, clock, stop = SpokenFeed(0.0), SpokenFeed(0.0), ManualClock(), threading.Event()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lsl_link, "Seeker", SpokenSeeker)
        patch.setattr(SpokenSeeker, "feed", new)
        link = Link(old, "query", None, None, clock)
        old.stamps = [1.0]
        link.take(0.0, 1, stop)
        for _ in range(2):
            clock.time += 1.0
            assert link.take(0.0, 1, stop) is None
        # both have the sample; it counts once
        old.stamps, new.stamps = [2.0], [2.0]
        assert link.take(0.0, 1, stop).stamps == [2.0]
        assert (old.closed, new.closed) == (False, True)
