"""JSON lines: one object a window, then the summary."""

import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from emod_model.errors import UsageError
from emod_rt.estimate import Estimate

_FIRST = (b'{"t":', b'{"summary":')


class JsonLines:
    """Writes the JSON-lines contract to a file or, for "-", to standard output; every line at once.

    A file of earlier JSON lines is replaced, any other is left as it is.

    Parameters
    ----------
    target : str
        Path or "-".

    Raises
    ------
    UsageError
        The file cannot be written, or is something else: a slip must not cost a recording.
    """

    name = "jsonl"

    def __init__(self, target: str) -> None:
        self._own = target != "-"
        try:
            if self._own and _is_something_else(Path(target)):
                raise UsageError(
                    f"{target} is there already, holds no JSON lines and is not overwritten; "
                    "choose another name"
                )
            self._out: TextIO = Path(target).open("w", encoding="utf-8") if self._own else sys.stdout  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise UsageError(
                f"JSON lines cannot be written to {target} ({error.strerror}); choose another file, "
                "or - for standard output"
            ) from error

    def push(self, estimate: Estimate) -> None:
        """Write one line."""
        self._line(estimate.to_json())

    def close(self, summary: dict[str, Any]) -> None:
        """Write the summary and close the file."""
        self._line(summary)
        if self._own:
            self._out.close()

    def _line(self, value: dict[str, Any]) -> None:
        try:
            self._out.write(json.dumps(value) + "\n")
            self._out.flush()
        except BrokenPipeError:
            # what is left in the buffer must not be flushed at exit into a pipe that nobody reads
            if not self._own:
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())
            raise


def _is_something_else(path: Path) -> bool:
    """Tell a file that is no JSON lines of ours; a pipe or a device may be written to."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        first = file.read(max(map(len, _FIRST)))
    return bool(first) and not first.startswith(_FIRST)
