"""A recording as CSV: one row a sample, nothing filled in."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from emod_rt.export.continuous import markers_of
from emod_rt.export.tables import (
    EVENT_COLUMNS,
    EVENT_TEXTS,
    event_rows,
    generated_by,
    write_json,
    write_table,
)
from emod_rt.readers.recording import Recording

_ROWS = 20_000


def write_csv(recording: Recording, path: Path, advance: Callable[[float], None]) -> list[str]:
    """Write the signal, its description and, when it has any, its markers.

    Parameters
    ----------
    recording : Recording
        What to write.
    path : Path
        NAME.csv; NAME.json and NAME_markers.csv come beside it.
    advance : callable
        Called with the seconds of signal that are written.

    Returns
    -------
    list of str
        Notes: none, every value is as it was.
    """
    marks = markers_of(recording)
    labels = _labels(recording)
    columns = ["time", "sample_index", *recording.channels, *(["marker"] if marks else [])]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(columns) + "\n")
        for first in range(0, recording.index.size, _ROWS):
            rows = slice(first, first + _ROWS)
            times = map(repr, recording.times[rows].tolist())
            index = map(str, recording.index[rows].tolist())
            # numpy writes the fewest digits that give the very same float32
            values = map(",".join, recording.data[:, rows].T.astype(np.str_).tolist())
            cells = map(",".join, zip(times, index, values, strict=True))
            if marks:
                file.writelines(f"{row},{labels.get(at, '')}\n" for at, row in enumerate(cells, first))
            else:
                file.writelines(f"{row}\n" for row in cells)
            advance(min(first + _ROWS, recording.index.size) / recording.sfreq)
    write_json(path.with_suffix(".json"), _describe(recording, columns))
    if marks:
        table = path.with_name(f"{path.stem}_markers.csv")
        write_table(table, EVENT_COLUMNS, event_rows(marks, recording.sfreq))
    return []


def _labels(recording: Recording) -> dict[int, str]:
    """Return the cell of each row that a marker falls on, or of the next row there is."""
    found: dict[int, list[str]] = {}
    for mark in markers_of(recording):
        row = int(np.searchsorted(recording.index, mark.sample))
        if mark.sample >= 0 and row < recording.index.size:
            found.setdefault(row, []).append(mark.text)
    return {row: _cell(" | ".join(texts)) for row, texts in found.items()}


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"') else text


def _describe(recording: Recording, columns: list[str]) -> dict[str, object]:
    lost = np.diff(recording.index) - 1
    texts: dict[str, object] = {
        "time": {"Description": "Time of the sample in the recording's own clock.", "Units": "s"},
        "sample_index": {"Description": "Samples since the first one, 0; it jumps where samples were lost."},
    }
    for name in recording.channels:
        texts[name] = {"Description": "Signal as acquired; nan where there is no value.", "Units": "µV"}
    if "marker" in columns:
        texts["marker"] = {
            "Description": "Markers at this sample, or at lost samples just before it; "
            "exact times are in the table of markers."
        }
    return {
        "SamplingFrequency": recording.sfreq,
        "Samples": int(recording.index.size),
        "Lost": recording.lost,
        "Holes": [[int(recording.index[row]) + 1, int(lost[row])] for row in np.flatnonzero(lost)],
        "Simulated": recording.simulated,
        "Source": recording.name,
        "Notes": list(recording.notes),
        "Columns": texts,
        "MarkerColumns": EVENT_TEXTS,
        "GeneratedBy": [generated_by()],
    }
