"""Streams that say odd, false or harmful things of themselves; none of it reaches the user as harm."""

import json
import threading
import time
from xml.etree import ElementTree as ET

import pytest

from emod_model.errors import SourceError
from emod_rt import liblsl
from emod_rt.devices import lsl_streams
from emod_rt.sources.lsl import LSLSource
from emod_rt.sources.lsl_markers import LSLMarkers
from emod_rt.sources.lsl_query import shown
from tests.emod_rt.lsl_help import noise, outlet, unique, until
from tests.emod_rt.programs import run
from tests.peers.lsl_hostile import peer


class HastyClock:
    """Time that runs twenty times as fast, so that nobody waits for a peer that never answers."""

    def now(self):
        return 20.0 * time.monotonic()

    def wait(self, seconds, stop):
        return stop.wait(seconds / 20.0)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"channel_count": "0"}, "it has 0 channels, and EEG needs 2 to 1024"),
        ({"channel_count": "10000000"}, "it has 10000000 channels"),
        ({"nominal_srate": "1e300"}, "it claims 1e[+]300 Hz"),
        ({"nominal_srate": "0"}, "irregular"),
        ({"channel_format": "string"}, "text, not numbers"),
        ({"nominal_srate": "nan"}, "format is unknown"),
        ({"channel_count": "-5"}, "format is unknown"),
        ({"channel_count": "9" * 30}, "format is unknown"),
        ({"channel_format": "nonsense"}, "format is unknown"),
        ({"hostname": "\x1b[2J[/red]\n", "channel_count": "1"}, r"host \[2J\[/red\]\): it has 1 channels"),
    ],
)
def test_a_peer_that_claims_nonsense_is_refused_with_the_reason(said, words):
    name = unique("claims")
    with peer(name, **said), pytest.raises(SourceError, match=words) as failure:
        LSLSource(name).open(5)
    assert failure.value.exit_code == 4
    assert str(failure.value).isprintable()
    assert len(str(failure.value)) < 1000


@pytest.mark.parametrize("full", [b"", b"<info><broken", b"\xff\xfe\x00<", b"<a>" * 100_000])
def test_a_peer_whose_description_is_no_xml_does_not_answer(full):
    name = unique("broken")
    with peer(name, full), pytest.raises(SourceError, match="announced but does not answer"):
        LSLSource(name, clock=HastyClock()).open(5)


def hostile(name, label="Fp1", source_id="odd"):
    """A real outlet with an odd name, an odd label and an odd description."""
    pylsl = liblsl.load()
    info = pylsl.StreamInfo(name, "EEG", 3, 250.0, "float32", source_id)
    channels = info.desc().append_child("channels")
    for text in (label, "C3", "C4"):
        channels.append_child("channel").append_child_value("label", text)
    info.desc().append_child_value("note", "\x07 <![CDATA[ ]]> &lol; </desc>")
    info.desc().append_child_value("channel_count", "10000000")
    return pylsl.StreamOutlet(info)


def open_while_sending(source, out):
    def send():
        if out.wait_for_consumers(30):
            out.push_chunk(noise(300, 3))

    sender = threading.Thread(target=send)
    sender.start()
    try:
        return source.open(30)
    finally:
        sender.join()


def test_a_stream_of_odd_words_is_read_and_its_own_words_are_kept_fit_for_any_file():
    name = f"[/red]\x1b[31m 'both' \"quotes\" {unique('')} " + "x" * 20_000
    out = hostile(name, label="\x1b[2J" + "y" * 100_000, source_id=unique("odd"))
    source = LSLSource(f"source_id={out.get_info().source_id()}")
    info = open_while_sending(source, out)
    source.close()
    assert info.channels == ("C3", "C4")
    assert info.name.isprintable()
    assert len(info.name) < 100
    assert all(note.isprintable() and len(note) < 200 for note in info.notes)
    assert info.lsl_clock
    metadata = info.metadata
    assert "\x1b" not in metadata.name
    assert len(metadata.name) <= 1000
    assert (metadata.type, metadata.source_id) == ("EEG", out.get_info().source_id())
    desc = ET.fromstring(metadata.desc)
    assert [c.findtext("label") for c in desc.findall("channels/channel")] == ["C3", "C4"]
    assert desc.findtext("note") == " <![CDATA[ ]]> &lol; </desc>"


def test_a_stream_whose_name_holds_both_kinds_of_quotes_is_found_by_it():
    name = f"O'Brien's \"big\" amp {unique('')}"
    out = hostile(name)
    source = LSLSource(name)
    assert open_while_sending(source, out).metadata.name == name
    source.close()


def test_devices_and_marker_inlets_live_beside_whatever_is_announced():
    name = unique("beside")
    pylsl = liblsl.load()
    # too long to be announced in one packet; it must not hide the others
    endless = pylsl.StreamOutlet(pylsl.StreamInfo("n" * 100_000, "Markers", 1, 0.0, "string", "endless"))
    odd = hostile(f"[/red]\x1b[2J{name}")
    good = outlet(f"{name}-good", 1, sfreq=0.0, fmt="string", type="Markers")
    claims = {"type": "Markers", "channel_format": "string", "nominal_srate": "0"}
    with (
        peer(f"{name}-no", channel_format="nonsense"),
        peer(f"{name}-many", channel_count="10000000", **claims),
        peer(f"{name}-deaf", b"<info><broken", **claims),
    ):
        markers = LSLMarkers()
        assert good.wait_for_consumers(30)
        good.push_sample(["through"])
        seen = until(lambda: [m for m in markers.read()[1] if m.stream.metadata.name == f"{name}-good"])
        markers.close()
        names = {stream["name"] for stream in lsl_streams(0.5)}
        table = run("devices", "--wait", "0.5")
        as_json = run("devices", "--wait", "0.5", "--json")
    assert [marker.text for marker in seen] == ["through"]
    assert {f"{name}-good", f"{name}-many", f"{name}-deaf"} <= names
    assert not [name for name in names if "invalid" in name]
    assert (table.returncode, as_json.returncode) == (0, 0)
    assert f"{name}-good" in table.stdout
    assert "\x1b" not in table.stdout
    assert f"{name}-good" in {stream["name"] for stream in json.loads(as_json.stdout)["lsl"]}
    del endless, odd


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a\x1b[31mb\r\n c", "a [31mb c"), ("x" * 100_000, "x" * 80), ("", ""), ("\u202eevil\x9b", "evil")],
)
def test_what_is_shown_is_one_short_printable_line(text, expected):
    assert shown(text) == expected
