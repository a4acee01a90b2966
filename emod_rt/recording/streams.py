"""What the streams of a recording say of themselves."""

import re
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from emod_rt.calibration.verdict import low_axes
from emod_rt.description import describe_channels
from emod_rt.estimate import AFFECT_CHANNELS
from emod_rt.markers import MarkerStream
from emod_rt.sources.base import Metadata, StreamInfo

if TYPE_CHECKING:
    from emod_model.calibration.profile import Profile
    from emod_model.checkpoint import Model

# what XML 1.0 cannot carry, not even escaped
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# beyond it a description is no description, and `recover` would take the header for damage
_LONGEST = 2**20


@dataclass(frozen=True)
class StreamDescription:
    """What a stream header says.

    Attributes
    ----------
    metadata : Metadata
        Name, type, source_id and description.
    sfreq : float
        Nominal rate, Hz; 0 when irregular.
    channel_count : int
        Values a sample.
    format : str
        LSL's name of the values: "string", "int8", "int16", "int32", "int64", "float32" or "double64".
    """

    metadata: Metadata
    sfreq: float
    channel_count: int
    format: str

    def header(self) -> bytes:
        """Return the header's XML."""
        info = ET.Element("info")
        for key, value in (
            # readers stumble on a stream without a name
            ("name", self.metadata.name or "unnamed"),
            ("type", self.metadata.type),
            ("channel_count", str(self.channel_count)),
            ("nominal_srate", repr(self.sfreq)),
            ("channel_format", self.format),
            ("source_id", self.metadata.source_id),
        ):
            ET.SubElement(info, key).text = _NO_XML.sub("\ufffd", value[:_LONGEST])
        info.append(_element(self.metadata.desc))
        text: bytes = ET.tostring(info, encoding="utf-8", xml_declaration=True)
        return text


def eeg_stream(info: StreamInfo) -> StreamDescription:
    """Describe the raw signal: as its sender does, with what this program knows beside it."""
    sender = info.metadata or Metadata(info.name, "EEG", info.name)
    count = len(info.channels)
    own = ET.tostring(_element(sender.desc), encoding="unicode")
    desc = ET.fromstring(describe_channels(own, range(count), info.channels))
    for channel, value in zip(desc.iterfind("channels/channel"), info.impedance_kohm, strict=False):
        if value is not None:
            ET.SubElement(channel, "impedance_kohm").text = f"{value:g}"
    if desc.find("simulated") is None or info.simulated:
        _set(desc, "simulated", _flag(info.simulated))
    recorder = ET.SubElement(desc, "recorder")
    _set(recorder, "name", "emod-rt")
    _set(recorder, "version", version("emod-rt"))
    _set(recorder, "source", info.name)
    for note in info.notes:
        ET.SubElement(recorder, "note").text = _NO_XML.sub("\ufffd", note)
    text = ET.tostring(desc, encoding="unicode")
    # whatever its sender calls it, it was settled as EEG, and readers look for that
    return StreamDescription(
        Metadata(sender.name, "EEG", sender.source_id, text), info.sfreq, count, "float32"
    )


def affect_stream(model: "Model", info: StreamInfo, profile: "Profile | None" = None) -> StreamDescription:
    """Describe the estimates, and what they are worth when a person's profile gave them."""
    desc = ET.Element("desc")
    channels = ET.SubElement(desc, "channels")
    for label in AFFECT_CHANNELS:
        channel = ET.SubElement(channels, "channel")
        _set(channel, "label", label)
        _set(channel, "type", "Affect")
    _set(desc, "model", model.name)
    _set(desc, "model_sha256", model.sha256)
    made_up = model.simulated or info.simulated or (profile is not None and profile.simulated)
    _set(desc, "simulated", _flag(made_up))
    _set(desc, "unvalidated", " ".join(model.unvalidated if profile is None else ()))
    _set(desc, "calibrated", _flag(profile is not None))
    if profile is not None:
        calibration = ET.SubElement(desc, "calibration")
        _set(calibration, "user", profile.user)
        _set(calibration, "created", profile.created)
        _set(calibration, "low_confidence", " ".join(low_axes(profile)))
    text = ET.tostring(desc, encoding="unicode")
    return StreamDescription(
        Metadata("Affect", "Affect", "emod-rt", text), 0.0, len(AFFECT_CHANNELS), "double64"
    )


def marker_stream(stream: MarkerStream) -> StreamDescription:
    """Describe a stream of markers."""
    return StreamDescription(stream.metadata, 0.0, stream.channels, stream.format)


def _element(desc: str) -> ET.Element:
    """Return a description as an element; an empty one for what is none."""
    if not 0 < len(desc) <= _LONGEST:
        return ET.Element("desc")
    try:
        return ET.fromstring(desc)
    except ET.ParseError:
        # a stranger's broken words must not end a recording
        return ET.Element("desc")


def _set(parent: ET.Element, key: str, value: str) -> None:
    entry = parent.find(key)
    if entry is None:
        entry = ET.SubElement(parent, key)
    entry.text = _NO_XML.sub("\ufffd", value)


def _flag(value: bool) -> str:
    return str(value).lower()
