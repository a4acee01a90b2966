"""DEAP's own table of ratings, participant_ratings.csv or .xls, against which a copy is held."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emod_model.errors import InputFileError

_PERSON, _VIDEO = "participant_id", "experiment_id"


@dataclass(frozen=True)
class Official:
    """Ratings by person and video.

    Attributes
    ----------
    path : pathlib.Path
        The table.
    """

    path: Path
    _rated: dict[tuple[int, int], tuple[float, float]]

    def of(self, person: int, video: int) -> tuple[float, float]:
        """Return valence and arousal, 1 to 9.

        Raises
        ------
        InputFileError
            The table lacks them.
        """
        if (person, video) not in self._rated:
            raise InputFileError(f"{self.path}: has no rating of person {person} for video {video}")
        return self._rated[person, video]


def official_ratings(raw: Path) -> Official | None:
    """Return the table that lies in the folder or beside it, None where there is none.

    Raises
    ------
    InputFileError
        It cannot be read.
    """
    near = [path for folder in (raw, raw.parent) for path in _tables(folder, deep=folder == raw)]
    if not near:
        return None
    path = min(near, key=lambda found: found.suffix.lower() != ".csv")
    rows = _csv(path) if path.suffix.lower() == ".csv" else _xls(path)
    try:
        names = {str(name).strip().lower(): at for at, name in enumerate(next(iter(rows)))}
        columns = [names[name] for name in (_PERSON, _VIDEO, "valence", "arousal")]
    except (StopIteration, KeyError) as error:
        raise InputFileError(
            f"{path}: no columns Participant_id, Experiment_id, Valence and Arousal; take it from DEAP's site"
        ) from error
    rated = {}
    for number, row in enumerate(rows[1:], start=2):
        try:
            who, video, valence, arousal = (float(row[at]) for at in columns)
            rated[int(who), int(video)] = (valence, arousal)
        except (ValueError, IndexError, OverflowError) as error:
            raise InputFileError(
                f"{path}: row {number} is {row[:6]}, not numbers; download it again"
            ) from error
    return Official(path, rated)


def _tables(folder: Path, *, deep: bool) -> Iterable[Path]:
    places = folder.rglob("*") if deep else [*folder.glob("*"), *folder.glob("metadata*/*")]
    return [
        path
        for path in sorted(places)
        if path.name.lower() in ("participant_ratings.csv", "participant_ratings.xls")
    ]


def _csv(path: Path) -> list[list[Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return [row for row in csv.reader(text.splitlines(), csv.Sniffer().sniff(text[:2000], ",;\t")) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputFileError(f"{path}: cannot be read as a table ({error}); download it again") from error


def _xls(path: Path) -> list[list[Any]]:
    import xlrd

    try:
        sheet = xlrd.open_workbook(path, logfile=None, formatting_info=False).sheet_by_index(0)
        return [sheet.row_values(at) for at in range(sheet.nrows)]
    except Exception as error:  # xlrd raises whatever a broken file makes it stumble on
        raise InputFileError(
            f"{path}: cannot be read as an Excel table ({error}); put participant_ratings.csv in its place"
        ) from error
