"""Where profiles lie: the user's data folder, readable by its owner only."""

import contextlib
import os
import re
import stat
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from emod_model.errors import InputFileError, UsageError
from emod_rt.recording.disk import make_folder

if TYPE_CHECKING:
    from emod_model.calibration.profile import Profile

DATA_VARIABLE = "EMOD_RT_DATA"
"""Environment variable with another place than the user's data folder."""

# no dots: what is kept aside has one; short enough for every file system in any script
_NAME = re.compile(r"[^\W_][\w-]{0,39}")
_ASIDE = re.compile(r"(?P<user>[^.]+)\.previous-(?P<number>[0-9]+)\.json")
_LARGEST = 32 * 2**20


def folder() -> Path:
    """Return the folder of the profiles, which need not exist."""
    chosen = os.environ.get(DATA_VARIABLE)
    if chosen:
        return Path(chosen).absolute() / "profiles"
    import platformdirs

    return Path(platformdirs.user_data_dir("emod-rt", appauthor=False)) / "profiles"


def check_user(user: str) -> str:
    """Return a user's name in one spelling.

    Raises
    ------
    UsageError
        It cannot be the name of a file.
    """
    name = unicodedata.normalize("NFC", user)
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{user!r} cannot be a user's name; give at most 40 letters, digits, - and _, "
            "a letter or digit first"
        )
    return name


def path_of(user: str) -> Path:
    """Return the file of a user's profile, which need not exist."""
    return folder() / f"{check_user(user)}.json"


def users() -> list[str]:
    """Return everybody who has a profile, by name."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return sorted(
            path.stem for path in folder().iterdir() if path.suffix == ".json" and _NAME.fullmatch(path.stem)
        )
    return []


def aside(user: str) -> list[Path]:
    """Return a user's earlier profiles, oldest first."""
    name = check_user(user)
    found = []
    if folder().is_dir():
        matches = [(_ASIDE.fullmatch(path.name), path) for path in folder().iterdir()]
        found = [(int(m["number"]), path) for m, path in matches if m is not None and m["user"] == name]
    return [path for _, path in sorted(found)]


def load(user: str) -> "Profile":
    """Read a user's profile.

    Raises
    ------
    UsageError
        There is none.
    InputFileError
        The file is damaged, or holds something else.
    """
    path = path_of(user)
    if not path.exists() and not path.is_symlink():
        known = users()
        there = f"there are those of {', '.join(known)}" if known else "there is none yet"
        raise UsageError(f"no profile of {user}; {there} (emod-rt calibrate --user {user} makes one)")
    return read(path, check_user(user))


def read(path: Path, user: str | None = None) -> "Profile":
    """Read a profile from a file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    user : str, optional
        Whose it must be.

    Raises
    ------
    InputFileError
        The file is damaged, too large, somebody else's, or no profile at all.
    """
    from pydantic import ValidationError

    from emod_model.calibration.profile import Profile
    from emod_rt.calibration.soundness import fault

    mend = "calibrate anew, or delete it with emod-rt profile delete"
    try:
        status = path.stat()
        # a pipe or a device would never end
        if not stat.S_ISREG(status.st_mode):
            raise InputFileError(f"{path} is no file; {mend}")
        if status.st_size > _LARGEST:
            raise InputFileError(f"{path} is too large for a profile ({status.st_size:,} bytes); {mend}")
        profile = Profile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputFileError(f"{path} cannot be read ({error.strerror}); {mend}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"][:4]) or "the whole"
        reason = "".join(letter for letter in first["msg"] if letter.isprintable())[:200]
        raise InputFileError(f"{path} is no whole profile ({where[:80]!r}: {reason}); {mend}") from error
    wrong = fault(profile)
    if wrong is not None:
        raise InputFileError(f"{path} is no sound profile ({wrong}); {mend}")
    if user is not None and unicodedata.normalize("NFC", profile.user) != user:
        raise InputFileError(
            f"{path} holds the profile of {profile.user}, not of {user}; rename it, or {mend}"
        )
    return profile


def save(profile: "Profile") -> Path | None:
    """Store a profile in one step; one that the user had is kept aside.

    Returns
    -------
    pathlib.Path or None
        Where the earlier profile is now.

    Raises
    ------
    UsageError
        The name cannot be a user's, or the folder takes nothing.
    """
    path = path_of(profile.user)
    try:
        make_folder(path.parent)
        path.parent.chmod(0o700)
        kept = None
        if path.is_file():
            numbers = [
                int(match["number"]) for each in aside(profile.user) if (match := _ASIDE.match(each.name))
            ]
            kept = path.with_name(f"{path.stem}.previous-{max(numbers, default=0) + 1}.json")
            _write(kept, path.read_bytes())
        _write(path, profile.model_dump_json(indent=1).encode())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}); make room, or point {DATA_VARIABLE} elsewhere"
        ) from error
    return kept


def delete(user: str) -> list[Path]:
    """Delete a user's profile, also a damaged one, and the earlier ones.

    Returns
    -------
    list of pathlib.Path
        The files that are gone.

    Raises
    ------
    UsageError
        There is none, or it cannot be deleted.
    """
    path = path_of(user)
    files = [each for each in (path, *aside(user)) if each.exists() or each.is_symlink()]
    if not files:
        load(user)
    try:
        for each in files:
            each.unlink()
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be deleted ({error.strerror})") from error
    return files


def export(user: str, target: Path) -> None:
    """Write a user's profile to a new file.

    Raises
    ------
    UsageError
        There is no profile, or the file is there already or cannot be made.
    InputFileError
        The profile is damaged.
    """
    text = load(user).model_dump_json(indent=1)
    write_new(target, f"{text}\n".encode())


def write_new(target: Path, data: bytes) -> None:
    """Write a file that does not exist yet, readable by its owner only, whole or not at all.

    Raises
    ------
    UsageError
        It exists, or cannot be made.
    """
    made = whole = False
    try:
        number = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        made = True
        with os.fdopen(number, "wb") as file:
            file.write(data)
        whole = True
    except FileExistsError as error:
        raise UsageError(f"{target} is there already and is not overwritten; choose another name") from error
    except OSError as error:
        raise UsageError(f"{target} cannot be written ({error.strerror}); choose another place") from error
    finally:
        # a signal may come at any moment
        if made and not whole:
            target.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    """Write a file in one step."""
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
