"""CSV recordings: Muse, Emotiv, Mind Monitor, or plain numbers."""

import re
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError
from emod_rt.readers.labels import left_out, split_labels
from emod_rt.readers.recording import Raw
from emod_rt.readers.table import MISSING, Table, parse_table
from emod_rt.readers.timing import (
    count_repeats,
    index_from_counter,
    index_from_stamps,
    seconds_per_unit,
    snap_rate,
)

_TIME = re.compile(
    r"^(?:time|times|timestamps?|time[ _]?stamps?|t|lsl|lsl[ _]?(?:time|timestamps?)|local[ _]?timestamps?|"
    r"unix(?:[ _]?time)?|seconds?|secs?|ms|s|milliseconds?|datetime)"
    r"(?:[ _]*[\[(]?(?:s|sec|seconds|ms|msec|milliseconds|us|µs|microseconds|ns|utc|unix)[\])]?)?$",
    re.IGNORECASE,
)
_COUNTER = re.compile(
    r"^(?:EEG\.)?(?:COUNTER|sample[ _]?(?:index|number|counter)|packet[ _]?(?:num|counter)\w*)$", re.I
)
_MARKER = re.compile(r"^(?:EEG\.)?(?:marker|trigger|stim|event|status)", re.IGNORECASE)
_MARKER_DETAIL = re.compile(r"^Marker(?:Index|Type)$", re.IGNORECASE)
_WAY_OUT = "add the rate to its name, as in PATH?rate=256"


def read_csv(text: str, channels: Sequence[str] | None, rate: float | None) -> Raw:
    """Read a CSV with or without header, time and counter.

    Raises
    ------
    InputFileError
        Not a table of numbers, no rate, or a time column that cannot be one.
    """
    table = parse_table(text)
    header = table.header
    if header is None:
        return _headerless(table, channels, rate)
    numeric = [at for at in range(len(header)) if at not in table.text]
    markers_at = _marker_columns(header, numeric)
    time_at = next((at for at, name in enumerate(header) if _TIME.match(name.strip())), None)
    counter_at = next((at for at in numeric if _COUNTER.match(header[at].strip())), None)
    candidates = [at for at in numeric if at not in (time_at, counter_at, *markers_at)]
    chosen, electrodes = split_labels([header[at] for at in candidates])
    columns = [candidates[at] for at in chosen]
    if not columns or (electrodes is None and channels is None):
        raise InputFileError(
            f"no electrode among its columns ({', '.join(header[:8])}); "
            "if they are EEG, name them with --channels"
        )
    rows = np.ones(table.values.shape[0], dtype=np.bool_)
    if time_at in table.text:
        rows = np.asarray(np.isfinite(table.values[:, columns]).any(axis=1), dtype=np.bool_)
    values = table.values[rows]
    notes = list(table.notes)
    if (said := left_out([header[at] for at in candidates], chosen)) and electrodes is not None:
        notes.append(said)
    stamps = None if time_at is None else _stamps(table, time_at, rate)[rows]
    counter = None if counter_at is None else values[:, counter_at]
    sfreq, index = _place(stamps, counter, rate, values.shape[0], notes)
    used = [at for at in (time_at, *columns) if at is not None and at in numeric]
    if repeats := count_repeats(values[:, used]):
        notes.append(f"{repeats} rows repeat the row before")
    t0 = float(stamps[0]) if stamps is not None else 0.0
    return Raw(
        values=values[:, columns].T,
        labels=[header[at] for at in columns],
        electrodes=electrodes,
        sfreq=sfreq,
        index=index,
        t0=t0,
        unit=_unit(table.comments),
        markers=[
            *_markers(markers_at, values, t0 + index / sfreq),
            *_spoken(table, rows, t0 + index / sfreq),
        ],
        notes=notes,
    )


def _headerless(table: Table, channels: Sequence[str] | None, rate: float | None) -> Raw:
    rows, width = table.values.shape
    if rate is None or channels is None:
        lacking = [_WAY_OUT] if rate is None else []
        lacking += ["name the columns with --channels"] if channels is None else []
        raise InputFileError(f"{width} columns of numbers without a header; {' and '.join(lacking)}")
    index = np.arange(rows, dtype=np.int64)
    labels = [f"column {at + 1}" for at in range(width)]
    notes = [*table.notes, "no time column; lost samples cannot be seen"]
    return Raw(table.values.T, labels, None, rate, index, notes=notes)


def _place(
    stamps: npt.NDArray[np.float64] | None,
    counter: npt.NDArray[np.float64] | None,
    rate: float | None,
    rows: int,
    notes: list[str],
) -> tuple[float, npt.NDArray[np.int64]]:
    """Return rate and absolute index from whatever the file has: counter and stamps, either, or neither."""
    if stamps is not None:
        timing = index_from_stamps(stamps)
        placed = None if counter is None else index_from_counter(counter, stamps, timing.sfreq)
        if placed is not None and placed[1]:
            return timing.sfreq, placed[0]
        notes.extend(timing.notes)
        return timing.sfreq, timing.rows
    placed = None if counter is None else index_from_counter(counter)
    if placed is not None:
        index, turn = placed
        # an EPOC counts 0 to 128, a second of 128 samples and one more
        sfreq = rate or (128.0 if turn == 129 else snap_rate(float(turn)) if turn else 0.0)
        if sfreq <= 0:
            raise InputFileError(f"neither a time column nor a whole second of COUNTER; {_WAY_OUT}")
        notes.append(
            f"no time column; rate {sfreq:g} Hz from the counter, losses of whole seconds cannot be seen"
            if rate is None
            else "no time column; losses of whole turns of the counter cannot be seen"
        )
        return sfreq, index
    if rate is None:
        raise InputFileError(f"neither a time column nor a counter; {_WAY_OUT}")
    notes.append("no time column; lost samples cannot be seen")
    return rate, np.arange(rows, dtype=np.int64)


def _stamps(table: Table, at: int, rate: float | None) -> npt.NDArray[np.float64]:
    """Return the time column in seconds."""
    if at in table.text:
        return _clock_texts(table.text[at])
    stamps = table.values[:, at]
    if not np.isfinite(stamps).all():
        return stamps
    if rate is not None and stamps.size > 1 and (np.diff(stamps) == 1).all():
        return stamps / rate
    return stamps * seconds_per_unit(stamps)


def _clock_texts(cells: list[str]) -> npt.NDArray[np.float64]:
    try:
        return np.array([datetime.fromisoformat(cell).timestamp() for cell in cells])
    except ValueError as error:
        raise InputFileError(
            f"the time column holds {cells[0][:30]!r}, which is no time; "
            "write seconds, or as 2026-05-31T12:00:00"
        ) from error


def _unit(comments: list[str]) -> str | None:
    found = re.search(r"\bunits?\s*[:=]\s*([^\s,;]+)", " ; ".join(comments), re.IGNORECASE)
    return found.group(1) if found else None


def _spoken(
    table: Table, rows: npt.NDArray[np.bool_], times: npt.NDArray[np.float64]
) -> list[tuple[float, str]]:
    """Return the moments when a marker column of words says something new."""
    found = []
    for at, cells in table.text.items():
        if not _MARKER.match((table.header or [])[at].strip()):
            continue
        said = np.array(["" if cell.lower() in MISSING else cell for cell in cells])[rows]
        new = np.flatnonzero((said != "") & (said != np.concatenate([[""], said[:-1]])))
        found += [(float(times[row]), str(said[row])) for row in new]
    return found


def _marker_columns(header: list[str], numeric: list[int]) -> list[int]:
    """Return the columns of markers; Emotiv's say number and kind of each in columns of their own."""
    found = [at for at in numeric if _MARKER.match(header[at].strip())]
    told = [at for at in found if not _MARKER_DETAIL.match(header[at].strip())]
    return told or found


def _markers(
    columns: list[int], values: npt.NDArray[np.float64], times: npt.NDArray[np.float64]
) -> list[tuple[float, str]]:
    """Return the moments when a marker column takes a value other than 0."""
    found = []
    for at in columns:
        column = np.nan_to_num(values[:, at])
        starts = np.flatnonzero((column != 0) & (np.diff(column, prepend=0) != 0))
        found += [(float(times[row]), f"{column[row]:.15g}") for row in starts]
    return found
