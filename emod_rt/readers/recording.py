"""A recording in memory, and the one way every reader makes it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError, UsageError
from emod_model.montage import CYTON
from emod_rt.description import describe_channels
from emod_rt.markers import Marker, MarkerStream
from emod_rt.readers.affect import Affect
from emod_rt.readers.labels import plain
from emod_rt.readers.timing import check_rate, describe_holes
from emod_rt.readers.units import TO_UV, Unit, parse_unit, settle_unit
from emod_rt.sources.base import Metadata, runs

_MOST_CHANNELS = 1024
_FEWEST_ELECTRODES = 2
_MOST_UV = 1e7
# beyond it even sums of squares would overflow
_LARGEST = 1e15


@dataclass(frozen=True)
class Recording:
    """EEG of one file, as acquired.

    Attributes
    ----------
    data : numpy.ndarray, shape (channels, rows), float32
        Microvolts, no filter, offset kept; NaN where the file has no value.
    sfreq : float
        Rate, Hz.
    channels : tuple of str
        Electrodes in 10-05 spelling, one a row of `data`.
    times : numpy.ndarray, shape (rows,), float64
        Seconds, strictly increasing: the file's first time stamp (0 without a clock) plus index / sfreq.
    index : numpy.ndarray, shape (rows,), int64
        Absolute index of each sample, 0 at the first; jumps where samples were lost.
    markers : list of (float, str)
        Time on the scale of `times`, and text.
    notes : tuple of str
        One sentence each on anything settled on the way in.
    name : str
        The file's name.
    path : pathlib.Path
        The file.
    simulated : bool
        The file itself says that no person stands behind it.
    metadata : Metadata or None
        What the stream in the file says of itself, with `desc` cut down to `channels`; None in files that
        hold no streams.
    events : tuple of Marker
        The markers with their streams, in time, on the scale of `times`; `markers` is their text.
    marker_streams : tuple of MarkerStream
        Every stream of markers in the file, also those that stayed silent.
    affect : Affect or None
        Estimates that the file holds beside the signal.
    """

    data: npt.NDArray[np.float32]
    sfreq: float
    channels: tuple[str, ...]
    times: npt.NDArray[np.float64]
    index: npt.NDArray[np.int64]
    markers: list[tuple[float, str]]
    notes: tuple[str, ...]
    name: str
    path: Path
    simulated: bool = False
    metadata: Metadata | None = None
    events: tuple[Marker, ...] = ()
    marker_streams: tuple[MarkerStream, ...] = ()
    affect: Affect | None = None

    @property
    def segments(self) -> list[tuple[int, int, int]]:
        """Stretches without a hole: (absolute index of the first sample, first row, row after the last)."""
        return [(int(self.index[run.start]), run.start, run.stop) for run in runs(self.index)]

    @property
    def lost(self) -> int:
        """Samples that the index says are missing."""
        return int(self.index[-1]) + 1 - self.index.size


@dataclass
class Raw:
    """What a reader of one format found, before names and units are settled.

    Attributes
    ----------
    values : numpy.ndarray, shape (channels, rows), float64
        Candidate EEG channels in the file's unit.
    labels : list of str
        Name of each channel as the file has it.
    electrodes : list of str or None
        Electrode of each channel; None when the file names none, so that `--channels` must.
    sfreq : float
        Rate, Hz.
    index : numpy.ndarray, shape (rows,), int64
        Absolute index.
    t0 : float
        Time of the first row, s.
    unit : str or None
        Unit the file declares for all channels.
    default : tuple of str
        Electrodes assumed, with a note, when neither file nor user names any.
    markers : list of (float, str)
        Seconds on the same scale as `t0`, text; of a format that knows no streams of markers.
    notes : list of str
        Sentences so far.
    simulated : bool
        The file says that no person stands behind it.
    metadata : Metadata or None
        What the stream says of itself, `desc` as written.
    rows : list of int
        Channel of the stream that each channel here is, where there is a stream.
    streams : list of MarkerStream
        Streams of markers, where the format knows them.
    events : list of Marker
        Their markers, on the same scale as `t0`.
    affect : Affect or None
        Estimates in the file, on the same scale.
    """

    values: npt.NDArray[np.float64]
    labels: list[str]
    electrodes: list[str] | None
    sfreq: float
    index: npt.NDArray[np.int64]
    t0: float = 0.0
    unit: str | None = None
    default: tuple[str, ...] = ()
    markers: list[tuple[float, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    simulated: bool = False
    metadata: Metadata | None = None
    rows: list[int] = field(default_factory=list)
    streams: list[MarkerStream] = field(default_factory=list)
    events: list[Marker] = field(default_factory=list)
    affect: Affect | None = None


def finish(raw: Raw, path: Path, channels: Sequence[str] | None) -> Recording:
    """Settle names and unit of what a reader found.

    Raises
    ------
    InputFileError
        Too few electrodes, a duplicate, no rows, an impossible rate, or values that cannot be EEG.
    UsageError
        `channels` does not fit the file.
    """
    rows, count = raw.values.shape[1], raw.values.shape[0]
    if count > _MOST_CHANNELS:
        raise InputFileError(
            f"{count} channels, more than any EEG cap has ({_MOST_CHANNELS}); "
            "check that channels and samples have not changed places"
        )
    check_rate(raw.sfreq)
    if rows < 8:
        raise InputFileError(f"only {rows} samples of EEG; record a few seconds or more")
    chosen, names = _choose(raw, channels)
    values = raw.values[chosen]
    values[~(np.abs(values) < _LARGEST)] = np.nan
    unit = _unit(values, raw)
    data, absurd = _to_microvolts(values, unit)
    holes = describe_holes(raw.index, raw.sfreq)
    missing = int(np.isnan(data).all(axis=0).sum())
    notes = [
        *raw.notes,
        *([unit.note] if unit.note else []),
        *([holes] if holes else []),
        *([f"{absurd} values beyond 10 V are no EEG and count as missing"] if absurd else []),
        *([f"{missing} rows hold no value at all (NaN)"] if missing else []),
    ]
    streams, events = _marked(raw)
    return Recording(
        data=data,
        sfreq=float(raw.sfreq),
        channels=names,
        times=raw.t0 + raw.index / raw.sfreq,
        index=raw.index,
        markers=[(event.t, event.text) for event in events],
        notes=tuple(map(plain, notes)),
        name=path.name,
        path=path,
        simulated=raw.simulated,
        metadata=_metadata(raw, chosen, names),
        events=events,
        marker_streams=streams,
        affect=raw.affect,
    )


def _unit(values: npt.NDArray[np.float64], raw: Raw) -> Unit:
    """Settle the unit; a stream that declares its own is believed, as it was while it was recorded."""
    try:
        return settle_unit(values, raw.unit, raw.sfreq)
    except InputFileError as problem:
        known = parse_unit(raw.unit)
        if raw.metadata is None or known is None or not np.isfinite(values).any():
            raise
        # a test signal, or an amplifier that no head was connected to
        return Unit(TO_UV[known], f"declared as {raw.unit}: {problem}")


def _marked(raw: Raw) -> tuple[tuple[MarkerStream, ...], tuple[Marker, ...]]:
    """Return the streams of markers and what they sent, in time."""
    streams, events = list(raw.streams), list(raw.events)
    if raw.markers:
        stream = MarkerStream(Metadata("markers", "Markers"))
        streams.append(stream)
        events += [Marker(time, (text,), stream) for time, text in raw.markers]
    return tuple(streams), tuple(sorted(events, key=lambda event: event.t))


def _metadata(raw: Raw, chosen: list[int], names: tuple[str, ...]) -> Metadata | None:
    """Return what the stream says of itself and of the channels that are kept."""
    if raw.metadata is None:
        return None
    rows = [raw.rows[at] for at in chosen]
    return replace(raw.metadata, desc=describe_channels(raw.metadata.desc, rows, names))


def _to_microvolts(values: npt.NDArray[np.float64], unit: Unit) -> tuple[npt.NDArray[np.float32], int]:
    """Return the microvolts, and how many values no amplifier gives (left as NaN)."""
    scaled = values * unit.factor
    absurd = np.abs(scaled) > _MOST_UV
    scaled[absurd] = np.nan
    return np.ascontiguousarray(scaled, dtype=np.float32), int(absurd.sum())


def _choose(raw: Raw, channels: Sequence[str] | None) -> tuple[list[int], tuple[str, ...]]:
    """Return the rows to keep and their electrodes."""
    from emod_model.montage import canonical_names

    wanted = None if channels is None else canonical_names(channels)
    if raw.electrodes is not None:
        try:
            names = canonical_names(raw.electrodes)
        except UsageError as error:
            raise InputFileError(f"electrode named twice in the file: {error}") from error
        if wanted is None:
            return _enough(list(range(len(names))), names)
        absent = [name for name in wanted if name not in names]
        if absent:
            raise UsageError(
                f"--channels asks for {', '.join(absent)}, but the file has {', '.join(names)}; "
                "name channels of the file"
            )
        return _enough([names.index(name) for name in wanted], wanted)
    everything = list(range(len(raw.labels)))
    if wanted is not None:
        if len(wanted) != len(raw.labels):
            raise UsageError(
                f"--channels names {len(wanted)} electrodes, but the file has {len(raw.labels)} channels "
                f"without names ({_few(raw.labels)}); give one name for each, in this order"
            )
        return _enough(everything, wanted)
    if len(raw.default) == len(raw.labels) and raw.default:
        raw.notes.append(
            f"the file names no electrodes; assumed {','.join(raw.default)} in this order "
            "(say otherwise with --channels)"
        )
        return _enough(everything, raw.default)
    raise InputFileError(
        f"the file names no electrodes for its {len(raw.labels)} channels ({_few(raw.labels)}); "
        f"name them in this order with --channels, for example --channels {_example(len(raw.labels))}"
    )


def _enough(rows: list[int], names: tuple[str, ...]) -> tuple[list[int], tuple[str, ...]]:
    if len(rows) < _FEWEST_ELECTRODES:
        raise InputFileError(
            f"only {len(rows)} electrode ({', '.join(names) or 'none'}); "
            "give two or more, which the average reference needs"
        )
    return rows, names


def _few(labels: list[str]) -> str:
    return ", ".join(labels[:8]) + (", ..." if len(labels) > 8 else "")


def _example(count: int) -> str:
    return ",".join(CYTON[:count]) + ("" if count <= len(CYTON) else ",...")
