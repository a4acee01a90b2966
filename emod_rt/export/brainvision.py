"""A recording as BrainVision, whose 32-bit numbers hold microvolts to the bit."""

from collections.abc import Iterable
from pathlib import Path

from emod_rt.export.continuous import Continuous, Mark
from emod_rt.export.mne_raw import NOBODY, began
from emod_rt.readers.recording import Recording


def write_brainvision(recording: Recording, filled: Continuous, path: Path) -> None:
    """Write NAME.vhdr, NAME.vmrk and NAME.eeg.

    Source: BrainVision Core Data Format 1.0 (Brain Products). MNE needs pybv to write it, which divides by a
    resolution of 0.1 and rounds.
    """
    channels = "".join(f"Ch{at}={name},,1,µV\n" for at, name in enumerate(filled.channels, 1))
    path.write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n\n"
        f"[Common Infos]\nCodepage=UTF-8\nDataFile={path.stem}.eeg\nMarkerFile={path.stem}.vmrk\n"
        "DataFormat=BINARY\nDataOrientation=MULTIPLEXED\n"
        f"NumberOfChannels={len(filled.channels)}\nSamplingInterval={1e6 / filled.sfreq!r}\n\n"
        f"[Binary Infos]\nBinaryFormat=IEEE_FLOAT_32\n\n[Channel Infos]\n{channels}"
        + (f"\n[Comment]\n{NOBODY}\n" if recording.simulated else ""),
        encoding="utf-8",
    )
    date = began(recording)
    stamp = f",{date:%Y%m%d%H%M%S%f}" if date else ""
    marks = "".join(_lines(filled.inside, filled.channels))
    path.with_suffix(".vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n\n"
        f"[Common Infos]\nCodepage=UTF-8\nDataFile={path.stem}.eeg\n\n"
        f"[Marker Infos]\nMk1=New Segment,,1,1,0{stamp}\n{marks}",
        encoding="utf-8",
    )
    filled.data.T.astype("<f4").tofile(path.with_suffix(".eeg"))


def _lines(marks: Iterable[Mark], names: tuple[str, ...]) -> Iterable[str]:
    """Yield one line a marker; one a channel for what is about some channels alone."""
    number = 1
    for mark in marks:
        kind = "Bad Interval" if mark.count else "Comment"
        text = mark.text.replace(",", r"\1")
        # MNE forgets the channel's number; it is named in its way as well
        for said, channel in [(f"{text}@@{name}", names.index(name) + 1) for name in mark.channels] or [
            (text, 0)
        ]:
            number += 1
            yield f"Mk{number}={kind},{said},{mark.sample + 1},{max(mark.count, 1)},{channel}\n"
