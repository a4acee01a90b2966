"""A corpus into a store: everyone in parallel, whole or not at all, and on from where a kill left it."""

import errno
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emod_model.affect import Vocabulary, corpora, vocabulary
from emod_model.corpora.base import Corpus
from emod_model.errors import InputFileError, UsageError
from emod_model.store.ica import check_installed
from emod_model.store.join import join
from emod_model.store.manifest import Manifest, RawFile
from emod_model.store.part import load
from emod_model.store.person import Job, prepare_person
from emod_model.store.raw_files import changed, digest, files_of, hash_files
from emod_model.store.read import open_store
from emod_model.store.recipe import Recipe

Progress = Callable[[str, int, int], None]
"""Told what is going on, and how many of how many are done."""

# file systems of clusters that know no locks
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@dataclass(frozen=True)
class Prepared:
    """What `write_store` did.

    Attributes
    ----------
    path : pathlib.Path
        The store.
    manifest : Manifest
        What is in it.
    before : bool
        It was there already, of the same recipe and files: nothing was done.
    resumed : int
        People who had been prepared by an earlier run that was broken off.
    """

    path: Path
    manifest: Manifest
    before: bool = False
    resumed: int = 0


def write_store(
    corpus: Corpus,
    raw: Path,
    path: Path,
    recipe: Recipe,
    workers: int = 1,
    progress: Progress = lambda *_: None,
) -> Prepared:
    """Prepare a corpus.

    What is done lies in a folder beside the store, its name with ".parts" behind, until everyone is done.
    After a kill the same call goes on from there, and the store is the same to the byte.

    Parameters
    ----------
    corpus : Corpus
        Where the trials come from; must survive pickling when there is more than one worker.
    raw, path : pathlib.Path
        Its folder, and the store to be.
    recipe : Recipe
        What is done.
    workers : int
        Processes; the result is the same of any number. A `joblib.parallel_config` around it decides instead.
    progress : callable
        See `Progress`.

    Raises
    ------
    UsageError
        It cannot be written, or is there of another recipe or other files; ICA wants mne-icalabel installed.
    InputFileError
        Nobody's trials can be used, or a file cannot be read.
    """
    _check_place(path, raw)
    labels = _vocabulary(corpus)
    recipe = recipe.model_copy(update={"vocabulary": _fingerprint(labels)})
    if recipe.ica:
        check_installed()
    notes = Counter(corpus.notes)
    of_person = files_of(corpus, raw)

    def hashes() -> dict[Path, RawFile]:
        everything = sorted({file for files in of_person.values() for file in files})
        return hash_files(everything, raw, workers, lambda *at: progress("hashing files", *at))

    if path.exists():
        return Prepared(path, _same(path, recipe, hashes()), before=True)
    folder = path.with_name(f"{path.name}.parts")
    with _writing(path), _alone(folder, path):
        _settle(folder, recipe, path)
        hashed = hashes()
        jobs = []
        for at, (who, files) in enumerate(of_person.items()):
            inputs, source = digest([hashed[file] for file in files]), next(iter(files), raw)
            jobs.append(Job(corpus, who, recipe, labels, folder / f"{at:05}.json", inputs, source))
        resumed = _people(jobs, workers, progress)
        manifest = _finish(jobs, folder, path, hashed, notes, progress)
    # a worker of a run that was killed may still be at it
    shutil.rmtree(folder, ignore_errors=True)
    return Prepared(path, manifest, resumed=resumed)


def _check_place(path: Path, raw: Path) -> None:
    """Refuse what can be no store before anything is read."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give the file to be, as {path / 'store.h5'}")
    if path.resolve().is_relative_to(raw.resolve()):
        raise UsageError(
            f"{path} lies in the folder of the corpus, which is left as it is; choose another place"
        )


def _people(jobs: Sequence[Job], workers: int, progress: Progress) -> int:
    """Prepare everyone who is not done yet; return how many were."""
    todo = [job for job in jobs if load(job.path, job.inputs) is None]
    before = len(jobs) - len(todo)
    progress("people", before, len(jobs))
    for done, _ in enumerate(_run(todo, workers), before + 1):
        progress("people", done, len(jobs))
    return before


def _run(jobs: Sequence[Job], workers: int) -> Iterator[None]:
    """Do jobs, in processes where there is more than one worker; yield as they are done."""
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor
    from joblib.parallel import LokyBackend, get_active_backend

    backend, _ = get_active_backend()
    # a cluster knows its own number
    number = workers if isinstance(backend, LokyBackend) else None
    how = "generator_unordered" if backend.supports_return_generator else "list"
    try:
        yield from Parallel(n_jobs=number, return_as=how)(delayed(prepare_person)(job) for job in jobs)
    except (BrokenProcessPool, MemoryError) as error:
        raise UsageError(
            "a process was ended from outside, most likely for want of memory; with fewer --workers the same "
            "command goes on from there"
        ) from error
    finally:
        if workers > 1:
            # idle ones would be waited for, minutes long, when the program ends
            get_reusable_executor().shutdown(kill_workers=True)


def _finish(
    jobs: Sequence[Job],
    folder: Path,
    path: Path,
    hashed: dict[Path, RawFile],
    notes: Counter[str],
    progress: Progress,
) -> Manifest:
    """Join the parts, if there is anything to join and room for it."""
    parts = [part for job in jobs if (part := load(job.path, job.inputs, refused=True))]
    if not any(part.trials for part in parts):
        shutil.rmtree(folder)
        first = next((part.refused for part in parts), "there is nobody in it")
        raise InputFileError(f"nobody of {len(parts)} can be used, so no store was made; the first: {first}")
    recipe = jobs[0].recipe
    rows = {name for part in parts for trial in part.trials for name in trial.channels}
    needed = 4 * sum(part.windows for part in parts) * len(rows) * recipe.signal.window_samples
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(errno.ENOSPC, f"{needed / 1e9:.2f} GB are needed and {free / 1e9:.2f} GB free")
    files = list(hashed.values())
    return join(parts, folder, path, recipe, files, notes, lambda *at: progress("joining", *at))


def _vocabulary(corpus: Corpus) -> Vocabulary | None:
    """Return where the labels of the corpus lie: its own vocabulary, ours, or none."""
    own: Vocabulary | None = getattr(corpus, "vocabulary", None)
    if own is None and corpus.name in corpora():
        return vocabulary(corpus.name)
    return own


def _fingerprint(vocabulary: Vocabulary | None) -> str:
    if vocabulary is None:
        return ""
    told = vocabulary.model_dump_json().encode("utf-8")
    return f"{vocabulary.name} {hashlib.sha256(told).hexdigest()[:12]}"


def _same(path: Path, recipe: Recipe, hashed: dict[Path, RawFile]) -> Manifest:
    """Return the manifest of a store that is there, if it is the one that would be made."""
    manifest = open_store(path).manifest
    if manifest.recipe != recipe:
        raise UsageError(
            f"{path} is there already, of {_difference(manifest.recipe, recipe)}; give it another name, or "
            "delete it first"
        )
    if others := changed(manifest.files, hashed):
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise UsageError(
            f"{path} is there already, of other raw files ({others[0]}{more} differ); give it another name, "
            "or delete it first"
        )
    return manifest


def _difference(before: Recipe, now: Recipe) -> str:
    """Say how two recipes differ."""
    old, new = (
        each.signal.model_dump(exclude={"hop_s"}) | each.model_dump(exclude={"signal"})
        for each in (before, now)
    )

    def told(value: object) -> object:
        return "none" if value == "" else value

    return ", ".join(
        f"{key} {told(old[key])} and not {told(new[key])}" for key in old if old[key] != new[key]
    )


def _settle(folder: Path, recipe: Recipe, path: Path) -> None:
    """Note the recipe beside the parts, or compare it with the one that is there."""
    place = folder / "recipe.json"
    text = recipe.model_dump_json()
    if not place.exists():
        draft = folder / "recipe.draft"
        draft.write_text(text, encoding="utf-8")
        draft.replace(place)
    elif place.read_text(encoding="utf-8") != text:
        raise UsageError(
            f"{folder} holds what was begun of {path.name} with other settings; delete it, go on with those, "
            "or give the store another name"
        )


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what the disk says while a store is written into one sentence."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror or error}); make room or choose another place, and "
            "the same command goes on from there"
        ) from error


@contextmanager
def _alone(folder: Path, path: Path) -> Iterator[None]:
    """Hold the folder of parts: two runs would do everything twice."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(f"{path} is being prepared by another run; wait for it") from error
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield
    finally:
        os.close(handle)
        if not any(folder.glob("[0-9]*.json")):
            # nothing to go on from
            shutil.rmtree(folder, ignore_errors=True)
