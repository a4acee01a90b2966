"""One person's windows on the way into a store: there whole, or not at all."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError


class PartTrial(BaseModel):
    """The windows of one trial; `bad` has the rows of each window that hold no signal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: str
    trial: str
    stimulus: str | None
    label: str | None
    valence: float | None
    arousal: float | None
    rated: bool
    channels: tuple[str, ...]
    start_s: tuple[float, ...]
    baseline: tuple[bool, ...]
    bad: tuple[tuple[int, ...], ...]


class Part(BaseModel):
    """What was made of one person.

    Attributes
    ----------
    inputs : str
        Hash of the files it was made of.
    data : str
        Name of the file beside it that holds the windows, float32, trial after trial.
    refused : str or None
        Why there is nothing of this person.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str
    inputs: str
    data: str
    trials: tuple[PartTrial, ...] = ()
    refused: str | None = None
    notes: dict[str, int] = {}
    lost: dict[str, int] = {}

    @property
    def windows(self) -> int:
        """How many."""
        return sum(len(trial.start_s) for trial in self.trials)


def commit(part: Part, path: Path) -> None:
    """Write a part; only when it is on the disk does it have its name.

    Raises
    ------
    OSError
        It cannot be written.
    """
    draft = path.with_name(f"{path.stem}-{os.getpid()}.draft")
    with draft.open("w", encoding="utf-8") as file:
        file.write(part.model_dump_json())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    flush_folder(path.parent)


def load(path: Path, inputs: str, *, refused: bool = False) -> Part | None:
    """Return a part that was made of the same files, None when there is none.

    Parameters
    ----------
    path : pathlib.Path
        Where it would be.
    inputs : str
        Hash of the files.
    refused : bool
        One of a person of whom nothing could be used will do; otherwise that is tried again.
    """
    if not path.exists():
        return None
    try:
        part = Part.model_validate_json(path.read_bytes())
    except ValidationError:
        # of another version of this program: made anew
        return None
    usable = part.inputs == inputs and (refused or part.refused is None)
    return part if usable and (path.parent / part.data).exists() else None


def eeg_of(part: Part, folder: Path, samples: int) -> Iterator[tuple[PartTrial, npt.NDArray[np.float32]]]:
    """Yield each trial with its windows, shape (windows, channels, samples)."""
    with (folder / part.data).open("rb") as file:
        for trial in part.trials:
            shape = (len(trial.start_s), len(trial.channels), samples)
            count = int(np.prod(shape))
            yield trial, np.fromfile(file, dtype="<f4", count=count).reshape(shape)


def flush_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
