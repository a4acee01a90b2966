"""Which files a corpus consists of, and their hashes."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

from emod_model.corpora.base import Corpus
from emod_model.errors import InputFileError
from emod_model.store.manifest import RawFile


@runtime_checkable
class _FilesOfPeople(Protocol):
    def files(self, subject: str) -> Sequence[Path]:
        """Return what is read of one person."""


def files_of(corpus: Corpus, raw: Path) -> dict[str, tuple[Path, ...]]:
    """Return the files of each person: those the corpus names, or everything in its folder."""
    people = corpus.subjects()
    if isinstance(corpus, _FilesOfPeople):
        return {subject: tuple(corpus.files(subject)) for subject in people}
    below = [raw] if raw.is_file() else sorted(path for path in raw.rglob("*") if path.is_file())
    # what a file manager leaves behind is no part of a corpus
    return dict.fromkeys(people, tuple(path for path in below if not path.name.startswith(".")))


def hash_files(
    paths: Sequence[Path], raw: Path, workers: int, done: Callable[[int, int], None]
) -> dict[Path, RawFile]:
    """Hash files, several at a time.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Each once.
    raw : pathlib.Path
        Folder that their names are told from.
    workers : int
        Files at a time.
    done : callable
        Told how many of how many are hashed.

    Raises
    ------
    InputFileError
        A file cannot be read.
    """
    hashed: dict[Path, RawFile] = {}
    with ThreadPoolExecutor(max(1, workers)) as pool:
        for path, found in zip(paths, pool.map(partial(_hash, raw=raw), paths), strict=True):
            hashed[path] = found
            done(len(hashed), len(paths))
    return hashed


def digest(files: Sequence[RawFile]) -> str:
    """Return one hash for several files."""
    lines = sorted(f"{file.path} {file.sha256}" for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def changed(before: Sequence[RawFile], now: Mapping[Path, RawFile]) -> list[str]:
    """Return the names of files that are new, gone or not as they were."""
    old = {file.path: file.sha256 for file in before}
    new = {file.path: file.sha256 for file in now.values()}
    return sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))


def _hash(path: Path, raw: Path) -> RawFile:
    name = path.relative_to(raw) if path.is_relative_to(raw) and path != raw else Path(path.name)
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        return RawFile(path=name.as_posix(), bytes=path.stat().st_size, sha256=found)
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read ({error.strerror}); check that it is yours") from error
