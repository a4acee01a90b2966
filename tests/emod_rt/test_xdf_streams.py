"""What XDF files hold beside the samples: words, markers, and clocks that differ."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest

from emod_rt.readers import read_recording
from emod_rt.readers.xdf_headers import read_metadata
from emod_rt.sources.base import Metadata
from tests.emod_rt import labrecorder
from tests.emod_rt.labrecorder import Sent
from tests.emod_rt.recordings import brainlike, write_csv, write_xdf

NAMES = ("Fp1", "Fp2", "C3", "C4", "AUX")
DESC = (
    '<desc version="2"><manufacturer>Große Köpfe &amp; Söhne</manufacturer><channels>'
    + "".join(
        f"<channel><label>{name}</label><unit>{'g' if name == 'AUX' else 'uV'}</unit><type>x</type>"
        f"<location><X>{at}.5</X></location></channel>"
        for at, name in enumerate(NAMES)
    )
    + "<count>5</count></channels><filter>b</filter><filter>a</filter>"
    + "<subject><note>\n</note></subject></desc>"
)
CUES = '<desc><protocol kind="oddball"><cue>left</cue><cue>right</cue></protocol></desc>'
SECONDS, RATE = 30.0, 250.0
TIMES = 1000.0 + np.arange(round(SECONDS * RATE)) / RATE


def eeg(stamps=TIMES, **more):
    values = np.round(brainlike(5, SECONDS, RATE)).T.astype(np.int16)
    settled = {"channels": 5, "desc": DESC, "source_id": "cap 7"} | more
    return Sent("Cap", "EEG", "int16", RATE, stamps, values[: len(stamps)], **settled)


def markers(stamps, values, name="Cues", kind="Markers", fmt="string", **more):
    return Sent(name, kind, fmt, 0.0, stamps, values, source_id=name, **more)


def rows_beside(recording):
    """The sample that each marker lies on."""
    places = (np.array([event.t for event in recording.events]) - recording.times[0]) * recording.sfreq
    np.testing.assert_allclose(places, np.round(places), atol=0.3)
    return np.round(places).astype(int).tolist()


# -- words


def test_a_stream_keeps_its_own_words_in_their_order_cut_to_the_electrodes(tmp_path):
    recording = read_recording(labrecorder.write(tmp_path / "a.xdf", [eeg()]))
    assert recording.channels == ("Fp1", "Fp2", "C3", "C4")
    metadata = recording.metadata
    assert (metadata.name, metadata.type, metadata.source_id) == ("Cap", "EEG", "cap 7")
    desc = ET.fromstring(metadata.desc)
    assert desc.attrib == {"version": "2"}
    assert [child.tag for child in desc] == ["manufacturer", "channels", "filter", "filter", "subject"]
    assert desc.findtext("manufacturer") == "Große Köpfe & Söhne"
    assert [entry.text for entry in desc.findall("filter")] == ["b", "a"]
    channels = desc.findall("channels/channel")
    assert [channel.findtext("label") for channel in channels] == ["Fp1", "Fp2", "C3", "C4"]
    assert [channel.findtext("location/X") for channel in channels] == ["0.5", "1.5", "2.5", "3.5"]
    assert {channel.findtext("unit") for channel in channels} == {"microvolts"}


def test_a_selection_takes_the_words_of_its_own_channels(tmp_path):
    recording = read_recording(labrecorder.write(tmp_path / "a.xdf", [eeg()]), ["C4", "Fp1"])
    places = ET.fromstring(recording.metadata.desc).findall("channels/channel/location/X")
    assert [place.text for place in places] == ["3.5", "0.5"]


def test_a_file_without_streams_has_no_words_and_one_stream_of_markers(tmp_path):
    column = np.zeros((1, 2000))
    column[0, [500, 900]] = 7, 1_234_567
    names = ("Fp1", "Fp2", "C3", "C4", "O1", "O2", "Marker0")
    path = write_csv(tmp_path / "a.csv", TIMES[:2000], np.vstack([brainlike(), column]), names)
    recording = read_recording(path)
    assert recording.metadata is None
    assert [stream.metadata for stream in recording.marker_streams] == [Metadata("markers", "Markers")]
    assert recording.markers == [(TIMES[500], "7"), (TIMES[900], "1234567")]
    assert [event.values for event in recording.events] == [("7",), ("1234567",)]


def test_a_header_behind_damage_leaves_the_stream_without_words(tmp_path):
    path = write_xdf(tmp_path / "a.xdf", TIMES[:2000], brainlike())
    blob = path.read_bytes()
    assert sorted(read_metadata(path, {1, 99})) == [1, 99]
    at = blob.index(b"Cues") - 60
    path.write_bytes(blob[:at] + b"\x07" + blob[at:])
    assert sorted(read_metadata(path, {1, 99})) == [1]


# -- markers


def test_every_stream_of_markers_keeps_its_form_and_its_values(tmp_path):
    path = labrecorder.write(
        tmp_path / "a.xdf",
        [
            eeg(),
            markers([1001.0, 1005.0], ["žluťoučký 🐎", ""], desc=CUES),
            markers([1002.0], [[2**31 - 1, -5]], "Triggers", "Events", "int32", channels=2),
            markers([1003.0], [0.1], "Scores", "markers", "double64"),
            markers([], [], "Silent"),
            Sent("Joystick", "Control", "float32", 0.0, [1004.0], [0.5]),
        ],
    )
    recording = read_recording(path)
    kinds = [(s.metadata.name, s.metadata.type, s.format, s.channels) for s in recording.marker_streams]
    assert kinds == [
        ("Cues", "Markers", "string", 1),
        ("Triggers", "Events", "int32", 2),
        ("Scores", "markers", "double64", 1),
        ("Silent", "Markers", "string", 1),
    ]
    assert [event.values for event in recording.events] == [
        ("žluťoučký 🐎",), (2**31 - 1, -5), (0.1,), ("",)
    ]  # fmt: skip
    first, second, third, _ = recording.marker_streams
    assert [event.stream for event in recording.events] == [first, second, third, first]
    assert recording.events[0].stream.metadata.desc == CUES
    assert [text for _, text in recording.markers] == ["žluťoučký 🐎", "2147483647 -5", "0.1", ""]
    assert rows_beside(recording) == [250, 500, 750, 1250]


# -- clocks


def test_three_computers_with_clocks_of_their_own_agree_on_the_sample(tmp_path):
    at = np.array([300, 3000, 7000])
    # the amplifier is 0.02 % slow besides
    taken = 1000.0 + np.arange(TIMES.size) * 1.0002 / RATE
    amplifier = eeg(taken - 500_000.0, offset=500_000.0)
    path = labrecorder.write(
        tmp_path / "a.xdf",
        [
            amplifier,
            markers(taken[at], [f"cue {row}" for row in at]),
            markers(taken[at] + 90_000.0, at, "Triggers", "Markers", "int32", offset=-90_000.0),
        ],
    )
    recording = read_recording(path)
    assert recording.lost == 0
    assert rows_beside(recording) == sorted([*at, *at])


@pytest.mark.parametrize("footers", [True, False])
def test_an_amplifier_restarted_while_labrecorder_runs_makes_a_hole_and_markers_stay(tmp_path, footers):
    # its clock begins again; 4 s are lost
    half = TIMES.size // 2
    taken = np.r_[TIMES[:half], TIMES[half:] + 4.0]
    stamps = np.r_[taken[:half] + 5000.0, taken[half:] - taken[half] + 10.0]
    amplifier = eeg(stamps, offset=-5000.0, resets=((half, float(taken[half]) - 10.0),))
    at = [100, half - 10, half + 10, TIMES.size - 100]
    path = labrecorder.write(
        tmp_path / "a.xdf", [amplifier, markers(taken[at], ["a", "b", "c", "d"])], footers
    )
    recording = read_recording(path)
    assert recording.lost == 1000
    assert rows_beside(recording) == [100, half - 10, half + 1010, TIMES.size + 900]
    assert footers != any("no footer" in note for note in recording.notes)


def test_markers_without_a_time_are_left_out_with_a_note(tmp_path):
    recording = read_recording(
        labrecorder.write(tmp_path / "a.xdf", [eeg(), markers([1001.0, np.nan], ["x", "y"])])
    )
    assert [text for _, text in recording.markers] == ["x"]
    assert "1 markers without a time left out" in recording.notes
