"""The streams of a recording as LSL outlets, described as they described themselves."""

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any
from xml.etree import ElementTree as ET

from emod_rt import liblsl
from emod_rt.description import describe_channels
from emod_rt.markers import MarkerStream
from emod_rt.readers import Recording
from emod_rt.sources.base import Metadata

_FINGERPRINT_SAMPLES = 4096


@dataclass(frozen=True)
class Announced:
    """One stream as it appears on the network.

    Attributes
    ----------
    metadata : Metadata
        Name, type, source_id, description.
    channels : int
        Values a sample.
    sfreq : float
        Rate, Hz; 0 when irregular.
    format : str
        LSL's name of the values.
    """

    metadata: Metadata
    channels: int
    sfreq: float
    format: str

    def outlet(self) -> Any:
        """Put it on the network.

        LSL has no attributes; those of the description stay behind.
        """
        pylsl = liblsl.load()
        said = self.metadata
        info = pylsl.StreamInfo(said.name, said.type, self.channels, self.sfreq, self.format, said.source_id)
        if said.desc:
            _fill(info.desc(), ET.fromstring(said.desc))
        return pylsl.StreamOutlet(info)


def marker_streams(recording: Recording) -> tuple[MarkerStream, ...]:
    """Return every stream of markers once."""
    return tuple(dict.fromkeys([*recording.marker_streams, *(event.stream for event in recording.events)]))


def announce(recording: Recording, name: str | None) -> list[Announced]:
    """Describe the signal, then each of `marker_streams`.

    The signal is in microvolts, whatever it was recorded in, and only its electrodes are sent. Each
    description says at its end, under `replay`, which file and which source_id it comes from.

    A stream's source_id is new: a reader that lost the device itself would else take the recording for its
    return. It is made of the signal, so that it stays the same wherever the file is replayed.

    Parameters
    ----------
    recording : Recording
        What is published.
    name : str or None
        Name of the signal; by default its own, or the file's.
    """
    own = recording.metadata
    title = name or (own.name.strip() if own else "") or recording.path.stem
    signal = own or Metadata(title, "EEG", desc=_plain_description(recording))
    count = len(recording.channels)
    found = [Announced(replace(signal, name=title), count, recording.sfreq, "float32")]
    for stream in marker_streams(recording):
        said = stream.metadata
        called = said.name.strip() or "markers"
        # where the file has no streams, its markers have no name that means anything on a network
        said = replace(said, name=called if own else f"{title}-{called}")
        found.append(Announced(said, stream.channels, 0.0, stream.format))
    identity = _fingerprint(recording)
    taken: set[str] = set()
    for at, announced in enumerate(found):
        said = announced.metadata
        free = _free_name(said.name, taken)
        taken.add(free)
        said = Metadata(free, said.type, f"{identity}-{at}", _with_origin(said, recording))
        found[at] = replace(announced, metadata=said)
    return found


def _free_name(name: str, taken: set[str]) -> str:
    """Return a name that no other stream of this replay has."""
    free, number = name, 2
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free


def _fingerprint(recording: Recording) -> str:
    first = recording.data[:, :_FINGERPRINT_SAMPLES].tobytes()
    told = f"{recording.channels} {recording.sfreq} {recording.index.size}".encode()
    return f"emod-replay-{blake2b(first + told, digest_size=8).hexdigest()}"


def _plain_description(recording: Recording) -> str:
    """Describe a signal whose file does not."""
    desc = ET.fromstring(describe_channels("", range(len(recording.channels)), recording.channels))
    ET.SubElement(ET.SubElement(desc, "reference"), "label").text = "unknown"
    if recording.simulated:
        ET.SubElement(desc, "simulated").text = "true"
    return ET.tostring(desc, encoding="unicode")


def _with_origin(said: Metadata, recording: Recording) -> str:
    desc = ET.fromstring(said.desc) if said.desc else ET.Element("desc")
    origin = ET.SubElement(desc, "replay")
    ET.SubElement(origin, "software").text = "emod-rt"
    ET.SubElement(origin, "file").text = recording.name
    ET.SubElement(origin, "source_id").text = said.source_id
    return ET.tostring(desc, encoding="unicode")


def _fill(target: Any, source: ET.Element) -> None:
    """Copy what is inside one element into another of liblsl's."""
    waiting = [(target, source)]
    while waiting:
        target, source = waiting.pop()
        for child in source:
            text = (child.text or "").strip()
            if text:
                target.append_child_value(child.tag, child.text)
                made = target.last_child()
            else:
                made = target.append_child(child.tag)
            waiting.append((made, child))
