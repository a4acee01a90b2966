"""A stream's description follows the channels that are kept and is otherwise left alone."""

from xml.etree import ElementTree as ET

from emod_rt.description import describe_channels

DESC = (
    "<desc><channels><channel><label>a</label><unit>volts</unit><impedance>7</impedance></channel>"
    "<channel><label>b</label></channel><count>2</count></channels><cap><size>58</size></cap></desc>"
)


def test_a_kept_channel_keeps_what_it_says_of_itself_and_is_named_and_scaled_anew():
    root = ET.fromstring(describe_channels(DESC, [1, 0], ["Cz", "Fp1"]))
    rows = [{child.tag: child.text for child in channel} for channel in root.findall("channels/channel")]
    assert rows == [
        {"label": "Cz", "unit": "microvolts", "type": "EEG"},
        {"label": "Fp1", "unit": "microvolts", "type": "EEG", "impedance": "7"},
    ]


def test_what_is_said_of_the_cap_and_of_all_channels_stays():
    root = ET.fromstring(describe_channels(DESC, [0], ["Fp1"]))
    assert root.findtext("cap/size") == "58"
    assert root.findtext("channels/count") == "2"


def test_a_stream_without_a_description_gets_one():
    root = ET.fromstring(describe_channels("", [0, 1], ["Fp1", "Fp2"]))
    assert [label.text for label in root.findall("channels/channel/label")] == ["Fp1", "Fp2"]
