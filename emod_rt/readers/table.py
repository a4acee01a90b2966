"""Text tables: from the bytes of a CSV to columns of numbers, with the line number of whatever is wrong."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError
from emod_rt.readers.labels import is_signal

# thousands of channels with all their digits stay far below it
_LONGEST_LINE = 200_000

MISSING = {"", "nan", "na", "n/a", "null", "none", "-", "inf", "-inf"}
"""How a cell says that it holds nothing."""


@dataclass
class Table:
    """A text table.

    Attributes
    ----------
    comments : list of str
        Lines that start with % or #, without that sign.
    header : list of str or None
        Column names; None when the first line is numbers already.
    values : numpy.ndarray, shape (rows, columns), float64
        NaN where a cell is empty or text.
    text : dict of int to list of str
        Cells of the columns that hold text, by column.
    notes : list of str
        Sentences on lines left out.
    """

    comments: list[str]
    header: list[str] | None
    values: npt.NDArray[np.float64]
    text: dict[int, list[str]]
    notes: list[str]


def decode(blob: bytes) -> str:
    """Return the text of a file.

    Raises
    ------
    InputFileError
        The bytes are no text.
    """
    if blob[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    else:
        head = blob[:65536]
        control = sum(byte < 9 or 13 < byte < 32 for byte in head)
        if b"\x00" in blob or control > 0.01 * len(head):
            raise InputFileError(
                "neither text nor a known EEG format; give an EDF, BDF, FIF, BrainVision, EEGLAB, "
                "XDF, CSV or OpenBCI file"
            )
        encoding = "utf-8-sig"
    try:
        return blob.decode(encoding)
    except UnicodeDecodeError:
        return blob.decode("latin-1")


def parse_table(text: str) -> Table:
    """Read a delimited table, its comments and its header.

    A last line that is cut short is left out with a note; any other broken line is an error.

    Raises
    ------
    InputFileError
        No rows of numbers, or a broken line, with its number.
    """
    lines = text.splitlines()
    comments = [line[1:].strip() for line in lines if line[:1] in "%#" and line]
    numbered = [(at, line) for at, line in enumerate(lines, 1) if line.strip() and line[0] not in "%#"]
    longest = max(numbered, key=lambda row: len(row[1]), default=(0, ""))
    if len(longest[1]) > _LONGEST_LINE:
        raise InputFileError(
            f"line {longest[0]} is {len(longest[1])} characters long; give a recording with one row a sample"
        )
    if not numbered:
        raise InputFileError(f"no rows of data in its {len(lines)} lines; record or export it again")
    header, start = _find_header(numbered)
    if start >= len(numbered):
        raise InputFileError(
            f"a header of {len(header or ())} columns but no rows of data; record or export it again"
        )
    return _numbers(comments, header, numbered[start:])


def _find_header(numbered: list[tuple[int, str]]) -> tuple[list[str] | None, int]:
    """Return the column names and the place of the first row of numbers."""
    header: list[str] | None = None
    # some exporters put a line of their own before the header
    head = numbered[:3]
    for at, (_, line) in enumerate(head):
        cells = split(line, _delimiter(line))
        numbers = [number for cell in cells if (number := _number(cell)) is not None and not np.isnan(number)]
        if (
            len(cells) > 1
            and header is None
            and numbers in (list(range(len(cells))), list(range(1, len(cells) + 1)))
        ):
            continue
        if len(cells) > 1 and numbers:
            return header, at
        if len(cells) > 1:
            header = [cell.strip("\"'") for cell in cells]
    if header is None:
        raise InputFileError(
            f"line {numbered[0][0]} is not numbers in columns; "
            "give a recording with one column a channel, parted by commas"
        )
    return header, len(head)


def split(line: str, delimiter: str) -> list[str]:
    """Return the stripped cells of a line; what stands in quotes or brackets is not split."""
    if not any(sign in line for sign in '"[('):
        return [cell.strip() for cell in line.split(None if delimiter == " " else delimiter)]
    cells, start, depth, quoted = [], 0, 0, False
    for at, sign in enumerate(line):
        quoted ^= sign == '"'
        depth += (sign in "[(") - (sign in "])")
        if sign == delimiter and not quoted and depth <= 0:
            cells.append(line[start:at])
            start = at + 1
    return [cell.strip().strip('"') for cell in (*cells, line[start:])]


def _delimiter(line: str) -> str:
    # a comma beside a semicolon or a tab is a decimal comma
    return next((sign for sign in ";\t," if sign in line), " ")


def _number(cell: str) -> float | None:
    if cell.lower() in MISSING:
        return np.nan
    try:
        return float(cell.replace(",", "."))
    except ValueError:
        return None


def _numbers(comments: list[str], header: list[str] | None, body: list[tuple[int, str]]) -> Table:
    first_line, first = body[0]
    delimiter = _delimiter(first)
    width = len(split(first, delimiter))
    if header is not None and len(header) != width:
        raise InputFileError(
            f"the header names {len(header)} columns, line {first_line} has {width}; "
            "give each column one name"
        )
    notes: list[str] = []
    if len(body) > 1 and len(split(body[-1][1], delimiter)) < width:
        body = body[:-1]
        notes.append("the last line is cut short and left out")
    plain = _all_numbers([line for _, line in body], delimiter, width)
    if plain is not None:
        return Table(comments, header, plain, {}, notes)
    values, text = _line_by_line(body, delimiter, width, header)
    return Table(comments, header, values, text, notes)


def _all_numbers(lines: list[str], delimiter: str, width: int) -> npt.NDArray[np.float64] | None:
    """Read lines that hold nothing but numbers, fast; None for any other."""
    try:
        values = np.loadtxt(lines, delimiter=None if delimiter == " " else delimiter, ndmin=2, comments=None)
    except ValueError:
        return None
    return values if values.shape[1] == width else None


def _line_by_line(
    body: list[tuple[int, str]], delimiter: str, width: int, header: list[str] | None
) -> tuple[npt.NDArray[np.float64], dict[int, list[str]]]:
    """Read lines with empty cells or words, and name the line that is broken."""
    table = [split(line, delimiter) for _, line in body]
    for (number, _), cells in zip(body, table, strict=True):
        if len(cells) != width:
            raise InputFileError(
                f"line {number} has {len(cells)} columns, the lines before it {width}; mend that line"
            )
    values = np.full((len(body), width), np.nan)
    text: dict[int, list[str]] = {}
    for column in range(width):
        cells = [row[column] for row in table]
        numbers = [_number(cell) for cell in cells]
        wrong = next((row for row, number in enumerate(numbers) if number is None), None)
        if wrong is None:
            values[:, column] = np.array(numbers, dtype=np.float64)
        elif wrong == 0 or (header is not None and not is_signal(header[column])):
            text[column] = cells
        else:
            raise InputFileError(
                f"line {body[wrong][0]}, column {column + 1}: {cells[wrong][:20]!r} is no number; "
                "mend it or leave it empty"
            )
    if len(text) == width:
        raise InputFileError(
            f"line {body[0][0]} holds no numbers in its {width} columns; "
            "give a recording with one column a channel"
        )
    return values, text
