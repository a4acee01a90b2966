"""The OpenBCI GUI's text recordings, versions 2 to 6."""

import re

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError
from emod_model.montage import CYTON, DAISY
from emod_rt.readers.recording import Raw
from emod_rt.readers.table import Table, parse_table
from emod_rt.readers.timing import (
    check_rate,
    count_repeats,
    index_from_counter,
    index_from_stamps,
    seconds_per_unit,
)


def is_openbci(text: str) -> bool:
    """Tell whether a text is an OpenBCI GUI recording."""
    return text[:200].lstrip("\ufeff").startswith("%OpenBCI")


def read_openbci(text: str, rate: float | None) -> Raw:
    """Read an OpenBCI GUI recording: channels in microvolts, packet counter, time stamps, markers.

    Raises
    ------
    InputFileError
        No EXG channels, no rate, or a broken line.
    """
    table = parse_table(text)
    comments = " ; ".join(table.comments)
    columns = _exg_columns(table, comments)
    values = table.values[:, columns].T
    notes = list(table.notes)
    declared = re.search(r"Sample Rate\s*=\s*(\d+(?:\.\d+)?)", comments)
    sfreq = float(declared.group(1)) if declared else rate or 0.0
    stamps = _stamps(table)
    if stamps is not None and not sfreq:
        sfreq = index_from_stamps(stamps).sfreq
    if sfreq <= 0:
        raise InputFileError(
            "no '%Sample Rate' and no time stamps; add the rate to its name, as in PATH?rate=250"
        )
    check_rate(sfreq)
    placed = index_from_counter(table.values[:, 0], stamps, sfreq)
    if placed is not None:
        index = placed[0]
    elif stamps is not None:
        timing = index_from_stamps(stamps, sfreq)
        index = timing.rows
        notes.append("the sample index does not count packets; holes found by the time stamps")
    else:
        index = np.arange(table.values.shape[0], dtype=np.int64)
        notes.append("neither packet counter nor time stamps; lost samples cannot be seen")
    repeats = count_repeats(table.values[:, [0, *columns]])
    if repeats:
        notes.append(f"{repeats} rows repeat the row before")
    t0 = float(stamps[0]) if stamps is not None else 0.0
    return Raw(
        values=values,
        labels=[f"EXG Channel {at}" for at in range(len(columns))],
        electrodes=None,
        sfreq=sfreq,
        index=index,
        t0=t0,
        unit="uV",
        default={8: CYTON, 16: DAISY}.get(len(columns), ()),
        markers=_markers(table, t0 + index / sfreq),
        notes=notes,
    )


def _exg_columns(table: Table, comments: str) -> list[int]:
    if table.header is not None:
        columns = [at for at, name in enumerate(table.header) if re.match(r"(?:EXG|EEG) Channel", name, re.I)]
    else:
        count = re.search(r"Number of channels\s*=\s*(\d+)", comments)
        columns = list(range(1, int(count.group(1)) + 1)) if count else []
    if not columns or columns[-1] >= table.values.shape[1]:
        raise InputFileError(
            f"no EXG channels among its {table.values.shape[1]} columns; "
            "give a recording as the OpenBCI GUI wrote it"
        )
    return columns


def _stamps(table: Table) -> npt.NDArray[np.float64] | None:
    """Return the host's time stamps in seconds, None when the file has none that advance."""
    if table.header is not None:
        at = next((at for at, name in enumerate(table.header) if name.strip().lower() == "timestamp"), None)
    else:
        # version 2 to 4: the last numeric column holds milliseconds since 1970
        epoch = np.flatnonzero(table.values[0] > 1e9)
        at = int(epoch[-1]) if epoch.size else None
    if at is None or not np.isfinite(table.values[:, at]).all():
        return None
    stamps = table.values[:, at]
    return stamps * seconds_per_unit(stamps) if stamps[-1] > stamps[0] else None


def _markers(table: Table, times: npt.NDArray[np.float64]) -> list[tuple[float, str]]:
    at = next((at for at, name in enumerate(table.header or []) if name.lower().startswith("marker")), None)
    if at is None:
        return []
    values = table.values[:, at]
    return [(float(times[row]), f"{values[row]:.15g}") for row in np.flatnonzero(np.nan_to_num(values) != 0)]
