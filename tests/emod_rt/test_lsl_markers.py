"""Markers from real LSL outlets."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from emod_rt import liblsl
from emod_rt.sources.lsl import LSLSource
from emod_rt.sources.lsl_markers import LSLMarkers, is_marker_stream
from emod_rt.sources.lsl_xml import parse_description
from tests.emod_rt.lsl_help import noise, outlet, sender, unique, until


class Heard:
    """What one stream's markers were, while other tests' streams may be on the network too."""

    def __init__(self, source):
        self._source = source
        self.streams, self.markers = [], []

    def of(self, *names):
        streams, markers = self._source.read()
        self.streams += [stream for stream in streams if stream.metadata.name in names]
        self.markers += [marker for marker in markers if marker.stream.metadata.name in names]
        return self.markers


@pytest.fixture
def source():
    source = LSLMarkers()
    yield source
    source.close()


def marker_outlet(name, kind="Markers", fmt="string", channels=1, source_id=None):
    return outlet(
        name, channels, sfreq=0.0, fmt=fmt, type=kind, source_id=name if source_id is None else source_id
    )


@pytest.mark.parametrize(
    ("kind", "sfreq", "text", "follows"),
    [
        ("Markers", 0.0, True, True),
        ("MARKERS", 0.0, False, True),
        ("markers", 250.0, True, True),
        ("Events", 0.0, True, True),
        ("Markers", 250.0, False, False),
        ("EEG", 0.0, False, False),
        ("EEG", 250.0, True, False),
    ],
)
def test_markers_are_told_from_signals(kind, sfreq, text, follows):
    assert is_marker_stream(kind, sfreq, text) is follows


SENT = {
    "string": ["go", "Kopfhörer 脑电"],
    "int8": [-128, 127],
    "int16": [-32768, 7],
    "int32": [-(2**31), 7],
    "int64": [-(2**62), 7],
    "float32": [0.5, -2.0],
    "double64": [0.1, 1e300],
}


def test_every_format_arrives_exactly_as_sent(source):
    name = unique("fmt")
    outs = {fmt: marker_outlet(f"{name}-{fmt}", "mArKeRs", fmt, 2) for fmt in SENT}
    heard, stamp = Heard(source), liblsl.load().local_clock()
    for fmt, out in outs.items():
        assert out.wait_for_consumers(30)
        out.push_sample(SENT[fmt], stamp)
    names = [f"{name}-{fmt}" for fmt in SENT]
    until(lambda: len(heard.of(*names)) == len(SENT))
    assert {marker.stream.format: list(marker.values) for marker in heard.markers} == SENT
    for marker in heard.markers:
        assert [type(value) for value in marker.values] == [type(v) for v in SENT[marker.stream.format]]
        assert marker.t == pytest.approx(stamp, abs=1e-3)
    assert {stream.channels for stream in heard.streams} == {2}
    assert len(heard.streams) == len(SENT)


def test_the_first_marker_of_a_stream_that_appears_later_is_neither_lost_nor_uncorrected(source):
    assert source.read() == ([], [])
    name = unique("late")
    out, heard = marker_outlet(name), Heard(source)
    assert out.wait_for_consumers(2)
    stamp = liblsl.load().local_clock() - 3.0
    out.push_sample(["first"], stamp)
    (marker,) = until(lambda: heard.of(name))
    assert marker.t == pytest.approx(stamp, abs=1e-3)


def test_whatever_a_marker_says_arrives_whole(source):
    texts = [
        "a\0b",
        "\x1b[2J\x07\n\r\t",
        "x" * 100_000,
        "",
        " ",
        "<!DOCTYPE x>&lol;",
        "\ufffe\uffff\U0001f9e0",
    ]
    name = unique("odd")
    out, heard = marker_outlet(name), Heard(source)
    assert out.wait_for_consumers(30)
    for text in texts:
        out.push_sample([text])
    # bytes that are no UTF-8 are kept one character each
    out.push_sample([b"caf\xe9"])
    until(lambda: len(heard.of(name)) == len(texts) + 1)
    assert [marker.text for marker in heard.markers] == [*texts, "café"]


def test_a_stamp_that_is_no_time_gives_way_to_the_time_of_arrival(source):
    name = unique("nan")
    out, heard = marker_outlet(name), Heard(source)
    assert out.wait_for_consumers(30)
    before = liblsl.load().local_clock()
    out.push_sample(["x"], float("nan"))
    out.push_sample(["y"], float("inf"))
    until(lambda: len(heard.of(name)) == 2)
    assert all(before <= marker.t <= liblsl.load().local_clock() for marker in heard.markers)


def test_what_has_arrived_can_still_be_read_after_closing(source):
    name = unique("close")
    out, heard = marker_outlet(name), Heard(source)
    assert out.wait_for_consumers(30)
    # before the offset of the clocks can be known
    out.push_sample(["end"])
    time.sleep(0.05)
    source.close()
    assert [marker.text for marker in heard.of(name)] == ["end"]


def test_a_sender_that_restarts_goes_on_as_the_same_stream_and_no_marker_counts_twice(source):
    name = unique("again")
    heard = Heard(source)
    for turn in range(3):
        out = marker_outlet(name)
        assert out.wait_for_consumers(30)
        for number in range(5):
            out.push_sample([f"{turn}.{number}"])
        out.push_sample([f"{turn}.end"])
        # an outlet takes what it has not yet sent with it
        time.sleep(0.05)
        del out
    until(lambda: len(heard.of(name)) >= 18)
    time.sleep(0.3)
    heard.of(name)
    # two senders of one stream may be heard side by side for a moment: the times tell what came first
    told = [marker.text for marker in sorted(heard.markers, key=lambda marker: marker.t)]
    assert told == [f"{turn}.{number}" for turn in range(3) for number in [*range(5), "end"]]
    assert len(heard.streams) == 1


def test_what_a_sender_says_of_itself_is_kept_in_well_formed_xml(source):
    pylsl, name = liblsl.load(), unique("meta")
    info = pylsl.StreamInfo(name, "Markers", 1, 0.0, "string", "id-7")
    info.desc().append_child("task").append_child_value("about", "a < b & \x01 c")
    out, heard = pylsl.StreamOutlet(info), Heard(source)
    until(lambda: heard.of(name) or heard.streams)
    metadata = heard.streams[0].metadata
    assert (metadata.name, metadata.type, metadata.source_id) == (name, "Markers", "id-7")
    assert parse_description(metadata.desc).findtext("task/about") == "a < b &  c"
    del out


def test_a_description_that_cannot_be_used_costs_no_marker(source):
    pylsl, name = liblsl.load(), unique("deep")
    info = pylsl.StreamInfo(name, "Markers", 1, 0.0, "string", name)
    element = info.desc()
    for _ in range(500):
        element = element.append_child("a")
    out, heard = pylsl.StreamOutlet(info), Heard(source)
    assert out.wait_for_consumers(30)
    out.push_sample(["still"])
    (marker,) = until(lambda: heard.of(name))
    assert (marker.text, marker.stream.metadata.desc) == ("still", "")


def test_what_nobody_reads_is_bounded_and_counted(source):
    name = unique("flood")
    out, heard = marker_outlet(name), Heard(source)
    assert out.wait_for_consumers(30)
    for number in range(200):
        out.push_sample([f"{number} " + "x" * 100_000])
    until(lambda: source.dropped >= 40)
    until(lambda: heard.of(name) and heard.markers[-1].text.startswith("199 "))
    assert len(heard.markers) + source.dropped == 200
    assert [int(m.text.split()[0]) for m in heard.markers] == list(range(source.dropped, 200))


def test_reading_and_closing_wait_for_nobody():
    name = unique("stopped")
    program = (
        "import pylsl, sys, time\n"
        f"out = pylsl.StreamOutlet(pylsl.StreamInfo({name!r}, 'Markers', 1, 0.0, 'string', {name!r}))\n"
        "print('there', flush=True)\n"
        "time.sleep(60)\n"
    )
    stopped = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    try:
        stopped.stdout.readline()
        source, began = LSLMarkers(), time.monotonic()
        heard = Heard(source)
        until(lambda: heard.of(name) or heard.streams)
        stopped.send_signal(19)
        began = time.monotonic()
        for _ in range(100):
            source.read()
        source.close()
        source.close()
        assert time.monotonic() - began < 0.5
        # nor is a thread left behind
        until(lambda: not [t for t in threading.enumerate() if t.name.startswith("emod-marker")], 30)
    finally:
        stopped.kill()
        stopped.wait()
        stopped.stdout.close()


def test_a_marker_sent_beside_its_sample_by_the_same_program_has_its_time(source):
    name = unique("beside")
    out, heard = outlet(name), Heard(source)
    cues = marker_outlet(f"{name}-cues")
    assert cues.wait_for_consumers(30)
    eeg, begin = LSLSource(name), liblsl.load().local_clock()
    stamps = begin + np.arange(500) / 250

    def send():
        if out.wait_for_consumers(30):
            out.push_chunk(noise(500), stamps.tolist())
            for number in range(0, 500, 50):
                cues.push_sample([str(number)], stamps[number])

    sending = threading.Thread(target=send)
    sending.start()
    eeg.open(30)
    times = []
    until(lambda: sum(map(len, times)) == 500 or times.extend(c.times for c in eeg.read(0.05)))
    until(lambda: len(heard.of(f"{name}-cues")) == 10)
    sending.join()
    eeg.close()
    t = np.concatenate(times)
    for marker in heard.markers:
        assert int(np.argmin(np.abs(t - marker.t))) == int(marker.text)
        assert abs(marker.t - t[int(marker.text)]) < 1e-3


def nearest(index, times, t):
    return int(index[np.argmin(np.abs(times - t))])


def test_a_marker_with_the_stamp_of_a_sample_lands_on_that_sample(source):
    name = unique("land")
    heard, numbers, index, times = Heard(source), [], [], []
    with sender(name, "--source-id", name, "--mark", "50"):
        eeg = LSLSource(name)
        eeg.open(30)

        def enough():
            for chunk in eeg.read(0.05):
                numbers.append(chunk.data[0])
                index.append(chunk.first_index + np.arange(chunk.times.size))
                times.append(chunk.times)
            return len(heard.of(f"{name}-markers")) >= 12

        until(enough)
        eeg.close()
    n, i, t = np.concatenate(numbers), np.concatenate(index), np.concatenate(times)
    landed = [(int(m.text), m.t) for m in heard.markers if n[0] <= int(m.text) <= n[-1]]
    assert len(landed) >= 8
    for number, when in landed:
        assert int(n[nearest(i, t, when) - i[0]]) == number
        assert abs(when - t[number - int(n[0])]) < 1e-3
