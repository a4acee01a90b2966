"""A recording as formats without holes need it: filled, with a mark on everything that is not signal."""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emod_model.errors import UsageError
from emod_rt.readers.marks import LOST, MISSING
from emod_rt.readers.recording import Recording
from emod_rt.sources.base import runs

_MOST_FILLED = 20
_LEAST_REFUSED = 50_000_000
_LONGEST_TEXT = 400
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True)
class Mark:
    """A marker, or a stretch that holds no signal.

    Attributes
    ----------
    onset : float
        Seconds from the first sample.
    sample : int
        The nearest sample, counted from the first with lost ones; below 0 or beyond the last when the marker
        lies outside the signal.
    count : int
        Samples it lasts; 0 for a moment.
    text : str
        One line without control characters; `LOST` or `MISSING` for a stretch.
    stream : str
        Name of the marker's stream; "" of a stretch.
    channels : tuple of str
        Electrodes it is about; empty for all.
    """

    onset: float
    sample: int
    count: int
    text: str
    stream: str = ""
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Continuous:
    """Signal without holes.

    Attributes
    ----------
    data : numpy.ndarray, shape (channels, samples), float32
        Microvolts; in a hole, and where a value is missing, the last value before it.
    sfreq : float
        Rate, Hz.
    channels : tuple of str
        Electrodes.
    gaps : tuple of Mark
        Lost samples, and values missing on some channels.
    markers : tuple of Mark
        In time.
    """

    data: npt.NDArray[np.float32]
    sfreq: float
    channels: tuple[str, ...]
    gaps: tuple[Mark, ...]
    markers: tuple[Mark, ...]

    @property
    def inside(self) -> list[Mark]:
        """Gaps and markers that lie within the signal, in time."""
        inner = (mark for mark in self.markers if 0 <= mark.sample < self.data.shape[1])
        return sorted((*self.gaps, *inner), key=lambda mark: mark.onset)

    @property
    def outside(self) -> int:
        """Markers before the first sample or after the last."""
        return len(self.markers) + len(self.gaps) - len(self.inside)


def fill(recording: Recording) -> Continuous:
    """Hold the last value through every hole, so that a sample's place is its time.

    Raises
    ------
    UsageError
        The holes are many times the signal.
    """
    total, rows = int(recording.index[-1]) + 1, recording.index.size
    if total > _MOST_FILLED * rows and total * len(recording.channels) > _LEAST_REFUSED:
        raise UsageError(
            f"{recording.path}: {rows} samples lie among {total - rows} lost ones, too many to fill; "
            "export it with --to csv, or split it at its holes"
        )
    held = np.searchsorted(recording.index, np.arange(total), side="right") - 1
    data = np.ascontiguousarray(recording.data[:, held])
    there = np.zeros(total, dtype=bool)
    there[recording.index] = True
    missing = np.isnan(data) & there
    for row in data:
        _hold(row)
    gaps = [_stretch(recording, span, LOST) for span in _spans(~there)]
    channels: dict[tuple[int, int], list[str]] = {}
    for name, row in zip(recording.channels, missing, strict=True):
        for span in _spans(row):
            channels.setdefault(span, []).append(name)
    gaps += [_stretch(recording, span, MISSING, tuple(names)) for span, names in channels.items()]
    gaps.sort(key=lambda mark: mark.sample)
    return Continuous(data, recording.sfreq, recording.channels, tuple(gaps), markers_of(recording))


def markers_of(recording: Recording) -> tuple[Mark, ...]:
    """Return the markers of a recording with their samples."""
    onsets = [event.t - float(recording.times[0]) for event in recording.events]
    return tuple(
        Mark(
            onset,
            round(onset * recording.sfreq),
            0,
            one_line(event.text),
            one_line(event.stream.metadata.name),
        )
        for onset, event in zip(onsets, recording.events, strict=True)
    )


def one_line(text: str) -> str:
    """Return a text that no table and no header stumbles on."""
    line = _CONTROL.sub(" ", text.encode("utf-8", "replace").decode()).strip()
    return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 3] + "..."


def _hold(row: npt.NDArray[np.float32]) -> None:
    """Replace NaN by the value before it, in place; at the start by the first value there is."""
    known = np.isfinite(row)
    if known.all():
        return
    if not known.any():
        row[:] = 0.0
        return
    last = np.maximum.accumulate(np.where(known, np.arange(row.size), -1))
    row[:] = row[np.where(last < 0, int(known.argmax()), last)]


def _spans(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first sample and count of each stretch that is True."""
    found = np.flatnonzero(mask)
    return [(int(found[run.start]), run.stop - run.start) for run in runs(found)]


def _stretch(recording: Recording, span: tuple[int, int], text: str, channels: tuple[str, ...] = ()) -> Mark:
    return Mark(span[0] / recording.sfreq, span[0], span[1], text, channels=channels)
