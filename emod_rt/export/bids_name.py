"""What a recording is called in a BIDS dataset."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from emod_model.errors import UsageError

_ENTITY = re.compile(r"(?:^|_)(sub|ses|task|run)-([A-Za-z0-9]+)(?=_|\.|$)")
_TASK = "unnamed"


@dataclass(frozen=True)
class BidsName:
    """The entities of a recording.

    Attributes
    ----------
    subject, task : str
        Letters and digits.
    session : str or None
        Letters and digits.
    run : int or None
        From 1.
    """

    subject: str
    task: str
    session: str | None = None
    run: int | None = None

    @property
    def folder(self) -> Path:
        """Where its files lie, from the top of the dataset."""
        session = [] if self.session is None else [f"ses-{self.session}"]
        return Path(f"sub-{self.subject}", *session, "eeg")

    @property
    def stem(self) -> str:
        """What the names of its files begin with."""
        session = "" if self.session is None else f"_ses-{self.session}"
        run = "" if self.run is None else f"_run-{self.run}"
        return f"sub-{self.subject}{session}_task-{self.task}{run}"


def name_for(path: Path, subject: str | None, session: str | None, task: str | None) -> BidsName:
    """Take the entities from what the user says, and from the file's own BIDS name.

    Raises
    ------
    UsageError
        No subject, or signs that BIDS does not allow.
    """
    found = dict(_ENTITY.findall(path.name))
    subject = subject or found.get("sub")
    if subject is None:
        raise UsageError(
            f"{path.name} does not say whose recording it is; give a pseudonym, as in --subject 01"
        )
    for option, value in (("--subject", subject), ("--session", session), ("--task", task)):
        if value is not None and not re.fullmatch("[A-Za-z0-9]+", value):
            raise UsageError(
                f"{option} {value!r} holds more than letters and digits, which BIDS does not allow"
            )
    run = found.get("run", "")
    return BidsName(
        subject,
        task or found.get("task", _TASK),
        session or found.get("ses"),
        int(run) if run.isdigit() else None,
    )


def free_name(root: Path, name: BidsName) -> tuple[BidsName, str | None]:
    """Return the name, or that of the next free run, and one sentence when it had to change.

    Raises
    ------
    UsageError
        The file's own name says which run it is, and that is there already.
    """
    if not _taken(root, name):
        return name, None
    if name.run is not None:
        raise UsageError(
            f"{root / name.folder / name.stem} is there already and is not overwritten; "
            "choose another dataset"
        )
    run = 2
    while _taken(root, replace(name, run=run)):
        run += 1
    return replace(name, run=run), f"{name.stem} is there already, so this is run {run}"


def _taken(root: Path, name: BidsName) -> bool:
    return (
        any((root / name.folder).glob(f"{name.stem}_*"))
        if name.run is not None
        else any((root / name.folder).glob(f"{name.stem}_eeg.*"))
    )
