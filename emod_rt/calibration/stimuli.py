"""What is shown in the trials: a folder of files with an optional manifest, and the choice among them."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from emod_model.errors import InputFileError
from emod_rt.calibration.manifest import MANIFEST, read_manifest
from emod_rt.calibration.scene import Stimulus

_FEWEST = 4
_KINDS: dict[str, Literal["image", "sound", "film"]] = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"), "image"),
    **dict.fromkeys((".wav", ".mp3", ".ogg", ".flac", ".m4a"), "sound"),
    **dict.fromkeys((".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm"), "film"),
}


def read_folder(folder: str | Path) -> tuple[Stimulus, ...]:
    """Read a folder of images, sounds and films.

    With a `manifest.csv` in it, the files that it lists, and what they are meant to bring about; without one,
    every file of a known kind, of which nothing is known.

    Parameters
    ----------
    folder : path-like
        The folder; its subfolders count only where the manifest names them.

    Returns
    -------
    tuple of Stimulus
        In the order of the manifest, or of the names.

    Raises
    ------
    InputFileError
        No such folder, fewer than four stimuli, or a manifest that is broken.
    """
    folder = Path(folder).expanduser()
    try:
        if not folder.is_dir():
            raise InputFileError(f"{folder} is no folder; give a folder of images, sounds or films")
        stimuli = _listed(folder) if (folder / MANIFEST).exists() else _found(folder)
    except OSError as error:
        raise InputFileError(
            f"{folder} cannot be read ({error.strerror or error}); check that it is yours to read"
        ) from error
    if len(stimuli) < _FEWEST:
        raise InputFileError(
            f"{folder} holds {len(stimuli)} stimuli, at least {_FEWEST} are needed; "
            f"add images ({_endings('image')}), sounds ({_endings('sound')}) or films ({_endings('film')})"
        )
    return stimuli


def choose(stimuli: Sequence[Stimulus], trials: int, seed: int) -> tuple[Stimulus, ...]:
    """Choose what is shown, in random order, one of each quadrant in every four.

    None is shown twice before each has been shown. Those of which nobody knows what they bring about are a
    group of their own.

    Parameters
    ----------
    stimuli : sequence of Stimulus
        At least one.
    trials : int
        How many are needed.
    seed : int
        The same seed gives the same choice.

    Returns
    -------
    tuple of Stimulus
        `trials` of them.
    """
    rng = random.Random(seed)
    chosen: list[Stimulus] = []
    while len(chosen) < trials:
        groups = _groups(stimuli, rng)
        while groups:
            # one of each group, in random order, until all are shown
            rng.shuffle(groups)
            chosen += [group.pop() for group in groups]
            groups = [group for group in groups if group]
    return tuple(chosen[:trials])


def quadrant(stimulus: Stimulus) -> tuple[bool, bool] | None:
    """Return whether a stimulus is meant to be pleasant, and to be stirring; None when nobody says."""
    return None if stimulus.intended is None else (stimulus.intended[0] >= 0, stimulus.intended[1] >= 0)


def _groups(stimuli: Sequence[Stimulus], rng: random.Random) -> list[list[Stimulus]]:
    groups: dict[tuple[bool, bool] | None, list[Stimulus]] = {}
    for stimulus in stimuli:
        groups.setdefault(quadrant(stimulus), []).append(stimulus)
    for group in groups.values():
        rng.shuffle(group)
    return list(groups.values())


def _found(folder: Path) -> tuple[Stimulus, ...]:
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _KINDS and path.is_file())
    return tuple(_stimulus(path, path.name, None) for path in files)


def _listed(folder: Path) -> tuple[Stimulus, ...]:
    stimuli = []
    for where, name, intended in read_manifest(folder):
        path = folder / name
        if path.suffix.lower() not in _KINDS:
            raise InputFileError(
                f"{where}: {name[:80]!r} is no image, sound or film that is known; use {_endings()}"
            )
        if not path.is_file():
            raise InputFileError(f"{where}: there is no file {name[:80]!r} in {folder}; correct the name")
        stimuli.append(_stimulus(path, name, intended))
    return tuple(stimuli)


def _stimulus(path: Path, name: str, intended: tuple[float, float] | None) -> Stimulus:
    return Stimulus(name, _KINDS[path.suffix.lower()], path=path.resolve(), intended=intended)


def _endings(kind: str | None = None) -> str:
    return " ".join(suffix for suffix, of in _KINDS.items() if kind in (None, of))
