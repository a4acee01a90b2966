"""Where a recording goes and what it is called: as asked, or by BIDS, and never over another."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emod_model.errors import UsageError

FOLDER = Path("recordings")
"""Where recordings go that are told no other place."""

_LABEL = re.compile("[A-Za-z0-9]+")
_RUN = re.compile(r"_run-(\d+)_eeg")


@dataclass(frozen=True)
class Place:
    """A file to be made, or a folder in which names are generated.

    A generated name is FOLDER/sub-01/ses-01/eeg/sub-01_ses-01_task-rest_run-01_eeg.xdf, with the next run
    that is free.

    Attributes
    ----------
    path : Path
        The file, or the folder.
    is_folder : bool
        Which of them.
    subject, session, task : str
        Labels of BIDS: letters and digits.
    """

    path: Path
    is_folder: bool
    subject: str = "01"
    session: str = "01"
    task: str = "rest"

    def files(self) -> Iterator[Path]:
        """Yield the names to try, best first; whoever makes the first that is free has it."""
        if not self.is_folder:
            yield self.path
            return
        stem = f"sub-{self.subject}_ses-{self.session}_task-{self.task}"
        folder = self.path / f"sub-{self.subject}" / f"ses-{self.session}" / "eeg"
        there = (_RUN.fullmatch(file.stem.removeprefix(stem)) for file in folder.glob(f"{stem}_run-*.xdf"))
        run = max((int(found[1]) for found in there if found), default=0)
        while True:
            run += 1
            yield folder / f"{stem}_run-{run:02d}_eeg.xdf"


def place(
    out: str | Path | None = None,
    subject: str | None = None,
    session: str | None = None,
    task: str | None = None,
) -> Place:
    """Settle where a recording goes.

    Parameters
    ----------
    out : path-like, optional
        A file; or a folder, which is there or ends in a slash; "recordings" by default.
    subject, session, task : str, optional
        Labels for a name by BIDS; with one of them `out` is a folder.

    Returns
    -------
    Place
        Nothing is made yet.

    Raises
    ------
    UsageError
        A label that BIDS does not allow, or labels beside the name of a file.
    """
    labels = {"subject": subject, "session": session, "task": task}
    given = {key: value for key, value in labels.items() if value is not None}
    for key, value in given.items():
        if not _LABEL.fullmatch(value):
            raise UsageError(f"--{key} {value!r} is no label of BIDS; give letters and digits alone, as 01")
    path = FOLDER if out is None else _expanded(out)
    named = out is None or str(out).endswith(("/", "\\")) or _is_folder(path)
    if given and not named and path.suffix.lower() == ".xdf":
        option = next(iter(given))
        raise UsageError(
            f"--{option} makes the name of the file by itself, but {path} is a file; give a folder"
        )
    return Place(path, named or bool(given), **given)


def _expanded(out: str | Path) -> Path:
    try:
        return Path(out).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{out} begins with the home of nobody known here; write the path out") from error


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        # what may not be looked at is said when the file is made
        return False
