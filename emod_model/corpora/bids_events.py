"""The table of events beside a BIDS recording."""

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING

from emod_model.errors import InputFileError

if TYPE_CHECKING:
    from mne_bids import BIDSPath

Row = dict[str, str]


def read_events(path: "BIDSPath") -> tuple[Path | None, list[Row]]:
    """Return the table that holds for a recording, its own or one further up, and its rows.

    Parameters
    ----------
    path : mne_bids.BIDSPath
        The recording.

    Returns
    -------
    pathlib.Path or None
        None where there is none.
    list of dict
        Cells by column, "n/a" where one is empty.

    Raises
    ------
    InputFileError
        It cannot be read, or an onset or duration is no number.
    """
    found = path.find_matching_sidecar(suffix="events", extension=".tsv", on_error="ignore")
    if found is None:
        return None, []
    file = Path(found)
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(f"{file}: cannot be read ({error}); give a table in UTF-8") from error
    table = csv.DictReader(lines, delimiter="\t")
    columns = table.fieldnames or []
    if not {"onset", "duration"} <= set(columns):
        raise InputFileError(f"{file}: its columns are {', '.join(columns)}; BIDS needs onset and duration")
    rows = [{key: value or "n/a" for key, value in row.items() if key} for row in table]
    for number, row in enumerate(rows, 2):
        try:
            number_of(row, "onset")
            number_of(row, "duration")
        except InputFileError as error:
            raise InputFileError(f"{file}, row {number}: {error}") from error
    return file, rows


def number_of(row: Row, column: str) -> float | None:
    """Return a cell as a number, None where it is absent or "n/a".

    Raises
    ------
    InputFileError
        It is something else.
    """
    text = row.get(column, "n/a").strip()
    if text.casefold() in ("n/a", "nan", ""):
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise InputFileError(f"{column} {text!r} is no number; write one, or n/a") from error
    if not math.isfinite(value):
        raise InputFileError(f"{column} {text!r} is no number; write one, or n/a")
    return value
