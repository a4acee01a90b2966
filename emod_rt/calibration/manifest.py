"""The manifest of a folder of stimuli: what each is meant to bring about."""

import csv
import io
import math
from pathlib import Path, PurePosixPath, PureWindowsPath

from emod_model.errors import InputFileError

MANIFEST = "manifest.csv"
_LARGEST = 2**20
_MOST = 10_000
_COLUMNS = ("file", "valence", "arousal")

Entry = tuple[str, str, tuple[float, float] | None]


def read_manifest(folder: Path) -> list[Entry]:
    """Read a folder's `manifest.csv`: a header `file,valence,arousal`, then one line a stimulus.

    Valence and arousal are on the scales of the Self-Assessment Manikin, 1 to 9, fractions allowed, or both
    empty. Semicolons may part the columns, and a comma the decimals then, as spreadsheets write it.

    Returns
    -------
    list of (str, str, (float, float) or None)
        For each its place in the manifest, its name, and what it is meant to bring about in [-1, 1].

    Raises
    ------
    InputFileError
        It is broken, or names what lies elsewhere.
    """
    manifest = folder / MANIFEST
    entries: dict[str, Entry] = {}
    for line, row in _rows(manifest):
        where, name = f"{manifest}, line {line}", row["file"]
        _check_inside(folder, name, where)
        if name in entries:
            raise InputFileError(f"{where}: {name[:80]!r} is listed twice; list each file once")
        valence = _rated(where, "valence", row["valence"])
        arousal = _rated(where, "arousal", row["arousal"])
        if (valence is None) != (arousal is None):
            raise InputFileError(
                f"{where}: {name[:80]!r} has one of valence and arousal; give both, or leave both empty"
            )
        entries[name] = where, name, None if valence is None or arousal is None else (valence, arousal)
    return list(entries.values())


def _rows(manifest: Path) -> list[tuple[int, dict[str, str]]]:
    """Return the lines of a manifest with their numbers, by column."""
    if not manifest.is_file():
        raise InputFileError(f"{manifest} is no file; write one line a stimulus: {','.join(_COLUMNS)}")
    if (size := manifest.stat().st_size) > _LARGEST:
        raise InputFileError(f"{manifest} has {size:,} bytes, too many for a list of stimuli; shorten it")
    try:
        text = manifest.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputFileError(f"{manifest} is not text in UTF-8; save it as CSV UTF-8") from error
    first = text.split("\n", 1)[0]
    # spreadsheets write semicolons where the comma parts decimals
    delimiter = ";" if ";" in first else ","
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise InputFileError(f"{manifest} is no CSV ({error}); save it as CSV UTF-8") from error
    header = [cell.strip().lower() for cell in table[0]] if table else []
    if sorted(header) != sorted(_COLUMNS):
        raise InputFileError(
            f"{manifest} begins with {first.strip()[:80]!r}; its first line must be {','.join(_COLUMNS)}"
        )
    rows = []
    for line, cells in enumerate(table[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise InputFileError(
                f"{manifest}, line {line}: {len(cells)} columns, not 3; write {','.join(_COLUMNS)}"
            )
        rows.append((line, {key: cell.strip() for key, cell in zip(header, cells, strict=True)}))
    if len(rows) > _MOST:
        raise InputFileError(f"{manifest} lists {len(rows):,} stimuli; list at most {_MOST:,}")
    return rows


def _rated(where: str, axis: str, text: str) -> float | None:
    """Return a rating of 1 to 9 as -1 to 1; None for an empty one."""
    if not text:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if not 1 <= value <= 9:
        raise InputFileError(
            f"{where}: the {axis} {text[:40]!r} is not on the scale; give 1 to 9, or leave both empty"
        )
    return (value - 5) / 4


def _check_inside(folder: Path, name: str, where: str) -> None:
    """Refuse what does not lie in the folder."""
    parts = (*PurePosixPath(name).parts, *PureWindowsPath(name).parts)
    foreign = PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or PureWindowsPath(name).root
    if not name or not name.isprintable() or ".." in parts or foreign:
        raise InputFileError(f"{where}: {name[:80]!r} does not lie in {folder}; name a file in it")
