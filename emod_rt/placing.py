"""New files that appear whole or not at all, and never in the place of another."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path


@contextlib.contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """Give a new folder beside the target, its owner's alone; it goes with all that is still in it.

    Parameters
    ----------
    folder : Path
        Where the files will lie; made with its parents when it is missing.

    Raises
    ------
    OSError
        The folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error
    with tempfile.TemporaryDirectory(prefix=".emod-rt-", dir=folder) as made:
        yield Path(made)


def place(moves: Sequence[tuple[Path, Path]]) -> None:
    """Give finished files their names: all of them, or none.

    Parameters
    ----------
    moves : sequence of (Path, Path)
        File and its new name, on one disk; each becomes readable by its owner only.

    Raises
    ------
    FileExistsError
        One of the names is taken; the error names it.
    OSError
        The disk refuses.
    """
    done: list[Path] = []
    try:
        for part, target in moves:
            part.chmod(0o600)
            target.parent.mkdir(parents=True, exist_ok=True)
            give_name(part, target)
            done.append(target)
    except OSError:
        for target in done:
            target.unlink(missing_ok=True)
        raise


def give_name(part: Path, target: Path) -> None:
    """Give a file its name, unless another has it.

    Raises
    ------
    FileExistsError
        Another has it; the error names it.
    """
    try:
        target.hardlink_to(part)
    except FileExistsError as error:
        raise FileExistsError(error.errno, error.strerror, str(target)) from error
    except OSError as error:
        # memory sticks know no second name for a file
        if target.exists():
            raise FileExistsError(error.errno, error.strerror, str(target)) from error
        part.rename(target)
