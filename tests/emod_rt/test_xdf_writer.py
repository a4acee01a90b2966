"""The XDF writer: every format of values, streams that appear later, what senders say of themselves."""

import numpy as np
import pytest
import pyxdf

from emod_rt.markers import Marker, MarkerStream, typed_stream
from emod_rt.recording.recorder import Recorder
from emod_rt.recording.recover import recover
from emod_rt.recording.streams import StreamDescription
from emod_rt.recording.xdf import XdfWriter
from emod_rt.sources.base import Metadata, StreamInfo
from tests.emod_rt.doubles import CHANNELS, ManualClock, chunks_of, eeg

INFO = StreamInfo("lsl:Cyton", 250.0, CHANNELS)


def load(path):
    streams, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    return {stream["info"]["name"][0]: stream for stream in streams}


EXTREMES = {
    **{f"int{bits}": [[-(2 ** (bits - 1)), 0, 2 ** (bits - 1) - 1], [1, 2, 3]] for bits in (8, 16, 32, 64)},
    "float32": [[-1.5, np.inf, 2.0**127], [0.0, 2.0**-126, np.nan]],
    "double64": [[-1.5, np.inf, 1.7e308], [0.0, 5e-324, np.nan]],
    "string": [["", "Grüße", "a\nb"], ["日本語", "x" * 70_000, "</info>"]],
}


@pytest.mark.parametrize("kind", EXTREMES)
def test_every_format_of_values_comes_back_to_the_last_bit(tmp_path, kind):
    times, path = np.array([1.0, 1.25, 7.5]), tmp_path / "s.xdf"
    with XdfWriter(path) as writer:
        number = writer.add_stream(StreamDescription(Metadata("S"), 0.0, 2, kind))
        writer.samples(number, times, EXTREMES[kind])
    stream = load(path)["S"]
    np.testing.assert_array_equal(stream["time_series"], list(zip(*EXTREMES[kind], strict=True)))
    np.testing.assert_array_equal(stream["time_stamps"], times)
    assert stream["footer"]["info"]["sample_count"] == ["3"]
    assert recover(path).path is None, "recover takes it for whole"


def test_a_half_character_becomes_a_question_mark_and_no_error(tmp_path):
    with XdfWriter(tmp_path / "s.xdf") as writer:
        number = writer.add_stream(StreamDescription(Metadata("S"), 0.0, 1, "string"))
        writer.samples(number, np.array([1.0]), [["half \ud83d"]])
    assert load(tmp_path / "s.xdf")["S"]["time_series"] == [["half ?"]]


def test_markers_are_streams_of_their_own_in_their_own_format_wherever_they_begin(tmp_path):
    path = tmp_path / "s.xdf"
    recorder = Recorder(path, INFO, ManualClock())
    codes = MarkerStream(Metadata("Codes", "Markers", "box-1"), "int32", 2)
    silent = MarkerStream(Metadata("Silent", "Markers", "", "<desc><room>7</room></desc>"))
    for number, chunk in enumerate(chunks_of(eeg(1000), 100)):
        recorder.push(chunk)
        if number == 3:
            recorder.push(silent)
        if number > 5:
            recorder.push(Marker(number / 10, (number, -number), codes))
            recorder.push(Marker(number / 10, (f"tür {number}",), typed_stream()))
    recorder.close()
    streams = load(path)
    np.testing.assert_array_equal(streams["Codes"]["time_series"], [[n, -n] for n in range(6, 10)])
    assert streams["Codes"]["info"]["channel_format"] == ["int32"]
    assert streams["Codes"]["info"]["source_id"] == ["box-1"]
    assert streams["emod-rt-markers"]["time_series"] == [[f"tür {n}"] for n in range(6, 10)]
    np.testing.assert_allclose(streams["emod-rt-markers"]["time_stamps"], [0.6, 0.7, 0.8, 0.9])
    assert streams["Silent"]["time_series"] == []
    assert streams["Silent"]["info"]["desc"][0]["room"] == ["7"]
    assert all(stream["footer"]["info"]["sample_count"] for stream in streams.values())
    np.testing.assert_array_equal(streams["lsl:Cyton"]["time_series"], eeg(1000).T)


def test_the_signal_keeps_the_description_that_its_sender_gave_it(tmp_path):
    desc = (
        "<desc><manufacturer>OpenBCI</manufacturer><channels>"
        + "".join(
            f"<channel><label>{c}</label><unit>microvolts</unit><gain>{24 + n}</gain></channel>"
            for n, c in enumerate(CHANNELS)
        )
        + "</channels><cap><size>54</size></cap></desc>"
    )
    info = StreamInfo(
        "lsl:Cyton", 250.0, CHANNELS, notes=("volts brought to microvolts",),
        metadata=Metadata("Cyton", "eeg", "cyton-7", desc), impedance_kohm=(5.25, None, 900.0, 12.0),
    )  # fmt: skip
    Recorder(tmp_path / "s.xdf", info, ManualClock()).close()
    found = load(tmp_path / "s.xdf")["Cyton"]["info"]
    assert (found["type"], found["source_id"]) == (["EEG"], ["cyton-7"])
    (described,) = found["desc"]
    assert described["manufacturer"] == ["OpenBCI"]
    assert described["cap"][0]["size"] == ["54"]
    channels = described["channels"][0]["channel"]
    assert [channel["gain"] for channel in channels] == [["24"], ["25"], ["26"], ["27"]]
    assert [channel.get("impedance_kohm") for channel in channels] == [["5.25"], None, ["900"], ["12"]]
    assert described["recorder"][0]["source"] == ["lsl:Cyton"]
    assert described["recorder"][0]["note"] == ["volts brought to microvolts"]
    assert described["simulated"] == ["false"]


@pytest.mark.parametrize(
    "hostile",
    [
        Metadata("", "", "", "<desc>"),
        Metadata("bell\x07\x00 \ud83d", "Mark\x1bers", "\uffff", "<desc><a>&#x20ac;</a></desc>"),
        Metadata("N" * 100_000, "T" * 100_000, "", "<desc>" + "<a>" * 200 + "</a>" * 200 + "</desc>"),
        Metadata("long", "Markers", "", f"<desc>{'x' * 5_000_000}</desc>"),
    ],
)
def test_whatever_a_sender_says_of_itself_the_recording_opens_and_is_whole(tmp_path, hostile):
    path = tmp_path / "s.xdf"
    recorder = Recorder(path, StreamInfo("lsl:x", 250.0, CHANNELS, metadata=hostile), ManualClock())
    recorder.push(MarkerStream(hostile))
    recorder.push(chunks_of(eeg(100), 100)[0])
    recorder.close()
    streams, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    assert [len(stream["time_stamps"]) for stream in streams] == [100, 0]
    labels = [c["label"][0] for c in streams[0]["info"]["desc"][0]["channels"][0]["channel"]]
    assert labels == list(CHANNELS)
    assert recover(path).path is None
