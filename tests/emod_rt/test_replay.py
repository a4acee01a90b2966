"""A recording goes out as LSL and comes back in sample by sample."""

import dataclasses
import threading
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from emod_model.errors import UsageError
from emod_rt import liblsl
from emod_rt.clock import SystemClock
from emod_rt.description import describe_channels
from emod_rt.markers import Marker, MarkerStream
from emod_rt.readers import Recording
from emod_rt.replay import Replay
from emod_rt.republish import announce
from emod_rt.sources.base import Metadata
from emod_rt.sources.lsl import LSLSource
from tests.emod_rt import programs
from tests.emod_rt.lsl_help import noise, unique, until
from tests.emod_rt.recordings import brainlike

LABELS = ("Fp1", "Fp2", "C3", "C4")


class QuickClock(SystemClock):
    """Twenty seconds a second, so that a minute of signal passes in three."""

    def __init__(self, pace=20.0):
        self._pace = pace

    def now(self):
        return super().now() * self._pace

    def wait(self, seconds, stop):
        return super().wait(seconds / self._pace, stop)


def recording(index, events=(), sfreq=250.0, simulated=False, metadata=None, streams=()):
    index = np.asarray(index, dtype=np.int64)
    return Recording(
        data=noise(index.size).T.copy(),
        sfreq=sfreq,
        channels=LABELS,
        times=7.0 + index / sfreq,
        index=index,
        markers=[(event.t, event.text) for event in events],
        notes=(),
        name="made.csv",
        path=Path("made.csv"),
        simulated=simulated,
        metadata=metadata,
        events=tuple(events),
        marker_streams=tuple(streams),
    )


def inlet(name):
    """Connect to a stream as any LSL program does."""
    pylsl = liblsl.load()
    found = until(lambda: pylsl.resolve_byprop("name", name, 1, 0.2))
    made = pylsl.StreamInlet(found[0])
    made.open_stream(30.0)
    return made


class Player:
    """A replay in a thread of its own."""

    def __init__(self, replay, wait_s=300.0):
        self.stop, self.positions, self.met = threading.Event(), [], None

        def run():
            self.met = replay.run(self.stop, wait_s, lambda p: self.positions.append(p))

        self.thread = threading.Thread(target=run)
        self.thread.start()

    def end(self):
        self.stop.set()
        self.thread.join(30)
        assert not self.thread.is_alive()


def listen(name, count):
    source = LSLSource(name)
    info = source.open(30.0)
    chunks = []
    until(lambda: chunks.extend(source.read(0.05)) or sum(c.times.size for c in chunks) >= count)
    source.close()
    index = np.concatenate([np.arange(c.first_index, c.first_index + c.times.size) for c in chunks])
    return (
        info,
        index,
        np.concatenate([c.data for c in chunks], axis=1),
        np.concatenate([c.times for c in chunks]),
    )


def test_a_reader_gets_every_sample_from_the_first_with_the_holes_in_their_place():
    name, made = unique("replay"), recording(np.r_[0:1000, 1001:2000, 2600:4000])
    player = Player(Replay(made, name, clock=QuickClock()))
    info, index, data, _ = listen(name, made.index.size)
    player.end()
    assert player.met
    assert (info.channels, info.sfreq, info.notes) == (LABELS, 250.0, ())
    np.testing.assert_array_equal(index, made.index)
    np.testing.assert_array_equal(data, made.data)


def test_a_simulated_recording_says_so_on_the_network():
    name = unique("simulated")
    player = Player(Replay(recording(np.arange(400), simulated=True), name, clock=QuickClock()))
    info, _, _, _ = listen(name, 400)
    player.end()
    assert info.simulated


@pytest.mark.parametrize("speed", [0.5, 4.0])
def test_speed_changes_the_pace_but_not_the_stamps(speed):
    name, made = unique("speed"), recording(np.arange(500))
    player = Player(Replay(made, name, speed=speed, clock=QuickClock(4.0)))
    source = LSLSource(name)
    source.open(30.0)
    began = time.monotonic()
    chunks = []
    until(lambda: chunks.extend(source.read(0.05)) or sum(c.times.size for c in chunks) >= 500)
    took = time.monotonic() - began
    source.close()
    player.end()
    times = np.concatenate([c.times for c in chunks])
    np.testing.assert_allclose(np.diff(times), 1 / 250, rtol=0, atol=5e-4)
    assert took <= 2.0 / (4 * speed) + 0.5


def test_a_part_is_played_and_a_loop_goes_on_with_the_grid():
    name, made = unique("loop"), recording(np.r_[0:300, 310:1000])
    player = Player(Replay(made, name, loop=True, start=1.0, stop=2.0, clock=QuickClock()))
    _, index, data, _ = listen(name, 720)
    player.end()
    turn = np.r_[0:50, 60:250]
    expected = np.concatenate([turn, 250 + turn, 500 + turn])
    np.testing.assert_array_equal(index[:720], expected)
    np.testing.assert_array_equal(data[:, :240], made.data[:, 250:490])
    np.testing.assert_array_equal(data[:, 240:480], made.data[:, 250:490])
    assert player.positions[-1].turn >= 2
    assert 1.0 <= player.positions[-1].position_s <= 2.0


def test_markers_come_on_their_sample_in_the_form_they_were_recorded_in():
    words = MarkerStream(Metadata(unique("words"), "Markers", "stim-pc", "<desc><who>Jörg</who></desc>"))
    codes = MarkerStream(Metadata(unique("codes"), "Events"), "int32", 2)
    scores = MarkerStream(Metadata(unique("scores"), "Markers"), "double64")
    silent = MarkerStream(Metadata(unique("silent"), "Markers"))
    events = [
        Marker(7.0, ("the first sample",), words),
        Marker(8.0, ("žluťoučký 🐎",), words),
        Marker(8.0, (2**31 - 1, -5), codes),
        Marker(9.5, (0.1,), scores),
        Marker(11.5, ("",), words),
    ]
    name = unique("marked")
    made = recording(np.arange(2000), events, metadata=Metadata(name), streams=(words, codes, scores, silent))
    player = Player(Replay(made, clock=QuickClock()))
    # in any order: who reads the signal first is given a second to reach the markers
    inlets = {each: inlet(each.metadata.name) for each in (words, codes, scores, silent)}
    signal = inlet(name)
    first = until(lambda: signal.pull_sample(0.5)[1])
    for event in events:
        values, stamp = inlets[event.stream].pull_sample(30.0)
        assert tuple(values) == event.values
        assert stamp - first == pytest.approx(event.t - 7.0, abs=1e-6)
    said = inlets[words].info(30.0)
    assert (said.type(), said.channel_count(), said.nominal_srate()) == ("Markers", 1, 0.0)
    assert said.desc().child_value("who") == "Jörg"
    assert inlets[silent].info(30.0).type() == "Markers"
    player.end()


def test_the_signal_appears_with_its_own_words_and_says_that_it_is_a_replay(tmp_path):
    name = unique("cap")
    labels = "".join(f"<channel><label>{label}</label><site>{label}!</site></channel>" for label in LABELS)
    desc = (
        "<desc><maker>Große Köpfe &amp; Söhne</maker>"
        f"<channels>{labels}</channels><filter>b</filter><filter>a</filter><empty /></desc>"
    )
    own = Metadata(name, "EEG", "serial 7", describe_channels(desc, range(4), LABELS))
    player = Player(Replay(recording(np.arange(500), metadata=own), clock=QuickClock()))
    said = ET.fromstring(inlet(name).info(30.0).as_xml())
    player.end()
    assert said.findtext("type") == "EEG"
    assert said.findtext("source_id").startswith("emod-replay-")
    theirs, ours = said.find("desc"), ET.fromstring(own.desc)
    origin = theirs.find("replay")
    assert (origin.findtext("file"), origin.findtext("source_id")) == ("made.csv", "serial 7")
    theirs.remove(origin)

    def told(element):
        return [(e.tag, (e.text or "").strip()) for e in element.iter()]

    assert told(theirs) == told(ours)


def test_names_are_the_files_own_unless_one_is_given_and_never_the_same_twice():
    def names(made, name=None):
        return [stream.metadata.name for stream in announce(made, name)]

    twice = MarkerStream(Metadata("Cap", "Markers"))
    other = MarkerStream(Metadata("", "Markers", "x"))
    own = recording(np.arange(100), metadata=Metadata("Cap"), streams=(twice, other))
    assert names(own) == ["Cap", "Cap-2", "markers"]
    assert names(own, "Lab") == ["Lab", "Cap", "markers"]
    plain = recording(np.arange(100), streams=(MarkerStream(Metadata("markers", "Markers")),))
    assert names(plain) == ["made", "made-markers"]
    assert names(plain, "Lab") == ["Lab", "Lab-markers"]
    unnamed = recording(np.arange(100), metadata=Metadata(" "))
    assert names(unnamed) == ["made"]


def test_a_source_id_belongs_to_the_recording_and_is_never_the_devices():
    def ids(made):
        return [stream.metadata.source_id for stream in announce(made, None)]

    cues = (MarkerStream(Metadata("Cues", "Markers", "pc")),)
    one = recording(np.arange(100), metadata=Metadata("Cap", source_id="serial 7"), streams=cues)
    moved = dataclasses.replace(one, path=Path("elsewhere/b.xdf"), name="b.xdf")
    another = dataclasses.replace(one, data=one.data + 1)
    assert ids(one) == ids(moved)
    assert not set(ids(one)) & {*ids(another), "serial 7", "pc"}
    assert len(set(ids(one))) == 2


def test_a_loop_sends_its_markers_once_a_turn():
    name = unique("turns")
    stream = MarkerStream(Metadata("cue", "Markers"))
    events = [Marker(7.0, ("first",), stream), Marker(7.0 + 499 / 250, ("last",), stream)]
    player = Player(Replay(recording(np.arange(500), events), name, loop=True, clock=QuickClock()))
    marks = inlet(f"{name}-cue")
    signal = inlet(name)
    got = [marks.pull_sample(30.0) for _ in range(6)]
    player.end()
    signal.close_stream()
    assert [text for (text,), _ in got] == ["first", "last"] * 3
    steps = np.diff([stamp for _, stamp in got])
    np.testing.assert_allclose(steps, [499 / 250, 1 / 250] * 2 + [499 / 250], rtol=0, atol=1e-6)


def test_a_seek_reaches_readers_as_a_hole_and_the_signal_goes_on_from_there():
    name, made = unique("seek"), recording(np.arange(20_000))
    replay = Replay(made, name, clock=QuickClock(4.0))
    player = Player(replay)
    source = LSLSource(name)
    source.open(30.0)
    chunks = []
    until(lambda: chunks.extend(source.read(0.05)) or chunks)
    replay.seek(60.0)
    until(lambda: chunks.extend(source.read(0.05)) or chunks[-1].first_index > chunks[0].first_index + 2000)
    replay.seek(4.0)
    replay.pause(True)
    until(lambda: player.positions[-1].paused)
    chunks.extend(source.read(0.5))
    source.close()
    player.end()
    index = np.concatenate([np.arange(c.first_index, c.first_index + c.times.size) for c in chunks])
    data = np.concatenate([c.data for c in chunks], axis=1)
    cut = int(np.flatnonzero(np.diff(index) > 1)[0]) + 1
    assert index[cut] - index[cut - 1] >= 25
    np.testing.assert_array_equal(data[:, :cut], made.data[:, :cut])
    np.testing.assert_array_equal(data[:, cut : cut + 500], made.data[:, 15_000:15_500])
    assert player.positions[-1].position_s == 4.0
    with pytest.raises(UsageError, match="nan"):
        replay.seek(float("nan"))


def test_without_a_reader_it_waits_and_then_plays_to_nobody():
    made = recording(np.arange(100))
    waited = []
    replay = Replay(made, unique("alone"), clock=QuickClock())
    met = replay.run(threading.Event(), 2.0, lambda p: waited.append(p.waiting))
    assert not met
    assert waited[0]
    assert not waited[-1]


def test_stopping_ends_it_at_once():
    player = Player(Replay(recording(np.arange(100_000)), unique("stop")))
    until(lambda: player.positions)
    began = time.monotonic()
    player.end()
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("speed", [0.0, 0.05, 21.0, -1.0, float("nan")])
def test_a_speed_out_of_range_is_refused(speed):
    with pytest.raises(UsageError, match=r"choose 0\.1 to 20"):
        Replay(recording(np.arange(100)), "x", speed=speed)


@pytest.mark.parametrize(("start", "stop"), [(5.0, None), (0.2, 0.1), (None, 0.0)])
def test_an_empty_part_is_refused(start, stop):
    with pytest.raises(UsageError, match="holds no sample"):
        Replay(recording(np.arange(100)), "x", start=start, stop=stop)


def test_the_command_takes_the_rate_behind_the_name_as_the_sentence_advises(tmp_path):
    path = tmp_path / "plain.csv"
    np.savetxt(path, brainlike(2, 2.0, 220.0).T, delimiter=",")
    named = ("--channels", "Fp1,Fp2", "--start", "3")
    advised = programs.run("replay", str(path), *named)
    assert advised.returncode == 3
    assert "as in PATH?rate=256" in advised.stderr
    done = programs.run("replay", f"{path}?rate=220", *named)
    assert done.returncode == 2
    assert "which lasts 2 s" in done.stderr
