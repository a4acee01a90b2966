"""XDF recordings (LabRecorder and our own), through pyxdf."""

import logging
import math
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError
from emod_rt.markers import Marker, MarkerStream
from emod_rt.readers.affect import Affect, find_affect
from emod_rt.readers.align import on_grid
from emod_rt.readers.labels import left_out, split_labels, why
from emod_rt.readers.recording import Raw
from emod_rt.readers.timing import Timing, index_from_stamps
from emod_rt.readers.units import TO_UV, parse_unit
from emod_rt.readers.xdf_headers import read_metadata
from emod_rt.readers.xdf_whole import open_whole
from emod_rt.sources.base import Metadata

_EVENTS = re.compile("annotation|event|trigger|stim", re.IGNORECASE)


class _Collector(logging.Handler):
    """Keeps what pyxdf logs as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message."""
        self.said.append(record.getMessage())


def read_xdf(path: Path) -> Raw:
    """Read the EEG stream and the markers of an XDF file.

    Clocks are synchronised; time stamps are not smoothed, so that holes stay where they are.

    Raises
    ------
    InputFileError
        Damaged, no EEG stream, or several.
    """
    streams, said = _load(path)
    eeg = _eeg_stream(streams, said)
    info = eeg["info"]
    stamps = np.asarray(eeg["time_stamps"], dtype=np.float64)
    with np.errstate(invalid="ignore"):  # damaged floats become NaN
        values = np.asarray(eeg["time_series"], dtype=np.float64).T
    labels, units = _description(info, values.shape[0])
    chosen, electrodes = split_labels(labels)
    if not chosen:
        raise InputFileError(
            f"no EEG among the channels of stream {_name(eeg)!r} ({', '.join(labels[:8])}); "
            "give a recording whose stream names its electrodes"
        )
    if stamps.size < 8:
        harm = f" ({said[-1]})" if said else ""
        raise InputFileError(
            f"only {stamps.size} samples in stream {_name(eeg)[:60]!r}{harm}; record a few seconds or more"
        )
    nominal = float(info["nominal_srate"][0])
    timing = index_from_stamps(stamps, nominal if nominal > 0 else None)
    values, unit = _one_unit(values[chosen], [units[at] for at in chosen])
    notes = [*said, *timing.notes]
    if not eeg.get("footer"):
        notes.append("the stream has no footer: the recording was cut short, or is still being written")
    if note := left_out(labels, chosen):
        notes.append(note)
    metadata = read_metadata(path, {_number(stream) for stream in streams})
    marked, events = _markers(streams, metadata)
    return Raw(
        values=values,
        labels=[labels[at] for at in chosen],
        electrodes=electrodes,
        sfreq=timing.sfreq,
        index=timing.rows,
        t0=float(stamps[0]),
        unit=unit,
        notes=notes,
        simulated=_flag(info),
        metadata=metadata.get(_number(eeg), Metadata(_name(eeg), _type(eeg))),
        rows=chosen,
        streams=marked,
        events=_beside(events, stamps, timing, notes),
        affect=_affect(streams, stamps, timing),
    )


def _load(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    import pyxdf

    whole, dropped = open_whole(path)
    log = logging.getLogger("pyxdf")
    collector = _Collector()
    log.addHandler(collector)
    propagate, log.propagate = log.propagate, False
    try:
        # a damaged file makes numpy warn of overflows before it fails or does not
        with whole, warnings.catch_warnings(action="ignore"):
            streams, _ = pyxdf.load_xdf(whole, dejitter_timestamps=False)
    except Exception as error:  # pyxdf raises whatever a broken file makes it stumble on
        raise InputFileError(
            f"cannot be read as XDF ({why(str(error))}); save what is whole with: emod-rt recover FILE"
        ) from error
    finally:
        log.removeHandler(collector)
        log.propagate = propagate
    if dropped:
        collector.said.append(f"damaged: {dropped} bytes belong to no whole chunk and are left out")
    return list(streams), list(dict.fromkeys(collector.said))


def _name(stream: dict[str, Any]) -> str:
    return str((stream["info"].get("name") or [""])[0])


def _type(stream: dict[str, Any]) -> str:
    return str((stream["info"].get("type") or [""])[0] or "")


def _number(stream: dict[str, Any]) -> int:
    return int(stream["info"]["stream_id"])


def _is_marker(stream: dict[str, Any]) -> bool:
    """Tell events from signals: text, what calls itself markers, and what is irregular and means events."""
    kind = _type(stream)
    irregular = float(stream["info"]["nominal_srate"][0]) == 0
    return _is_text(stream) or "marker" in kind.lower() or (irregular and bool(_EVENTS.search(kind)))


def _is_text(stream: dict[str, Any]) -> bool:
    return bool(stream["info"]["channel_format"][0] == "string")


def _eeg_stream(streams: list[dict[str, Any]], said: list[str]) -> dict[str, Any]:
    numeric = [stream for stream in streams if not _is_text(stream)]
    found = [stream for stream in numeric if _type(stream).strip().upper() == "EEG"]
    if not found:
        shown = [f"{_name(stream)[:60]!r} ({_type(stream)[:60] or 'no type'})" for stream in streams]
        listed = ", ".join(shown[:8]) + (", ..." if len(shown) > 8 else "")
        # pyxdf is shown whole chunks alone: what it says then is about the file
        harm = f" ({said[-1]})" if said else ""
        raise InputFileError(
            f"no stream of type EEG among its streams ({listed or 'none'}){harm}; give a recording of EEG"
        )
    full = [stream for stream in found if len(stream["time_stamps"])]
    if len(full) > 1:
        several = ", ".join(f"{_name(stream)[:60]!r}" for stream in full[:8])
        raise InputFileError(
            f"{len(full)} EEG streams ({several}); save the one you want in a file of its own"
        )
    return (full or found)[0]


def _description(info: dict[str, Any], count: int) -> tuple[list[str], list[str | None]]:
    """Return label and unit of each channel from a stream's description."""
    described: list[Any] = []
    desc = (info.get("desc") or [None])[0]
    if isinstance(desc, dict):
        block = (desc.get("channels") or [None])[0]
        if isinstance(block, dict):
            described = list(block.get("channel") or [])
    labels = [_text(channel, "label") or _text(channel, "name") for channel in described]
    units = [_text(channel, "unit") for channel in described]
    if len(labels) != count or not all(labels):
        labels = [f"channel {at + 1}" for at in range(count)]
    if len(units) != count:
        units = [None] * count
    return [str(label) for label in labels], units


def _one_unit(
    values: npt.NDArray[np.float64], units: list[str | None]
) -> tuple[npt.NDArray[np.float64], str | None]:
    """Bring channels of different declared units to microvolts; leave the rest as it is."""
    known = [parse_unit(unit) for unit in units]
    if len(set(known)) > 1 and None not in known:
        factors = np.array([TO_UV[unit] for unit in known if unit is not None])
        return values * factors[:, None], "microvolts"
    return values, next((unit for unit in units if unit), None)


def _flag(info: dict[str, Any]) -> bool:
    """Tell whether the stream's description says that no person stands behind it."""
    desc = (info.get("desc") or [None])[0]
    return isinstance(desc, dict) and desc.get("simulated") == ["true"]


def _text(channel: Any, key: str) -> str | None:
    value = (channel.get(key) or [None])[0] if isinstance(channel, dict) else None
    return value if isinstance(value, str) else None


def _markers(
    streams: list[dict[str, Any]], metadata: dict[int, Metadata]
) -> tuple[list[MarkerStream], list[Marker]]:
    """Return the streams of markers, and what they sent by the recorder's clock."""
    found, events = [], []
    for stream in streams:
        if not _is_marker(stream):
            continue
        info = stream["info"]
        said = metadata.get(_number(stream), Metadata(_name(stream), _type(stream)))
        kind = MarkerStream(said, info["channel_format"][0], int(info["channel_count"][0]))
        found.append(kind)
        for stamp, row in zip(stream["time_stamps"], stream["time_series"], strict=True):
            # numpy's numbers become Python's, which print as what they are
            values = tuple(row if isinstance(row, list) else row.tolist())
            events.append(Marker(float(stamp), values, kind))
    return found, events


def _beside(
    events: list[Marker], stamps: npt.NDArray[np.float64], timing: Timing, notes: list[str]
) -> list[Marker]:
    """Place the markers beside the samples that they were stamped beside."""
    timed = [event for event in events if math.isfinite(event.t)]
    if len(timed) < len(events):
        notes.append(f"{len(events) - len(timed)} markers without a time left out")
    times = on_grid(np.array([event.t for event in timed]), stamps, timing.rows, timing.sfreq)
    return [replace(event, t=float(time)) for event, time in zip(timed, times, strict=True)]


def _affect(streams: list[dict[str, Any]], stamps: npt.NDArray[np.float64], timing: Timing) -> Affect | None:
    """Return the estimates in the file, placed as the markers are."""
    found = find_affect(streams)
    if found is None:
        return None
    return replace(found, times=on_grid(found.times, stamps, timing.rows, timing.sfreq))
